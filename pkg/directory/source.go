package directory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	ldap "github.com/go-ldap/ldap/v3"

	"leat/pkg/dimension"
)

// saveEvery bounds how often the file of all objects is written while changes trickle in: a restart reads them again.
const saveEvery = time.Minute

// Source is a directory that is read. It is a dimension.Source: one goroutine at a time.
type Source struct {
	cfg      Config
	env      dimension.Env
	resolver *net.Resolver

	attrs []string       // that are kept; their places are their numbers
	codes map[string]int // the reverse, in lower case

	maxAnswer int64 // bytes

	conn    *conn
	refused refusal
	rest    map[string]resting

	loaded  bool
	state   state
	objects objects // nil: nothing was read yet
	dirty   bool    // objects differ from the table that was made last
	unsaved bool
	saved   time.Time
	version string    // of the table that was made last
	turns   time.Time // when that changes by itself: a lock-out ends, an account expires
}

// Open prepares a source of a checked configuration. It reads the password and the CA file, to say at once that they are
// missing, and asks no server.
func (c *Config) Open(env dimension.Env) (dimension.Source, error) {
	s := &Source{cfg: *c, env: env, resolver: net.DefaultResolver, maxAnswer: defaultAnswer, rest: map[string]resting{}, codes: map[string]int{}}
	if env.Log == nil {
		s.env.Log = slog.New(slog.DiscardHandler)
	}
	if env.Now == nil {
		s.env.Now = time.Now
	}
	if c.Kind == kindAD {
		s.attrs = append(s.attrs, adAttributes[:]...)
	}
	for i, a := range s.attrs {
		s.codes[strings.ToLower(a)] = i
	}
	if c.Kind == kindAD {
		// DirSync tells of name only, which is the same.
		s.codes["cn"] = aName
	}
	for _, col := range slices.Sorted(keysOf(c.Attributes)) {
		a := c.Attributes[col]
		if _, ok := s.codes[strings.ToLower(a)]; !ok {
			s.codes[strings.ToLower(a)] = len(s.attrs)
			s.attrs = append(s.attrs, a)
		}
	}
	s.state.Config = s.fingerprint()
	if _, err := s.secret(); err != nil {
		return nil, err
	}
	if _, err := s.tls(""); err != nil {
		return nil, err
	}
	return s, nil
}

// fingerprint is of that part of the configuration which the objects depend on.
func (s *Source) fingerprint() string {
	text, _ := json.Marshal([]any{s.cfg.Kind, s.cfg.Domain, s.cfg.Sync, s.cfg.Filter, s.attrs, s.plainBase()})
	return fmt.Sprintf("%x", sha256.Sum256(text))[:16]
}

// plainBase is the base that the server is asked for; of Active Directory that is the domain.
func (s *Source) plainBase() string {
	if s.cfg.Kind == kindLDAP {
		return strings.ToLower(s.cfg.Base)
	}
	return ""
}

// Fetch reads what changed and returns the table. After a restart without any server it returns what the file holds, with
// the time of that.
func (s *Source) Fetch(ctx context.Context, had dimension.Stamp) (*dimension.Fetched, error) {
	s.load()
	read := s.syncAD
	if s.cfg.Kind == kindLDAP {
		read = s.syncPlain
	}
	down := s.each(ctx, func(c *conn) error { return read(ctx, c) })
	if down != nil {
		if s.objects == nil || s.version != "" || ctx.Err() != nil {
			return nil, down
		}
	} else {
		s.state.AsOf = s.env.Now()
		s.keep()
	}
	if !s.dirty && s.version != "" && s.version == had.Version && !s.turned() {
		return nil, dimension.ErrUnchanged
	}
	t, turns, err := s.table()
	if err != nil {
		return nil, err
	}
	s.version, s.turns, s.dirty = version(t), turns, false
	if s.version == had.Version {
		return nil, cmp.Or(down, dimension.ErrUnchanged)
	}
	if down != nil {
		s.env.Log.Warn("no server answers: what was read before is used", "dimension", s.env.Name, "as_of", s.state.AsOf, "error", down)
	}
	return &dimension.Fetched{Stamp: dimension.Stamp{Version: s.version, AsOf: s.state.AsOf}, Table: t}, nil
}

func (s *Source) turned() bool { return !s.turns.IsZero() && !s.env.Now().Before(s.turns) }

// Close ends the connection, and writes what is not yet on disk.
func (s *Source) Close() error {
	s.hangUp()
	if !s.unsaved || s.env.Dir == "" {
		return nil
	}
	s.unsaved = false
	return save(s.env.Dir, &s.state, s.objects)
}

// load reads the file of an earlier run, once.
func (s *Source) load() {
	if s.loaded {
		return
	}
	s.loaded = true
	if s.env.Dir == "" {
		return
	}
	st, all, err := load(s.env.Dir, len(s.attrs))
	if err != nil {
		s.env.Log.Warn("what was read of the directory before is lost: everything is read anew", "dimension", s.env.Name, "error", err)
		return
	}
	if st != nil && st.Config == s.state.Config {
		s.state, s.objects, s.dirty = *st, all, true
		s.saved = s.env.Now()
	}
}

// keep writes the file if it is time to. A failure costs a restart time, and nothing else.
func (s *Source) keep() {
	now := s.env.Now()
	if !s.unsaved || s.env.Dir == "" || now.Sub(s.saved) < saveEvery {
		return
	}
	s.saved = now
	if err := save(s.env.Dir, &s.state, s.objects); err != nil {
		s.env.Log.Warn("the directory's file can't be written", "dimension", s.env.Name, "error", err)
		return
	}
	s.unsaved = false
}

// take brings the objects to where the changes lead.
func (s *Source) take(changes []change, whole bool) {
	if s.objects.apply(changes, whole, len(s.attrs)) {
		s.dirty, s.unsaved = true, true
	}
}

// replace puts a full read in the place of what was there.
func (s *Source) replace(st *state, all objects) {
	s.env.Log.Info("the directory was read", "dimension", s.env.Name, "server", st.Server, "entries", len(all), "changes_by", st.Mode)
	s.state, s.objects, s.dirty = *st, all, true
	s.unsaved, s.saved = true, time.Time{}
}

// reconcile finds deletions that the server does not tell the account of: it reads the list of all entries, and drops those
// that are gone. Where the server committed nothing since the last time, there are none.
func (s *Source) reconcile(ctx context.Context, c *conn, r rootDSE) error {
	now := s.env.Now()
	if now.Sub(s.state.Reconciled) < s.cfg.Reconcile {
		return nil
	}
	if r.usn != s.state.Listed || r.invocation != s.state.Invocation {
		q := query{base: r.nc, scope: ldap.ScopeWholeSubtree, filter: adFilter, attrs: []string{"objectGUID"}}
		if err := s.list(ctx, c, q, func(e *ldap.Entry) string { return e.GetEqualFoldAttributeValue("objectGUID") }); err != nil {
			return err
		}
		s.state.Listed = r.usn
	}
	s.state.Reconciled = now
	return nil
}

// list drops the objects that a search does not find any more.
func (s *Source) list(ctx context.Context, c *conn, q query, id func(*ldap.Entry) string) error {
	there := make(map[string]bool, len(s.objects))
	err := s.paged(ctx, c, q, func(e *ldap.Entry) error {
		there[id(e)] = true
		return nil
	})
	if err != nil {
		return err
	}
	for id := range s.objects {
		if !there[id] {
			delete(s.objects, id)
			s.dirty, s.unsaved = true, true
		}
	}
	return nil
}
