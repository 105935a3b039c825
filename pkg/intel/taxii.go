package intel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// taxiiType is the media type of TAXII 2.1 (section 1.6.8).
	taxiiType = "application/taxii+json;version=2.1"
	// storeName is the file to which the objects of a TAXII feed are appended, one a line.
	storeName = "objects.ndjson"
	// maxPages bounds one refresh: a server whose pages never end is broken.
	maxPages = 100_000
	// maxAnswer bounds what is not a page of objects.
	maxAnswer = 8 << 20
)

// collection is one of a TAXII server.
type collection struct {
	ID      string `json:"id"`
	Alias   string `json:"alias"`
	Title   string `json:"title"`
	CanRead bool   `json:"can_read"`
	url     string
}

// pullTAXII brings the objects that were added since the last time.
func (f *feedState) pullTAXII(ctx context.Context, now time.Time) error {
	w, err := f.newWeb()
	if err != nil {
		return err
	}
	defer w.close()
	list, err := f.collections(ctx, w)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errors.New("the server has no collection that may be read and was asked for")
	}
	if f.state.Added == nil || f.state.Print == "" {
		f.state.Added = map[string]string{}
		if err := os.Remove(filepath.Join(f.dir, storeName)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	for _, c := range list {
		if err := f.pullCollection(ctx, w, c.url); err != nil {
			return fmt.Errorf("collection %q: %w", c.Title, err)
		}
	}
	if err := f.compact(ctx, now, compactFrom); err != nil {
		return err
	}
	return f.storePrint()
}

// storePrint makes the store's print of its size and where its questions go on.
func (f *feedState) storePrint() error {
	file, err := os.OpenFile(filepath.Join(f.dir, storeName), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	f.state.Print = fmt.Sprintf("taxii:%d %v", info.Size(), f.state.Added)
	return nil
}

// collections finds what to read: the URL may be of a collection, of an API root, or of the discovery.
func (f *feedState) collections(ctx context.Context, w *web) ([]collection, error) {
	base := strings.TrimSuffix(f.feed.TAXII, "/")
	if strings.Contains(base, "/collections/") {
		return []collection{{Title: filepath.Base(base), url: strings.TrimSuffix(base, "/objects") + "/objects/"}}, nil
	}
	var roots []string
	var d struct {
		Default  string   `json:"default"`
		APIRoots []string `json:"api_roots"`
		Versions []string `json:"versions"`
	}
	if err := w.getJSON(ctx, base+"/", &d); err != nil {
		return nil, err
	}
	switch {
	case len(d.Versions) > 0:
		roots = []string{base}
	case len(d.APIRoots) > 0:
		roots = d.APIRoots
	case d.Default != "":
		roots = []string{d.Default}
	default:
		return nil, errors.New("neither a discovery nor an API root of TAXII 2.1 (no api_roots, no versions)")
	}
	var out []collection
	for _, root := range roots {
		at, err := sameHost(base, root)
		if err != nil {
			return nil, err
		}
		var answer struct {
			Collections []collection `json:"collections"`
		}
		if err := w.getJSON(ctx, at+"/collections/", &answer); err != nil {
			return nil, err
		}
		for _, c := range answer.Collections {
			if c.CanRead && f.wants(&c) {
				c.url = at + "/collections/" + url.PathEscape(c.ID) + "/objects/"
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// sameHost resolves the URL of an API root. It stays on the host that was configured: the secret is for that one.
func sameHost(base, root string) (string, error) {
	b, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	r, err := b.Parse(root)
	if err != nil || r.Host != b.Host || r.Scheme != b.Scheme {
		return "", fmt.Errorf("the server names an API root on another host; expected one on %s", b.Host)
	}
	return strings.TrimSuffix(r.String(), "/"), nil
}

func (f *feedState) wants(c *collection) bool {
	return len(f.feed.Collections) == 0 || slices.ContainsFunc(f.feed.Collections, func(s string) bool {
		return s == c.ID || s == c.Title || c.Alias != "" && s == c.Alias
	})
}

func (w *web) getJSON(ctx context.Context, address string, v any) error {
	resp, err := w.get(ctx, address, [2]string{"Accept", taxiiType})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return err
	case len(data) > maxAnswer:
		return fmt.Errorf("an answer of more than %d bytes", maxAnswer)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return errJSON
	}
	return nil
}

// pullCollection appends the pages that are new. After each its cursor is kept, so that a refresh that is interrupted goes on where it was;
// objects that come twice are merged when they are read.
func (f *feedState) pullCollection(ctx context.Context, w *web, address string) error {
	after, next := f.state.Added[address], ""
	for range maxPages {
		q := url.Values{}
		if after != "" {
			q.Set("added_after", after)
		}
		if next != "" {
			q.Set("next", next)
		}
		page := address
		if len(q) > 0 {
			page += "?" + q.Encode()
		}
		resp, err := w.get(ctx, page, [2]string{"Accept", taxiiType})
		if err != nil {
			return err
		}
		more, token, last, err := f.storePage(resp)
		if err != nil {
			return err
		}
		if last != "" {
			// With `next` the question stays the same (TAXII 2.1, 3.4); its answer's last time is where the next question begins.
			f.state.Added[address] = last
		}
		if !more {
			return f.save()
		}
		switch {
		case token != "" && token == next, token == "" && (last == "" || last == after):
			return errors.New("the server says that there is more, but not where")
		case token == "":
			after = last
			if err := f.save(); err != nil {
				return err
			}
		}
		next = token
	}
	return fmt.Errorf("more than %d pages", maxPages)
}

// storePage appends the objects of a page to the store. The first line that a crash left torn is ended by it.
func (f *feedState) storePage(resp *http.Response) (more bool, next, last string, err error) {
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxMISPEvent+1))
	switch {
	case err != nil:
		return false, "", "", err
	case len(data) > maxMISPEvent:
		return false, "", "", fmt.Errorf("a page of more than %d bytes", maxMISPEvent)
	}
	var page struct {
		More    bool              `json:"more"`
		Next    string            `json:"next"`
		Objects []json.RawMessage `json:"objects"`
	}
	if len(bytes.TrimSpace(data)) > 0 {
		if err := json.Unmarshal(data, &page); err != nil {
			return false, "", "", errJSON
		}
	}
	file, err := os.OpenFile(filepath.Join(f.dir, storeName), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return false, "", "", err
	}
	var out bytes.Buffer
	if info, err := file.Stat(); err == nil && info.Size() > 0 {
		out.WriteByte('\n')
	}
	for _, o := range page.Objects {
		if len(o) < maxLine && json.Compact(&out, o) == nil {
			out.WriteByte('\n')
		}
	}
	_, err = file.Write(out.Bytes())
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return false, "", "", err
	}
	return page.More, page.Next, resp.Header.Get("X-TAXII-Date-Added-Last"), nil
}
