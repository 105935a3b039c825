# leat: make help
SHELL    := /bin/bash
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  := -X leat/internal/cli.commit=$(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
STAGES   := ingest normalize enrich detect respond persist retain tui leat
FUZZTIME ?= 5s
GO       ?= go
N        ?= 500000
PEERS    ?= yes

.PHONY: help build demo test race lint fuzz bench script dist setup clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

build: ## every program into bin/
	@command -v g++ >/dev/null || scripts/setup build
	@mkdir -p bin
	$(GO) build -trimpath -ldflags "$(LDFLAGS)" -o bin/ $(STAGES:%=./cmd/%)

demo: ## real logs through the whole pipe: alerts, then SQL (needs no network)
	@scripts/setup demo
	@$(MAKE) --no-print-directory build
	@scripts/demo

test: ## all tests, those with real components included; installs what they need
	@scripts/setup test
	@$(MAKE) --no-print-directory build
	@scripts/test

race: ## the race detector over everything
	$(GO) test -race -shuffle=on $$($(GO) list ./... | grep -v '/test/')

lint: ## gofmt, vet, staticcheck, and the law of imports
	@test -z "$$(gofmt -l bench cmd internal pkg test rules)" || { gofmt -d bench cmd internal pkg test rules; exit 1; }
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

fuzz: ## every fuzz target for FUZZTIME (5s)
	@scripts/fuzz $(FUZZTIME)

bench: build ## the same work by leat and its peers, into docs/benchmarks.md; quick: make bench N=100000 PEERS=no (prints only)
	@test "$(PEERS)" = no || bench/peers
	$(GO) run ./bench/compare -n $(N) -peers $(PEERS) $(if $(filter no,$(PEERS)),-runs 1,-write docs/benchmarks.md)

script: build ## command-line scripts only
	$(GO) test ./test/script

dist: build ## a tar.gz of the programs with SHA256SUMS
	@scripts/dist $(VERSION)

setup: ## install what the tests and the demo need (Debian)
	@scripts/setup test

clean: ## remove what was built
	rm -rf bin dist
