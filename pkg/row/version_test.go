package row

import (
	"slices"
	"strings"
	"testing"
)

// TestAsOf: every version that was ever written is known, no later one, and what was added has a column.
func TestAsOf(t *testing.T) {
	if AsOf(Version+1) != nil {
		t.Error("a version of the future is known")
	}
	for _, v := range []int{0, 1, Version} {
		if AsOf(v) == nil {
			t.Errorf("version %d is not known", v)
		}
	}
	if !slices.Equal(AsOf(Version).List(), Standard().List()) {
		t.Error("the newest version has not all columns")
	}
	for field, v := range added() {
		if v < 2 || v > Version || !slices.ContainsFunc(standard(), func(c Column) bool { return c.Field == field }) {
			t.Errorf("%s came in version %d", field, v)
		}
	}
}

// TestReading: what is there is read as it is, what is not from rest, and a level that is not whole is put together.
func TestReading(t *testing.T) {
	now, err := Compile([]Column{{"a", Int}, {"s.x", Text}, {"s.y", Int}, {"d.e", Bool}})
	if err != nil {
		t.Fatal(err)
	}
	before, err := Compile([]Column{{"s.x", Text}, {"a", Int}})
	if err != nil {
		t.Fatal(err)
	}
	got := now.Reading(before)
	for i, want := range []string{`t."a"`, `{'x': t."s"."x", 'y': CASE`, `{'e': CASE`, "t.rest"} {
		if !strings.HasPrefix(got[i].SQL, want) {
			t.Errorf("%s is read by %s, want %s", got[i].Name, got[i].SQL, want)
		}
	}
	if !strings.Contains(got[1].SQL, `'$."s"."y"'`) {
		t.Errorf("no path in %s", got[1].SQL)
	}
	for _, e := range now.Reading(now) {
		if e.SQL != `t."`+e.Name+`"` && e.Name != Rest {
			t.Errorf("%s is read by %s", e.Name, e.SQL)
		}
	}
}
