// Package ocsf writes normal events in the vocabulary of the Open Cybersecurity Schema Framework instead of ECS: for the end of
// a pipe whose reader wants OCSF. It makes one class of OCSF of each ECS event, from the tables in tables.yaml, which are data.
//
//	s, err := ocsf.New(nil)
//	err = s.Process(batch)
//
// Nothing is lost: what has no place in the class goes to unmapped under its ECS name, event.original to raw_data, event.id to
// metadata.uid. An event that lacks what its class requires becomes the next class that fits, at last a Base Event. The result
// holds to the published schema (schema.txt, made by schemagen): required attributes are there, values have their types, enums
// their sibling captions.
//
// It is not for reading records (normalize does), nor for what detect, respond and persist read: those read ECS.
//
// Delivery: every event becomes one event, at its place. Those that are OCSF already, and pipeline_errors, pass untouched. There
// is no state between events.
package ocsf
