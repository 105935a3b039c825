package intel

import (
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"leat/internal/duration"
	"leat/pkg/dimension"
	"leat/pkg/dimension/secret"
)

// Config is the part `intel` of a dimension: which feeds, and what is known to be benign.
type Config struct {
	Feeds []*Feed `yaml:"feeds"`
	Allow Allow   `yaml:"allow"`
	// Kinds are matched; empty: all.
	Kinds []string `yaml:"kinds"`
}

// Feed is one source of indicators: one of File, URL, TAXII and MISP.
type Feed struct {
	Name string `yaml:"name"`
	// File is a path, also with * (all files that match, in the order of their names).
	File string `yaml:"file"`
	URL  string `yaml:"url"`
	// TAXII is the URL of a discovery, an API root or a collection of TAXII 2.1.
	TAXII string `yaml:"taxii"`
	// Collections of the TAXII server by id, alias or title; empty: all that may be read.
	Collections []string `yaml:"collections"`
	// MISP is the URL, or the folder, of a MISP feed (manifest.json).
	MISP string `yaml:"misp"`

	Format string `yaml:"format"`
	// Columns says for the format csv which column is what: indicator (needed), kind, confidence, first_seen ...
	Columns   map[string]string `yaml:"columns"`
	Separator string            `yaml:"separator"`

	// Headers of each request; a value may come from the environment or a file, which is read for each refresh.
	Headers map[string]secret.Value `yaml:"headers"`
	// Username of HTTP's basic authentication, with a password from a file or the environment.
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	PasswordEnv  string `yaml:"password_env"`
	// CA is a PEM file of the authorities that are trusted instead of the system's.
	CA string `yaml:"ca"`
	// Insecure allows http:// over a network.
	Insecure bool `yaml:"insecure"`

	// Interval is how often the feed is asked for; default 1h.
	Interval duration.Age `yaml:"interval"`
	// Timeout bounds one request; default 2m.
	Timeout duration.Age `yaml:"timeout"`
	// Confidence is that of records that say none; default 50.
	Confidence *int   `yaml:"confidence"`
	Provider   string `yaml:"provider"`
	TLP        string `yaml:"tlp"`
	// TTL is how long an indicator counts after it was last seen.
	TTL      duration.Age `yaml:"ttl"`
	Decay    *Decay       `yaml:"decay"`
	MaxBytes int64        `yaml:"max_bytes"`
	Optional bool         `yaml:"optional"`
}

// Decay says how confidence fades: by half in each HalfLife since an indicator was last seen. Below Floor it counts no longer.
type Decay struct {
	HalfLife duration.Age `yaml:"half_life"`
	Floor    int          `yaml:"floor"`
}

// Allow says what is benign.
type Allow struct {
	// Files are lists, or warning lists of MISP.
	Files []string `yaml:"files"`
	// Builtin: the special ranges of RFC 6890 and well-known public resolvers are benign. Default true.
	Builtin *bool `yaml:"builtin"`
}

const (
	defaultInterval = duration.Age(time.Hour)
	defaultTimeout  = duration.Age(2 * time.Minute)
	defaultMaxBytes = 4 << 30
	maxFeeds        = 1000
)

// The formats.
const (
	formatList          = "list"
	formatCSV           = "csv"
	formatSTIX          = "stix"
	formatTAXII         = "taxii"
	formatMISP          = "misp"
	formatURLhaus       = "abusech-urlhaus"
	formatThreatFox     = "abusech-threatfox"
	formatFeodo         = "abusech-feodo"
	formatMalwareBazaar = "abusech-malwarebazaar"
	formatSSLBL         = "abusech-sslbl"
)

func formats() []string {
	return []string{formatList, formatCSV, formatSTIX, formatTAXII, formatMISP, formatURLhaus, formatThreatFox, formatFeodo, formatMalwareBazaar, formatSSLBL}
}

// Check fills in what was left out and returns what is wrong.
func (c *Config) Check() []dimension.Complaint {
	var out []dimension.Complaint
	say := func(key, format string, args ...any) {
		out = append(out, dimension.Complaint{Key: key, Message: fmt.Sprintf(format, args...)})
	}
	if len(c.Feeds) == 0 {
		say("feeds", "expected one feed at least, such as {name: own, file: iocs.txt}")
	}
	if len(c.Feeds) > maxFeeds {
		say("feeds", "%d feeds; at most %d are possible", len(c.Feeds), maxFeeds)
	}
	seen := map[string]bool{}
	for i, f := range c.Feeds {
		key := func(k string) string { return strings.TrimSuffix(fmt.Sprintf("feeds.%d.%s", i, k), ".") }
		if f == nil {
			say(key(""), "expected a table such as {name: own, file: iocs.txt}, found nothing")
			continue
		}
		f.check(func(k, format string, args ...any) { say(key(k), format, args...) })
		if f.Name != "" && seen[f.Name] {
			say(key("name"), "feed %q is there twice", f.Name)
		}
		seen[f.Name] = true
	}
	for i, k := range c.Kinds {
		if kindOf(k) == Unknown {
			say(fmt.Sprintf("kinds.%d", i), "unknown kind %q; expected one of %s", k, kindList())
		}
	}
	if c.Allow.Builtin == nil {
		yes := true
		c.Allow.Builtin = &yes
	}
	return out
}

