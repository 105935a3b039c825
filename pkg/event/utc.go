package event

// ParseUTC is ParseTime for a time that is known to be UTC, and need not say so: Sysmon's UtcTime is "2026-11-24 08:00:00.123".
func ParseUTC(s []byte) (ns int64, ok bool) {
	if ns, ok = ParseTime(s); ok {
		return ns, true
	}
	var buf [48]byte
	if len(s) >= len(buf) {
		return 0, false
	}
	return ParseTime(append(append(buf[:0], s...), 'Z'))
}
