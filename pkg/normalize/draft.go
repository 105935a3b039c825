package normalize

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// guesses are names, small and without punctuation, that many sources use for the same thing.
var guesses = map[string]string{
	"srcip": "source.ip", "sourceip": "source.ip", "userip": "source.ip", "clientip": "source.ip", "ipaddress": "source.ip",
	"remoteaddr": "source.ip", "remoteip": "source.ip", "src": "source.ip", "ip": "source.ip", "peer": "source.ip", "sourceaddress": "source.ip",
	"dstip": "destination.ip", "destip": "destination.ip", "destinationip": "destination.ip", "dst": "destination.ip", "serverip": "destination.ip",
	"srcport": "source.port", "sourceport": "source.port", "spt": "source.port", "dstport": "destination.port", "destport": "destination.port",
	"destinationport": "destination.port", "dpt": "destination.port",
	"user": "user.name", "username": "user.name", "login": "user.name", "account": "user.name", "accountname": "user.name", "userid": "user.id",
	"email": "user.email", "usermail": "user.email", "host": "host.name", "hostname": "host.name", "computer": "host.name", "device": "host.name",
	"action": "event.action", "event": "event.action", "eventname": "event.action", "operation": "event.action", "reason": "event.reason",
	"useragent": "user_agent.original", "agent": "user_agent.original", "url": "url.original", "uri": "url.original", "path": "url.path",
	"method": "http.request.method", "status": "http.response.status_code", "statuscode": "http.response.status_code",
	"proto": "network.transport", "protocol": "network.transport", "service": "network.protocol", "level": "log.level", "severity": "log.level",
	"message": "message", "msg": "message", "pid": "process.pid", "process": "process.name", "program": "process.name",
	"commandline": "process.command_line", "cmd": "process.command_line", "file": "file.path", "filename": "file.name",
	"md5": "file.hash.md5", "sha256": "file.hash.sha256", "error": "error.message",
}

var timeNames = []string{"timestamp", "time", "ts", "datetime", "eventtime", "date", "createdat", "created", "timegenerated", "timecreated"}

// Draft writes a mapping for sample records: how to recognise and parse them, a field for every name that is widely used
// for one thing, and the other names as comments to choose from. A person must read it; it loads as it is.
func Draft(name string, samples [][]byte) (string, error) {
	if !validName(name) {
		return "", fmt.Errorf("the name %q is none of a-z 0-9 _ . -", name)
	}
	if len(samples) == 0 {
		return "", fmt.Errorf("no sample lines")
	}
	d := draft{name: name, samples: samples, paths: map[string]*draftPath{}}
	var e event.Event
	if e.Reset(samples[0]); e.Parse() == nil {
		d.fromJSON()
	} else if d.fromPairs() {
		d.parse = "kv"
	} else {
		return d.lines(), nil
	}
	return d.table(), nil
}

type draft struct {
	name    string
	samples [][]byte
	parse   string
	order   []string
	paths   map[string]*draftPath
}

type draftPath struct {
	seen   int
	sample string
}

func (d *draft) fromJSON() {
	d.parse = "json"
	for _, line := range d.samples {
		var r parse.Record
		r.Reset()
		if r.JSON(0, line) == nil {
			d.collect(&r, 0, "")
		}
	}
}

// fromPairs tells whether the first sample is made of key=value pairs.
func (d *draft) fromPairs() bool {
	for i, line := range d.samples {
		var r parse.Record
		r.Reset()
		h, _ := parse.ParseHeader(line)
		parse.KV{}.Parse(&r, 0, h.Message)
		if i == 0 && (r.Find(0, "text") >= 0 || len(r.Cells) < 4) {
			return false
		}
		d.collect(&r, 0, "")
	}
	return true
}

func (d *draft) collect(r *parse.Record, n int32, prefix string) {
	for i := r.Child(n); i >= 0; i = r.Cells[i].Next {
		path := prefix + strings.ReplaceAll(string(r.Cells[i].Key), ".", `\.`)
		if r.Cells[i].Kind == event.Object {
			d.collect(r, i, path+".")
			continue
		}
		if d.paths[path] == nil {
			d.paths[path] = &draftPath{sample: string(r.Text(i))}
			d.order = append(d.order, path)
		}
		d.paths[path].seen++
	}
}

func squash(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r | 0x20
		}
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s[strings.LastIndexByte(s, '.')+1:])
}

