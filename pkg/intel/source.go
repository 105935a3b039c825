package intel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"leat/internal/durable"
	"leat/pkg/dimension"
)

// recheck is how often indicators are judged anew where no feed has changed: some grow old.
const recheck = time.Hour

// Source is the feeds of a configuration; it is a dimension.Source.
type Source struct {
	cfg   *Config
	env   dimension.Env
	dir   string // where the last good state of each feed is
	own   bool   // dir is ours to remove
	feeds []*feedState
	print string    // what the last table was made of
	built time.Time // when
	had   string    // its version
}

// feedState is a feed with what is known of it.
type feedState struct {
	feed  *Feed
	dir   string // its folder below the source's
	base  string // of relative paths
	tried time.Time
	state savedState
}

// savedState is what is kept of a feed beside its bytes.
type savedState struct {
	// Fetched is when the feed last answered.
	Fetched time.Time `json:"fetched"`
	// ETag and Modified are for the next conditional request.
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"`
	// Print changes with the content.
	Print string `json:"print"`
	// Added is, by URL of a TAXII collection, the added_after of the next request.
	Added map[string]string `json:"added,omitempty"`
	// Compacted is the size of a TAXII feed's store when it was last rewritten.
	Compacted int64 `json:"compacted,omitempty"`
}

// Open prepares the feeds; nothing is fetched yet. The configuration was checked.
func (c *Config) Open(env dimension.Env) (dimension.Source, error) {
	s := &Source{cfg: c, env: env, dir: env.Dir}
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "leat-intel-")
		if err != nil {
			return nil, fmt.Errorf("open feeds: %w", err)
		}
		s.dir, s.own = dir, true
	}
	for _, f := range c.Feeds {
		// A name is free text, so its folder is a hash of it; with the origin in it, since the state of another is of no use.
		sum := sha256.Sum256([]byte(f.Name + "\x00" + f.URL + f.TAXII + f.MISP + "\x00" + f.Format))
		fs := &feedState{feed: f, dir: filepath.Join(s.dir, hex.EncodeToString(sum[:8])), base: env.Base}
		if err := fs.load(); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.feeds = append(s.feeds, fs)
	}
	return s, nil
}

// Close removes what was kept only for this process.
func (s *Source) Close() error {
	if s.own {
		return os.RemoveAll(s.dir)
	}
	return nil
}

// load reads the state of an earlier run. One that is torn is as good as none: the feed is fetched again.
func (f *feedState) load() error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("open feed %q: %w", f.feed.Name, err)
	}
	data, err := os.ReadFile(filepath.Join(f.dir, "state.json"))
	if err != nil || json.Unmarshal(data, &f.state) != nil {
		f.state = savedState{}
	}
	return nil
}

func (f *feedState) save() error {
	data, err := json.Marshal(&f.state)
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(f.dir, "state.json"), data)
}

// due tells whether the feed is to be asked now.
func (f *feedState) due(now time.Time) bool {
	last := f.tried
	if f.state.Fetched.After(last) {
		last = f.state.Fetched
	}
	return f.state.Print == "" || now.Sub(last) >= time.Duration(f.feed.Interval) || now.Before(last)
}

// refresh brings the feed up to date. What can't be reached stays as it was, with a warning; the first time it is an error.
func (s *Source) refresh(ctx context.Context, f *feedState, now time.Time) error {
	if f.feed.File != "" || f.localMISP() {
		return s.optional(f, f.stat())
	}
	if !f.due(now) {
		return nil
	}
	f.tried = now
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var err error
	switch {
	case f.feed.TAXII != "":
		err = f.pullTAXII(ctx, now)
	case f.feed.MISP != "":
		err = f.pullMISP(ctx)
	default:
		err = f.download(ctx)
	}
	if err == nil {
		f.state.Fetched = now
		err = f.save()
	}
	if err != nil && f.state.Print != "" {
		s.env.Log.Warn("feed not reached; its last state is used", "dimension", s.env.Name, "feed", f.feed.Name, "of", f.state.Fetched, "err", err)
		return nil
	}
	return s.optional(f, err)
}

func (s *Source) optional(f *feedState, err error) error {
	if err != nil && f.feed.Optional {
		s.env.Log.Warn("feed left out", "dimension", s.env.Name, "feed", f.feed.Name, "err", err)
		f.state.Print = ""
		return nil
	}
	if err != nil {
		return fmt.Errorf("feed %q: %w", f.feed.Name, err)
	}
	return nil
}

// cursor is what Fetch needs to know of the table before.
type cursor struct {
	Print string    `json:"print"`
	Built time.Time `json:"built"`
}

