package event

// ParseTime reads an RFC 3339 date-time (also with a space for the T, and with any number of fraction digits, of which
// nine count) as nanoseconds since 1970-01-01T00:00:00Z. ok is false for anything else and for years outside 1678-2261.
func ParseTime(s []byte) (ns int64, ok bool) {
	if len(s) < 20 || s[4] != '-' || s[7] != '-' || s[10]|0x20 != 't' && s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	year, month, day := digits(s[0:4]), digits(s[5:7]), digits(s[8:10])
	hour, minute, sec := digits(s[11:13]), digits(s[14:16]), digits(s[17:19])
	if year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59 || sec < 0 || sec > 60 {
		return 0, false
	}
	i := 19
	var frac int64
	if s[i] == '.' || s[i] == ',' {
		i++
		start, scale := i, int64(100_000_000)
		for ; i < len(s) && s[i]-'0' < 10; i++ {
			frac += int64(s[i]-'0') * scale
			scale /= 10
		}
		if i == start {
			return 0, false
		}
	}
	offset, ok := zone(s[i:])
	if !ok {
		return 0, false
	}
	secs := daysSinceEpoch(year, month, day)*86400 + int64(hour*3600+minute*60+sec) - int64(offset)
	return secs*1_000_000_000 + frac, true
}

func zone(s []byte) (seconds int, ok bool) {
	if len(s) == 1 && s[0]|0x20 == 'z' {
		return 0, true
	}
	if len(s) != 5 && len(s) != 6 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	mm := s[3:]
	if len(s) == 6 {
		if s[3] != ':' {
			return 0, false
		}
		mm = s[4:]
	}
	h, m := digits(s[1:3]), digits(mm)
	if h < 0 || h > 23 || m < 0 || m > 59 {
		return 0, false
	}
	seconds = h*3600 + m*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

func digits(s []byte) int {
	n := 0
	for _, c := range s {
		if c-'0' > 9 {
			return -1 << 20
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSinceEpoch counts days of the proleptic Gregorian calendar from 1970-01-01.
func daysSinceEpoch(y, m, d int) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	days := 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1
	return int64(days) - 719468
}

// AppendTime appends ns (nanoseconds since 1970) as an RFC 3339 date-time in UTC with at least milliseconds:
// 2026-11-24T08:17:44.000Z, and six or nine digits where they are not zero.
func AppendTime(dst []byte, ns int64) []byte {
	sec, frac := ns/1_000_000_000, int(ns%1_000_000_000)
	if frac < 0 {
		sec, frac = sec-1, frac+1_000_000_000
	}
	days, rest := sec/86400, int(sec%86400)
	if rest < 0 {
		days, rest = days-1, rest+86400
	}
	y, m, d := civil(days)
	dst = appendDigits(dst, y, 4)
	dst = appendDigits(append(dst, '-'), m, 2)
	dst = appendDigits(append(dst, '-'), d, 2)
	dst = appendDigits(append(dst, 'T'), rest/3600, 2)
	dst = appendDigits(append(dst, ':'), rest/60%60, 2)
	dst = appendDigits(append(dst, ':'), rest%60, 2)
	dst = append(dst, '.')
	switch {
	case frac%1_000_000 == 0:
		dst = appendDigits(dst, frac/1_000_000, 3)
	case frac%1_000 == 0:
		dst = appendDigits(dst, frac/1_000, 6)
	default:
		dst = appendDigits(dst, frac, 9)
	}
	return append(dst, 'Z')
}

func appendDigits(dst []byte, n, width int) []byte {
	dst = append(dst, "000000000"[:width]...)
	for i := len(dst) - 1; n > 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}

// civil is daysSinceEpoch's inverse: the Gregorian date of a day counted from 1970-01-01.
func civil(days int64) (y, m, d int) {
	z := int(days) + 719468 // from 0000-03-01; all of an int64's nanoseconds lie behind it
	era := z / 146097
	day := z % 146097
	year := (day - day/1460 + day/36524 - day/146096) / 365
	day -= 365*year + year/4 - year/100
	mp := (5*day + 2) / 153
	d = day - (153*mp+2)/5 + 1
	m = mp + 3
	if m > 12 {
		m -= 12
		year++
	}
	return era*400 + year, m, d
}
