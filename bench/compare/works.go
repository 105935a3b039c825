package main

// work is one piece of work that several programs do.
type work struct {
	name, title, about string
	in                 string   // its data, a file that gen writes
	max                int      // events that there are; 0: as many as asked for
	sample             int      // events whose output is compared; 0: the usual
	same               bool     // the data's parts are unlike: every row gets all of it
	key                string   // name of the field by which outputs are matched; "" = line by line
	countBy            string   // outputs are compared by how many there are for each value of this field
	ignore             []string // fields that are not compared
	rows               []row    // the first is what the others are compared with
	report             []string // a program that measures by itself; its output is taken as it is
	missing            string   // what is known to be absent from the table, and why
}

// row is one program at one piece of work. In commands {in} is the input, {wrapped} the input as {"message": line}, {out} a file
// for programs that can't write to standard output.
type row struct {
	tool  string
	peer  string   // the program that must be there; "" = ours
	pipe  []string // processes, each a line of shell
	check []string // the pipe whose output is compared, where it is not the timed one
	floor bool     // not the work, but the least that it could take
	batch bool     // no filter: it reads a file whole
	note  string
	spelling
}

// leat is a row of ours.
func leat(tool, cmd string, s spelling) row {
	return row{tool: tool, pipe: []string{cmd}, spelling: s}
}

func peer(tool, prog, cmd string, s spelling) row {
	return row{tool: tool, peer: prog, pipe: []string{cmd}, spelling: s}
}

// noted adds what is known about a row.
func (r row) noted(note string) row {
	r.note = note
	return r
}

// batched says that the program can't stand in a pipe that never ends.
func (r row) batched(note string) row {
	r.batch = true
	return r.noted(note)
}

// floored says that the row does not do the work.
func (r row) floored() row {
	r.floor = true
	return r
}

func works() []*work {
	return []*work{rename(), sshd(), keyvalue(), cef(), cloudtrail(), join(), chain(), detect("detect", "on"), detect("detect-all", "off"), persist(), latency()}
}

func rename() *work {
	return &work{
		name: "rename", in: "audit.ndjson",
		title: "Rename 8 fields, add 4 constants",
		about: "NDJSON in and out, records of 879 bytes: 8 fields to nested ECS names (one of them seconds to RFC 3339), 4 constants, the other ten fields below one object. " +
			"leat reads its mapping from a file among all its built-in ones, checks that every line is JSON, and adds `related.*` and `event.dataset` beyond what is compared.",
		ignore:  []string{"event.dataset", "event.original", "related", "source.address"},
		missing: "Vector itself, Substation and super: the package registries don't have them.",
		rows: []row{
			leat("leat normalize", "normalize --mappings mappings/rename --original drop < {in}", spelling{}),
			leat("leat normalize, keeping event.original (its default)", "normalize --mappings mappings/rename < {in}", spelling{}).noted("event.original is more than the work"),
			peer("jaq", "jaq", "jaq -c -f rename.jq < {in}", spelling{}),
			peer("gojq", "gojq", "gojq -c -f rename.jq < {in}", spelling{}),
			peer("jq", "jq", "jq -c -f rename.jq < {in}", spelling{}),
			peer("VRL", "vrl", "vrl -i {in} -p rename.vrl", spelling{}).noted("reads the whole file into memory"),
			peer("Miller", "mlr", "mlr --ijsonl --ojsonl put -f rename.mlr {in}", spelling{}),
			peer("Benthos", "benthos", "benthos -c rename.benthos.yaml < {in}", spelling{}),
			peer("DuckDB", "py/duckdb", "python3 rename.py {in} {out}", spelling{}).batched("no filter: reads a file whole, infers the types from its beginning, and its program names every field that is kept; one thread"),
		},
	}
}

func sshd() *work {
	const flat = ""
	ours := spelling{names: map[string]string{
		"log.syslog.priority": "pri", "host.name": "host", "process.name": "program", "process.pid": "pid", "bench.sshd.outcome": "outcome",
		"bench.sshd.method": "method", "user.name": "user", "source.ip": "ip", "source.port": "port",
	}}
	builtin := spelling{names: map[string]string{
		"log.syslog.priority": "pri", "host.name": "host", "process.name": "program", "process.pid": "pid", "event.outcome": "outcome",
		"linux.auth.method": "method", "user.name": "user", "source.ip": "ip", "source.port": "port",
	}, values: map[string]string{"failure": "Failed", "success": "Accepted"}}
	return &work{
		name: "sshd", in: "sshd.log",
		title: "sshd lines to fields",
		about: "RFC 3164 lines of 121 bytes to host, program, process id, outcome, method, user, address and port. leat finds by itself that a line is sshd's, reads its time into " +
			"`@timestamp` and writes ECS; its built-in mapping knows some 40 forms of line and adds categories, `related.*` and more.",
		ignore: []string{"time"},
		rows: []row{
			leat("leat normalize, the same fields", "normalize --mappings mappings/sshd --original drop < {in}", ours),
			leat("leat normalize, built-in mapping", "normalize --original drop < {in}", builtin).noted("does more"),
			peer("liblognorm", "lognormalizer", "lognormalizer -r sshd.rb -e json < {in}", spelling{under: flat}),
			peer("VRL", "vrl", "vrl -i {wrapped} -p sshd.vrl", spelling{}).noted("reads the lines wrapped in JSON"),
			peer("gojq", "gojq", "gojq -R -c -f sshd.jq < {in}", spelling{}),
			peer("jaq", "jaq", "jaq -R -c -f sshd.jq < {in}", spelling{}),
			peer("jq", "jq", "jq -R -c -f sshd.jq < {in}", spelling{}),
			peer("Miller", "mlr", "mlr --inidx --ifs ';' --ojsonl put -S -f sshd.mlr {in}", spelling{}),
			peer("Benthos", "benthos", "benthos -c sshd.benthos.yaml < {in}", spelling{}),
		},
	}
}

