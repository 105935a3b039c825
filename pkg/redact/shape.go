package redact

// shape counts what kinds of characters a text has: most patterns can tell from it that they have no match there.
type shape struct{ size, digits, dots, colons, capitals, ats, spaces int }

const (
	isDigit = 1 + iota
	isDot
	isColon
	isCapital
	isAt
	isSpace
)

// kinds is the kind of each character.
var kinds = func() (k [256]uint8) {
	for c := range k {
		switch {
		case digit(byte(c)):
			k[c] = isDigit
		case upper(byte(c)):
			k[c] = isCapital
		}
	}
	k['.'], k[':'], k['@'], k[' '] = isDot, isColon, isAt, isSpace
	return k
}()

func shapeOf(text []byte) shape {
	var n [8]int
	for _, c := range text {
		n[kinds[c]&7]++
	}
	return shape{len(text), n[isDigit], n[isDot], n[isColon], n[isCapital], n[isAt], n[isSpace]}
}

// mayHold tells whether a text of that shape may hold a match of the built-in pattern of that name; of any other it may.
func (s shape) mayHold(name string) bool {
	switch name {
	case "email":
		return s.ats > 0 && s.dots > 0
	case "ipv4":
		return s.dots >= 3 && s.digits >= 4
	case "ipv6":
		return s.colons >= 2
	case "card":
		return s.digits >= 13
	case "iban":
		return s.size >= 15 && s.capitals >= 2 && s.digits >= 2
	case "jwt":
		return s.dots >= 2 && s.size >= 5
	case "bearer":
		return s.spaces > 0 && s.size >= 15
	case "aws_key":
		return s.size >= 20 && s.capitals >= 4
	}
	return true
}
