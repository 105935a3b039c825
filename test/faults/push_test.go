package faults

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// sender posts numbered lines over HTTP, ten at a time, and sends again until it is told that they have arrived: what it was told is
// what the lake must hold.
type sender struct {
	url   string
	acked atomic.Int64
	again atomic.Int64 // requests without an answer, which may have arrived
	stop  chan struct{}
	done  sync.WaitGroup
}

func startSender(url string) *sender {
	s := &sender{url: url, stop: make(chan struct{})}
	s.done.Go(s.run)
	return s
}

func (s *sender) run() {
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	for n := int64(1); ; n += 10 {
		body := linesOf(n, n+9)
		for {
			select {
			case <-s.stop:
				return
			default:
			}
			answer, err := client.Post(s.url, "text/plain", strings.NewReader(body))
			if err == nil {
				_ = answer.Body.Close()
				if answer.StatusCode/100 == 2 {
					s.acked.Store(n + 9)
					break
				}
			} else {
				s.again.Add(1)
			}
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// TestKillPush kills the stages of a pipe that takes its records over HTTP. Every record for which the sender got a 2xx is in the lake;
// one is there twice only if a request had no answer and was sent again.
func TestKillPush(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String() + "/logs"
	_ = l.Close()
	write(t, s.dir, "pipeline.yaml", strings.Replace(pipelineFile, "'logs/auth.log*'", "'"+url+"'", 1))
	s.load(t)
	seed := uint64(envInt("LEAT_SEED", int(time.Now().UnixNano())))
	r := rand.New(rand.NewPCG(seed, 99))
	snd := startSender(url)
	defer func() { snd.done.Wait() }()
	kills := envInt("LEAT_KILLS", 100) / 20
	for i, f := range []form{forms()[1], forms()[2]} {
		c := s.start(t, f)
		for range kills {
			acked := snd.acked.Load()
			s.waitFor(t, "nothing is acknowledged", func() bool { return snd.acked.Load() > acked })
			time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
			pids := c.wait(t)
			k := r.IntN(len(pids) + 1)
			victims := pids
			if k < len(pids) {
				victims = pids[k : k+1]
			}
			for _, pid := range victims {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			c.wait(t, victims...)
		}
		if i == 1 {
			close(snd.stop)
			snd.done.Wait()
			s.waitForLines(t, snd.acked.Load())
		}
		if code := c.end(t, syscall.SIGTERM); code != 0 {
			t.Errorf("exit status %d", code)
		}
	}
	acked, again := snd.acked.Load(), snd.again.Load()
	c := count(t, s.leat, s.py, s.cfg.Lake)
	if c.Distinct < acked || c.MaxSeq != c.Distinct || c.WrongText > 0 || c.Lines != c.DistinctIDs || c.Lines > c.Distinct+10*again {
		t.Errorf("%d records acknowledged, %d requests without an answer; the lake holds %+v", acked, again, c)
	}
	fmt.Printf("faults: %d kills under HTTP: %d records acknowledged, %d requests without an answer; %d different in the lake, %d rows\n",
		2*kills, acked, again, c.Distinct, c.Lines)
}
