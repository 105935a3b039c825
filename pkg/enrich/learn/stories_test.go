package learn

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// stories are the rules of docs/design/learned.md by example. A line teaches (minute, action, fields), or asks: minute ? answer.
var stories = []struct{ name, text string }{
	{"a lease holds for its time", `
		0 lease mac=m1 name=pc1
		359 ? host.mac=m1 host.name=pc1
		360 ? `},
	{"a renewal begins the time anew", `
		0 lease mac=m1 name=pc1
		300 lease mac=m1 name=pc1
		659 ? host.mac=m1 host.name=pc1
		660 ? `},
	{"nothing is known before the first fact", `
		10 lease mac=m1
		9 ? `},
	{"a gap between two leases is a gap", `
		0 lease mac=m1 name=pc1
		600 lease mac=m1 name=pc1
		400 ? 
		600 ? host.mac=m1 host.name=pc1`},
	{"a new holder voids what was known of the one before", `
		0 lease mac=m1 name=pc1
		10 ticket user=ann id=1
		60 lease mac=m2
		59 ? host.mac=m1 host.name=pc1 user.id=1 user.name=ann
		60 ? host.mac=m2`},
	{"the same holder keeps his user", `
		0 lease mac=m1 name=pc1
		10 ticket user=ann id=1
		60 lease mac=m1 name=pc1
		60 ? host.mac=m1 host.name=pc1 user.id=1 user.name=ann`},
	{"a user who was there before the first lease was seen stays", `
		0 ticket user=ann id=1
		10 lease mac=m1
		20 ? host.mac=m1 user.id=1 user.name=ann`},
	{"a renewal without a name does not take the name away", `
		0 lease mac=m1 name=pc1
		60 lease mac=m1
		120 ? host.mac=m1 host.name=pc1`},
	{"a release by the holder ends all", `
		0 lease mac=m1 name=pc1
		10 ticket user=ann id=1
		20 release mac=m1
		19 ? host.mac=m1 host.name=pc1 user.id=1 user.name=ann
		20 ? `},
	{"a late release of the holder before is passed over", `
		0 lease mac=m1
		10 lease mac=m2 name=pc2
		20 release mac=m1
		30 ? host.mac=m2 host.name=pc2`},
	{"a release that names nobody ends all", `
		0 lease mac=m1
		10 release 
		11 ? `},
	{"release and renewal within a second are a renewal", `
		0 lease mac=m1
		20 lease mac=m1
		20 release mac=m1
		30 ? host.mac=m1`},
	{"who comes back gets a new start", `
		0 lease mac=m1 name=pc1
		10 ticket user=ann id=1
		20 lease mac=m2
		40 lease mac=m1 name=pc1
		41 ? host.mac=m1 host.name=pc1`},
	{"the newer user is it", `
		0 ticket user=ann id=1
		10 ticket user=bob id=2
		11 ? user.id=2 user.name=bob`},
	{"who was replaced does not come back when the newer has run out", `
		0 ticket user=ann id=1
		10 logon user=bob secs=60
		10 ? user.id=1 user.name=bob
		12 ? user.id=1`},
	{"a shorter confirmation does not shorten", `
		0 ticket user=ann
		10 logon user=ann secs=60
		30 ? user.name=ann`},
	{"of one instant the kind that stands first wins", `
		0 logon user=bob secs=3600
		0 ticket user=ann
		1 ? user.name=ann`},
	{"of one instant and kind the greater value wins", `
		0 ticket user=bob
		0 ticket user=ann
		1 ? user.name=bob`},
	{"a log-off ends its user only", `
		0 ticket user=ann
		10 logoff user=bob
		11 ? user.name=ann
		20 logoff user=ann
		21 ? `},
	{"a log-off does not bring the user before back", `
		0 ticket user=ann
		10 ticket user=bob
		20 logoff user=bob
		21 ? `},
	{"a log-on behind a log-off counts", `
		0 ticket user=ann
		10 logoff user=ann
		40 ticket user=ann
		41 ? user.name=ann`},
	{"an end without values ends all", `
		0 lease mac=m1 name=pc1
		5 ticket user=ann
		10 wipe 
		11 ? `},
	{"a guess answers where nobody knows better", `
		0 guess user=carl name=pc9
		1 ? host.name=pc9 user.name=carl
		10 ticket user=ann
		11 ? host.name=pc9 user.name=ann
		20 guess user=dora
		21 ? host.name=pc9 user.name=ann
		131 ? host.name=pc9 user.name=dora`},
	{"three users are one too many, until it is long ago", `
		0 logon user=ann secs=86400
		10 logon user=bob secs=86400
		20 logon user=carl secs=86400
		21 ? shared=true
		61 ? user.name=carl`},
	{"many guesses are no user, where nobody knows better", `
		0 guess user=ann
		10 guess user=bob
		11 ? user.name=bob
		20 guess user=carl
		21 ? shared=true
		30 ticket user=ann
		31 ? user.name=ann`},
	{"one VPN session after another is no sharing", `
		0 lease mac=m1
		5 logon user=ann secs=86400
		10 lease mac=m2
		15 logon user=bob secs=86400
		20 lease mac=m3
		25 logon user=carl secs=86400
		26 ? host.mac=m3 user.name=carl`},
}

