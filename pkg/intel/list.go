package intel

import "io"

// readList reads a plain list: a value a line, # and ; begin comments. Of a line with more behind space or a comma only the first word is
// the value, as in hosts files (0.0.0.0 name: there it is the second).
func readList(r io.Reader, t *intake) error {
	return eachLine(r, func(line []byte) error {
		line = stripComment(line)
		if len(line) == 0 {
			return nil
		}
		word, rest := cutWord(line)
		if len(rest) > 0 && isNullAddress(word) {
			word, _ = cutWord(rest)
		}
		i := t.record()
		i.value = append(i.value, word...)
		t.put(i)
		return nil
	})
}

// cutWord returns the first word of a line and what follows the space, tab or comma behind it.
func cutWord(line []byte) (word, rest []byte) {
	for i, c := range line {
		if c == ' ' || c == '\t' || c == ',' {
			rest = line[i+1:]
			for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
				rest = rest[1:]
			}
			return line[:i], rest
		}
	}
	return line, nil
}

// isNullAddress tells the address that a hosts file sends unwanted names to.
func isNullAddress(word []byte) bool {
	switch string(word) {
	case "0.0.0.0", "127.0.0.1", "::", "::1":
		return true
	}
	return false
}
