package event

// Fields reads several fields in one walk over the tape.
type Fields struct {
	paths []Path
	root  level
}

// level is one object level of the wanted fields.
type level struct {
	keys  []string
	next  []*level
	slots [][]int
	table [64]int8 // hash of a key -> 1 + index in keys, or 0; collisions go on linearly
}

// CompileFields prepares the given dotted field names (see ParsePath); Read fills one slot for each, in this order.
// At one level at most 48 names can be told apart.
func CompileFields(names ...string) (*Fields, error) {
	f := &Fields{}
	for _, name := range names {
		p, err := ParsePath(name)
		if err != nil {
			return nil, err
		}
		f.paths = append(f.paths, p)
	}
	for slot, p := range f.paths {
		l := &f.root
		for i, k := range p.keys {
			at := l.find(k)
			if at < 0 {
				at = l.add(k)
			}
			if i == len(p.keys)-1 {
				l.slots[at] = append(l.slots[at], slot)
			} else {
				if l.next[at] == nil {
					l.next[at] = &level{}
				}
				l = l.next[at]
			}
		}
	}
	return f, nil
}

// MustFields is CompileFields for constants; it panics on an error.
func MustFields(names ...string) *Fields {
	f, err := CompileFields(names...)
	if err != nil {
		panic(err)
	}
	return f
}

// Len is the number of slots.
func (f *Fields) Len() int { return len(f.paths) }

// Path returns the path of a slot.
func (f *Fields) Path(slot int) Path { return f.paths[slot] }

func hashKey(k []byte) uint32 {
	n := len(k)
	if n == 0 {
		return 0
	}
	return (uint32(n)*31 + uint32(k[0])*7 + uint32(k[n-1])*13 + uint32(k[n/2])*3) & 63
}

func (l *level) find(k string) int {
	for i, have := range l.keys {
		if have == k {
			return i
		}
	}
	return -1
}

func (l *level) add(k string) int {
	l.keys = append(l.keys, k)
	l.next = append(l.next, nil)
	l.slots = append(l.slots, nil)
	if len(l.keys) <= 48 {
		h := hashKey([]byte(k))
		for l.table[h] != 0 {
			h = (h + 1) & 63
		}
		l.table[h] = int8(len(l.keys))
	}
	return len(l.keys) - 1
}

func (l *level) match(k []byte) int {
	for h := hashKey(k); l.table[h] != 0; h = (h + 1) & 63 {
		if i := int(l.table[h] - 1); l.keys[i] == string(k) {
			return i
		}
	}
	if len(l.keys) > 48 {
		for i, have := range l.keys[48:] {
			if have == string(k) {
				return 48 + i
			}
		}
	}
	return -1
}

// Read fills dst, which has Len slots, with the event's values; a slot of a field that is not there becomes Missing.
func (f *Fields) Read(e *Event, dst []Value) {
	clear(dst)
	if e.Root() != None {
		f.root.read(e, 0, dst)
	}
}

func (l *level) read(e *Event, n Node, dst []Value) {
	for i := e.First(n); i != None; i = e.Next(i) {
		at := l.match(e.Key(i))
		if at < 0 {
			continue
		}
		for _, s := range l.slots[at] {
			if dst[s].Kind == Missing {
				dst[s] = e.ValueAt(i)
			}
		}
		if l.next[at] != nil && e.KindAt(i) == Object {
			l.next[at].read(e, i, dst)
		}
	}
}
