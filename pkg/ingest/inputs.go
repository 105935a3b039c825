package ingest

import (
	"errors"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"leat/pkg/yamlfile"
)

// inputsFile is a file of sources:
//
//	sources:
//	  - source: /var/log/app/*.log
//	    dataset: app.java
//	    multiline: {start: '^\d{4}-'}
//	  - source: syslog+tls://0.0.0.0:6514
//	    options: {cert: /etc/leat/cert.pem, key: /etc/leat/key.pem}
//	  - source: "journald:"
//	  - exec: [tcpdump, -l, -n, port, "53"]
type inputsFile struct {
	Sources []inputEntry `yaml:"sources"`
}

type inputEntry struct {
	Source    yaml.Node         `yaml:"source"`
	Exec      []string          `yaml:"exec"`
	Dataset   string            `yaml:"dataset"`
	Options   map[string]string `yaml:"options"`
	Multiline *multilineEntry   `yaml:"multiline"`
}

type multilineEntry struct {
	Start    *pattern      `yaml:"start"`
	Continue *pattern      `yaml:"continue"`
	Timeout  time.Duration `yaml:"timeout"`
	MaxLines int           `yaml:"max_lines"`
}

// pattern is a regular expression of package regexp.
type pattern struct{ *regexp.Regexp }

// UnmarshalYAML compiles it.
func (p *pattern) UnmarshalYAML(n *yaml.Node) (err error) {
	var s string
	if err := n.Decode(&s); err != nil {
		return err
	}
	p.Regexp, err = regexp.Compile(s)
	return err
}

func (m *multilineEntry) multiline() *Multiline {
	if m == nil {
		return nil
	}
	c := &Multiline{Timeout: m.Timeout, MaxLines: m.MaxLines}
	if m.Start != nil {
		c.Start = m.Start.Regexp
	}
	if m.Continue != nil {
		c.Continue = m.Continue.Regexp
	}
	return c
}

// LoadInputs reads a file of sources. Relative paths in it are relative to its folder. An error names file, line and column.
func LoadInputs(path string) ([]Input, error) {
	var file inputsFile
	f, err := yamlfile.Read(path, &file)
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if len(file.Sources) == 0 {
		return nil, f.AtLine(1, 1, "no key sources; expected a list such as\n    sources: [{source: /var/log/auth.log}]")
	}
	var list []Input
	var faults []error
	for i := range file.Sources {
		e := &file.Sources[i]
		at := &e.Source
		if at.Kind == 0 {
			at = nil
		}
		in, err := e.input(filepath.Dir(abs))
		if err == nil {
			_, err = parseSources([]Input{in})
		}
		if err != nil {
			fault := f.At(at, "%v", err)
			if at == nil {
				fault = f.AtLine(1, 1, "source %d: %v", i+1, err)
			}
			faults = append(faults, fault)
			continue
		}
		list = append(list, in)
	}
	return list, errors.Join(faults...)
}

func (e *inputEntry) input(dir string) (Input, error) {
	in := Input{Source: e.Source.Value, Dataset: e.Dataset, Multiline: e.Multiline.multiline(), Exec: e.Exec}
	switch {
	case (in.Source == "") == (len(e.Exec) == 0):
		return in, errors.New("expected one of source (a path, glob or URL) and exec (a list of a program and its arguments)")
	case len(e.Exec) > 0:
		if len(e.Options) > 0 {
			return in, errors.New("options are those of a listener")
		}
		return in, nil
	}
	scheme, rest, isURL := strings.Cut(in.Source, ":")
	switch k, known := schemes()[scheme]; {
	case isURL && known && k == kindFile:
		if path := strings.TrimPrefix(rest, "//"); path != "" && !filepath.IsAbs(path) {
			in.Source = scheme + ":" + filepath.Join(dir, path)
		}
	case !isURL || !known:
		if in.Source != "-" && !filepath.IsAbs(in.Source) && !strings.Contains(in.Source, "://") {
			in.Source = filepath.Join(dir, in.Source)
		}
	}
	if len(e.Options) == 0 {
		return in, nil
	}
	q := url.Values{}
	for name, value := range e.Options {
		switch name {
		case "cert", "key", "client_ca", "token":
			if !strings.HasPrefix(value, "env:") && !filepath.IsAbs(value) {
				value = filepath.Join(dir, value)
			}
		}
		q.Set(name, value)
	}
	sep := "?"
	if strings.Contains(in.Source, "?") {
		sep = "&"
	}
	in.Source += sep + q.Encode()
	return in, nil
}
