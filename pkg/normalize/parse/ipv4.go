package parse

// IsIPv4 tells whether s is an IPv4 address as net/netip reads it: four numbers up to 255 without leading zeros. Most addresses are, and a
// try costs a third of netip's.
func IsIPv4(s []byte) bool {
	if len(s) < len("0.0.0.0") || len(s) > len("255.255.255.255") {
		return false
	}
	n, digits, dots := uint32(0), 0, 0
	for _, c := range s {
		if d := uint32(c) - '0'; d <= 9 {
			if digits > 0 && n == 0 {
				return false // a leading zero
			}
			if n = 10*n + d; n > 255 {
				return false
			}
			digits++
			continue
		}
		if c != '.' || digits == 0 {
			return false
		}
		n, digits, dots = 0, 0, dots+1
	}
	return dots == 3 && digits > 0
}