func (d *draft) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "name: %s\nabout: (which product, which log)\n", d.name)
	d.sign(&b)
	fmt.Fprintf(&b, "parse: %s\nkeep: %s\n", d.parse, d.name)
	var fields, rest strings.Builder
	taken := map[string]bool{}
	hasTime := false
	for _, path := range d.order {
		short := squash(path)
		field := guesses[short]
		switch {
		case slices.Contains(timeNames, short) && !hasTime:
			hasTime = true
			fmt.Fprintf(&b, "time: %s\n", quoteYAML(path))
		case field != "" && !taken[field]:
			taken[field] = true
			fmt.Fprintf(&fields, "  %s?: %s\n", field, quoteYAML(path))
		default:
			fmt.Fprintf(&rest, "  # (ECS name): %-30s # %+.60q\n", quoteYAML(path), d.paths[path].sample)
		}
	}
	if fields.Len() > 0 {
		b.WriteString("fields:   # '?' = only if the value fits the field's type; take it away where it must\n" + fields.String())
	}
	b.WriteString(rest.String())
	b.WriteString("set: {event.kind: event}   # event.category and event.type: see `normalize fields`\n")
	fmt.Fprintf(&b, "tests:\n  - in: %s\n    out: {event.kind: event}\n", quoteYAML(string(d.samples[0])))
	return b.String()
}

// sign writes up to four keys that every sample has: those with the least common names.
func (d *draft) sign(b *strings.Builder) {
	var keys []string
	for _, p := range d.order {
		if !strings.Contains(strings.ReplaceAll(p, `\.`, ""), ".") && d.paths[p].seen == len(d.samples) {
			keys = append(keys, p)
		}
	}
	slices.SortStableFunc(keys, func(a, b string) int { return len(b) - len(a) })
	keys = keys[:min(len(keys), 4)]
	if d.parse == "kv" {
		var words []string
		for _, k := range keys {
			words = append(words, quoteYAML(k+"="))
		}
		fmt.Fprintf(b, "when: {contains: [%s]}\n", strings.Join(words, ", "))
		return
	}
	b.WriteString("when:\n  keys:\n")
	for _, k := range keys {
		fmt.Fprintf(b, "    %s: '*'\n", quoteYAML(k))
	}
}

// lines drafts patterns of free text: numbers and addresses become captures.
func (d *draft) lines() string {
	var b strings.Builder
	fmt.Fprintf(&b, "name: %s\nabout: (which product, which log)\n", d.name)
	h, ok := parse.ParseHeader(d.samples[0])
	if ok && len(h.Program) > 0 {
		fmt.Fprintf(&b, "when: {program: %s}\n", quoteYAML(string(h.Program)))
	} else {
		b.WriteString("when: {lines: true}\n")
	}
	fmt.Fprintf(&b, "parse: lines\nkeep: %s\nlines:   # {name} takes text, {name:int} digits, {name:ip} an address, [..] may be missing\n", d.name)
	seen := map[string]bool{}
	for _, s := range d.samples {
		h, _ := parse.ParseHeader(s)
		p := pattern(h.Message)
		if !seen[p] && len(seen) < 50 {
			seen[p] = true
			fmt.Fprintf(&b, "  line_%d: %s\n", len(seen), quoteYAML(p))
		}
	}
	b.WriteString("# fields:\n#   user.name: user\n#   source.ip?: peer\n")
	fmt.Fprintf(&b, "set: {event.kind: event, event.action: $line}\ntests:\n  - in: %s\n    out: {event.kind: event}\n", quoteYAML(string(d.samples[0])))
	return b.String()
}

func pattern(msg []byte) string {
	var b strings.Builder
	n, ip := 0, 0
	for i, w := range bytes.Split(bytes.TrimSpace(msg), []byte{' '}) {
		if i > 0 {
			b.WriteByte(' ')
		}
		core := bytes.TrimRight(w, ",;:.")
		tail := string(w[len(core):])
		switch {
		case len(core) > 0 && isDigits(core):
			n++
			fmt.Fprintf(&b, "{n%d:int}%s", n, tail)
		default:
			if _, ok := parseAddr(core); ok {
				ip++
				fmt.Fprintf(&b, "{ip%d:ip}%s", ip, tail)
			} else {
				b.WriteString(strings.NewReplacer(`\`, `\\`, "{", `\{`, "}", `\}`, "[", `\[`, "]", `\]`).Replace(string(w)))
			}
		}
	}
	return b.String()
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
	}
	return true
}

// quoteYAML writes s as a YAML scalar on one line.
func quoteYAML(s string) string {
	n := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle}
	if plain := strings.IndexFunc(s, func(r rune) bool { return (r|0x20 < 'a' || r|0x20 > 'z') && r != '_' && r != '.' }); plain < 0 && s != "" {
		n.Style = 0
	} else if !strings.ContainsAny(s, "'\n\r\t") && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
		return "'" + s + "'"
	}
	out, err := yaml.Marshal(&n)
	if err != nil {
		return "''"
	}
	return strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", " ")
}
