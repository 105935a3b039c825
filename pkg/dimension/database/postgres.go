package database

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// postgres is a Conn.
type postgres struct {
	conf    *pgx.ConnConfig
	timeout time.Duration
	conn    *pgx.Conn
	// arrays has the element types of arrays that are not built in (of enumerations).
	arrays map[uint32]uint32
}

// postgres reads a connection string. Its error has no password.
func (c *Config) postgres(dsn string) (*pgx.ConnConfig, error) {
	conf, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The library's message quotes the string; what it has in front of the colon is enough.
		if inner := errors.Unwrap(err); inner != nil {
			err = inner
		}
		return nil, fmt.Errorf("not a connection string of PostgreSQL: %v", strings.ReplaceAll(err.Error(), dsn, "..."))
	}
	if !c.Insecure {
		if err := verified(conf); err != nil {
			return nil, err
		}
	}
	conf.RuntimeParams["application_name"] = "leat enrich"
	return conf, nil
}

// verified makes every connection over a network one with TLS whose certificate is that host's (sslmode=verify-full).
// libpq's own default falls back to plain text.
func verified(conf *pgx.ConnConfig) error {
	all := []*pgconn.FallbackConfig{{Host: conf.Host, Port: conf.Port, TLSConfig: conf.TLSConfig}}
	all = append(all, conf.Fallbacks...)
	var kept []*pgconn.FallbackConfig
	for _, f := range all {
		if !local(f.Host) {
			if f.TLSConfig == nil {
				continue
			}
			f.TLSConfig = strict(f.TLSConfig, f.Host)
		}
		same := func(k *pgconn.FallbackConfig) bool {
			return k.Host == f.Host && k.Port == f.Port && (k.TLSConfig == nil) == (f.TLSConfig == nil)
		}
		if !slices.ContainsFunc(kept, same) {
			kept = append(kept, f)
		}
	}
	if len(kept) == 0 {
		return errors.New("sslmode=disable would send everything in plain text over a network; expected sslmode=verify-full, or insecure: true")
	}
	conf.Host, conf.Port, conf.TLSConfig, conf.Fallbacks = kept[0].Host, kept[0].Port, kept[0].TLSConfig, kept[1:]
	return nil
}

// strict is t with the certificate checked.
func strict(t *tls.Config, host string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: t.RootCAs, Certificates: t.Certificates}
}

