// Package duck opens DuckDB the way leat wants it, and is the only package that links it.
//
// Every database is in memory; what it may touch on disk is named when it is opened and can't be widened afterwards. It
// never reaches for the network: extensions are neither installed nor loaded on demand.
//
// It is not for keeping data: files, commits and locks are the business of pkg/lake. It guarantees nothing about
// delivery; a COPY that fails may leave a part of a file, which the caller's staging folder is for.
package duck
