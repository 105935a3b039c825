package duck

import (
	"errors"

	duckdb "github.com/marcboeker/go-duckdb/v2"
)

// BadInput tells whether a statement failed for what it read, so that other input may pass: not for the disk, the memory
// or an interrupt.
func BadInput(err error) bool {
	var e *duckdb.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Type {
	case duckdb.ErrorTypeInvalidInput, duckdb.ErrorTypeConversion, duckdb.ErrorTypeOutOfRange,
		duckdb.ErrorTypeObjectSize, duckdb.ErrorTypeMismatchType, duckdb.ErrorTypeInvalidType, duckdb.ErrorTypeInvalid:
		return true
	}
	return false
}
