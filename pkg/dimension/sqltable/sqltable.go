// Package sqltable is a dimension's source whose rows are the answer of a query: of PostgreSQL or of an SQLite file.
//
// It asks for the whole table each time; it is not for look-ups of single keys (pkg/enrich/remote is), and it never writes.
//
// Delivery: a table is the answer of one query in one transaction, whole or not at all.
package sqltable

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"strings"
	"time"

	"leat/pkg/dimension"
	"leat/pkg/dimension/database"
)

// racy is how long a file must have been unchanged before its time of change tells that it still is: two changes within one
// tick of a file system's clock have the same time.
const racy = 2 * time.Second

// Config is what a configuration file says below sql.
type Config struct {
	database.Config `yaml:",inline"`
	// Query is one select; its columns are the dimension's.
	Query string `yaml:"query"`
	// MaxBytes bounds the values of the answer; 0 = 1 GiB.
	MaxBytes int64 `yaml:"max_bytes"`
}

// Check fills in what was left out and returns what is wrong.
func (c *Config) Check() []dimension.Complaint {
	bad := c.Config.Check()
	if strings.TrimSpace(c.Query) == "" {
		bad = append(bad, dimension.Complaint{Key: "query", Message: "no query; expected a select"})
	}
	if c.MaxBytes < 0 {
		bad = append(bad, dimension.Complaint{Key: "max_bytes", Message: "max_bytes below 0; expected a number of bytes"})
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 1 << 30
	}
	return bad
}

// source is a dimension.Source.
type source struct {
	cfg  Config
	env  dimension.Env
	conn database.Conn
	path string // SQLite's file
}

// Open prepares the source; the first Fetch connects.
func (c *Config) Open(env dimension.Env) (dimension.Source, error) {
	conn, err := c.Config.Open(env.Base)
	if err != nil {
		return nil, err
	}
	s := &source{cfg: *c, env: env, conn: conn}
	if c.Driver == "sqlite" {
		s.path = dimension.Below(env.Base, c.File)
	}
	return s, nil
}

// Close frees the connection.
func (s *source) Close() error { return s.conn.Close() }

// Fetch runs the query. With ErrUnchanged comes the stamp of now, without a table.
func (s *source) Fetch(ctx context.Context, had dimension.Stamp) (*dimension.Fetched, error) {
	now := s.env.Now()
	state, err := s.fileState(now)
	if err != nil {
		return nil, err
	}
	if state != "" && state == had.Cursor && had.Version != "" {
		had.AsOf = now
		return &dimension.Fetched{Stamp: had}, dimension.ErrUnchanged
	}
	a := answer{sum: sha256.New(), left: s.cfg.MaxBytes, lim: s.env.Limits}
	if err := s.conn.Query(ctx, s.cfg.Query, nil, a.columns, a.row); err != nil {
		return nil, err
	}
	f := &dimension.Fetched{Stamp: dimension.Stamp{Version: hex.EncodeToString(a.sum.Sum(nil)[:8]), AsOf: now, Cursor: state}}
	if f.Version == had.Version {
		return f, dimension.ErrUnchanged
	}
	f.Table = a.b.Table()
	return f, nil
}

// fileState says in which state SQLite's file is; empty: it can't be told from its looks.
func (s *source) fileState(now time.Time) (string, error) {
	if s.path == "" {
		return "", nil
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\x00%s\x00", s.path, s.cfg.Query)
	for _, name := range []string{s.path, s.path + "-wal"} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) && name != s.path {
			continue
		}
		if err != nil {
			return "", err
		}
		if now.Sub(info.ModTime()) < racy {
			return "", nil
		}
		fmt.Fprintf(sum, "%d %d\x00", info.Size(), info.ModTime().UnixNano())
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// answer makes a table of a query's answer.
type answer struct {
	b    *dimension.Builder
	lim  dimension.Limits
	sum  hash.Hash
	left int64
	len  [4]byte
}

func (a *answer) columns(names []string) error {
	a.b = dimension.NewBuilder(a.lim, names...)
	fmt.Fprintf(a.sum, "%q", names)
	return nil
}

func (a *answer) row(cells [][]byte) error {
	for i, cell := range cells {
		if a.left -= int64(len(cell)); a.left < 0 {
			return errors.New("the answer has more bytes than max_bytes")
		}
		n := uint32(len(cell))
		a.len = [4]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}
		a.sum.Write(a.len[:])
		a.sum.Write(cell)
		if err := a.b.Set(i, cell); err != nil {
			return err
		}
	}
	return a.b.EndRow()
}
