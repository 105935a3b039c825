package stage

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Counters are what every stage counts. A nil *Counters counts nothing.
type Counters struct {
	set                                          *metrics.Set
	in, out, failed, inBytes, outBytes, controls *metrics.Counter
	batch                                        *metrics.Histogram
	started                                      time.Time
}

// NewCounters makes the counters of the named stage.
func NewCounters(stage string) *Counters {
	s := metrics.NewSet()
	c := func(name string) *metrics.Counter {
		return s.NewCounter(fmt.Sprintf(`leat_%s_total{stage=%q}`, name, stage))
	}
	return &Counters{
		set: s, in: c("events_in"), out: c("events_out"), failed: c("errors"),
		inBytes: c("bytes_in"), outBytes: c("bytes_out"), controls: c("marks"),
		batch:   s.NewHistogram(fmt.Sprintf(`leat_batch_seconds{stage=%q}`, stage)),
		started: time.Now(),
	}
}

// Set returns the set to which a stage adds counters of its own.
func (c *Counters) Set() *metrics.Set { return c.set }

// Totals returns the events read, written and failed so far.
func (c *Counters) Totals() (in, out, failed uint64) {
	return c.in.Get(), c.out.Get(), c.failed.Get()
}

// Failed counts n events that became a pipeline_error.
func (c *Counters) Failed(n int) {
	if c != nil {
		c.failed.Add(n)
	}
}

// Read counts events and bytes that came in.
func (c *Counters) Read(events, bytes int) {
	if c != nil {
		c.in.Add(events)
		c.inBytes.Add(bytes)
	}
}

func (c *Counters) wrote(events, bytes int) {
	if c != nil {
		c.out.Add(events)
		c.outBytes.Add(bytes)
	}
}

func (c *Counters) mark() {
	if c != nil {
		c.controls.Inc()
	}
}

func (c *Counters) took(since time.Time) {
	if c != nil {
		c.batch.UpdateDuration(since)
	}
}

// Serve offers the counters at http://addr/metrics in Prometheus' text format until the returned Closer is closed.
func (c *Counters) Serve(addr string) (io.Closer, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("metrics address: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		c.set.WritePrometheus(w)
		metrics.WriteProcessMetrics(w)
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(l) }()
	return srv, nil
}
