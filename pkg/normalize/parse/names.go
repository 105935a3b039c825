package parse

import (
	"encoding/binary"
	"slices"
)

// Names remembers the names of a source's pairs and which came behind which, because a source writes the same names in much the same order
// over and over. The parser then compares the text with the one name that came there the last time, instead of looking for its end, and a
// name that is known has a number: whoever reads the record's cells finds by it what he knows of the name, without the text.
//
// It never changes what is parsed. One Names is for the pairs of one parser with one configuration. The zero value is ready; it is
// not safe for concurrent use.
type Names struct {
	list []knownName // by number; 0 is what stands before the first
	by   map[string]int32

	last  int32 // the name that was added last to the record
	seen  [maxNames / 64]uint64
	doubt bool // a name of the record is not known, or came twice
	lost  int  // names that found no room
}

const (
	maxNames = 256
	maxName  = 64
	// maxLost is how many names may find no room until all are forgotten: what fills it may be a hostile line, and must not slow all that follow.
	maxLost = 1 << 14
)

// knownName is one of them.
type knownName struct {
	text       []byte
	head, mask uint64 // its first eight bytes; what of them counts
	next       int32  // the number of the name that came behind it the last time; 0 = none
}

// Begin prepares n for a record. It tells whether names were forgotten, so that their numbers mean others from now on.
func (n *Names) Begin() (forgot bool) {
	if forgot = n.lost > maxLost; forgot {
		*n = Names{}
	}
	if n.list == nil {
		n.list, n.by = make([]knownName, 1, 32), map[string]int32{}
	}
	n.start()
	return forgot
}

// Len returns how many numbers there are: names have those from 1 on.
func (n *Names) Len() int { return len(n.list) }

// Text returns the name with that number.
func (n *Names) Text(number int32) []byte { return n.list[number].text }

// start begins with the pairs of a text. n may be nil: then no name is known.
func (n *Names) start() {
	if n != nil {
		n.last, n.doubt, n.seen = 0, false, [maxNames / 64]uint64{}
	}
}

// guess returns the name that is expected next, and its number; 0 = none is.
func (n *Names) guess() (name *knownName, number int32) {
	if n == nil {
		return nil, 0
	}
	number = n.list[n.last].next
	return &n.list[number], number
}

// at tells whether the name stands at s[i], with eq behind it.
func (k *knownName) at(s []byte, i int, eq byte) bool {
	end := i + len(k.text)
	if end >= len(s) || s[end] != eq {
		return false
	}
	if i+8 > len(s) {
		return string(s[i:end]) == string(k.text)
	}
	return (binary.LittleEndian.Uint64(s[i:])^k.head)&k.mask == 0 && (len(k.text) <= 8 || string(s[i+8:end]) == string(k.text[8:]))
}

// take notes that the name with that number is the record's next one.
func (n *Names) take(number int32) {
	n.last = number
	w, bit := &n.seen[number>>6], uint64(1)<<(number&63)
	n.doubt = n.doubt || *w&bit != 0
	*w |= bit
}

// find returns the number of a name of the record, which becomes known if there is room; else 0.
func (n *Names) find(key []byte) int32 {
	if n == nil {
		return 0
	}
	if k, number := n.guess(); number > 0 && string(k.text) == string(key) {
		n.take(number)
		return number
	}
	number, ok := n.by[string(key)]
	if !ok {
		if number = n.learn(key); number == 0 {
			n.doubt = true
			return 0
		}
	}
	n.list[n.last].next = number
	n.take(number)
	return number
}

func (n *Names) learn(key []byte) int32 {
	if len(n.list) == maxNames || len(key) == 0 || len(key) > maxName {
		n.lost++
		return 0
	}
	k := knownName{text: slices.Clone(key), mask: ^uint64(0)}
	var head [8]byte
	if copied := copy(head[:], key); copied < 8 {
		k.mask = 1<<(8*copied) - 1
	}
	k.head = binary.LittleEndian.Uint64(head[:])
	n.list = append(n.list, k)
	number := int32(len(n.list) - 1)
	n.by[string(k.text)] = number
	return number
}

// distinct tells whether all names since start are known to be different.
func (n *Names) distinct() bool { return n != nil && !n.doubt }
