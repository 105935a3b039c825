// Package parquet writes Parquet files of flat and nested fields, reads the footer of a file, and gives a file columns that it does not
// have, as all NULL.
//
// The [Writer] is for rows whose fields are mostly NULL, as those of events are: a NULL costs nothing where the row is given, and some
// tens of bytes a column and row group in the file. It writes what every reader of Parquet takes: data pages of version 1, dictionaries, zstd,
// bounds, Bloom filters.
//
// [Graft] does the same for files that DuckDB has written: it takes two thirds of its time to write NULLs one by one. Such a column is added as one
// run of NULLs in each row group.
//
// The package knows of Parquet's format (apache/parquet-format, parquet.thrift) only what that needs, in the compact protocol of
// Thrift. It is not for reading values. A file is not whole until Close or Graft has returned without error: it belongs in a staging
// folder until then.
package parquet
