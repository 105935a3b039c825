// Package directory reads Active Directory and plain LDAP directories as tables of enrich: users, machines and groups, each
// a row that is found by any of the names that events use for it, with what an analyst would look up.
//
// The whole directory is read once and then kept up by its changes (DirSync, uSNChanged, modifyTimestamp). What was read lies in
// a file of the source's own, so that a restart goes on with the changes, also while no server answers.
//
// It is not for looking up single entries while events wait, and it never writes to a directory.
//
// Delivery: a table is what the directory held at one time, whole. A read that fails half-way changes nothing. Where the bind
// account may not see deletions, they are found within Config.Reconcile.
package directory
