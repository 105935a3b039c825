package retain

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"leat/pkg/lake"
)

// Disk is what the file system of the lake has, in bytes.
type Disk struct{ Total, Free int64 }

// Verdict is what a plan says of one file.
type Verdict struct {
	Path    string `json:"path"`
	Dataset string `json:"dataset"`
	Date    string `json:"date"`
	Rows    int64  `json:"rows"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
	Remove  bool   `json:"remove"`
	Reason  string `json:"reason"`
}

// Plan says for every file of a lake whether it stays, and why. It is computed from its inputs alone.
type Plan struct {
	LakeN    int64     `json:"lake_n"` // log entry that it was made for
	Made     time.Time `json:"made"`
	Files    []Verdict `json:"files"`
	Warnings []string  `json:"warnings,omitempty"` // goals that can't be met, and why
	// Purge: the disk has less free than it must, so that the trash, and what this plan adds to it, is not kept.
	Purge bool `json:"purge,omitempty"`
}

// Removed returns the verdicts that take a file out, with their sum in bytes.
func (p *Plan) Removed() (out []Verdict, bytes int64) {
	for _, v := range p.Files {
		if v.Remove {
			out = append(out, v)
			bytes += v.Bytes
		}
	}
	return out, bytes
}

// ID names the plan by its content: the same lake, policy and clock give the same.
func (p *Plan) ID() string {
	data, _ := json.Marshal(p.Files)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// Make plans. Nothing is touched.
func Make(s *lake.State, p *Policy, now time.Time, disk Disk) *Plan {
	m := &maker{plan: &Plan{LakeN: s.N, Made: now}, policy: p, state: s, now: now}
	for _, f := range s.Sorted() {
		m.plan.Files = append(m.plan.Files, m.byAge(f))
	}
	m.quotas()
	m.free(disk)
	return m.plan
}

type maker struct {
	plan   *Plan
	policy *Policy
	state  *lake.State
	now    time.Time
}

// held returns the case that holds a file, or "".
func (m *maker) held(f lake.File) string {
	for _, c := range slices.Sorted(maps.Keys(m.state.Holds)) {
		if covers(m.state.Holds[c], f) {
			return c
		}
	}
	return ""
}

// covers errs on the side of keeping. A partition's date is the commit's where an event's own is far off, so a file counts
// too when any time between its oldest and newest event does; and any dataset may be in the partition for odd names.
func covers(h lake.Hold, f lake.File) bool {
	if f.Dataset != lake.OtherDataset && !slices.ContainsFunc(h.Datasets, func(g string) bool { return match(g, f.Dataset) }) {
		return false
	}
	within := func(first, last string) bool {
		return (h.To == "" || first <= h.To) && (h.From == "" || last >= h.From)
	}
	day := func(ns int64) string { return time.Unix(0, ns).UTC().Format(time.DateOnly) }
	return within(f.Date, f.Date) || (f.MinTime != 0 || f.MaxTime != 0) && within(day(f.MinTime), day(f.MaxTime))
}

func (m *maker) byAge(f lake.File) Verdict {
	v := Verdict{Path: f.Path, Dataset: f.Dataset, Date: f.Date, Rows: f.Rows, Bytes: f.Bytes, SHA256: f.SHA256}
	r := m.policy.longest(f)
	if r == nil {
		v.Reason = "no rule: stays"
		return v
	}
	born, err := r.born(f.Date, f.AddedAt)
	switch age := m.now.Sub(born); {
	case err != nil:
		v.Reason = fmt.Sprintf("date %q can't be read: stays", f.Date)
	case age <= time.Duration(r.Keep):
		v.Reason = fmt.Sprintf("rule %d (%s): kept for %s", r.line, r.Dataset, r.Keep)
	default:
		v.Remove, v.Reason = true, fmt.Sprintf("rule %d (%s): older than %s", r.line, r.Dataset, r.Keep)
	}
	if c := m.held(f); c != "" && v.Remove {
		v.Remove, v.Reason = false, fmt.Sprintf("held by case %s, although %s", c, v.Reason)
	}
	return v
}

// quotas takes out, lowest value and oldest first, until every quota is met.
func (m *maker) quotas() {
	globs := make([]string, 0, len(m.policy.Quota.Datasets))
	for g := range m.policy.Quota.Datasets {
		globs = append(globs, g)
	}
	slices.Sort(globs)
	for _, g := range globs {
		m.shrink(int64(m.policy.Quota.Datasets[g]), "quota of "+g, func(v *Verdict) bool { return match(g, v.Dataset) })
	}
	if q := int64(m.policy.Quota.Total); q > 0 {
		m.shrink(q, "total quota", func(*Verdict) bool { return true })
	}
}

// free takes out until the disk has what it must have. What lies in the trash is still on the disk, and deleted at once then: it counts as free.
func (m *maker) free(disk Disk) {
	want := m.policy.free.bytes
	if m.policy.free.share > 0 {
		want = int64(m.policy.free.share * float64(disk.Total))
	}
	if disk.Total == 0 || disk.Free >= want {
		return
	}
	m.plan.Purge = true
	coming := disk.Free
	for _, r := range m.state.Removals {
		coming += r.Bytes()
	}
	kept := int64(0)
	for _, v := range m.plan.Files {
		if v.Remove {
			coming += v.Bytes
		} else {
			kept += v.Bytes
		}
	}
	if short := want - coming - kept; short > 0 {
		m.plan.Warnings = append(m.plan.Warnings, fmt.Sprintf("free space: %d bytes are short even without any file of this lake: something else fills the disk", short))
	}
	if coming < want {
		m.shrink(max(kept-(want-coming), 0), "free space", func(*Verdict) bool { return true })
	}
}

// shrink takes files out until those that stay, of the ones that of selects, take at most limit bytes.
func (m *maker) shrink(limit int64, why string, of func(*Verdict) bool) {
	var stay []*Verdict
	size := int64(0)
	for i := range m.plan.Files {
		if v := &m.plan.Files[i]; !v.Remove && of(v) {
			stay = append(stay, v)
			size += v.Bytes
		}
	}
	slices.SortStableFunc(stay, func(a, b *Verdict) int {
		return cmp.Or(cmp.Compare(m.policy.rank(a.Dataset), m.policy.rank(b.Dataset)), cmp.Compare(a.Date, b.Date), cmp.Compare(a.Path, b.Path))
	})
	held := int64(0)
	for _, v := range stay {
		if size <= limit {
			return
		}
		if c := m.held(m.state.Files[v.Path]); c != "" {
			held += v.Bytes
			v.Reason = fmt.Sprintf("held by case %s, although over the %s", c, why)
			continue
		}
		v.Remove, v.Reason = true, "over the "+why
		size -= v.Bytes
	}
	if size > limit {
		m.plan.Warnings = append(m.plan.Warnings, fmt.Sprintf("%s: %d bytes stay where %d may; %d of them are held", why, size, limit, held))
	}
}
