package sigma

// anchors finds which of many texts a value is, begins with, or ends with. Beginnings and ends are filed under their
// first or last bytes, as many as the largest power of two that they have.
type anchors struct {
	exact    map[string][]int32
	longest  int // of exact
	prefixes []anchorClass
	suffixes []anchorClass
}

// anchorClass is the texts that are filed under size bytes.
type anchorClass struct {
	size  int
	texts map[string][]anchorRef
}

type anchorRef struct {
	text string
	id   int32
}

func (a *anchors) add(o op, text string, id int32) {
	switch o {
	case opExact:
		if a.exact == nil {
			a.exact = map[string][]int32{}
		}
		a.exact[text] = append(a.exact[text], id)
		a.longest = max(a.longest, len(text))
	case opPrefix:
		c := class(&a.prefixes, len(text))
		key := text[:c.size]
		c.texts[key] = append(c.texts[key], anchorRef{text, id})
	case opSuffix:
		c := class(&a.suffixes, len(text))
		key := text[len(text)-c.size:]
		c.texts[key] = append(c.texts[key], anchorRef{text, id})
	}
}

func class(list *[]anchorClass, n int) *anchorClass {
	size := 1
	for size*2 <= min(n, 32) {
		size *= 2
	}
	for i := range *list {
		if (*list)[i].size == size {
			return &(*list)[i]
		}
	}
	*list = append(*list, anchorClass{size, map[string][]anchorRef{}})
	return &(*list)[len(*list)-1]
}

func (a *anchors) scan(s []byte, m *Matcher) {
	if a.exact != nil && len(s) <= a.longest {
		for _, id := range a.exact[string(s)] {
			m.hit(id)
		}
	}
	for i := range a.prefixes {
		c := &a.prefixes[i]
		if len(s) < c.size {
			continue
		}
		for _, r := range c.texts[string(s[:c.size])] {
			if len(s) >= len(r.text) && string(s[:len(r.text)]) == r.text {
				m.hit(r.id)
			}
		}
	}
	for i := range a.suffixes {
		c := &a.suffixes[i]
		if len(s) < c.size {
			continue
		}
		for _, r := range c.texts[string(s[len(s)-c.size:])] {
			if len(s) >= len(r.text) && string(s[len(s)-len(r.text):]) == r.text {
				m.hit(r.id)
			}
		}
	}
}
