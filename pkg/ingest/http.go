package ingest

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"leat/pkg/ingest/journal"
)

const (
	// bodyTime is how long a request may take to arrive: a slow one must not hold its place.
	bodyTime = time.Minute
	// bodiesInMemory is how many of the largest bodies may be in memory at once, of all senders.
	bodiesInMemory = 8
	maxHeader      = 16 << 10
)

// httpListener takes records in bodies of POST requests. The answer is the acknowledgement: 2xx says that the records are
// durable in the journal (without --resume: written to the output), anything else that none of them was taken.
type httpListener struct {
	spec   spec
	cfg    *Config
	ln     net.Listener
	inlet  func() inlet // one for each request
	memory atomic.Int64 // bytes of bodies that are being read
	broken chan error   // the output is gone
}

// run serves until ctx is done; requests that have begun by then are answered.
func (l *httpListener) run(ctx context.Context) error {
	l.cfg.Log.Info("listening", "source", l.spec.name(), "address", l.ln.Addr().String())
	if host, _, err := net.SplitHostPort(l.ln.Addr().String()); err == nil && l.spec.opts.tokens == nil && !net.ParseIP(host).IsLoopback() {
		l.cfg.Log.Warn("no option token: everybody who reaches the address may send", "source", l.spec.name())
	}
	srv := &http.Server{
		Handler: l, ReadHeaderTimeout: handshakeTime, ReadTimeout: bodyTime, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxHeader,
		TLSConfig: l.spec.opts.tls, ErrorLog: slog.NewLogLogger(l.cfg.Log.With("source", l.spec.name()).Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	l.broken = make(chan error, 1)
	ln := &placesListener{Listener: l.ln, free: make(chan struct{}, l.spec.opts.maxConns), refuse: l.refuse}
	go func() {
		if srv.TLSConfig != nil {
			served <- srv.ServeTLS(ln, "", "")
		} else {
			served <- srv.Serve(ln)
		}
	}()
	select {
	case err := <-served:
		return fmt.Errorf("source %s: %w", l.spec.name(), err)
	case err := <-l.broken:
		srv.Close()
		<-served
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.cfg.StopTime/2)
	defer cancel()
	if srv.Shutdown(last) != nil {
		srv.Close()
	}
	<-served
	return nil
}

func (l *httpListener) refuse(c net.Conn) {
	l.cfg.count("connections_refused", l.spec.name(), 1)
	l.cfg.Log.Warn("connection refused: max_connections are open", "source", l.spec.name(), "peer", c.RemoteAddr().String())
}

// placesListener accepts so many connections at a time, and closes those beyond.
type placesListener struct {
	net.Listener
	free   chan struct{}
	refuse func(net.Conn)
}

// Accept waits for the next connection that finds a place.
func (p *placesListener) Accept() (net.Conn, error) {
	for {
		c, err := p.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case p.free <- struct{}{}:
			return &placedConn{Conn: c, leave: sync.OnceFunc(func() { <-p.free })}, nil
		default:
			p.refuse(c)
			c.Close()
		}
	}
}

// placedConn gives its place back when it is closed.
type placedConn struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (c *placedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// dialect is how a kind of sender wants to be talked to.
type dialect struct {
	split  func(body []byte, contentType string, add func(rec []byte) error) error
	answer func(status, records int, message string) (contentType, body string)
}

// dialectOf finds the dialect by the path. The path of the URL takes lines and JSON; those of Splunk's HTTP event collector
// and of Elastic's bulk API are fixed, since their senders know no other.
func (l *httpListener) dialectOf(path string) (d dialect, ok bool) {
	switch {
	case path == l.spec.urlPath:
		return dialect{splitLines, answerPlain}, true
	case path == "/services/collector/raw" || path == "/services/collector/raw/1.0":
		return dialect{splitLines, answerHEC}, true
	case path == "/services/collector" || path == "/services/collector/event" || path == "/services/collector/event/1.0":
		return dialect{splitObjects, answerHEC}, true
	case path == "/_bulk" || strings.HasSuffix(path, "/_bulk") && strings.Count(path, "/") == 2:
		return dialect{splitBulk, answerBulk}, true
	}
	return dialect{}, false
}

// ServeHTTP takes one request.
func (l *httpListener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/services/collector/health" && r.Method == http.MethodGet {
		reply(w, http.StatusOK, "application/json", `{"text":"HEC is healthy","code":17}`)
		return
	}
	d, ok := l.dialectOf(r.URL.Path)
	if !ok {
		reply(w, http.StatusNotFound, "text/plain", "no such path; records are taken at "+l.spec.urlPath+"\n")
		return
	}
	answer := func(status, records int, message string) {
		if status >= 300 {
			l.cfg.count("requests_refused", l.spec.name(), 1)
		}
		if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
		}
		kind, body := d.answer(status, records, message)
		reply(w, status, kind, body)
	}
	switch {
	case r.Method != http.MethodPost && r.Method != http.MethodPut:
		w.Header().Set("Allow", "POST, PUT")
		answer(http.StatusMethodNotAllowed, 0, "expected POST")
		return
	case !l.allowed(r):
		w.Header().Set("WWW-Authenticate", "Bearer")
		answer(http.StatusUnauthorized, 0, "a valid token is needed")
		return
	}
	body, release, status, err := l.body(r)
	defer release()
	if err != nil {
		answer(status, 0, err.Error())
		return
	}
	n, err := l.take(d, body, r)
	var bad *badBody
	switch {
	case err == nil:
		answer(http.StatusOK, n, "")
	case errors.As(err, &bad):
		answer(bad.status, 0, bad.Error())
	case errors.Is(err, journal.ErrFull):
		answer(http.StatusTooManyRequests, 0, "the journal is full; come again")
	default:
		l.cfg.Log.Error("a request could not be taken", "source", l.spec.name(), "error", err)
		answer(http.StatusServiceUnavailable, 0, "the records could not be made durable; come again")
	}
}

func reply(w http.ResponseWriter, status int, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	if status >= 400 {
		// Else the server would wait for the rest of the body before it answers.
		w.Header().Set("Connection", "close")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// allowed tells whether the request bears one of our tokens: as a bearer, as Splunk's or Elastic's, or as a password.
func (l *httpListener) allowed(r *http.Request) bool {
	if l.spec.opts.tokens == nil {
		return true
	}
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if _, password, ok := r.BasicAuth(); ok {
		token = password
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	ok := 0
	for _, t := range l.spec.opts.tokens {
		ok |= subtle.ConstantTimeCompare(sum[:], t[:])
	}
	return ok == 1
}

// take makes records of a body and hands them on, all or none.
func (l *httpListener) take(d dialect, body []byte, r *http.Request) (records int, err error) {
	in := l.inlet()
	var addr []byte
	if a, err := net.ResolveTCPAddr("tcp", r.RemoteAddr); err == nil {
		addr = appendAddr(nil, a)
	}
	var longest int
	err = d.split(body, r.Header.Get("Content-Type"), func(rec []byte) error {
		records++
		longest = max(longest, len(rec))
		return in.add(int64(records), rec, addr)
	})
	switch {
	case err != nil:
		return 0, err
	case longest > l.cfg.MaxLine:
		return 0, &badBody{http.StatusRequestEntityTooLarge, fmt.Sprintf("a record of %d bytes is longer than --max-line", longest)}
	}
	if q, ok := in.(*journaled); ok {
		return records, q.try()
	}
	if err = in.flush(); err != nil {
		select {
		case l.broken <- err:
		default:
		}
	}
	return records, err
}
