package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

var update = flag.Bool("update", false, "write the golden screens anew")

var start = time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)

func testModel(w, h int) *model {
	m := newModel("stdin", Plain, 1000, 1<<20, time.UTC, start)
	m.width, m.height = w, h
	m.command = "tui"
	return m
}

// feed lets lines arrive in one frame.
func feed(t testing.TB, m *model, lines ...string) {
	t.Helper()
	var rows []*row
	for _, l := range lines {
		rows = append(rows, rowOf(t, l))
	}
	s := m.stats
	s.lines += uint64(len(lines))
	s.alerts += uint64(len(lines))
	m.arrive(arrival{rows: rows, stats: s, now: m.now.Add(50 * time.Millisecond)})
}

func feedN(t testing.TB, m *model, n int) {
	t.Helper()
	names := []string{"low", "medium", "high", "critical", "informational"}
	for i := range n {
		feed(t, m, alertLine(i, names[i%5]))
	}
}

func keys(m *model, names ...string) {
	for _, k := range names {
		m.key(k, []rune(k))
	}
}

// typed sends text as single keys.
func typed(m *model, text string) {
	for _, r := range text {
		name := string(r)
		if r == ' ' {
			name = "space"
		}
		m.key(name, []rune{r})
	}
}

// checkScreen holds for every screen: exactly as many lines and cells as there are, nothing that drives the terminal.
func checkScreen(t testing.TB, m *model) string {
	t.Helper()
	s := m.view()
	lines := strings.Split(s, "\n")
	if len(lines) != m.height {
		t.Fatalf("%d lines on a screen of %d:\n%s", len(lines), m.height, s)
	}
	for i, l := range lines {
		plain := ansi.Strip(l)
		if w := ansi.StringWidth(plain); w != m.width {
			t.Fatalf("line %d has %d cells of %d: %q", i, w, m.width, l)
		}
		if !harmless(plain) {
			t.Fatalf("line %d drives the terminal: %q", i, plain)
		}
	}
	return s
}

// golden compares a screen with testdata/<name>.golden.
func golden(t *testing.T, m *model, name string) {
	t.Helper()
	got := checkScreen(t, m)
	var b strings.Builder
	for _, l := range strings.Split(got, "\n") {
		b.WriteString(strings.TrimRight(l, " ") + "\n")
	}
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("%s differs; got\n%s\nwant\n%s", name, b.String(), want)
	}
}

const wideAlert = `{"@timestamp":"2026-11-24T09:00:07.250Z","event":{"kind":"alert","id":"w1","severity":99},"rule":{"id":"payroll-abroad","name":"Fejlesztő nyitja a bérszámfejtést","description":"A user of a development department opens a payroll host in another country.","version":"3","author":["leat"]},` +
	`"threat":{"tactic":{"name":["Initial Access"]},"technique":{"id":["T1078"]},"subtechnique":{"id":["T1078.002"]}},"user":{"name":"山田太郎","department":"Dev","office":{"city":"Budapest"}},"host":{"name":"bücher-01","function":"Payroll","office":{"country":"IE"}},"source":{"ip":"203.0.113.7"},` +
	`"message":"山田太郎 (Dev, Budapest) opened bücher-01 (Payroll, IE) from 203.0.113.7; because user.department is Dev and host.function is Payroll","event.original":"x","leat":{"alert":{"level":"critical","matched":[{"field":"user.department","want":"Dev","value":"Dev"},{"field":"host.function","modifiers":"contains","want":"pay","value":"Payroll"},{"want":"root","value":"root login"}],"actions":["Ask the user","Lock the account"]}}}`

func TestScreens(t *testing.T) {
	m := testModel(80, 24)
	golden(t, m, "empty")
	feedN(t, m, 30)
	feed(t, m, wideAlert)
	m.rate = rates{alerts: 12.34, lines: 1234.5}
	golden(t, m, "list")
	keys(m, "enter")
	golden(t, m, "detail-below")
	m.width, m.height = 140, 40
	golden(t, m, "detail-side")
	keys(m, "tab", "end")
	golden(t, m, "detail-end")
	keys(m, "esc", "r")
	golden(t, m, "groups")
	m.width, m.height = 80, 24
	keys(m, "r", "?")
	golden(t, m, "help")
	if strings.Contains(m.view(), "…") {
		t.Error("the help is cut at 80x24")
	}
	keys(m, "?", "/")
	typed(m, "user=u1 -host=h2 severity>=hi")
	golden(t, m, "typing")
	keys(m, "enter")
	golden(t, m, "fault")
	typed(m, "gh")
	keys(m, "enter")
	golden(t, m, "filtered")
	m.width, m.height = 200, 12
	golden(t, m, "wide")
}

