package intel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// localMISP tells whether the MISP feed is a folder.
func (f *feedState) localMISP() bool {
	return f.feed.MISP != "" && !strings.HasPrefix(f.feed.MISP, "http://") && !strings.HasPrefix(f.feed.MISP, "https://")
}

// isUUID tells whether a name from a manifest can be a file's: it comes from elsewhere.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (s[i] == '-') || !dash && !isHex(s[i]) {
			return false
		}
	}
	return true
}

// mispFiles are the events in a folder that the manifest names.
func mispFiles(dir string) ([]string, error) {
	m, err := readManifest(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, id := range m.ids() {
		out = append(out, filepath.Join(dir, id+".json"))
	}
	return out, nil
}

// manifest is a MISP feed's manifest.json: what is known of each event, by uuid. timestamp is a number or a text.
type manifest map[string]struct {
	Timestamp json.RawMessage `json:"timestamp"`
}

// maxEvents bounds a feed's events.
const maxEvents = 1 << 20

func readManifest(path string) (manifest, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxMISPEvent {
		return nil, fmt.Errorf("a manifest of more than %d bytes", maxMISPEvent)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var m manifest
	if json.Unmarshal(data, &m) != nil {
		return nil, fmt.Errorf("manifest.json: %w", errJSON)
	}
	if len(m) > maxEvents {
		return nil, fmt.Errorf("more than %d events", maxEvents)
	}
	for id := range m {
		if !isUUID(id) {
			return nil, errors.New("manifest.json names an event that is no UUID")
		}
	}
	return m, nil
}

func (m manifest) ids() []string {
	out := make([]string, 0, len(m))
	for id := range m {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

func (m manifest) print() string {
	h := sha256.New()
	for _, id := range m.ids() {
		fmt.Fprintf(h, "%s %s\n", id, m[id].Timestamp)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// pullMISP brings the manifest and the events that are new or changed in it. The new manifest takes the old one's place when all its events
// are there.
func (f *feedState) pullMISP(ctx context.Context) error {
	w, err := f.newWeb()
	if err != nil {
		return err
	}
	defer w.close()
	base := strings.TrimSuffix(strings.TrimSuffix(f.feed.MISP, "manifest.json"), "/") + "/"
	fresh := filepath.Join(f.dir, "manifest.new")
	if err := f.fetchTo(ctx, w, base+"manifest.json", fresh); err != nil {
		return fmt.Errorf("manifest.json: %w", err)
	}
	now, err := readManifest(fresh)
	if err != nil {
		return err
	}
	before, err := readManifest(filepath.Join(f.dir, "manifest.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		before = nil // torn: all is fetched again
	}
	for _, id := range now.ids() {
		path := filepath.Join(f.dir, id+".json")
		if had, ok := before[id]; ok && string(had.Timestamp) == string(now[id].Timestamp) {
			if _, err := os.Stat(path); err == nil {
				continue
			}
		}
		if err := f.fetchTo(ctx, w, base+id+".json", path); err != nil {
			return fmt.Errorf("event %s: %w", id, err)
		}
	}
	if err := os.Rename(fresh, filepath.Join(f.dir, "manifest.json")); err != nil {
		return err
	}
	for id := range before {
		if _, ok := now[id]; !ok {
			_ = os.Remove(filepath.Join(f.dir, id+".json"))
		}
	}
	f.state.Print = now.print()
	return nil
}

func (f *feedState) fetchTo(ctx context.Context, w *web, address, path string) error {
	resp, err := w.get(ctx, address)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = keep(path, resp.Body, min(f.feed.MaxBytes, maxMISPEvent))
	return err
}
