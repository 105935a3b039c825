package normalize

import "unicode/utf8"

// lengthCall tells values apart that only their length tells apart, such as the kinds of hashes.
func lengthCall(r *runner, c *call, v value) value {
	if t := r.textOf(v); len(t) == c.num || len(t) > c.num && utf8.RuneCount(t) == c.num {
		return v
	}
	return value{}
}
