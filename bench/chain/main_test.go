package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leat/pkg/ingest"
	"leat/pkg/stage"
)

// setUp writes n audit records and the table of their users, and returns the options of the fused form.
func setUp(t *testing.T, n int) *options {
	t.Helper()
	dir := t.TempDir()
	config, err := os.ReadFile(filepath.Join("..", "work", "enrich.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var records, users strings.Builder
	users.WriteString("id,name,email,office\n")
	for i := range n {
		fmt.Fprintf(&records, `{"ts":1795392000.%03d,"RecordType":%d,"Workload":"Exchange","Operation":"GetObject","UserId":"u%d","userIP":"10.0.0.%d","userPort":22,"ResultStatus":"Success","hostName":"ws-1","UserAgent":"aws-cli/2","requestParameters":{"bucketName":"payroll-%d","key":"a\/b"}}`+"\n",
			i%1000, i, i, i%256, i%20)
		if i%2 == 0 {
			fmt.Fprintf(&users, "u%d,Ann Example,ann@corp.example,Dublin\n", i)
		}
	}
	for name, text := range map[string]string{"enrich.yaml": string(config), "users.csv": users.String(), "audit.ndjson": records.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &options{
		fused: true, hash: true, file: filepath.Join(dir, "audit.ndjson"), enrich: filepath.Join(dir, "enrich.yaml"),
		mappings: filepath.Join("..", "work", "mappings", "rename"), rules: filepath.Join("..", "work", "rules"),
	}
}

// TestBothFormsTakeTheSameLines runs the five stages once fused, once with lines between any two of them.
func TestBothFormsTakeTheSameLines(t *testing.T) {
	o := setUp(t, 2000)
	var fused bytes.Buffer
	if err := run(o, nil, &fused); err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	src, err := ingest.New(ingest.Config{Sources: []string{o.file}})
	if err != nil {
		t.Fatal(err)
	}
	if err := stage.Pump(context.Background(), src, stage.NewWriter(&lines, nil)); err != nil {
		t.Fatal(err)
	}
	stages, err := o.stages(stage.NewCounters("test"))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range stages {
		var next bytes.Buffer
		in := &stage.Lines{In: bytes.NewReader(lines.Bytes()), Raw: i == 0, Counters: stage.NewCounters("test")}
		if err := stage.Pump(context.Background(), in, stage.NewChain(stage.NewWriter(&next, nil), s)); err != nil {
			t.Fatal(err)
		}
		lines = next
	}
	text := lines.String()
	var piped bytes.Buffer
	if err := run(&options{hash: true}, strings.NewReader(text), &piped); err != nil {
		t.Fatal(err)
	}
	if fused.String() != piped.String() {
		t.Errorf("fused  %spipes  %s", &fused, &piped)
	}
	if !strings.Contains(fused.String(), `"events":2100,`) {
		t.Errorf("%s: expected 2000 events and an alert for each twentieth", &fused)
	}
	if n := strings.Count(text, `"full_name":"Ann Example"`); n < 1000 {
		t.Errorf("%d events know their user's name, expected 1000", n)
	}
}

func TestBrokenEventsAreCountedToo(t *testing.T) {
	var out bytes.Buffer
	if err := run(&options{}, strings.NewReader("{\"event\":{\"id\":\"1\"}}\nno JSON\n"), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"events":2,`) || strings.Contains(out.String(), "sha256") {
		t.Errorf("got %s", &out)
	}
}

func TestConfigurationsAreChecked(t *testing.T) {
	for name, change := range map[string]func(o *options){
		"file":     func(o *options) { o.file = "nowhere.ndjson" },
		"mappings": func(o *options) { o.mappings = "nowhere" },
		"enrich":   func(o *options) { o.enrich = "nowhere.yaml" },
		"rules":    func(o *options) { o.rules = "nowhere" },
	} {
		o := setUp(t, 1)
		change(o)
		if err := run(o, nil, &bytes.Buffer{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
