package intel

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxLine bounds a line of a feed; a longer one is skipped and counted by its reader as one that is no indicator.
const maxLine = 1 << 20

// eachLine calls f for each line, without its end. Of a line longer than maxLine only the beginning is given. The line is f's until it
// returns.
func eachLine(r io.Reader, f func(line []byte) error) error {
	in := bufio.NewReaderSize(r, 64<<10)
	var long []byte
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long[:0], line...)
			for errors.Is(err, bufio.ErrBufferFull) {
				line, err = in.ReadSlice('\n')
				if len(long) < maxLine {
					long = append(long, line...)
				}
			}
			line = long
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if first {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		if len(line) > 0 {
			if err := f(bytes.TrimRight(line, "\r\n")); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
	}
}

// stripComment cuts what stands behind # or ; at the beginning of a line or behind space, and the space around the rest.
func stripComment(line []byte) []byte {
	for i, c := range line {
		if (c == '#' || c == ';') && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			line = line[:i]
			break
		}
	}
	return bytes.TrimSpace(line)
}