// TestEverySize draws every view in every size from tiny to wide.
func TestEverySize(t *testing.T) {
	m := testModel(80, 24)
	feedN(t, m, 40)
	feed(t, m, wideAlert)
	for _, view := range [][]string{{}, {"enter"}, {"tab"}, {"z"}, {"esc", "r"}, {"r", "?"}, {"?", "/"}, {"esc", "s"}} {
		keys(m, view...)
		for w := minWidth; w < 170; w += 7 {
			for h := minHeight; h < 50; h += 5 {
				m.width, m.height = w, h
				checkScreen(t, m)
			}
		}
	}
	m.width, m.height = 10, 3
	if got := m.view(); !strings.HasPrefix(got, "terminal") {
		t.Errorf("%q", got)
	}
}

// TestColours: each palette draws only what it may, and without its codes all draw the same.
func TestColours(t *testing.T) {
	text := map[Palette]string{}
	for _, p := range []Palette{Plain, NoColor, Sixteen, Many} {
		m := testModel(140, 30)
		m.palette = p
		feedN(t, m, 20)
		keys(m, "up", "enter")
		s := checkScreen(t, m)
		text[p] = ansi.Strip(s)
		if text[p] != text[Plain] {
			t.Errorf("palette %d draws another text", p)
		}
		has := func(code string) bool { return strings.Contains(s, code) }
		if p == Plain && has("\x1b") || p == NoColor && (has("\x1b[3") || has(";3") || has("\x1b[4")) || p == Sixteen && has("38;5") || p == Many && !has("38;5") {
			t.Errorf("palette %d: %q", p, s)
		}
	}
}

func TestPaletteFor(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want Palette
	}{
		{map[string]string{"TERM": "xterm-256color"}, Many},
		{map[string]string{"TERM": "xterm"}, Sixteen},
		{map[string]string{"TERM": "xterm", "COLORTERM": "truecolor"}, Many},
		{map[string]string{"TERM": "xterm-256color", "NO_COLOR": "1"}, NoColor},
		{map[string]string{"TERM": "dumb", "COLORTERM": "truecolor"}, Plain},
		{nil, Plain},
	} {
		if got := PaletteFor(func(k string) string { return c.env[k] }); got != c.want {
			t.Errorf("%v: %d", c.env, got)
		}
	}
}

// TestHostileAlerts: whatever stands in an alert, no view lets it through.
func TestHostileAlerts(t *testing.T) {
	evil := `\u001b[2J\u001b]52;c;ZXZpbA==\u0007\u009b31m\u202e\u0000\r\n\u200b\ud800`
	line := strings.ReplaceAll(`{"@timestamp":"2026-11-24T09:00:00Z","event":{"kind":"alert","id":"%","original":"%"},"rule":{"id":"%","name":"%","description":"%","author":["%"]},"user":{"name":"%","%":"%"},"host":{"name":["%"]},"source":{"ip":"%"},"message":"%","tags":["%"],"leat":{"alert":{"level":"%","matched":[{"field":"%","want":"%","value":"%","modifiers":"%"},"%"],"actions":["%"]}},"%":{"%":["%",1.50,true,null]}}`, "%", evil)
	m := testModel(130, 60)
	m.palette = Many
	feed(t, m, line)
	m.steps.add(&row{stepOf: m.list.rows[0].id, message: clean(evil)})
	for _, view := range [][]string{{}, {"enter"}, {"z"}, {"tab", "end"}, {"esc", "r"}, {"enter"}, {"x"}, {"esc", "u"}, {"/"}} {
		keys(m, view...)
		checkScreen(t, m)
	}
	keys(m, "esc", "esc", "y")
	if m.effects.copy != line {
		t.Error("a copy is not the line as it came")
	}
	for _, r := range m.keep.rows {
		if got := string(r.plainLine(nil, Plain, time.UTC)); !harmless(got) {
			t.Errorf("plain: %q", got)
		}
	}
}

