package ingest

import (
	"errors"
	"fmt"
	"net/url"
	"os/exec"
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
	kindExec
	kindJournald
)

// lines tells whether sources of the kind are read line by line.
func (k kind) lines() bool {
	return k == kindFile || k == kindStdin || k == kindStream || k == kindExec
}

// schemes are the kinds of source that a URL can name.
func schemes() map[string]kind {
	return map[string]kind{
		"file": kindFile, "syslog+udp": kindUDP, "syslog+tcp": kindTCP, "syslog+tls": kindTLS, "http": kindHTTP, "https": kindHTTPS,
		"exec": kindExec, "journald": kindJournald, "evtx": kindFile,
	}
}

// spec is one parsed source.
type spec struct {
	text string // as it was given
	kind kind
	path string  // of a file: absolute, perhaps a glob
	evtx bool    // what is no EVTX log there is an error
	addr string  // of a listener: host:port
	opts options // of a listener

	urlPath string   // of an HTTP listener
	argv    []string // of a command

	dataset string
	multi   *Multiline
}

// name is how the source is called: without its options or arguments, which may name secrets.
func (s spec) name() string {
	if s.kind == kindExec {
		return "exec:" + filepath.Base(s.argv[0])
	}
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
		s, err := parseInput(in)
		if err != nil {
			errs = append(errs, fmt.Errorf("source %q: %w", in.Source, err))
			continue
		}
		if err = in.Multiline.check(); err == nil && in.Multiline != nil && !s.kind.lines() {
			err = errors.New("multiline: a message of such a source is a record, whatever lines it has")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("source %q: %w", in.Source, err))
			continue
		}
		s.dataset, s.multi = in.Dataset, in.Multiline.withDefaults()
		if s.kind == kindStdin {
			if stdin++; stdin == 2 {
				errs = append(errs, errors.New("standard input (-) is named twice"))
			}
		}
		list = append(list, s)
	}
	return list, errors.Join(errs...)
}

func parseInput(in Input) (spec, error) {
	if len(in.Exec) == 0 {
		return parseSource(in.Source)
	}
	return parseCommand("exec:"+strings.Join(in.Exec, " "), in.Exec)
}

// parseJournald takes journald: for the system's journal, and journald:DIR for one in a folder.
func parseJournald(text, dir string) (spec, error) {
	s, err := parseCommand(text, []string{"journalctl"})
	if s.kind = kindJournald; err != nil || dir == "" {
		return s, err
	}
	s.path, err = filepath.Abs(dir)
	return s, err
}

// parseCommand checks that the program is there, so that a wrong name stops at the start.
func parseCommand(text string, argv []string) (spec, error) {
	if len(argv) == 0 || argv[0] == "" {
		return spec{}, errors.New("no program; expected such as exec:tcpdump -l -n")
	}
	if _, err := exec.LookPath(argv[0]); err != nil {
		return spec{}, err
	}
	return spec{text: text, kind: kindExec, argv: argv}, nil
}

func parseSource(t string) (spec, error) {
	if t == "-" {
		return spec{text: t, kind: kindStdin}, nil
	}
	scheme, rest, isURL := strings.Cut(t, ":")
	k, known := schemes()[scheme]
	switch {
	case isURL && known && k == kindFile:
		s, err := parsePath(t, strings.TrimPrefix(rest, "//"))
		s.evtx = scheme == "evtx"
		return s, err
	case isURL && known && k == kindJournald:
		return parseJournald(t, rest)
	case isURL && known && k == kindExec:
		argv, err := splitWords(rest)
		if err != nil {
			return spec{}, err
		}
		return parseCommand(t, argv)
	case isURL && known:
		return parseListener(t, k)
	case isURL && strings.HasPrefix(rest, "//"):
		return spec{}, fmt.Errorf("no kind of source %q; there are paths, globs, -, file:, evtx:, syslog+udp://, syslog+tcp://, syslog+tls://, http://, https://, journald: and exec:PROGRAM", scheme)
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
