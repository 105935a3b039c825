// Package detect is the stage that matches every event against Sigma rules and puts an alert behind each event that
// raised one.
//
// It is not for reading logs (ingest, normalize), for knowing who a user is (enrich), or for acting (respond).
//
// Delivery: every event goes on unchanged and in order, also one that matches nothing; an alert follows its event
// directly. Alerts depend on the event and the rules alone, and their ids are hashes, so a replay after a crash gives the
// same alerts with the same ids. pipeline_errors and alerts of other runs pass untouched. Between events the stage keeps
// nothing, so clones may work side by side.
package detect
