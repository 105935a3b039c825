package remote

import "time"

// maxPauses is how many times its pause a breaker stays open at most.
const maxPauses = 8

// breaker leaves alone who fails: closed, calls are made; open, none are; half open, one is, and its outcome decides. The
// zero breaker with failures and pause is closed. The Cache guards it.
type breaker struct {
	failures int
	pause    time.Duration

	row     int       // failures in a row
	opens   int       // in a row, without success between
	until   time.Time // open until then; zero: closed
	probing bool      // half open, and the call is under way
	told    bool      // the log has it
}

type breakerState uint8

const (
	closed breakerState = iota
	halfOpen
	open
)

func (b *breaker) state(now time.Time) breakerState {
	switch {
	case b.until.IsZero():
		return closed
	case now.Before(b.until):
		return open
	}
	return halfOpen
}

// ready says whether a call might be made.
func (b *breaker) ready(now time.Time) bool {
	return b.state(now) == closed || b.state(now) == halfOpen && !b.probing
}

// allow says whether a call may be made; it is followed by done.
func (b *breaker) allow(now time.Time) bool {
	if !b.ready(now) {
		return false
	}
	b.probing = b.state(now) == halfOpen
	return true
}

// done takes the outcome of a call. What was under way while the breaker opened does not close it, unless it went well.
func (b *breaker) done(ok bool, now time.Time) {
	if ok {
		b.row, b.opens, b.until, b.probing = 0, 0, time.Time{}, false
		return
	}
	b.row++
	if b.state(now) == open || b.state(now) == closed && b.row < b.failures {
		return
	}
	b.until = now.Add(b.pause * time.Duration(min(1<<min(b.opens, 8), maxPauses)))
	b.opens++
	b.probing = false
}

// bucket bounds the rate of calls.
type bucket struct {
	rate, burst float64 // rate 0: no bound
	tokens      float64
	at          time.Time
}

// take takes a token, or says how long there is none.
func (b *bucket) take(now time.Time) time.Duration {
	if b.rate == 0 {
		return 0
	}
	if b.at.IsZero() {
		b.tokens = min(b.burst, max(b.rate, 1))
	} else {
		b.tokens = min(b.tokens+max(now.Sub(b.at).Seconds(), 0)*b.rate, max(min(b.burst, b.rate), 1))
	}
	b.at = now
	if b.tokens >= 1 {
		b.tokens--
		return 0
	}
	return max(time.Duration((1-b.tokens)/b.rate*float64(time.Second)), time.Millisecond)
}
