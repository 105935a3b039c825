package enrich

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/dimension"
	"leat/pkg/event"
)

// TestAsOfEventTime: a replay of last month gets last month's office, whatever order the events come in; an event without
// a time gets today's.
func TestAsOfEventTime(t *testing.T) {
	dir := put(t, "", "users.csv", "sam,office,from,to\njk,Budapest,,2026-06-01T00:00:00Z\njk,Dublin,2026-06-01T00:00:00Z,2026-09-01T00:00:00Z\njk,Cork,2026-10-01T00:00:00Z,\n",
		"enrich.yaml", "dimensions:\n  users: {file: users.csv, key: sam, valid_from: from, valid_to: to}\nrules:\n  - {field: user.name, dimension: users, status: true, set: {user.office.city: office}}\n")
	s := open(t, dir, Options{Now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }})
	for _, c := range [][2]string{
		{`"2026-07-01T00:00:00Z"`, "Dublin"}, {`"2020-01-01T00:00:00+02:00"`, "Budapest"}, {`"2026-06-01T00:00:00Z"`, "Dublin"}, {`"2026-05-31T23:59:59.999999999Z"`, "Budapest"},
		{`"2026-09-01T00:00:00Z"`, ""}, {`"2026-10-01T00:00:00Z"`, "Cork"}, {`"never"`, "Cork"}, {`null`, "Cork"},
	} {
		got := process(t, s, `{"@timestamp":`+c[0]+`,"user":{"name":"jk"}}`)
		if office := field(t, got, "user.office.city"); office != c[1] {
			t.Errorf("at %s: %q, want %q", c[0], office, c[1])
		}
	}
}

// TestHistoryAgainstNaive: of a table that only says how things are now, fetched again and again, every event gets what the
// last fetch before its time said. Random tables against the list of all fetches.
func TestHistoryAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewSource(8))
	for range 60 {
		dir := t.TempDir()
		d := &DimensionConfig{name: "d", path: filepath.Join(dir, "d.csv"), Format: "csv", Separator: ",", Join: "exact", Key: names{{value: "k"}},
			MaxBytes: 1 << 20, Timeout: time.Minute, MaxShrink: new(float64), History: &HistoryConfig{Key: "k", Keep: time.Hour}}
		*d.MaxShrink = 1
		k := &keeper{cfg: d, src: fileSource{d}, log: Options{}.filled().Log, now: time.Now}
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		var fetches []map[string]string
		var snap *Snapshot
		for i := range 12 {
			rows := map[string]string{}
			text := "k,v\n"
			for n := range 4 {
				if r.Intn(4) > 0 {
					rows[fmt.Sprint("k", n)] = fmt.Sprint(r.Intn(3))
					text += fmt.Sprintf("k%d,%s\n", n, rows[fmt.Sprint("k", n)])
				}
			}
			if len(rows) == 0 {
				rows["k0"], text = "0", text+"k0,0\n"
			}
			if err := os.WriteFile(d.path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(d.path, start, start.Add(time.Duration(i)*time.Minute)); err != nil {
				t.Fatal(err)
			}
			fetches = append(fetches, rows)
			now, err := k.load(context.Background(), snap, false)
			if err != nil {
				t.Fatal(err)
			}
			if i%3 == 2 {
				// Over a restart.
				path := filepath.Join(dir, "snap")
				if err := now.dim.WriteFile(path, now.Stamp, ""); err != nil {
					t.Fatal(err)
				}
				dim, stamp, _, err := dimension.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				if now, err = snapshotOf(d, stamp, dim); err != nil {
					t.Fatal(err)
				}
			}
			snap = now
		}
		for n := range 4 {
			key := fmt.Sprint("k", n)
			for half := -1; half < 26; half++ {
				at := start.Add(time.Duration(half) * 30 * time.Second)
				i := max(min(half/2, len(fetches)-1), 0)
				want := fetches[i][key]
				got := ""
				if row := snap.dim.Find([]byte(key), at.UnixNano()); row >= 0 {
					got = event.ValueOf(snap.dim.Cell(row, snap.dim.Column("v"))).String()
				}
				if got != want {
					t.Fatalf("%s at %s: %q, want %q\nfetches %v", key, at, got, want, fetches)
				}
			}
		}
	}
}

// TestHistoryIsBounded: what ended before the time that is kept is forgotten.
func TestHistoryIsBounded(t *testing.T) {
	d := &DimensionConfig{name: "d", History: &HistoryConfig{Key: "k", Keep: time.Hour}, Key: names{{value: "k"}}, Join: "exact"}
	k := &keeper{cfg: d}
	var snap *Snapshot
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 100 {
		b := dimension.NewBuilder(dimension.Limits{})
		if err := b.Object(fmt.Appendf(nil, `{"k":"a","v":%d}`, i)); err != nil {
			t.Fatal(err)
		}
		got := &dimension.Fetched{Table: b.Table(), Stamp: dimension.Stamp{AsOf: at.Add(time.Duration(i) * 10 * time.Minute)}}
		var past *dimension.Table
		if snap != nil {
			past = snap.dim.Table
		}
		var err error
		if got.Table, err = k.remember(past, got); err != nil {
			t.Fatal(err)
		}
		if snap, err = newSnapshot(d, got); err != nil {
			t.Fatal(err)
		}
	}
	if snap.Rows != 8 {
		t.Errorf("%d rows, want 8: the last hour and what holds", snap.Rows)
	}
}

