package redact

import (
	"bytes"
	"net/netip"
	"net/url"
	"slices"
	"strconv"

	"leat/pkg/event"
)

// secret is a value that a rule redacts, in one of the forms in which it may stand elsewhere, with what takes its place.
type secret struct {
	from  []byte // in small letters
	to    []byte
	whole bool // only where no letter or digit stands beside it
}

// maxSecrets bounds the different values of one event. Of an event with more, every text that no rule keeps is taken away: looking
// for all of them would cost its square.
const maxSecrets = 256

// minPart is the least length of a value that is looked for within words; shorter ones would tear every text apart.
const minPart = 4

// secrets are the values that the rules redact in one event.
type secrets struct {
	list  []secret
	addrs []netip.Addr
	to    [][]byte // of addrs
	mem   []byte
	over  bool
}

func (s *secrets) reset() {
	s.list, s.addrs, s.to, s.mem, s.over = s.list[:0], s.addrs[:0], s.to[:0], s.mem[:0], false
}

// add notes that act redacts text.
func (s *secrets) add(text []byte, act *action, k *keyed) {
	if s.over || !slices.ContainsFunc(text, func(c byte) bool { return alnum(c) || c >= 0x80 }) {
		return // a mere sign, such as - for nothing
	}
	if a, err := netip.ParseAddr(view(text)); err == nil {
		s.addAddress(a.Unmap().WithZone(""), text, act, k)
		return
	}
	for i := range s.list {
		if foldEqual(s.list[i].from, text) {
			return
		}
	}
	if len(s.list)+len(s.addrs) >= maxSecrets {
		s.over = true
		return
	}
	start := len(s.mem)
	s.mem = act.append(s.mem, text, k)
	to := s.mem[start:len(s.mem):len(s.mem)]
	s.form(text, to)
	if needsForms(text) {
		s.forms(text, to)
	}
}

// forms adds the ways to write text in JSON, in JSON within JSON, and in a URL; and letters beyond ASCII as \u escapes, small and capital.
func (s *secrets) forms(text, to []byte) {
	once := escaped(text)
	s.form(once, to)
	s.form(escaped(once), to)
	s.form([]byte(url.QueryEscape(string(text))), to)
	s.form([]byte(url.PathEscape(string(text))), to)
	ascii := strconv.AppendQuoteToASCII(nil, string(text))
	s.form(ascii[1:len(ascii)-1], to)
	s.form(bytes.ToUpper(text), to)
	s.form(bytes.ToLower(text), to)
}

// escaped is text as it stands between the quotes of a JSON string.
func escaped(text []byte) []byte {
	q := event.AppendString(nil, text)
	return q[1 : len(q)-1]
}

// needsForms tells whether text is written in another way in JSON or in a URL.
func needsForms(text []byte) bool {
	for _, c := range text {
		if !token(c) && c != '.' {
			return true
		}
	}
	return false
}

func (s *secrets) form(text, to []byte) {
	start := len(s.mem)
	for _, c := range text {
		s.mem = append(s.mem, lower(c))
	}
	from := s.mem[start:len(s.mem):len(s.mem)]
	if !slices.ContainsFunc(s.list, func(o secret) bool { return bytes.Equal(o.from, from) }) {
		s.list = append(s.list, secret{from: from, to: to, whole: len(text) < minPart || !slices.ContainsFunc(text, func(c byte) bool { return !digit(c) })})
	}
}

// addAddress notes an address, which is found in every way to write it, and with hyphens as in names of hosts.
func (s *secrets) addAddress(a netip.Addr, text []byte, act *action, k *keyed) {
	if slices.Contains(s.addrs, a) {
		return
	}
	if len(s.list)+len(s.addrs) >= maxSecrets {
		s.over = true
		return
	}
	start := len(s.mem)
	s.mem = act.append(s.mem, text, k)
	to := s.mem[start:len(s.mem):len(s.mem)]
	s.addrs, s.to = append(s.addrs, a), append(s.to, to)
	if a.Is4() {
		s.list = append(s.list, secret{from: bytes.ReplaceAll([]byte(a.String()), []byte("."), []byte("-")), to: bytes.ReplaceAll(to, []byte("."), []byte("-")), whole: true})
	}
}

// address returns what takes the place of an address, or nil.
func (s *secrets) address(a netip.Addr) []byte {
	for i, have := range s.addrs {
		if have == a {
			return s.to[i]
		}
	}
	return nil
}

func foldEqual(low, text []byte) bool {
	if len(low) != len(text) {
		return false
	}
	for i, c := range text {
		if lower(c) != low[i] {
			return false
		}
	}
	return true
}

// find returns where the secret stands in text from at on, or -1.
func (s *secret) find(text []byte, at int) int {
	for {
		i := indexFold(text, s.from, at)
		if i < 0 || !s.whole {
			return i
		}
		end := i + len(s.from)
		if (i == 0 || !alnum(text[i-1])) && (end == len(text) || !alnum(text[end])) {
			return i
		}
		at = i + 1
	}
}
