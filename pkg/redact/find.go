package redact

import (
	"bytes"
	"net/netip"
	"regexp"
)

// finder finds one kind of value in a text: the first that begins at from or later. start is -1 where there is none.
type finder func(text []byte, from int) (start, end int)

// builtins are the patterns that need no expression. Each has a cheap test first: most texts hold none of them.
var builtins = map[string]finder{
	"email": findEmail, "ipv4": findIPv4, "ipv6": findIPv6, "card": findCard, "iban": findIBAN, "jwt": findJWT, "bearer": findBearer, "aws_key": findAWSKey,
}

// expression finds by a regular expression, in texts that hold the literal only.
func expression(re *regexp.Regexp, literal string) finder {
	lit := []byte(literal)
	return func(text []byte, from int) (int, int) {
		if !bytes.Contains(text[from:], lit) {
			return -1, 0
		}
		// The text in front counts for \b and ^.
		for at := from; at <= len(text); {
			m := re.FindIndex(text[at:])
			if m == nil {
				return -1, 0
			}
			if m[1] > m[0] {
				return at + m[0], at + m[1]
			}
			at += m[1] + 1
		}
		return -1, 0
	}
}

func digit(c byte) bool { return c-'0' < 10 }
func upper(c byte) bool { return c-'A' < 26 }
func alnum(c byte) bool { return digit(c) || c|0x20-'a' < 26 }
func hexDigit(c byte) bool {
	return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f'
}

// findEmail finds local@domain.tld (RFC 5321's dot-string and domain).
func findEmail(text []byte, from int) (int, int) {
	for at := from; ; {
		i := bytes.IndexByte(text[at:], '@')
		if i < 0 {
			return -1, 0
		}
		i += at
		start := i
		for start > from && (alnum(text[start-1]) || text[start-1] >= 0x80 || bytes.IndexByte(localChars, text[start-1]) >= 0) {
			start--
		}
		end := i + 1
		for end < len(text) && (alnum(text[end]) || text[end] == '-' || text[end] == '.' || text[end] >= 0x80) {
			end++
		}
		for end > i && (text[end-1] == '.' || text[end-1] == '-') {
			end--
		}
		if dot := bytes.LastIndexByte(text[i:end], '.'); start < i && dot > 1 {
			return start, end
		}
		at = i + 1
	}
}

var localChars = []byte(".!#$%&'*+/=?^_`{|}~-")

func findIPv4(text []byte, from int) (int, int) { return findAddress(text, from, true, false) }
func findIPv6(text []byte, from int) (int, int) { return findAddress(text, from, false, true) }

// findAddress finds an IP address that stands by itself: not within a longer number, name or dotted version.
func findAddress(text []byte, from int, v4, v6 bool) (int, int) {
	for i := from; i < len(text); {
		if !hexDigit(text[i]) && text[i] != ':' {
			i++
			continue
		}
		end := i
		dots, colons := 0, 0
		for end < len(text) && (hexDigit(text[end]) || text[end] == ':' || text[end] == '.') {
			switch text[end] {
			case '.':
				dots++
			case ':':
				colons++
			}
			end++
		}
		if dots >= 3 || colons >= 2 {
			if start, stop := addressIn(text, i, end, v4, v6); start >= 0 {
				return start, stop
			}
		}
		i = end
	}
	return -1, 0
}

// addressIn finds an address in the run of digits, dots and colons text[start:end].
func addressIn(text []byte, start, end int, v4, v6 bool) (int, int) {
	if v6 && (start == 0 || !alnum(text[start-1])) {
		for stop := end; stop > start+1; stop-- {
			// A sentence's end, or the colon behind it, is none of the address.
			if c := text[stop-1]; c == '.' || c == ':' && (stop < start+2 || text[stop-2] != ':') {
				continue
			}
			if stop < len(text) && alnum(text[stop]) {
				break
			}
			if a, err := netip.ParseAddr(view(text[start:stop])); err == nil && a.Is6() {
				return start, stop
			}
			break
		}
	}
	if !v4 {
		return -1, 0
	}
	for i := start; i < end; i++ {
		if !digit(text[i]) || i > 0 && (alnum(text[i-1]) || text[i-1] == '.' && i > 1 && digit(text[i-2])) {
			continue
		}
		stop, dots := i, 0
		for stop < end && (digit(text[stop]) || text[stop] == '.' && dots < 3) {
			if text[stop] == '.' {
				dots++
			}
			stop++
		}
		after := stop < len(text) && (alnum(text[stop]) || text[stop] == '.' && stop+1 < len(text) && digit(text[stop+1]))
		if dots != 3 || after {
			continue
		}
		if _, err := netip.ParseAddr(view(text[i:stop])); err == nil {
			return i, stop
		}
	}
	return -1, 0
}

