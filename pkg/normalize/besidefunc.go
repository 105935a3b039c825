package normalize

import "strings"

// compileBeside compiles the function beside, whose argument is a list of the record: in the objects of a list, the element that stands
// where `it` stands in its own list, as in `it | beside TTLs`. done is false where st is another function.
func (p *plan) compileBeside(st string, tables map[string]*lookup) (c call, done bool, err error) {
	arg, ok := strings.CutPrefix(st, "beside ")
	if !ok {
		return c, false, nil
	}
	src, err := p.compileSource(strings.TrimSpace(arg), tables)
	return call{fn: besideCall, src: src}, true, err
}

// besideCall gives the element of the other list with the number of the one that an object is built of; none where that list is shorter.
func besideCall(r *runner, c *call, _ value) value {
	list, _ := r.read(c.src)
	if list.empty() {
		return value{}
	}
	var out value
	n := 0
	elementsOf(list, func(el value) bool {
		if n == r.itemAt {
			out = el
		}
		n++
		return n <= r.itemAt
	})
	return out
}
