// Package parquet writes Parquet files of flat and nested fields, and reads the footer of a file.
//
// The [Writer] is for rows whose fields are mostly NULL, as those of events are: a NULL costs nothing where the row is given, and some
// tens of bytes a column and row group in the file. It writes what every reader of Parquet takes: data pages of version 1, dictionaries, zstd,
// bounds, Bloom filters.
//
// The package knows of Parquet's format (apache/parquet-format, parquet.thrift) only what that needs, in the compact protocol of
// Thrift. It is not for reading values. A file is not whole until Close has returned without error: it belongs in a staging
// folder until then.
package parquet