func keyvalue() *work {
	builtin := spelling{
		names: map[string]string{"source.ip": "srcip", "destination.ip": "dstip", "user.name": "user", "event.action": "action", "rule.id": "policyid",
			"observer.hostname": "devname", "source.bytes": "sentbyte", "fortigate.log.sessionid": "sessionid", "log.level": "level"},
		only: []string{"srcip", "dstip", "user", "action", "policyid", "devname", "sentbyte", "sessionid", "level"},
	}
	return &work{
		name: "kv", in: "fortigate.log",
		title: "key=value firewall lines",
		about: "FortiGate traffic lines of 489 bytes, 29 pairs, half of them quoted. The first row splits as the others do; leat's built-in mapping goes on to ECS, types, sums and community id " +
			"(nine of its fields are compared).",
		rows: []row{
			leat("leat normalize, split only", "normalize --mappings mappings/kv --original drop < {in}", spelling{under: "bench.kv"}),
			leat("leat normalize, built-in mapping", "normalize --original drop < {in}", builtin).noted("does more"),
			peer("liblognorm", "lognormalizer", "lognormalizer -r kv.rb -e json < {in}", spelling{under: "kv"}).noted("keeps the quotes as part of the values"),
			peer("Miller", "mlr", "mlr --idkvp --ifs ' ' --ojsonl -S cat {in}", spelling{}).noted("keeps the quotes as part of the values"),
			peer("VRL", "vrl", "vrl -i {wrapped} -p kv.vrl", spelling{}).noted("reads the lines wrapped in JSON"),
			peer("Benthos", "benthos", "benthos -c kv.benthos.yaml < {in}", spelling{}),
			peer("gojq", "gojq", "gojq -R -c -f kv.jq < {in}", spelling{}),
			peer("jaq", "jaq", "jaq -R -c -f kv.jq < {in}", spelling{}),
			peer("jq", "jq", "jq -R -c -f kv.jq < {in}", spelling{}),
		},
	}
}

func cef() *work {
	builtin := spelling{
		names: map[string]string{"source.ip": "src", "source.port": "spt", "destination.ip": "dst", "user.name": "suser", "event.action": "act", "message": "msg",
			"checkpoint.Rule": "cs1", "checkpoint.Policy": "cs2", "source.domain": "shost"},
		only: []string{"src", "spt", "dst", "suser", "act", "msg", "cs1", "cs2", "shost"},
	}
	return &work{
		name: "cef", in: "cef.log",
		title: "CEF lines",
		about: "Common Event Format of 357 bytes: values with spaces, an escaped equals sign. The 18 pairs of the extension are compared.",
		ignore: []string{"cef_version", "vendor", "product", "version", "class_id", "name", "severity",
			"cefVersion", "deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId"},
		missing: "The jq family, Miller and Benthos have no reader of CEF.",
		rows: []row{
			leat("leat normalize, split only", "normalize --mappings mappings/cef --original drop < {in}", spelling{under: "bench.cef"}),
			leat("leat normalize, built-in mapping", "normalize --original drop < {in}", builtin).noted("does more"),
			peer("liblognorm", "lognormalizer", "lognormalizer -r cef.rb -e json < {in}", spelling{under: "f.Extensions"}).noted("drops the first letter of the first key of the extension"),
			peer("VRL", "vrl", "vrl -i {wrapped} -p cef.vrl", spelling{}).noted("reads the lines wrapped in JSON"),
		},
	}
}

func cloudtrail() *work {
	return &work{
		name: "cloudtrail", in: "cloudtrail.ndjson",
		title: "CloudTrail, the built-in mapping",
		about: "Records of 1,244 bytes through the whole built-in mapping, keeping every field that has no place in ECS. No other program has this mapping: their rows only read, " +
			"parse and print, which is the least that it could take them.",
		ignore: []string{"event.original"},
		rows: []row{
			leat("leat normalize, built-in mapping", "normalize --original drop < {in}", spelling{}),
			leat("leat normalize, keeping event.original (its default)", "normalize < {in}", spelling{}).noted("event.original is more than the work"),
			peer("jaq", "jaq", "jaq -c . < {in}", spelling{}).floored(),
			peer("jq", "jq", "jq -c . < {in}", spelling{}).floored(),
			peer("Benthos", "benthos", "benthos -c pass.benthos.yaml < {in}", spelling{}).floored(),
		},
	}
}