// TestHistoryOfAFileThatIsPutBack: an older file in the place of a newer, with its old time, is taken, and holds from now on.
func TestHistoryOfAFileThatIsPutBack(t *testing.T) {
	const yaml = "dimensions:\n  users: {file: users.csv, key: sam, history: {}}\nrules:\n  - {field: user.name, dimension: users, set: {user.office.city: city}}\n"
	dir, state := put(t, "", "enrich.yaml", yaml), t.TempDir()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	opt := Under(state)
	opt.Now = func() time.Time { return day(20) }
	var s *Stage
	for i, c := range []struct {
		city string
		at   time.Time
	}{{"Budapest", day(1)}, {"Dublin", day(10)}, {"Budapest", day(1)}} {
		put(t, dir, "users.csv", "sam,city\njk,"+c.city+"\n")
		if err := os.Chtimes(filepath.Join(dir, "users.csv"), c.at, c.at); err != nil {
			t.Fatal(err)
		}
		var err error
		if s, err = New(config(t, dir), opt); err != nil {
			t.Fatal(i, err)
		}
		if i == 2 {
			defer s.Close()
		} else if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for at, want := range map[time.Time]string{day(5): "Budapest", day(15): "Dublin", day(21): "Budapest"} {
		in := `{"@timestamp":"` + at.Format(time.RFC3339) + `","user":{"name":"jk"}}`
		if got := field(t, process(t, s, in), "user.office.city"); got != want {
			t.Errorf("at %s: %q, want %q", at, got, want)
		}
	}
}

// source is a source that the test moves.
type source struct {
	rows  []string
	err   error
	at    time.Time
	asked int
}

func (s *source) Fetch(_ context.Context, had dimension.Stamp) (*dimension.Fetched, error) {
	s.asked++
	if s.err != nil {
		return nil, s.err
	}
	version := strings.Join(s.rows, "|")
	if version == had.Version {
		return nil, dimension.ErrUnchanged
	}
	b := dimension.NewBuilder(dimension.Limits{})
	for _, row := range s.rows {
		if err := b.Object([]byte(row)); err != nil {
			return nil, err
		}
	}
	return &dimension.Fetched{Table: b.Table(), Stamp: dimension.Stamp{Version: version, AsOf: s.at}}, nil
}

func (*source) Close() error { return nil }

// TestKeeperKeeps: what was refused leaves the old snapshot, and force takes it.
func TestKeeperKeeps(t *testing.T) {
	part := 0.3
	d := &DimensionConfig{name: "d", Key: names{{value: "k"}}, Join: "exact", Timeout: time.Minute, MaxShrink: &part}
	src := &source{rows: []string{`{"k":1}`, `{"k":2}`, `{"k":3}`, `{"k":4}`}}
	k := &keeper{cfg: d, src: src, log: Options{}.filled().Log}
	first, err := k.load(t.Context(), nil, false)
	if err != nil || first.Rows != 4 {
		t.Fatal(first, err)
	}
	if _, err := k.load(t.Context(), first, false); !errors.Is(err, dimension.ErrUnchanged) {
		t.Error(err)
	}
	src.rows = src.rows[:2]
	if _, err := k.load(t.Context(), first, false); err == nil || !strings.Contains(err.Error(), "2 of 4 rows vanished") {
		t.Error(err)
	}
	if s, err := k.load(t.Context(), first, true); err != nil || s.Rows != 2 {
		t.Error(s, err)
	}
}

// TestHistoryOutlivesConfiguration: a dimension that is configured otherwise (here: another alias) still knows how things
// were; the history is a Parquet file with times.
func TestHistoryOutlivesConfiguration(t *testing.T) {
	const yaml = "dimensions:\n  users: {file: users.csv, key: sam, history: {key: sam}}\nrules:\n  - {field: user.name, dimension: users, set: {user.office.city: office}}\n"
	dir, state := put(t, "", "users.csv", "sam,mail,office\njk,jk@x.example,Budapest\n", "enrich.yaml", yaml), t.TempDir()
	path := filepath.Join(dir, "users.csv")
	move := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	run := func(yaml, office string, at time.Time, in string) string {
		t.Helper()
		put(t, dir, "users.csv", "sam,mail,office\njk,jk@x.example,"+office+"\n", "enrich.yaml", yaml)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		s, err := New(config(t, dir), Under(state))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		return field(t, process(t, s, in), "user.office.city")
	}
	const may, july = `{"@timestamp":"2026-05-01T00:00:00Z","user":{"name":"jk"}}`, `{"@timestamp":"2026-07-01T00:00:00Z","user":{"name":"jk"}}`
	run(yaml, "Budapest", move.AddDate(0, -3, 0), may)
	if got := run(yaml, "Dublin", move, july); got != "Dublin" {
		t.Error(got)
	}
	other := strings.Replace(yaml, "key: sam,", "key: [sam, mail],", 1)
	if got := run(other, "Dublin", move, strings.Replace(may, "jk", "jk@x.example", 1)); got != "Budapest" {
		t.Errorf("in May: %q", got)
	}
	if got := run(other, "Dublin", move, july); got != "Dublin" {
		t.Errorf("in July: %q", got)
	}
	if err := os.WriteFile(filepath.Join(state, "enrich", "dimensions", "users.history.parquet"), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(config(t, put(t, dir, "enrich.yaml", yaml)), Under(state)); err == nil || !strings.Contains(err.Error(), "history") {
		t.Errorf("a torn history was taken for none: %v", err)
	}
}