// Fetch brings the feeds that are due up to date and returns the table of all live indicators, or dimension.ErrUnchanged.
func (s *Source) Fetch(ctx context.Context, had dimension.Stamp) (*dimension.Fetched, error) {
	now := s.env.Now()
	for _, f := range s.feeds {
		if err := s.refresh(ctx, f, now); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	print, err := s.fingerprint()
	if err != nil {
		return nil, err
	}
	if s.print == "" && had.Cursor != "" {
		var c cursor
		if json.Unmarshal([]byte(had.Cursor), &c) == nil {
			s.print, s.built, s.had = c.Print, c.Built, had.Version
		}
	}
	if s.print == print && s.had == had.Version && now.Sub(s.built) < recheck && !now.Before(s.built) {
		return nil, dimension.ErrUnchanged
	}
	out, err := s.build(ctx, now)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(cursor{print, now})
	if err != nil {
		return nil, err
	}
	out.Cursor, out.AsOf = string(text), s.asOf(now)
	s.print, s.built, s.had = print, now, out.Version
	if err := s.noteVersion(out.Version, now); err != nil {
		return nil, err
	}
	if out.Version == had.Version {
		return nil, dimension.ErrUnchanged
	}
	return out, nil
}

// asOf is the time of the feed that answered longest ago.
func (s *Source) asOf(now time.Time) time.Time {
	for _, f := range s.feeds {
		if !f.state.Fetched.IsZero() && f.state.Fetched.Before(now) {
			now = f.state.Fetched
		}
	}
	return now
}

// fingerprint is the state of all that a table is made of.
func (s *Source) fingerprint() (string, error) {
	h := sha256.New()
	cfg, err := json.Marshal(s.cfg)
	if err != nil {
		return "", err
	}
	h.Write(cfg)
	for _, f := range s.feeds {
		fmt.Fprintf(h, "%s\x00", f.state.Print)
	}
	for _, path := range s.cfg.Allow.Files {
		info, err := os.Stat(s.path(path))
		if err != nil {
			return "", fmt.Errorf("allow list: %w", err)
		}
		fmt.Fprintf(h, "%d %d\x00", info.Size(), info.ModTime().UnixNano())
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

func (s *Source) path(p string) string { return dimension.Below(s.env.Base, p) }

// build makes the table of what is at hand.
func (s *Source) build(ctx context.Context, now time.Time) (*dimension.Fetched, error) {
	allow, err := s.allowed()
	if err != nil {
		return nil, err
	}
	c := &collector{}
	for n, f := range s.feeds {
		if f.state.Print == "" {
			continue
		}
		t := intake{feed: f.feed, number: uint16(n), allow: allow, out: c, kinds: s.wanted(),
			life: life{now: now, ttl: time.Duration(f.feed.TTL)}}
		if d := f.feed.Decay; d != nil {
			t.life.halfLife, t.life.floor = time.Duration(d.HalfLife), d.Floor
		}
		if err := s.optional(f, f.read(ctx, &t)); err != nil {
			return nil, err
		}
		if n := t.counts; n.Used == 0 && n.Malformed > 0 && n.Malformed == n.Records {
			if err := s.optional(f, fmt.Errorf("none of %d records is an indicator in the format %s", n.Records, f.feed.Format)); err != nil {
				return nil, err
			}
		}
		s.env.Log.Info("feed read", append([]any{"dimension", s.env.Name, "feed", f.feed.Name}, t.counts.list()...)...)
	}
	c.index = index{} // its memory is wanted for the table
	a, err := s.arrivals(c, now)
	if err != nil {
		return nil, err
	}
	w := newTableWriter(s.env.Limits)
	t, err := w.write(c, s.cfg.Feeds, a)
	if err != nil {
		return nil, err
	}
	return &dimension.Fetched{Stamp: dimension.Stamp{Version: w.version()}, Table: t}, nil
}

func (s *Source) wanted() (k [kinds]bool) {
	for _, name := range s.cfg.Kinds {
		k[kindOf(name)] = true
	}
	if len(s.cfg.Kinds) == 0 {
		for i := range k {
			k[i] = true
		}
	}
	return k
}

// allowed reads what is benign.
func (s *Source) allowed() (*allowList, error) {
	a := newAllowList()
	if *s.cfg.Allow.Builtin {
		for _, line := range append(special(), resolvers()...) {
			a.add([]byte(line))
		}
	}
	for _, path := range s.cfg.Allow.Files {
		bad, err := a.readAllow(s.path(path))
		if err != nil {
			return nil, err
		}
		if bad > 0 {
			s.env.Log.Warn("allow list has lines that are no values", "dimension", s.env.Name, "file", path, "lines", bad)
		}
	}
	return a, nil
}
