package main

func join() *work {
	py := "env POLARS_MAX_THREADS=1 python3 join.py "
	return &work{
		name: "join", in: "ecs.ndjson", key: "event.id",
		title:   "Join with a table of 100,000 users",
		about:   "Events of 651 bytes; `user.id` is looked up in a CSV file and name, email and city are added below `user`; 5 % find nothing. The jq family gets the table as one JSON object.",
		missing: "VRL's command line has no tables; Benthos was not tried.",
		rows: []row{
			leat("leat enrich", "enrich -c enrich.yaml < {in}", spelling{}),
			peer("jaq", "jaq", "jaq -c --slurpfile users users.json -f join.jq < {in}", spelling{}),
			peer("gojq", "gojq", "gojq -c --slurpfile users users.json -f join.jq < {in}", spelling{}),
			peer("jq", "jq", "jq -c --slurpfile users users.json -f join.jq < {in}", spelling{}),
			peer("Miller", "mlr", "mlr --ijsonl --ojsonl flatten then join -i csv --ur -l id -r user.id -j user.id -f users.csv then rename name,user.full_name,email,user.email,office,user.office.city then unflatten {in}", spelling{}),
			peer("DuckDB", "py/duckdb", py+"duckdb {in} {out}", spelling{}).batched("no filter: reads a file whole, infers the types from its beginning, does not keep the order; one thread"),
			peer("Polars", "py/polars", py+"polars {in} {out}", spelling{}).batched("no filter: reads a file whole, infers the types from its beginning; one thread"),
		},
	}
}

// chain is the light pipeline: one mapping of our own, one dimension, one rule, and a sink that reads eight fields.
func chain() *work {
	stages := []string{"ingest {in}", "normalize --mappings mappings/rename --original drop", "enrich -c enrich.yaml", "detect -r rules"}
	fused := "chain -fused -mappings mappings/rename -enrich enrich.yaml -rules rules {in}"
	return &work{
		name: "chain", in: "audit.ndjson",
		title: "Five stages with light work: over pipes, and in one process",
		about: "ingest, normalize (the mapping of the first table), enrich (100,000 users), detect (one rule), and a sink shaped as persist is in front of its writer (bench/chain: parses, reads " +
			"eight fields, counts). Compared is the SHA-256 of all lines that reach the sink, alerts included: one line that says all.",
		rows: []row{
			{tool: "five processes over pipes", pipe: append(stages[:4:4], "chain"), check: append(stages[:4:4], "chain -hash")},
			{tool: "the same five fused in one process", pipe: []string{fused}, check: []string{"chain -hash" + fused[len("chain"):]}},
			{tool: "cat, five processes over pipes", pipe: []string{"cat {in}", "cat", "cat", "cat", "cat"}, floor: true},
		},
	}
}

func detect(name, routing string) *work {
	w := &work{
		name: name, in: "win.ndjson", max: 209134, sample: 20_000, same: true, countBy: "rule",
		title: "All rules of SigmaHQ, routed by log source",
		about: "209,134 real Windows events (Sysmon, Security, PowerShell ...) against SigmaHQ's rules, emerging threats and threat hunting included. Alerts only are written. " +
			"Compared is how many matches each rule has in the first 20,000 events; rsigma needs the hints product, service and category that these events carry, leat does not use them.",
	}
	ours := spelling{names: map[string]string{"rule.id": "rule"}}
	theirs := spelling{names: map[string]string{"rule_id": "rule"}}
	cmd := "detect -r sigma --alerts-only --routing " + routing
	their := "rsigma engine eval -q -r sigma --output-format ndjson"
	if routing == "on" {
		their += " --logsource-routing"
	} else {
		w.title = "All rules of SigmaHQ, every rule on every event"
	}
	why := "evaluates in one thread"
	if routing == "on" {
		why += "; an event's hint names one category, so rules of category registry_event miss what is hinted registry_set"
	}
	w.rows = []row{
		leat("leat detect, one thread", "env GOMAXPROCS=1 "+cmd+" < {in}", ours),
		leat("leat detect, all cores", cmd+" --workers $(nproc) < {in}", ours),
		peer("rsigma eval", "rsigma", their+" -e @{in}", theirs).noted(why),
	}
	return w
}

func persist() *work {
	return &work{
		name: "persist", title: "Into the lake, beside DuckDB's lossy COPY",
		about:  "As bench/lake prints it; its columns are explained there.",
		report: []string{"go", "run", "./bench/lake", "-bin", "{bin}", "-n", "{n}"},
	}
}

func latency() *work {
	return &work{
		name: "latency", title: "Latency over five processes",
		about:  "ingest, normalize, enrich, detect and respond (dry run): from the write into the first process to the line at the last one's output, on 64 KiB pipes, beside a chain of cat in the same run.",
		report: []string{"go", "run", "./bench/latency", "-bin", "{bin}"},
	}
}