func (f *Feed) check(say func(key, format string, args ...any)) {
	if f.Name == "" || len(f.Name) > 128 {
		say("name", "expected a name of the feed, of at most 128 bytes")
	}
	f.checkOrigin(say)
	f.checkFormat(say)
	f.checkSecrets(say)
	if f.Interval == 0 {
		f.Interval = defaultInterval
	}
	if f.Timeout == 0 {
		f.Timeout = defaultTimeout
	}
	if f.MaxBytes == 0 {
		f.MaxBytes = defaultMaxBytes
	}
	if f.MaxBytes < 0 {
		say("max_bytes", "expected a number of bytes above 0, found %d", f.MaxBytes)
	}
	if f.Confidence == nil {
		n := 50
		f.Confidence = &n
	}
	if *f.Confidence < 0 || *f.Confidence > 100 {
		say("confidence", "expected 0 to 100, found %d", *f.Confidence)
	}
	if f.Provider == "" {
		f.Provider = f.Name
	}
	if f.TLP != "" {
		if tlpOf(f.TLP) == "" {
			say("tlp", "unknown marking %q; expected CLEAR, GREEN, AMBER, AMBER+STRICT or RED", f.TLP)
		}
		f.TLP = tlpOf(f.TLP)
	}
	if d := f.Decay; d != nil {
		if d.HalfLife <= 0 {
			say("decay.half_life", "expected an age such as 30d")
		}
		if d.Floor < 0 || d.Floor > 100 {
			say("decay.floor", "expected 0 to 100, found %d", d.Floor)
		}
	}
}

// checkOrigin tells where the feed comes from.
func (f *Feed) checkOrigin(say func(key, format string, args ...any)) {
	n := 0
	for _, o := range []struct{ key, value string }{{"file", f.File}, {"url", f.URL}, {"taxii", f.TAXII}, {"misp", f.MISP}} {
		if o.value == "" {
			continue
		}
		if n++; n > 1 {
			say(o.key, "expected one of file, url, taxii and misp, found more")
		}
		isURL := strings.HasPrefix(o.value, "http://") || strings.HasPrefix(o.value, "https://")
		switch {
		case o.key == "file" || o.key == "misp" && !isURL:
			if _, err := filepath.Match(o.value, ""); err != nil {
				say(o.key, "%q is no pattern of file names", o.value)
			}
		default:
			if u, err := url.Parse(o.value); !isURL || err != nil || u.Host == "" {
				say(o.key, "expected an URL that begins with https:// or http://")
			} else if u.User != nil {
				say(o.key, "a name and password in the URL would end up in logs; use username and password_file or password_env")
			} else if u.Scheme == "http" && !f.Insecure && !loopback(u.Hostname()) {
				say(o.key, "http:// to another machine can be read and changed by all between; expected https://, or insecure: true")
			}
		}
	}
	if n == 0 {
		say("", "expected one of file, url, taxii and misp")
	}
	if len(f.Collections) > 0 && f.TAXII == "" {
		say("collections", "only a TAXII server has collections")
	}
}

// checkFormat fills in the format that follows from the origin.
func (f *Feed) checkFormat(say func(key, format string, args ...any)) {
	implied := ""
	switch {
	case f.TAXII != "":
		implied = formatTAXII
	case f.MISP != "":
		implied = formatMISP
	}
	switch {
	case f.Format == "" && implied != "":
		f.Format = implied
	case implied != "" && f.Format != implied:
		say("format", "expected %s, or nothing, beside %s", implied, implied)
	case f.Format == formatTAXII && implied == "":
		say("format", "taxii needs the server as taxii: URL; a bundle in a file is format: stix")
	case f.Format == "":
		switch path := f.File + f.URL; {
		case strings.HasSuffix(path, ".txt"), strings.HasSuffix(path, ".list"):
			f.Format = formatList
		default:
			say("format", "expected one of %s", strings.Join(formats(), ", "))
		}
	case !slices.Contains(formats(), f.Format):
		say("format", "unknown format %q; expected one of %s", f.Format, strings.Join(formats(), ", "))
	}
	if f.Format == formatCSV {
		if f.Columns["indicator"] == "" {
			say("columns", "expected which column is the indicator: {indicator: NAME}; columns are called by their header, or by number from 1 where there is none")
		}
		for k := range f.Columns {
			if !slices.Contains(csvMeanings(), k) {
				say("columns."+k, "unknown meaning %q; expected one of %s", k, strings.Join(csvMeanings(), ", "))
			}
		}
	} else if len(f.Columns) > 0 {
		say("columns", "only the format csv has columns")
	}
	if f.Separator != "" && (f.Format != formatCSV || len(f.Separator) != 1 && f.Separator != "tab") {
		say("separator", "expected one character, or tab, with the format csv")
	}
}

func (f *Feed) checkSecrets(say func(key, format string, args ...any)) {
	if f.PasswordFile != "" && f.PasswordEnv != "" {
		say("password_env", "expected one of password_file and password_env")
	}
	password := f.PasswordFile + f.PasswordEnv
	if (f.Username == "") != (password == "") {
		say("username", "expected username together with password_file or password_env")
	}
	for name, v := range f.Headers {
		switch {
		case !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(v.Text):
			say("headers."+name, "not a header of HTTP")
		case v.Zero():
			say("headers."+name, "no value; expected a text, {env: NAME} or {file: PATH}")
		case v.Text != "" && (strings.EqualFold(name, "Authorization") || strings.EqualFold(name, "Cookie")):
			say("headers."+name, "a secret does not belong in the configuration; expected {env: NAME} or {file: PATH}")
		}
	}
}

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