// findCard finds a payment card's number (ISO/IEC 7812): 13 to 19 digits, also in groups with spaces or hyphens, whose check digit fits.
func findCard(text []byte, from int) (int, int) {
	for i := from; i < len(text); i++ {
		if !digit(text[i]) || i > 0 && (alnum(text[i-1]) || text[i-1] == '.') {
			continue
		}
		end, n, sum := i, 0, [2]int{} // the sum of Luhn, for both parities of what is doubled
		start, last := i, 0
		for ; end < len(text) && n < 20; end++ {
			c := text[end]
			if (c == ' ' || c == '-') && end > start && digit(text[end-1]) && end+1 < len(text) && digit(text[end+1]) {
				continue
			}
			if !digit(c) {
				break
			}
			d := int(c - '0')
			twice := 2*d - 9*(d/5)
			sum[n&1], sum[1-n&1] = sum[n&1]+d, sum[1-n&1]+twice
			n++
			last = end + 1
		}
		// The last digit counts once: its parity is that of n-1.
		if n >= 13 && n <= 19 && sum[(n-1)&1]%10 == 0 && (last == len(text) || !alnum(text[last])) && text[start] != '0' {
			return start, last
		}
		i = max(i, last-1)
	}
	return -1, 0
}

// findIBAN finds an account number (ISO 13616), also in groups of four, whose check digits fit.
func findIBAN(text []byte, from int) (int, int) {
	for i := from; i+15 <= len(text); i++ {
		if !upper(text[i]) || !upper(text[i+1]) || !digit(text[i+2]) || !digit(text[i+3]) || i > 0 && alnum(text[i-1]) {
			continue
		}
		var chars [34]byte
		n, end := 0, i
		for j := i; j < len(text) && n < len(chars); j++ {
			if text[j] == ' ' && n > 0 && n%4 == 0 && j+1 < len(text) && (upper(text[j+1]) || digit(text[j+1])) {
				continue
			}
			if !upper(text[j]) && !digit(text[j]) {
				break
			}
			chars[n] = text[j]
			n++
			// A word behind the number may look like a group of it: the longest that fits counts.
			if n >= 15 && mod97(chars[:n]) == 1 && (j+1 == len(text) || !alnum(text[j+1])) {
				end = j + 1
			}
		}
		if end > i {
			return i, end
		}
	}
	return -1, 0
}

func mod97(iban []byte) int {
	r := 0
	for i := range iban {
		c := iban[(i+4)%len(iban)]
		if digit(c) {
			r = (r*10 + int(c-'0')) % 97
		} else {
			r = (r*100 + int(c-'A') + 10) % 97
		}
	}
	return r
}

func token(c byte) bool { return alnum(c) || c == '-' || c == '_' }

// findJWT finds a JSON web token (RFC 7519): header.payload.signature, of which the first is a JSON object in base64url.
func findJWT(text []byte, from int) (int, int) {
	for at := from; ; {
		i := bytes.Index(text[at:], []byte("eyJ"))
		if i < 0 {
			return -1, 0
		}
		i += at
		end, dots := i, 0
		for end < len(text) && (token(text[end]) || text[end] == '.' && dots < 4) {
			if text[end] == '.' {
				dots++
			}
			end++
		}
		for end > i && text[end-1] == '.' && dots > 2 {
			end, dots = end-1, dots-1
		}
		if dots >= 2 && (i == 0 || !token(text[i-1])) {
			return i, end
		}
		at = i + 3
	}
}

// findBearer finds the token behind the word Bearer (RFC 6750 section 2.1).
func findBearer(text []byte, from int) (int, int) {
	for at := from; ; {
		i := indexFold(text, []byte("bearer "), at)
		if i < 0 {
			return -1, 0
		}
		start := i + len("bearer ")
		end := start
		for end < len(text) && (token(text[end]) || bytes.IndexByte([]byte("._~+/="), text[end]) >= 0) {
			end++
		}
		if end-start >= 8 {
			return start, end
		}
		at = start
	}
}

// findAWSKey finds an access key id of AWS.
func findAWSKey(text []byte, from int) (int, int) {
	for i := from; i+20 <= len(text); i++ {
		if text[i] != 'A' || text[i+3] != 'A' || i > 0 && alnum(text[i-1]) {
			continue
		}
		if p := view(text[i : i+4]); p != "AKIA" && p != "ASIA" {
			continue
		}
		end := i + 4
		for end < len(text) && (upper(text[end]) || digit(text[end])) {
			end++
		}
		if end-i >= 20 && (end == len(text) || !alnum(text[end])) {
			return i, end
		}
	}
	return -1, 0
}

// indexFold returns where s, in small letters, stands in text from at on; small letters and capitals of ASCII are the same. -1 = nowhere.
func indexFold(text, s []byte, at int) int {
	for i := at; i+len(s) <= len(text); i++ {
		j := 0
		for j < len(s) && lower(text[i+j]) == s[j] {
			j++
		}
		if j == len(s) {
			return i
		}
	}
	return -1
}

func isAddress(text []byte) bool {
	_, err := netip.ParseAddr(view(text))
	return err == nil
}

func lower(c byte) byte {
	if upper(c) {
		c |= 0x20
	}
	return c
}
