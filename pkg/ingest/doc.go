// Package ingest reads records from their sources.
package ingest
