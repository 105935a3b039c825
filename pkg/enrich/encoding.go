package enrich

import (
	"bytes"
	"errors"
)

// magics are the first bytes of what is often taken for a table of text, and what to say of it.
var magics = []struct{ prefix, what string }{
	{"\xff\xfe", "the file is UTF-16; expected UTF-8"},
	{"\xfe\xff", "the file is UTF-16; expected UTF-8"},
	{"\x1f\x8b", "the file is compressed (gzip); expected plain text"},
	{"\x28\xb5\x2f\xfd", "the file is compressed (zstd); expected plain text"},
	{"PK\x03\x04", "the file is a zip archive or an Excel workbook; expected plain text"},
	{"PAR1", "the file is Parquet; expected plain text, or format: parquet"},
}

// checkText tells whether data may be text in UTF-8. Single bytes that are not become U+FFFD; Check tells of those.
func checkText(data []byte) error {
	for _, m := range magics {
		if bytes.HasPrefix(data, []byte(m.prefix)) {
			return errors.New(m.what)
		}
	}
	return nil
}

// replacement is what stands for bytes that are not UTF-8.
const replacement = "\ufffd"