func TestFollow(t *testing.T) {
	m := testModel(80, 24)
	feedN(t, m, 100)
	if m.list.cursor != 99 {
		t.Fatalf("cursor at %d", m.list.cursor)
	}
	keys(m, "k", "k")
	sel := m.selected()
	feedN(t, m, 50)
	if m.selected() != sel {
		t.Error("the cursor left its alert when others came")
	}
	if s := checkScreen(t, m); !strings.Contains(s, "52 newer, G follows") {
		t.Errorf("header: %s", strings.Split(s, "\n")[0])
	}
	keys(m, "G")
	feedN(t, m, 1)
	if m.list.cursor != 150 {
		t.Errorf("G does not follow: %d", m.list.cursor)
	}
	keys(m, "g")
	if m.list.cursor != 0 || m.list.follow {
		t.Error("g")
	}
	keys(m, "pgdown", "pgdown", "pgup")
	checkScreen(t, m)
}

func TestBoundedMemory(t *testing.T) {
	m := testModel(80, 24)
	m.keep.maxRows = 50
	feedN(t, m, 20)
	keys(m, "g")
	m.applyFilterOrFail(t, "rule=r1")
	feedN(t, m, 500)
	if len(m.keep.rows) != 50 || cap(m.keep.rows) > 400 {
		t.Errorf("%d kept, room for %d", len(m.keep.rows), cap(m.keep.rows))
	}
	for _, r := range m.list.rows {
		if r.seq < m.keep.rows[0].seq {
			t.Fatal("the list holds what memory let go")
		}
	}
	checkScreen(t, m)
	m.keep.maxBytes = 1000
	feedN(t, m, 1)
	if m.keep.bytes > 1000 || len(m.keep.rows) == 0 {
		t.Errorf("%d bytes in %d rows", m.keep.bytes, len(m.keep.rows))
	}
}

func (m *model) applyFilterOrFail(t testing.TB, text string) {
	t.Helper()
	if err := m.applyFilter(text); err != nil {
		t.Fatal(err)
	}
}

func TestPause(t *testing.T) {
	m := testModel(80, 24)
	m.keep.maxRows = 100
	feedN(t, m, 10)
	keys(m, "space")
	feedN(t, m, 7)
	if s := checkScreen(t, m); !strings.Contains(s, "PAUSED, 7 waiting") || len(m.list.rows) != 10 {
		t.Errorf("%s", strings.Split(s, "\n")[0])
	}
	m.applyFilterOrFail(t, "rule=r1") // filters work while paused
	if n := len(m.list.rows); n != 3 {
		t.Errorf("%d pass while paused", n)
	}
	feedN(t, m, 200)
	if len(m.waiting) != 100 || m.left != 107 {
		t.Errorf("%d wait, %d left out", len(m.waiting), m.left)
	}
	if s := m.view(); !strings.Contains(s, "left out 107") {
		t.Errorf("header: %s", strings.Split(s, "\n")[0])
	}
	keys(m, "space")
	if m.paused || m.waiting != nil || len(m.keep.rows) != 100 {
		t.Error("the waiting did not come in")
	}
}

func TestFilterKeys(t *testing.T) {
	m := testModel(80, 24)
	feedN(t, m, 30)
	keys(m, "k", "k")
	sel := m.selected()
	keys(m, "x")
	if m.filter.text != `-rule="`+sel.rule+`"` || len(m.list.rows) != 20 {
		t.Errorf("x: %q, %d rows", m.filter.text, len(m.list.rows))
	}
	keys(m, "f")
	if len(m.list.rows) != 30 || !m.filterOff {
		t.Error("f does not switch off")
	}
	checkScreen(t, m)
	keys(m, "f")
	if len(m.list.rows) != 20 || m.filterOff {
		t.Error("f does not switch on")
	}
	keys(m, "u")
	if !strings.Contains(m.filter.text, " user=u") {
		t.Errorf("u: %q", m.filter.text)
	}
	keys(m, "/", "up", "up", "enter")
	if m.filter.text != `-rule="`+sel.rule+`"` {
		t.Errorf("recall: %q", m.filter.text)
	}
	keys(m, "esc")
	if m.filter.text != "" || len(m.list.rows) != 30 {
		t.Error("esc does not clear")
	}
	keys(m, "!")
	for _, r := range m.list.rows {
		if r.level < 3 {
			t.Fatal("! shows a lower level")
		}
	}
	keys(m, "Y")
	if m.effects.copy != "tui --filter 'severity>=high'" {
		t.Errorf("Y: %q", m.effects.copy)
	}
}

