package normalize

import "testing"

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
