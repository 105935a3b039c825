package normalize

import (
	"maps"
	"slices"
	"testing"
)

// TestMappings runs the tests that stand in the built-in mappings, each record without a hint.
func TestMappings(t *testing.T) {
	m, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	n, faults := m.Test()
	for _, f := range faults {
		t.Error(f)
	}
	if n < 20 {
		t.Errorf("only %d tests in %d mappings", n, len(m.plans))
	}
}

// ownRecords are the samples and the records of the tests that stand in the mappings.
func ownRecords(t *testing.T, m *Mappings) []string {
	t.Helper()
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(maps.Values(samples))
	for _, p := range m.plans {
		for _, c := range p.tests {
			lines = append(lines, c.in)
		}
	}
	return lines
}