func TestFilterKeepsPosition(t *testing.T) {
	m := testModel(80, 24)
	feedN(t, m, 60)
	keys(m, "g")
	for range 31 {
		keys(m, "j")
	}
	sel := m.selected()
	m.applyFilterOrFail(t, "rule=r1")
	if m.selected() != sel {
		t.Errorf("at %d, was at %d", m.selected().seq, sel.seq)
	}
	m.applyFilterOrFail(t, "rule=r0")
	if got := m.selected(); got.seq != sel.seq-1 {
		t.Errorf("the nearest older is %d, not %d", sel.seq-1, got.seq)
	}
	m.applyFilterOrFail(t, "nothing")
	if m.selected() != nil {
		t.Error("something is selected in an empty list")
	}
	keys(m, "enter", "x", "u", "y", "j", "k", "n")
	checkScreen(t, m)
}

func TestSearch(t *testing.T) {
	m := testModel(80, 24)
	feedN(t, m, 30)
	keys(m, "s")
	typed(m, `"message 12"`)
	keys(m, "enter")
	if got := m.selected(); got.id != "a12" {
		t.Fatalf("found %s", got.id)
	}
	if len(m.list.rows) != 30 {
		t.Error("a search hid something")
	}
	keys(m, "s")
	typed(m, "user=u3")
	keys(m, "enter")
	first := m.selected().id
	keys(m, "n", "n", "N")
	keys(m, "N")
	if m.selected().id != first {
		t.Errorf("n n N N leads from %s to %s", first, m.selected().id)
	}
	if s := checkScreen(t, m); !strings.Contains(s, "•") {
		t.Error("matches are not marked")
	}
	keys(m, "s")
	typed(m, "nowhere")
	keys(m, "enter")
	if !strings.Contains(m.view(), "not found: nowhere") {
		t.Error("no word about a search without a match")
	}
}

func TestGroups(t *testing.T) {
	m := testModel(100, 24)
	for i := range 5 {
		feed(t, m, `{"event":{"kind":"alert"},"rule":{"id":"b","name":"Brute"},"leat":{"alert":{"level":"high"}},"user":{"name":"eve"},"host":{"name":"h1"},"message":"m`+fmt.Sprint(i)+`"}`)
	}
	feed(t, m, `{"event":{"kind":"alert"},"rule":{"id":"c","name":"Crown"},"leat":{"alert":{"level":"critical"}},"source":{"ip":"10.0.0.1"}}`)
	feed(t, m, `{"event":{"kind":"alert"},"rule":{"id":"b","name":"Brute"},"leat":{"alert":{"level":"low"}},"user":{"name":"eve"},"host":{"name":"h2"}}`)
	keys(m, "r")
	if len(m.groups.all) != 3 || m.groups.all[0].rule != "Crown" || m.groups.all[1].n != 5 {
		t.Fatalf("%+v", m.groups.all)
	}
	keys(m, "down")
	feed(t, m, `{"event":{"kind":"alert"},"rule":{"id":"d","name":"Dump"},"leat":{"alert":{"level":"critical"}},"host":{"name":"dc"}}`)
	if m.groups.all[m.groups.cursor].rule != "Brute" {
		t.Error("the cursor left its group when another came")
	}
	checkScreen(t, m)
	keys(m, "enter")
	if m.groups.on || len(m.list.rows) != 5 {
		t.Errorf("enter: %q shows %d", m.filter.text, len(m.list.rows))
	}
}

func TestQuitAndNotes(t *testing.T) {
	m := testModel(80, 24)
	keys(m, "n", "f")
	if m.note == "" {
		t.Error("no word")
	}
	m.arrive(arrival{now: m.now.Add(5 * time.Second)})
	if m.note != "" {
		t.Error("the word stays")
	}
	keys(m, "?", "j", "k", "q")
	if !m.effects.quit {
		t.Error("q in the help does not quit")
	}
	m = testModel(80, 24)
	keys(m, "/", "q")
	if m.effects.quit || string(m.prompt.filter.text) != "q" {
		t.Error("q in the prompt")
	}
	keys(m, "ctrl+c")
	if m.effects.quit || m.prompt.kind != promptNone {
		t.Error("ctrl+c in the prompt closes the prompt only")
	}
	m.arrive(arrival{ended: true, err: os.ErrClosed, now: m.now})
	if s := checkScreen(t, m); !strings.Contains(s, "ended: file already closed") {
		t.Errorf("%s", s)
	}
}
