package faults

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// killing is one run of the kill test: a chain under a feed, and what became of the kills.
type killing struct {
	*site
	r       *rand.Rand
	chain   *chain
	feed    *feed
	kills   int
	mid     int // kills with lines written and not yet committed
	resumed int // of chains that had begun at a mark > 0
}

// TestKill kills with SIGKILL at random moments, LEAT_KILLS times (100): a stage, all stages, the supervisor or the shell, or
// everything at once; in all forms, side by side. Afterwards every line must be in the lake exactly once by content.
func TestKill(t *testing.T) {
	t.Parallel()
	kills, all := envInt("LEAT_KILLS", 100), forms()
	seed := uint64(envInt("LEAT_SEED", int(time.Now().UnixNano())))
	fmt.Printf("kill test: seed %d, %d kills\n", seed, kills)
	for i, f := range all {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			k := &killing{site: s, r: rand.New(rand.NewPCG(seed, uint64(i))), chain: s.start(t, f)}
			k.feed = startFeed(s.auth(), envInt("LEAT_RATE", 1000), 40000)
			for k.kills < (kills+len(all)-1-i)/len(all) {
				k.once(t)
			}
			k.chain.wait(t)
			total := k.feed.finish(t)
			s.waitForLines(t, total)
			if code := k.chain.end(t, syscall.SIGTERM); code != 0 {
				t.Errorf("the last, undisturbed chain: exit status %d", code)
			}
			for _, code := range k.chain.codes {
				if code >= 0 && code != 0 && f.name != "shell" {
					t.Errorf("leat run gave up by itself with exit status %d", code)
				}
			}
			c := s.check(t, total)
			fmt.Printf("kill test: %s: %d kills, %d in mid-stream, %d of chains resumed at a mark > 0, typed %d times; %d lines: %d rows, %d different; %d alerts, %d different\n",
				f.name, k.kills, k.mid, k.resumed, k.chain.typed, total, c.Lines, c.Distinct, c.Alerts, c.AlertIDs)
			if k.mid < k.kills*80/100 || k.resumed < k.kills/2 {
				t.Errorf("only %d of %d kills hit in mid-stream, and %d hit chains that had begun at a mark > 0", k.mid, k.kills, k.resumed)
			}
		})
	}
}

// victims chooses what dies.
func (k *killing) victims(pids []int) (who string, victims []int) {
	root := k.chain.root()
	switch n := k.r.IntN(10); {
	case n == 0:
		return "all stages", pids
	case n == 1:
		return "supervisor", []int{root}
	case n == 2:
		return "everything", append([]int{root}, pids...)
	}
	i := k.r.IntN(len(pids))
	return k.chain.form.stages[i], pids[i : i+1]
}

// once lets the chain work for a while and kills.
func (k *killing) once(t *testing.T) {
	t.Helper()
	before := k.pipeline(t)
	pids := k.chain.wait(t)
	// Half of the kills come at any moment, start-up included; the others after at least one commit of this chain.
	if k.r.IntN(2) == 0 {
		k.waitFor(t, "no commit", func() bool {
			p := k.pipeline(t)
			return p.Mark > before.Mark || k.chain.pids() == nil
		})
	}
	time.Sleep(time.Duration(k.r.IntN(400)) * time.Millisecond)
	who, victims := k.victims(pids)
	alive := 0
	for _, pid := range victims {
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			alive++
		}
	}
	st, lines, written := k.pipeline(t), k.lines(t), k.feed.written.Load()
	k.kills++
	if alive > 0 && lines < written {
		k.mid++
	}
	if before.Mark > 0 {
		k.resumed++
	}
	fmt.Printf("kill test: %-9s kill -9 %-10s epoch %d mark %d, %d of %d lines committed; resumed at mark %d\n",
		k.chain.form.name, who, st.Epoch, st.Mark, lines, written, before.Mark)
	k.chain.wait(t, pids...)
}
