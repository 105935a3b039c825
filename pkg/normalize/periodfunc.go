package normalize

import "strconv"

// maxPeriod is the number of seconds, more than a century, that still counts as nanoseconds.
const maxPeriod = 1 << 32

// periodCall reads a time that is written with its units, largest first, such as 1d 2h:03m:04s or 5m12s, as nanoseconds.
func periodCall(r *runner, _ *call, v value) value {
	var total, n int64
	digits, units := 0, 0
	for _, c := range r.textOf(v) {
		if c-'0' < 10 {
			if digits++; digits > 9 {
				return value{}
			}
			n = n*10 + int64(c-'0')
			continue
		}
		var unit int64
		switch c | 0x20 {
		case 'd':
			unit = 86400
		case 'h':
			unit = 3600
		case 'm':
			unit = 60
		case 's':
			unit = 1
		case ' ', ':' | 0x20, ',' | 0x20:
			if digits > 0 {
				return value{}
			}
			continue
		}
		if unit == 0 || digits == 0 || n > maxPeriod/86400 {
			return value{}
		}
		total += n * unit
		n, digits = 0, 0
		units++
	}
	if units == 0 || digits > 0 || units > 4 || total > maxPeriod {
		return value{}
	}
	start := len(r.mem)
	r.mem = strconv.AppendInt(r.mem, total*1e9, 10)
	return numberValue(r.mem[start:len(r.mem):len(r.mem)])
}
