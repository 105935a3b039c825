package normalize

// keyTable finds a small integer by a name in a byte slice, without hashing the whole of it.
type keyTable struct {
	slots []keySlot
	mask  uint32
	n     int
}

type keySlot struct {
	key string
	val int32
	set bool
}

func hashName(k []byte) uint32 {
	n := len(k)
	if n == 0 {
		return 0
	}
	return uint32(n)*0x9E3779B1 ^ uint32(k[0])*0x85EBCA6B ^ uint32(k[n-1])*0xC2B2AE35 ^ uint32(k[n/2])*0x27D4EB2F
}

// get returns the value of k, or -1.
func (t *keyTable) get(k []byte) int32 {
	if t.n == 0 {
		return -1
	}
	for h := hashName(k) >> 7; ; h++ {
		s := &t.slots[h&t.mask]
		if !s.set {
			return -1
		}
		if s.key == string(k) {
			return s.val
		}
	}
}

func (t *keyTable) put(k string, v int32) {
	if 4*(t.n+1) > len(t.slots) {
		old := t.slots
		size := max(16, 2*len(old))
		t.slots, t.mask, t.n = make([]keySlot, size), uint32(size-1), 0
		for _, s := range old {
			if s.set {
				t.put(s.key, s.val)
			}
		}
	}
	for h := hashName([]byte(k)) >> 7; ; h++ {
		s := &t.slots[h&t.mask]
		if !s.set {
			*s = keySlot{k, v, true}
			t.n++
			return
		}
	}
}

// pathTable finds slots by the path of a cell, level by level.
type pathTable struct {
	keys keyTable
	next []*pathTable // by key, nil where nothing lies below
	slot []int32      // by key, -1 where the key itself is not wanted
}

// add returns the slot of path, which is next where it is new.
func (t *pathTable) add(path []string, next int32) int32 {
	k := t.keys.get([]byte(path[0]))
	if k < 0 {
		k = int32(len(t.next))
		t.keys.put(path[0], k)
		t.next = append(t.next, nil)
		t.slot = append(t.slot, -1)
	}
	if len(path) == 1 {
		if t.slot[k] < 0 {
			t.slot[k] = next
		}
		return t.slot[k]
	}
	if t.next[k] == nil {
		t.next[k] = &pathTable{}
	}
	return t.next[k].add(path[1:], next)
}
