package sigma

import (
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// header reads the keys of a document beside its logsource and what makes it a rule, a correlation or a filter.
type header struct {
	meta   Meta
	source LogSource
	faults []error
}

func (h *header) fault(n *yaml.Node, key, format string, args ...any) {
	h.faults = append(h.faults, bad(n, key, format, args...))
}

func parseRule(n *yaml.Node, opt Options) (*Rule, error) {
	h := readHeader(n)
	r := &Rule{Meta: h.meta, LogSource: h.source}
	switch det := member(n, "detection"); {
	case det == nil:
		h.fault(n, "detection", "is missing")
	default:
		if err := parseDetection(r, det, opt); err != nil {
			h.faults = append(h.faults, err)
		}
	}
	h.needs(n, "title", "logsource")
	if len(h.faults) > 0 {
		return nil, errors.Join(h.faults...)
	}
	return r, nil
}

// needs tells which of the keys n lacks.
func (h *header) needs(n *yaml.Node, keys ...string) {
	for _, k := range keys {
		if v := member(n, k); v == nil || k == "title" && h.meta.Title == "" {
			h.fault(n, k, "is missing")
		}
	}
}

func readHeader(n *yaml.Node) *header {
	h := &header{meta: Meta{Line: n.Line}}
	r := &h.meta
	texts := map[string]*string{
		"title": &r.Title, "id": &r.ID, "name": &r.Name, "description": &r.Description, "status": &r.Status,
		"author": &r.Author, "license": &r.License, "date": &r.Date, "modified": &r.Modified,
	}
	lists := map[string]*[]string{
		"references": &r.References, "falsepositives": &r.FalsePositives, "tags": &r.Tags, "fields": &r.Fields,
	}
	had := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], target(n.Content[i+1])
		key := k.Value
		if had[key] {
			h.fault(k, key, "is there twice")
		}
		had[key] = true
		switch {
		case texts[key] != nil:
			*texts[key] = h.text(v, key)
		case lists[key] != nil:
			*lists[key] = h.list(v, key)
		case key == "level":
			l, ok := parseLevel(h.text(v, key))
			if !ok {
				h.fault(v, key, "%q is none of informational, low, medium, high, critical", v.Value)
			}
			r.Level = l
		case key == "logsource":
			h.logSource(v)
		case key == "leat":
			h.extension(v)
		}
	}
	if r.Status != "" && !slices.Contains([]string{"stable", "test", "experimental", "deprecated", "unsupported"}, r.Status) {
		h.fault(member(n, "status"), "status", "%q is none of stable, test, experimental, deprecated, unsupported", r.Status)
	}
	return h
}

// target follows aliases.
func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func (h *header) text(v *yaml.Node, key string) string {
	if v.Kind != yaml.ScalarNode {
		h.fault(v, key, "expected text, found a list or table")
		return ""
	}
	if v.Tag == "!!null" {
		return ""
	}
	return v.Value
}

// list reads a list of texts; rules in the wild write one text for a list of one.
func (h *header) list(v *yaml.Node, key string) []string {
	if v.Kind == yaml.ScalarNode {
		if s := h.text(v, key); s != "" {
			return []string{s}
		}
		return nil
	}
	if v.Kind != yaml.SequenceNode {
		h.fault(v, key, "expected a list of texts, found a table")
		return nil
	}
	var out []string
	for _, e := range v.Content {
		out = append(out, h.text(target(e), key))
	}
	return out
}

func (h *header) logSource(v *yaml.Node) {
	if v.Kind != yaml.MappingNode || len(v.Content) == 0 {
		h.fault(v, "logsource", "expected a table with product, category or service")
		return
	}
	l := &h.source
	parts := map[string]*string{"product": &l.Product, "category": &l.Category, "service": &l.Service}
	for i := 0; i+1 < len(v.Content); i += 2 {
		if p := parts[v.Content[i].Value]; p != nil {
			*p = strings.ToLower(h.text(v.Content[i+1], "logsource."+v.Content[i].Value))
		}
	}
}

// extension reads the custom key leat: what an alert says, and how often it is raised.
func (h *header) extension(v *yaml.Node) {
	if v.Kind != yaml.MappingNode {
		h.fault(v, "leat", "expected a table with message, actions or suppress")
		return
	}
	for i := 0; i+1 < len(v.Content); i += 2 {
		k, val := v.Content[i], target(v.Content[i+1])
		switch k.Value {
		case "message":
			h.meta.Message = h.text(val, "leat.message")
		case "actions":
			h.meta.Actions = h.list(val, "leat.actions")
		case "suppress":
			h.suppress(val)
		default:
			h.fault(k, "leat."+k.Value, "unknown key; expected message, actions or suppress")
		}
	}
}

func (h *header) suppress(v *yaml.Node) {
	const key = "leat.suppress"
	if v.Kind != yaml.MappingNode {
		h.fault(v, key, "expected a table with by and for")
		return
	}
	s := &Suppress{}
	for i := 0; i+1 < len(v.Content); i += 2 {
		k, val := v.Content[i], target(v.Content[i+1])
		switch k.Value {
		case "by":
			s.By = h.list(val, key+".by")
		case "for":
			s.For = h.timespan(val, key+".for")
		default:
			h.fault(k, key+"."+k.Value, "unknown key; expected by or for")
		}
	}
	if member(v, "for") == nil {
		h.fault(v, key+".for", "is missing")
	}
	h.meta.Suppress = s
}
