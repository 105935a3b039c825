package tui

import (
	"strings"
	"time"
)

// sparkCells is how many cells of history are kept, and sparkCell how much time each stands for.
const (
	sparkCells = 60
	sparkCell  = 5 * time.Second
)

// spark counts arrivals of one level over the last minutes.
type spark struct {
	cells [sparkCells]uint32 // ring; now is the newest
	now   int64              // number of the newest cell since the start of time
	total uint64
}

// tick moves the history on to a time.
func (s *spark) tick(t time.Time) {
	n := t.UnixNano() / int64(sparkCell)
	if n <= s.now {
		return
	}
	for i := max(s.now+1, n-sparkCells+1); i <= n; i++ {
		s.cells[i%sparkCells] = 0
	}
	s.now = n
}

// add counts arrivals now.
func (s *spark) add(n int) {
	s.cells[s.now%sparkCells] += uint32(n)
	s.total += uint64(n)
}

var bars = []rune(" ▁▂▃▄▅▆▇█")

// draw returns the last w cells, oldest first, each in proportion to top.
func (s *spark) draw(w int, top uint32) string {
	var b strings.Builder
	for i := s.now - int64(w) + 1; i <= s.now; i++ {
		v := uint32(0)
		if i >= 0 && s.now-i < sparkCells {
			v = s.cells[i%sparkCells]
		}
		if v == 0 || top == 0 {
			b.WriteRune(bars[0])
			continue
		}
		b.WriteRune(bars[min(1+int(v)*(len(bars)-2)/int(top), len(bars)-1)])
	}
	return b.String()
}

// top is the highest of the last w cells.
func (s *spark) top(w int) (top uint32) {
	for i := range int64(min(w, sparkCells)) {
		if j := s.now - i; j >= 0 {
			top = max(top, s.cells[j%sparkCells])
		}
	}
	return top
}
