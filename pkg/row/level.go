package row

// maxMembers is how many names one level may have: one bit each in the set of those that were seen.
const maxMembers = 64

// level is one object level of the columns.
type level struct {
	members []member
	table   [256]int8 // hash of a key -> 1 + index in members, or 0; collisions go on linearly
}

type member struct {
	name   string
	quoted string // "name":
	typ    Type
	sub    *level // an object, or nil for a column
	note   note
	column int // its number, if sub is nil
}

// note marks the columns that decide on an event's partition.
type note uint8

const (
	noteTime note = iota + 1
	noteKind
	noteDataset
)

func (l *level) find(name string) int {
	for i := range l.members {
		if l.members[i].name == name {
			return i
		}
	}
	return -1
}

func (l *level) add(name string, t Type, object bool) int {
	m := member{name: name, quoted: `"` + name + `":`, typ: t}
	if object {
		m.sub = &level{}
	}
	l.members = append(l.members, m)
	return len(l.members) - 1
}

// index fills the tables, this level's and those below.
func (l *level) index() {
	for i := range l.members {
		h := hash([]byte(l.members[i].name))
		for l.table[h] != 0 {
			h++
		}
		l.table[h] = int8(i + 1)
		if l.members[i].sub != nil {
			l.members[i].sub.index()
		}
	}
}

func hash(k []byte) uint8 {
	n := len(k)
	if n == 0 {
		return 0
	}
	return uint8(n)*31 + k[0]*7 + k[n-1]*13 + k[n/2]*3
}

// match returns the index of the member of that name, or -1.
func (l *level) match(k []byte) int {
	for h := hash(k); l.table[h] != 0; h++ {
		if i := int(l.table[h] - 1); l.members[i].name == string(k) {
			return i
		}
	}
	return -1
}
