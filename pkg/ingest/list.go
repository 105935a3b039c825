package ingest

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// kind is a family of sources.
type kind int

const (
	kindFile kind = iota // a path or glob
	kindStdin
	kindStream // a FIFO or device
	kindUDP
	kindTCP
	kindTLS
	kindHTTP
	kindHTTPS
)

// schemes are the kinds of source that a URL can name.
func schemes() map[string]kind {
	return map[string]kind{
		"file": kindFile, "syslog+udp": kindUDP, "syslog+tcp": kindTCP, "syslog+tls": kindTLS, "http": kindHTTP, "https": kindHTTPS,
	}
}

// spec is one parsed source.
type spec struct {
	text string // as it was given
	kind kind
	path string  // of a file: absolute, perhaps a glob
	addr string  // of a listener: host:port
	opts options // of a listener

	urlPath string // of an HTTP listener

	dataset string
}

// name is how the source is called: without its options, which may name secrets.
func (s spec) name() string {
	name, _, _ := strings.Cut(s.text, "?")
	return name
}

// inputs are all sources with their settings.
func (c *Config) inputs() []Input {
	var list []Input
	for _, s := range c.Sources {
		list = append(list, Input{Source: s, Dataset: c.Dataset})
	}
	return append(list, c.Inputs...)
}

func parseSources(inputs []Input) ([]spec, error) {
	var list []spec
	var errs []error
	stdin := 0
	for _, in := range inputs {
		s, err := parseSource(in.Source)
		if err != nil {
			errs = append(errs, fmt.Errorf("source %q: %w", in.Source, err))
			continue
		}
		s.dataset = in.Dataset
		if s.kind == kindStdin {
			if stdin++; stdin == 2 {
				errs = append(errs, errors.New("standard input (-) is named twice"))
			}
		}
		list = append(list, s)
	}
	return list, errors.Join(errs...)
}

func parseSource(t string) (spec, error) {
	if t == "-" {
		return spec{text: t, kind: kindStdin}, nil
	}
	scheme, rest, isURL := strings.Cut(t, ":")
	k, known := schemes()[scheme]
	switch {
	case isURL && known && k == kindFile:
		return parsePath(t, strings.TrimPrefix(rest, "//"))
	case isURL && known:
		return parseListener(t, k)
	case isURL && strings.HasPrefix(rest, "//"):
		return spec{}, fmt.Errorf("no kind of source %q; there are paths, globs, -, file:, syslog+udp://, syslog+tcp://, syslog+tls://, http:// and https://", scheme)
	}
	return parsePath(t, t)
}

func parsePath(text, path string) (spec, error) {
	if path == "" {
		return spec{}, errors.New("no path")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return spec{}, err
	}
	if _, err := filepath.Match(abs, ""); err != nil {
		return spec{}, errors.New("a glob that is not well formed (an unclosed [?)")
	}
	return spec{text: text, kind: kindFile, path: abs}, nil
}

func parseListener(t string, k kind) (spec, error) {
	web := k == kindHTTP || k == kindHTTPS
	example := "syslog+tcp://127.0.0.1:514"
	if web {
		example = "http://127.0.0.1:8088/logs"
	}
	u, err := url.Parse(t)
	if err != nil {
		return spec{}, fmt.Errorf("not a URL; expected such as %s", example)
	}
	if u.Host == "" || u.Path != "" && u.Path != "/" && !web || u.User != nil || u.Fragment != "" {
		return spec{}, fmt.Errorf("expected scheme://ADDRESS:PORT?option=value, such as %s", example)
	}
	addr := u.Host
	if u.Port() == "" {
		def := map[kind]string{kindTLS: "6514", kindHTTP: "8088", kindHTTPS: "8088"}[k]
		if def == "" {
			def = "514"
		}
		addr = strings.TrimSuffix(u.Host, ":") + ":" + def
	}
	opts, err := parseOptions(k, u.Query())
	return spec{text: t, kind: k, addr: addr, opts: opts, urlPath: "/" + strings.Trim(u.Path, "/")}, err
}
