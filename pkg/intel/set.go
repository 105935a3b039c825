package intel

import (
	"bytes"
	"errors"
	"fmt"

	"leat/pkg/dimension"
)

// Set is a table of indicators with the index of its values. It never changes and may be used by many goroutines.
type Set struct {
	table  *dimension.Table
	index  *index
	filter *filter
	blocks *dimension.Dimension // nil: there are none
	near   *cover
	has    [kinds]bool // kinds that occur
}

// NewSet indexes a table that Fetch returned.
func NewSet(t *dimension.Table) (*Set, error) {
	names := Columns()
	have := t.Columns()
	if len(have) < len(names) {
		return nil, errors.New("not a table of indicators")
	}
	for i, n := range names {
		if have[i] != n {
			return nil, fmt.Errorf("not a table of indicators: its column %d is %q, expected %q", i+1, have[i], n)
		}
	}
	s := &Set{table: t}
	s.index = newIndex(t.Rows(), s.key)
	s.filter = newFilter(t.Rows())
	for row := range t.Rows() {
		kind, value := s.key(uint32(row))
		if kind == Unknown || len(value) == 0 {
			return nil, fmt.Errorf("row %d: not an indicator", row+1)
		}
		s.has[kind] = true
		h := s.index.hash(kind, value)
		s.index.place(h, uint32(row))
		s.filter.add(h)
	}
	if s.has[CIDR] {
		key, err := dimension.ParseTemplate(colBlock)
		if err == nil {
			s.blocks, err = dimension.Build(t, dimension.Shape{Keys: []dimension.Template{key}, Join: dimension.CIDR})
		}
		if err != nil {
			return nil, fmt.Errorf("index blocks: %w", err)
		}
		s.near = s.coverOf()
	}
	return s, nil
}

// Table returns the set's table.
func (s *Set) Table() *dimension.Table { return s.table }

// key returns what a row is found by. Canonical values have no escapes in JSON.
func (s *Set) key(row uint32) (Kind, []byte) {
	return kindOfCell(s.table.Cell(int(row), numKind)), unquote(s.table.Cell(int(row), numIndicator))
}

func unquote(cell []byte) []byte {
	if len(cell) < 2 || cell[0] != '"' {
		return nil
	}
	return cell[1 : len(cell)-1]
}

func kindOfCell(cell []byte) Kind {
	name := unquote(cell)
	for k := range kindNames {
		if kindNames[k] == string(name) {
			return Kind(k)
		}
	}
	return Unknown
}

// Find returns the row of the indicator that a text, defanged or not, has: the value itself, the smallest block that holds an address, or the
// longest name above a host's. -1: there is none.
func (s *Set) Find(text []byte) int {
	value, kind := Classify(nil, text)
	value, kind = single(value, kind)
	kinds := []Kind{kind}
	switch kind {
	case MD5:
		kinds = append(kinds, JA3)
	case SHA1:
		kinds = append(kinds, Certificate)
	}
	for _, k := range kinds {
		if row, ok := s.index.find(k, value); ok {
			return int(row)
		}
	}
	switch kind {
	case IPv4, IPv6:
		if s.blocks != nil {
			return s.blocks.Find(value, 0)
		}
	case Domain:
		for dots := countDots(value); dots > 1; dots-- {
			value = value[bytes.IndexByte(value, '.')+1:]
			if row, ok := s.index.find(Domain, value); ok {
				return int(row)
			}
		}
	}
	return -1
}
