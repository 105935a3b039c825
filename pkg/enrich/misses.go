package enrich

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"leat/internal/durable"
)

// maxMisses is how many keys of a rule are counted. The counts are those of Space-Saving (Metwally et al. 2005): what is
// missed often is there, and Over says by how much a count may be too high.
const maxMisses = 256

// Of a rule that misses often, every sample-th miss counts for so many: counting must not cost more than looking up.
const (
	missesWhole  = 4096
	missesSample = 32
)

// MissedKey is a key that a rule's dimension does not know.
type MissedKey struct {
	Rule  string `json:"rule"`
	Key   string `json:"key"`
	Count int64  `json:"count"`
	Over  int64  `json:"over,omitempty"`
}

// misses counts the keys that were looked up in vain. They are private data: they go to the state folder, never to logs or
// metrics.
type misses struct {
	mu    sync.Mutex
	rules map[string]*missedKeys
	saved time.Time
	dirty bool
}

// missedKeys are those of one rule.
type missedKeys struct {
	keys  map[string]*MissedKey
	total int64
}

// longMiss bounds a key that is counted, in bytes.
const longMiss = 256

func (m *misses) add(rule string, key []byte) {
	if len(key) > longMiss {
		key = key[:longMiss]
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dirty = true
	r := m.rules[rule]
	if r == nil {
		if m.rules == nil {
			m.rules = map[string]*missedKeys{}
		}
		r = &missedKeys{keys: map[string]*MissedKey{}}
		m.rules[rule] = r
	}
	n := int64(1)
	if r.total++; r.total > missesWhole {
		if r.total%missesSample != 0 {
			return
		}
		n = missesSample
	}
	all := r.keys
	if x := all[string(key)]; x != nil {
		x.Count += n
		return
	}
	x := &MissedKey{Rule: rule, Key: string(key), Count: n}
	if len(all) >= maxMisses {
		var least *MissedKey
		for _, y := range all {
			if least == nil || y.Count < least.Count {
				least = y
			}
		}
		delete(all, least.Key)
		x.Over = least.Count
		x.Count += least.Count
	}
	all[x.Key] = x
}

// list returns all, the most frequent first.
func (m *misses) list() []MissedKey {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []MissedKey
	for _, rule := range slices.Sorted(maps.Keys(m.rules)) {
		for _, x := range m.rules[rule].keys {
			out = append(out, *x)
		}
	}
	slices.SortFunc(out, func(a, b MissedKey) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// save writes the counts to the state folder, at most once a minute but at the end.
func (m *misses) save(dir string, now time.Time, end bool) error {
	m.mu.Lock()
	due := dir != "" && m.dirty && (end || now.Sub(m.saved) >= time.Minute)
	if due {
		m.saved, m.dirty = now, false
	}
	m.mu.Unlock()
	if !due {
		return nil
	}
	raw, err := json.Marshal(m.list())
	if err == nil {
		err = durable.WriteFile(filepath.Join(dir, missesFile), append(raw, '\n'))
	}
	if err != nil {
		return fmt.Errorf("save missed keys: %w", err)
	}
	return nil
}

const missesFile = "misses.json"

// Misses returns the keys that the run with this state folder (Options.State) looked up in vain, the most frequent first.
// Of each rule at most 256 are counted.
func Misses(dir string) ([]MissedKey, error) {
	raw, err := os.ReadFile(filepath.Join(dir, missesFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []MissedKey
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, fmt.Errorf("read missed keys: %w", err)
	}
	return out, nil
}