// scene is a story taken apart.
type scene struct {
	told []told
	asks []struct {
		at   int64
		want string
	}
}

func parseStory(t *testing.T, text string) (s scene) {
	t.Helper()
	for l := range strings.Lines(strings.TrimSpace(text)) {
		var minute int
		l = strings.TrimLeft(l, "\t")
		if _, err := fmt.Sscan(l, &minute); err != nil {
			t.Fatalf("%q: %v", l, err)
		}
		words := strings.Fields(l)[1:]
		at := start + int64(minute)*60e9
		if words[0] == "?" {
			slices.Sort(words[1:])
			s.asks = append(s.asks, struct {
				at   int64
				want string
			}{at, strings.Join(words[1:], " ")})
			continue
		}
		line := fmt.Sprintf(`{"event":{"dataset":"t","action":%q},"k":"10.0.0.1"`, words[0])
		for _, w := range words[1:] {
			k, v, _ := strings.Cut(w, "=")
			if k != "secs" && k != "id" {
				v = `"` + v + `"`
			}
			line += fmt.Sprintf(`,%q:%s`, k, v)
		}
		s.told = append(s.told, told{at: at, line: []byte(line + "}")})
	}
	return s
}

// Each story, told in any order in which its facts may come within Late, has the same answers.
func TestStories(t *testing.T) {
	for _, st := range stories {
		s := parseStory(t, st.text)
		for n, order := range orders(s.told) {
			tab := mustNew(t, story())
			for _, x := range order {
				tell(tab, x)
			}
			for _, a := range s.asks {
				var got []string
				for name, v := range found(tab, "10.0.0.1", a.at) {
					got = append(got, name+"="+strings.Trim(v, `"`))
				}
				slices.Sort(got)
				if fmt.Sprint(got) != fmt.Sprint(strings.Fields(a.want)) {
					t.Errorf("%s, order %d, minute %d: %q, want %q", st.name, n, (a.at-start)/60e9, got, a.want)
				}
			}
		}
	}
}

// orders are all orders of facts in which none comes more than Late behind a newer one.
func orders(facts []told) (out [][]told) {
	late := int64(story().Late)
	var build func(done []told, left []told)
	build = func(done, left []told) {
		if len(left) == 0 {
			out = append(out, slices.Clone(done))
			return
		}
		newest := minTime
		for _, x := range done {
			newest = max(newest, x.at)
		}
		for i, x := range left {
			if x.at >= newest-late {
				build(append(slices.Clone(done), x), slices.Delete(slices.Clone(left), i, i+1))
			}
		}
	}
	build(nil, facts)
	return out
}
