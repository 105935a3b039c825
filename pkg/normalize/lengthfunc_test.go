package normalize

import "testing"

func TestLength(t *testing.T) {
	var r runner
	r.rec.Reset()
	for in, want := range map[string]bool{"abc": true, "äöü": true, "ab": false, "abcd": false, "": false} {
		if got := lengthCall(&r, &call{num: 3}, text([]byte(in))); got.empty() == want {
			t.Errorf("%q: got %v", in, got)
		}
	}
}
