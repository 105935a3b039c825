package httptable

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"leat/pkg/dimension"
	"leat/pkg/event"
)

// pages makes a table of answers.
type pages struct {
	cfg  *Config
	b    *dimension.Builder
	sum  hash.Hash
	ev   event.Event
	next string // what the last page has at Next.Path
	head []string
}

// prefix makes an answer that is JSON, whatever it is, a member of an object: that is what is parsed.
func (p *pages) prefix() string {
	if p.cfg.Format == "json" {
		return `{"v":`
	}
	return ""
}

// read adds a page, which begins with the prefix.
func (p *pages) read(page []byte) error {
	switch p.cfg.Format {
	case "ndjson":
		return p.lines(page)
	case "csv":
		return p.csv(page)
	}
	return p.json(page)
}

func (p *pages) json(page []byte) error {
	prefix := p.prefix()
	body := bytes.TrimPrefix(page[len(prefix):], []byte("\ufeff"))
	page = append(append(page[:len(prefix)], body...), '}')
	p.ev.Reset(page)
	if err := p.ev.Parse(); err != nil {
		return errors.New("the answer is not JSON (torn, or a page for people?)")
	}
	if first := p.ev.First(p.ev.Root()); p.ev.Next(first) != event.None {
		return errors.New("the answer is not JSON (torn, or a page for people?)")
	}
	at := "v"
	if p.cfg.Rows != "" {
		at += "." + p.cfg.Rows
	}
	rows := p.ev.Get(event.MustPath(at))
	if rows.Kind != event.Array {
		return fmt.Errorf("rows %q is %s; expected an array of objects", p.cfg.Rows, rows.Kind)
	}
	p.next = ""
	if n := p.cfg.Next; n != nil && n.Path != "" {
		switch v := p.ev.Get(event.MustPath("v." + n.Path)); v.Kind {
		case event.String, event.Number:
			p.next = v.String()
		case event.True, event.Object, event.Array:
			return fmt.Errorf("next.path %q is %s; expected a text or a number", n.Path, v.Kind)
		}
	}
	for el := range rows.Elements {
		if err := p.row(el.Raw); err != nil {
			return err
		}
	}
	return nil
}

func (p *pages) row(raw []byte) error {
	fmt.Fprintf(p.sum, "%d\n", len(raw))
	p.sum.Write(raw)
	if err := p.b.Object(raw); err != nil {
		return fmt.Errorf("row %d: %w", p.b.Rows()+1, err)
	}
	return nil
}

func (p *pages) lines(page []byte) error {
	for line := range bytes.Lines(bytes.TrimPrefix(page, []byte("\ufeff"))) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := p.row(line); err != nil {
				return err
			}
		}
	}
	return nil
}

// csv reads a page of RFC 4180; each page has the header line.
func (p *pages) csv(page []byte) error {
	p.sum.Write(page)
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(page, []byte("\ufeff"))))
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return errors.New("the answer has no header line of CSV")
	}
	if p.head == nil {
		p.head = slices.Clone(head)
		for i, name := range p.head {
			if name == "" || slices.Contains(p.head[:i], name) {
				return fmt.Errorf("column %d has no name of its own; expected a header line", i+1)
			}
			if _, err := p.b.Column(name); err != nil {
				return err
			}
		}
	}
	if !slices.Equal(p.head, head) {
		return errors.New("a page has other columns than the first one")
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("row %d is torn, or badly quoted", p.b.Rows()+1)
		}
		for i, v := range rec {
			if err := p.b.SetString(i, v); err != nil {
				return err
			}
		}
		if err := p.b.EndRow(); err != nil {
			return err
		}
	}
}

// nextLink finds the target of the link with the relation next in headers Link (RFC 8288, 3).
func nextLink(headers []string) string {
	for _, h := range headers {
		for h != "" {
			_, rest, ok := strings.Cut(h, "<")
			if !ok {
				break
			}
			target, rest, ok := strings.Cut(rest, ">")
			if !ok {
				break
			}
			var params string
			params, h = cutLink(rest)
			for param := range strings.SplitSeq(params, ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
				if !strings.EqualFold(strings.TrimSpace(name), "rel") {
					continue
				}
				for rel := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), `"`)) {
					if strings.EqualFold(rel, "next") {
						return target
					}
				}
			}
		}
	}
	return ""
}

// cutLink cuts behind the comma that ends a link's parameters: one that is not quoted.
func cutLink(s string) (params, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}
