package detect

import "testing"

// builtinFields is the taxonomy of the program.
func builtinFields(t testing.TB) *Taxonomy {
	t.Helper()
	tax, err := ReadTaxonomy(nil)
	if err != nil {
		t.Fatal(err)
	}
	return tax
}
