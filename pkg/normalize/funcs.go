package normalize

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"leat/pkg/normalize/parse"
)

// call is one function of a source with its argument.
type call struct {
	fn     func(r *runner, c *call, v value) value
	arg    []byte
	num    int
	table  *lookup
	keys   []string // of a path, and
	picks  []pick   // what is behind its first '['
	src    *source  // of less
	onNone bool     // is called for a missing value too
}

// lookup is a table of a mapping: text to text.
type lookup struct {
	to   map[string][]byte
	els  []byte
	keep bool // what is not in it stays as it is
}

// function describes one pipe function: whether it wants an argument, and what it does.
type function struct {
	name string
	arg  string // "" none, "text", "number", "table", "path"
	help string
	fn   func(r *runner, c *call, v value) value
}

// functions is the list of what may stand behind a '|'.
func functions() []function {
	return []function{
		{"lower", "", "small letters", func(r *runner, _ *call, v value) value { return r.mapText(v, appendLower) }},
		{"upper", "", "capital letters", func(r *runner, _ *call, v value) value { return r.mapText(v, appendUpper) }},
		{"trim", "text?", "without these characters (default: space) around it", trimCall},
		{"before", "text", "what stands before the first TEXT; the whole where TEXT is not in it", beforeCall},
		{"after", "text", "what stands behind the first TEXT; the whole where TEXT is not in it", afterCall},
		{"before_last", "text", "what stands before the last TEXT", beforeLastCall},
		{"after_last", "text", "what stands behind the last TEXT", afterLastCall},
		{"has", "text", "the value if TEXT is in it, else nothing", hasCall},
		{"starts", "text", "the value if it begins with TEXT, else nothing", startsCall},
		{"length", "number", "the value if it has N characters, else nothing", lengthCall},
		{"split", "text", "a list of the parts between TEXT", splitCall},
		{"nth", "number", "element N of a list, from 0; negative from its end", nthCall},
		{"first", "", "a list's first element", func(r *runner, _ *call, v value) value { return r.element(v, 0) }},
		{"last", "", "a list's last element", func(r *runner, _ *call, v value) value { return r.element(v, -1) }},
		{"prefix", "text", "TEXT in front of it", func(r *runner, c *call, v value) value { return r.around(c.arg, v, nil) }},
		{"suffix", "text", "TEXT behind it", func(r *runner, c *call, v value) value { return r.around(nil, v, c.arg) }},
		{"basename", "", "the last part of a path with / or \\", basenameCall},
		{"dirname", "", "a path without its last part", dirnameCall},
		{"extension", "", "what stands behind the last dot of a path's last part", extensionCall},
		{"unquote", "", "without the quotes around it", func(r *runner, _ *call, v value) value { return text(bytes.Trim(r.textOf(v), `"'`)) }},
		{"urldecode", "", "with %XX decoded", urldecodeCall},
		{"json", "", "the text read as JSON", jsonCall},
		{"join", "text", "the elements of a list as one text, with TEXT between them", joinCall},
		{"ips", "", "the addresses in a list or object, at any depth", ipsCall},
		{"args", "", "a command line as the list of its arguments (process.args)", argsCall},
		{"base64", "", "what a base64 text decodes to; of a list, that of each", base64Call},
		{"get", "path", "what stands at PATH in a list or object: get a.b, get [Key=x].Value", getCall},
		{"addr", "", "the address in ADDRESS:PORT or [ADDRESS]:PORT, or the address that it is, else nothing", addrCall},
		{"port", "", "the port in HOST:PORT or [ADDRESS]:PORT, else nothing", portCall},
		{"dn", "text", "the values of attribute TEXT in a distinguished name, joined with dots: dn dc is the domain", dnCall},
		{"url", "text", "a part of a URL: scheme, user, host, port, path, query or fragment", urlCall},
		{"parameter", "text", "the value of parameter TEXT of a URL or query, decoded", parameterCall},
		{"email", "text", "a part of a mailbox such as \"Ann\" <ann@example.org>: address, name, local or domain", emailCall},
		{"registered_domain", "", "of a host's name, what was registered: example.co.uk", registeredCall},
		{"top_level_domain", "", "of a host's name, the public suffix: co.uk", suffixCall},
		{"subdomain", "", "of a host's name, what stands in front of the registered domain", subdomainCall},
		{"user_agent", "text", "of a User-Agent header: name, version, os.name, os.version, os.full, os.type or device.name", agentCall},
		{"mac", "", "a hardware address as ECS writes it: 00-1A-2B-3C-4D-5E", macCall},
		{"less", "source", "minus the whole number at SOURCE, where that is not more: end | less start", lessCall},
		{"int", "", "a whole number (0x.. is read too), else nothing", intCall},
		{"s", "", "seconds as nanoseconds (event.duration)", func(r *runner, _ *call, v value) value { return r.scale(v, 1e9) }},
		{"ms", "", "milliseconds as nanoseconds", func(r *runner, _ *call, v value) value { return r.scale(v, 1e6) }},
		{"us", "", "microseconds as nanoseconds", func(r *runner, _ *call, v value) value { return r.scale(v, 1e3) }},
		{"hms", "", "hours:minutes:seconds as nanoseconds", hmsCall},
		{"period", "", "a time with units (1d 2h:03m:04s, 5m12s) as nanoseconds", periodCall},
		{"time", "text?", "a time read by a strptime layout", timeCall},
		{"ip", "", "the value if it is an address, else nothing", func(r *runner, _ *call, v value) value { return r.onlyIf(v, true) }},
		{"host", "", "the value if it is no address, else nothing", func(r *runner, _ *call, v value) value { return r.onlyIf(v, false) }},
		{"default", "text", "TEXT where there is no value", func(r *runner, c *call, v value) value {
			if v.empty() {
				return text(c.arg)
			}
			return v
		}},
		{"map", "table", "what the table of that name has for it", mapCall},
	}
}

