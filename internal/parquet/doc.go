// Package parquet reads the footer of a Parquet file, and gives a file columns that it does not have, as all NULL.
//
// The second is why it is there: a lake wants one schema in all its files, so that every engine reads any list of them at once, while
// one dataset fills a sixth of its columns. DuckDB takes two thirds of its time to write NULLs one by one; [Graft] adds such
// a column as one run of NULLs in each row group, some tens of bytes, whatever the number of rows.
//
// It knows of Parquet's format (apache/parquet-format, parquet.thrift) only what that needs, in the compact protocol of
// Thrift. It is not for reading values, nor for writing any. A file that is being changed is not whole until Graft returns without error:
// it belongs in a staging folder until then.
package parquet
