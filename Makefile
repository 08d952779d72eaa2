# Development of einmal. `make` alone shows what there is. Needs Go; the race detector also needs a C compiler.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Tools are pinned in a module of their own, so that their dependencies are not the product's.
LINT := go tool -modfile=.tools/go.mod golangci-lint

# Arguments for the program: make demo ARGS="--handovers 200 --seed 7"
ARGS ?=
# Packages to test, lint and measure: make test PKG=./contracts/...
PKG ?= ./...
FUZZTIME ?= 5s
SEEDS ?= 1000

# -race needs cgo. Without a C compiler the tests run without it, and say so.
RACE := $(shell command -v "$$(go env CC)" >/dev/null 2>&1 && echo -race)

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS=$$'\t' read -r name text; do printf '  %-9s %s\n' "$$name" "$$text"; done

.PHONY: demo
demo: ## Play handovers between the mocks, with faults, and prove that each is recorded once
	go run ./cmd/einmal demo $(ARGS)

.PHONY: run
run: ## Run the gateway (ARGS="--config FILE")
	go run ./cmd/einmal run $(ARGS)

# What go test would vet, and more, lint and vet look at. Compilers and tests are done sooner when they collect their garbage more seldom.
.PHONY: test
test: ## Run all tests, with the race detector
	@if [ -z "$(RACE)" ]; then echo "make test: no C compiler ($$(go env CC)) found, so the race detector is OFF; install gcc to switch it on" >&2; fi
	GOGC=$${GOGC:-400} go test $(RACE) -vet=off -timeout 580s $(PKG)

.PHONY: test-real
test-real: ## Run the end-to-end tests, those of the bus and of the claims, and a short chaos run on a real Apache Kafka and a real Redis (Java, Maven, redis-server)
	deploy/local/engines.sh sh -ec ' \
		EINMAL_HANDOVERS=$${EINMAL_HANDOVERS:-30} go test $(RACE) -vet=off -count=1 -timeout 580s ./gateway ./gateway/bus ./gateway/claims; \
		EINMAL_CHAOS=$${EINMAL_CHAOS:-15s} go test -vet=off -count=1 -timeout 2h -run Chaos ./cmd/einmal -v'

.PHONY: once
once: ## Play EINMAL_HANDOVERS (200) handovers on each of two bad days through one gateway; make test does the same with small figures
	EINMAL_HANDOVERS=$${EINMAL_HANDOVERS:-200} go test ./gateway -count=1 -v -timeout 60m -run TestI1I2I3EveryHandover

.PHONY: kill
kill: ## Kill the gateway EINMAL_KILLS (20) times while EINMAL_HANDOVERS (500) are played; make test does the same with small figures
	EINMAL_HANDOVERS=$${EINMAL_HANDOVERS:-500} EINMAL_KILLS=$${EINMAL_KILLS:-20} go test ./cmd/einmal -count=1 -v -timeout 30m -run TestI7KillingTheGateway

.PHONY: chaos
chaos: ## Kill, pause, cut and fill everything for EINMAL_CHAOS (60s), as processes, then check what stands where; make test does the same for some seconds. EINMAL_CHAOS_SEED draws another schedule, EINMAL_CHAOS_EVERY (1s) is the time between two blows on average, before those are left out that would meet somebody who is down, EINMAL_CHAOS_AT_ONCE is how many handovers are under way at a time, EINMAL_CHAOS_ONLY=kill only blows of that kind, at everybody as often, beside one of each other, EINMAL_CHAOS_SCHEDULE=FILE plays one again, EINMAL_CHAOS_OLDER=PROGRAM lets an earlier version work beside this one
	EINMAL_CHAOS=$${EINMAL_CHAOS:-60s} EINMAL_CHAOS_OUT=$(CURDIR)/.build/chaos go test ./cmd/einmal -count=1 -v -timeout 4h -run 'Chaos|Sleeps|ElevenChecks'

.PHONY: sim
sim: ## Simulate SEEDS (1000) days of each kind, each day twice where it must reproduce, and hunt every planted error; make test does the same with fewer days
	go test ./gateway/sim -count=1 -v -timeout 60m -sim.seeds $(SEEDS)

.PHONY: model
model: ## Check the model of the ledger's protocol in larger bounds (some minutes, some GB); make test does the same in small ones
	go test ./gateway/ledger -count=1 -v -timeout 120m -run TestModel -ledger.deep

.PHONY: lint
lint: ## Check style and common mistakes
	$(LINT) run $(PKG)

.PHONY: fmt
fmt: ## Format the code
	$(LINT) fmt

.PHONY: vet
vet: ## Run go vet
	go vet $(PKG)

.PHONY: check
check: vet lint test ## Everything that must hold before a change goes in (lint checks the format, too)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (5s)
	@for package in $$(go list $(PKG)); do \
		for target in $$(go test -list '^Fuzz' "$$package" | grep '^Fuzz' || true); do \
			echo "== $$package $$target"; \
			go test "$$package" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME); \
		done; \
	done

.PHONY: bench
bench: ## Run the benchmarks
	go test -run '^$$' -bench . -benchmem $(PKG)

.PHONY: cover
cover: ## Measure what the tests reach; the report is .build/coverage.html
	@mkdir -p .build
	go test -timeout 580s -coverpkg=./... -coverprofile=.build/cover.out $(PKG)
	@go tool cover -html=.build/cover.out -o .build/coverage.html
	@go tool cover -func=.build/cover.out | tail -1

.PHONY: golden
golden: ## Write the golden files anew; look at the difference before you commit it
	@grep -rlE --include='*_test.go' 'flag\.Bool\("update"' . | xargs -n1 dirname | sort -u | while read -r dir; do go test "$$dir" -update; done
