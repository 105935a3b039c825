package learn

import (
	"slices"
	"strings"
	"unsafe"
)

// entry is a run of like facts: the first and the last of them, and until when the last holds.
type entry struct {
	first, last, to int64
	row             string
	fact            uint16
}

// item is what is known of one key.
type item struct {
	key     string
	entries []entry
	touch   uint64 // when it was last of use, as a number that grows
	hour    int64  // of the stream at that time
	prev    int32
	next    int32
	class   uint16 // the fact that taught the key first
	used    bool   // an event asked for it
	dirty   bool
	live    bool
}

const (
	entrySize = int64(unsafe.Sizeof(entry{}))
	itemSize  = int64(unsafe.Sizeof(item{})) + 48 // with its share of the map
)

func (t *Table) slotOf(at int64) int64 {
	s := at / t.slot
	if at%t.slot < 0 {
		s--
	}
	return s
}

// put adds a fact of t.row to x: to the run that has its slot, or as a new one.
func (t *Table) put(x *item, f uint16, at, to int64) {
	slot := t.slotOf(at)
	for i := range x.entries {
		e := &x.entries[i]
		if e.row != string(t.row) {
			continue
		}
		if e.fact != f || slot < t.slotOf(e.first) || slot > t.slotOf(e.last) {
			continue
		}
		e.first = min(e.first, at)
		if at > e.last || at == e.last && to > e.to {
			e.last, e.to = at, to
		}
		return
	}
	// Seldom, and by what a snapshot keeps: a table that was restored must go on as one that was not.
	if n := len(x.entries); n >= 4 && n&(n-1) == 0 {
		t.compact(x)
	}
	t.add(x, entry{first: at, last: at, to: to, fact: f}, t.row)
	if len(x.entries) > t.perKey {
		t.compact(x)
		t.evictFacts(x)
	}
}

// add appends a run; the text of its row is that of one before it where they are the same.
func (t *Table) add(x *item, e entry, row []byte) {
	for i := range x.entries {
		if x.entries[i].row == string(row) {
			e.row = x.entries[i].row
			break
		}
	}
	if e.row == "" {
		e.row = string(row)
		t.stats.Bytes += int64(len(row))
	}
	x.entries = append(x.entries, e)
	t.stats.Facts++
	t.stats.Bytes += entrySize
}

// evictFacts keeps to the bound of runs. It makes room for some at once, so that a flood of facts of one key pays for looking through
// them seldom.
func (t *Table) evictFacts(x *item) {
	if len(x.entries) <= t.perKey {
		return
	}
	for len(x.entries) > t.perKey-t.perKey/8 {
		t.evictFact(x)
	}
}

// evictFact removes the oldest run of the fact of which the key has most.
func (t *Table) evictFact(x *item) {
	var most uint16
	n := 0
	for i := range x.entries {
		same := 0
		for j := range x.entries {
			if x.entries[j].fact == x.entries[i].fact {
				same++
			}
		}
		if f := x.entries[i].fact; same > n || same == n && f > most {
			n, most = same, f
		}
	}
	oldest := -1
	for i := range x.entries {
		e := &x.entries[i]
		if e.fact == most && (oldest < 0 || before(e, &x.entries[oldest])) {
			oldest = i
		}
	}
	t.drop(x, oldest)
	t.stats.EvictedFacts++
}

func before(a, b *entry) bool {
	if a.last != b.last {
		return a.last < b.last
	}
	return a.row < b.row
}

// drop removes a run.
func (t *Table) drop(x *item, i int) {
	row := x.entries[i].row
	x.entries = slices.Delete(x.entries, i, i+1)
	t.stats.Facts--
	t.stats.Bytes -= entrySize
	if !slices.ContainsFunc(x.entries, func(e entry) bool { return e.row == row }) {
		t.stats.Bytes -= int64(len(row))
	}
}

// gone tells whether a run is over for longer than is kept.
func (t *Table) gone(e *entry) bool { return max(e.to, e.last) <= t.stream-t.keep }

// compact joins runs that no answer can tell apart any more, and forgets what is over. Only what is older than Late is
// joined: younger facts may still come in between.
func (t *Table) compact(x *item) {
	for i := len(x.entries) - 1; i >= 0; i-- {
		if t.gone(&x.entries[i]) {
			t.drop(x, i)
		}
	}
	for i := 0; i < len(x.entries); i++ {
		for {
			j := t.follower(x, i)
			if j < 0 {
				break
			}
			x.entries[i].last, x.entries[i].to = x.entries[j].last, x.entries[j].to
			t.drop(x, j)
			if j < i {
				i--
			}
		}
	}
}

// follower returns the next run like the i-th that may be joined to it, or -1.
func (t *Table) follower(x *item, i int) int {
	a := &x.entries[i]
	if t.facts[a.fact].ends {
		return -1
	}
	next := -1
	for j := range x.entries {
		b := &x.entries[j]
		if j != i && b.fact == a.fact && b.row == a.row && b.first >= a.first && (next < 0 || b.first < x.entries[next].first) {
			next = j
		}
	}
	if next < 0 {
		return -1
	}
	b := &x.entries[next]
	if b.first > a.to || a.to > b.to || (t.slotOf(b.last)+1)*t.slot > t.stream-t.late {
		return -1
	}
	for j := range x.entries {
		if j != i && j != next && t.between(&x.entries[j], a, b) {
			return -1
		}
	}
	return next
}

// between tells whether c keeps a and b, like runs, apart: it says another thing while they last, or ends or rebinds the key.
func (t *Table) between(c, a, b *entry) bool {
	fc, fa := t.facts[c.fact], t.facts[a.fact]
	within := func(at int64) bool { return at >= a.first && at <= b.last }
	if (fc.ends || fc.binds >= 0) && (within(c.first) || within(c.last)) {
		return true
	}
	if c.first > b.last || c.last < a.first {
		return false
	}
	for i, col := range fc.names {
		if j := fa.place(col); j >= 0 {
			if v, w := cellAt(c.row, i), cellAt(a.row, j); v != "" && w != "" && v != w {
				return true
			}
		}
	}
	return false
}

// place returns the number of the cell of the named column, or -1.
func (f *fact) place(name string) int {
	i, ok := slices.BinarySearchFunc(f.names, name, strings.Compare)
	if !ok {
		return -1
	}
	return i
}
