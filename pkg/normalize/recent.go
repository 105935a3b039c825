package normalize

// maxRecent is how many answers a recent holds of each of its two halves; a key longer than maxRecentKey is not kept.
const (
	maxRecent    = 2048
	maxRecentKey = 512
)

// recent remembers what was computed for the texts that came last: those asked for since the last turn are in now, those of the
// turn before in old. When now is full it becomes old, so that what is asked for again and again stays and the memory is bounded,
// whatever comes. The zero value is ready.
type recent[V any] struct {
	now, old map[string]V
}

// get returns the answer for key, from compute where it is not remembered. compute must not keep key.
func (c *recent[V]) get(key []byte, compute func(key []byte) V) V {
	if v, ok := c.now[string(key)]; ok {
		return v
	}
	v, ok := c.old[string(key)]
	if !ok {
		v = compute(key)
	}
	if len(key) > maxRecentKey {
		return v
	}
	if len(c.now) >= maxRecent || c.now == nil {
		c.old, c.now = c.now, make(map[string]V, 64)
	}
	c.now[string(key)] = v
	return v
}