// local says whether a host's connections stay on this machine.
func local(host string) bool {
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func (p *postgres) Close() error {
	if p.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := p.conn.Close(ctx)
	p.conn, p.arrays = nil, nil
	return err
}

func (p *postgres) Query(ctx context.Context, query string, keys []string, columns func([]string) error, row func([][]byte) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	defer func() {
		if err == nil {
			return
		}
		// A value that does not fit leaves the connection as good as it was.
		if err = tell(err); !errors.Is(err, ErrValue) || p.exec(ctx, "rollback") != nil {
			_ = p.Close()
		}
	}()
	if err = p.begin(ctx); err != nil {
		return err
	}
	if err = p.rows(ctx, query, keys, columns, row); err != nil {
		return err
	}
	return p.exec(ctx, "commit")
}

// begin begins a transaction. A connection that was idle may have broken meanwhile: then there is a new one.
func (p *postgres) begin(ctx context.Context) (err error) {
	// Nothing that the query calls may write, and what values look like must not hang on the settings of server and user. Set
	// here and not for the session, the settings pass through a pooler that gives each transaction another connection.
	begin := fmt.Sprintf("begin transaction read only; set local timezone = 'UTC'; set local datestyle = 'ISO'; set local intervalstyle = 'iso_8601'; "+
		"set local bytea_output = 'hex'; set local extra_float_digits = 1; set local statement_timeout = %d", p.timeout.Milliseconds()+1)
	if p.conn != nil && !p.conn.IsClosed() {
		if err = p.exec(ctx, begin); err == nil || ctx.Err() != nil {
			return err
		}
		_ = p.Close()
	}
	if p.conn, err = pgx.ConnectConfig(ctx, p.conf.Copy()); err != nil {
		return err
	}
	p.arrays = map[uint32]uint32{}
	return p.exec(ctx, begin)
}

func (p *postgres) exec(ctx context.Context, statement string) error {
	_, err := p.conn.PgConn().Exec(ctx, statement).ReadAll()
	return err
}

// rows describes the query, and reads its answer, all values as text.
func (p *postgres) rows(ctx context.Context, query string, keys []string, columns func([]string) error, row func([][]byte) error) error {
	st, err := p.prepare(ctx, query)
	if err != nil {
		return err
	}
	if want := len(st.ParamOIDs); want > 1 || (want == 1) != (keys != nil) {
		return fmt.Errorf("the query has %d parameters; %s", want, map[bool]string{true: "expected one, $1: the array of keys", false: "expected none"}[keys != nil])
	}
	var params [][]byte
	if keys != nil {
		params = [][]byte{appendArray(nil, keys)}
	}
	var names []string
	types := make([]uint32, len(st.Fields))
	for i, f := range st.Fields {
		names = append(names, f.Name)
		types[i] = f.DataTypeOID
	}
	if len(names) == 0 {
		return errors.New("the query answers with no columns; expected a select")
	}
	if err := errors.Join(distinct(names), columns(names)); err != nil {
		return err
	}
	r := p.conn.PgConn().ExecPrepared(ctx, "", params, nil, nil)
	cells, buf := make([][]byte, len(names)), make([][]byte, len(names))
	for err == nil && r.NextRow() {
		for i, v := range r.Values() {
			cells[i] = nil
			if v == nil {
				continue
			}
			if buf[i], err = p.appendCell(buf[i][:0], types[i], v); err != nil {
				err = fmt.Errorf("column %q: %w", names[i], err)
				break
			}
			cells[i] = buf[i]
		}
		if err == nil {
			err = row(cells)
		}
	}
	_, done := r.Close()
	return errors.Join(err, done)
}

// prepare describes a query as the unnamed statement, and learns the types of its columns, which are statements of their own.
func (p *postgres) prepare(ctx context.Context, query string) (*pgconn.StatementDescription, error) {
	for {
		st, err := p.conn.PgConn().Prepare(ctx, "", query, nil)
		if err != nil {
			return nil, err
		}
		all := true
		for _, f := range st.Fields {
			_, known := p.conn.TypeMap().TypeForOID(f.DataTypeOID)
			if _, learned := p.arrays[f.DataTypeOID]; known || learned {
				continue
			}
			all = false
			if err := p.learn(ctx, f.DataTypeOID); err != nil {
				return nil, err
			}
		}
		if all {
			return st, nil
		}
	}
}

// learn asks what an unknown type is: an array of an enumeration has elements too.
func (p *postgres) learn(ctx context.Context, oid uint32) error {
	r := p.conn.PgConn().ExecParams(ctx, "select case when typcategory = 'A' then typelem else 0 end from pg_type where oid = $1",
		[][]byte{fmt.Append(nil, oid)}, []uint32{pgtype.OIDOID}, nil, nil).Read()
	if r.Err != nil {
		return r.Err
	}
	var elem uint32
	if len(r.Rows) == 1 {
		_, _ = fmt.Sscan(string(r.Rows[0][0]), &elem)
	}
	p.arrays[oid] = elem
	return nil
}

// tell makes an error that says where and what, without values of rows: PostgreSQL quotes them in its messages about data
// (SQLSTATE classes 21 to 23; PostgreSQL's appendix A).
func tell(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	if pg.Code >= "21" && pg.Code < "24" {
		return fmt.Errorf("%w (SQLSTATE %s)", ErrValue, pg.Code)
	}
	return fmt.Errorf("the server says: %s (SQLSTATE %s)", pg.Message, pg.Code)
}