// Functions lists what may stand behind a '|' in a source, as "name argument: what it gives".
func Functions() []string {
	var out []string
	for _, f := range functions() {
		arg := ""
		if f.arg != "" {
			arg = " " + strings.ToUpper(f.arg)
		}
		out = append(out, f.name+arg+": "+f.help)
	}
	return out
}

func compileCall(s string, tables map[string]*lookup) (call, error) {
	name, arg, has := strings.Cut(s, " ")
	for _, f := range functions() {
		if f.name != name {
			continue
		}
		c := call{fn: f.fn, onNone: name == "default"}
		arg = strings.TrimSpace(arg)
		if n := len(arg); n >= 2 && (arg[0] == '"' || arg[0] == '\'') && arg[n-1] == arg[0] {
			arg = arg[1 : n-1]
		}
		c.arg = []byte(arg)
		optional := strings.HasSuffix(f.arg, "?")
		if f.arg == "" && has {
			return c, fmt.Errorf("function %q takes no argument", name)
		}
		if f.arg != "" && !has && !optional {
			return c, fmt.Errorf("function %q wants a %s", name, f.arg)
		}
		switch f.arg {
		case "number":
			var err error
			if c.num, err = strconv.Atoi(arg); err != nil {
				return c, fmt.Errorf("function %q wants a number, found %q", name, arg)
			}
		case "path":
			var err error
			if c.keys, c.picks, err = parsePath(arg); err != nil {
				return c, err
			}
		case "table":
			if c.table = tables[arg]; c.table == nil {
				return c, fmt.Errorf("no table %q; expected one of the key tables", arg)
			}
		}
		if err := checkPart(name, arg); err != nil {
			return c, err
		}
		if name == "time" && arg != "" {
			if err := parse.CheckLayout(arg); err != nil {
				return c, err
			}
		}
		return c, nil
	}
	var names []string
	for _, f := range functions() {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return call{}, fmt.Errorf("unknown function %q; expected one of %s", name, strings.Join(names, ", "))
}
