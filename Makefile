# gopptp: what can be done with the tree. `make` alone prints the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Two processors are enough for all of it, and what a busy machine of the project has.
export GOMAXPROCS ?= 2
export GOPPTP_BIN := $(CURDIR)/bin/gopptp

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
# The time of the last commit, which dates packages: built again they are the same, octet by octet.
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || date +%s))
# A version that Debian can compare: that of the tag, or before there are tags the time of the commit.
DEB_VERSION ?= $(if $(filter v%,$(VERSION)),$(VERSION:v%=%),0~$(shell date -u -d @$(EPOCH) +%Y%m%d%H%M%S).$(VERSION))
FUZZTIME ?= 10s

REPORT = go run ./test/report
# The packages whose tests need guests or measure, one after the other; and all others.
INTEROP = ./test/tunnel ./test/interop
UNIT = $$(go list ./... | grep -v -e '/test/tunnel$$' -e '/test/interop$$')
# What reads and writes octets, or counts: the packages that other kinds of processors could break.
CROSS = ./gre ./mppc ./mppe/... ./mschap ./ppp/... ./pptp/wire ./internal/offload ./internal/shape ./internal/menu ./internal/radius ./internal/store ./internal/rawgre
UNCROSSED = ^TestRequiresRoot|Alloc|^TestReorderAgainstOthers$$|^TestPackedLoss$$|^TestStatelessOutage$$|^TestRateIsHeld$$|^TestIncoming$$|^TestManyRequests$$|^TestKill

.PHONY: help
help: ## print the targets
	@echo 'make TARGET, with TARGET one of:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: build
build: ## the one static binary, bin/gopptp
	@CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(GOPPTP_BIN) ./cmd/gopptp

.PHONY: demo
demo: ## the page's example between two daemons, in namespaces of its own (root)
	@test/setup demo
	@$(MAKE) build
	@test/demo/demo $(GOPPTP_BIN)

.PHONY: test
test: setup ## everything below but fuzz and the long bench: what CI runs (as root, or half is skipped)
	@$(MAKE) check
	@$(MAKE) unit
	@$(MAKE) cross-test
	@$(MAKE) interop
	@if [ "$$(id -u)" = 0 ]; then $(MAKE) demo; else echo 'demo: skipped, needs root'; fi
	@if [ "$$(id -u)" = 0 ]; then $(MAKE) bench-quick; else echo 'bench-quick: skipped, needs root'; fi

.PHONY: check
check: ## formatting, vet, tidiness of the module, shell scripts' syntax
	@unformatted=$$(gofmt -l .); \
		[ -z "$$unformatted" ] || { echo "gofmt would change: $$unformatted"; exit 1; }
	@go vet ./...
	@go mod tidy -diff
	@for script in .ci/run packaging/release packaging/licences packaging/deb/build test/deb/testdata/confine test/setup test/demo/demo test/lab/guest test/lab/guest-exec test/lab/guest-init test/lab/host/peer; do bash -n $$script; done
	@echo 'ok   check'

.PHONY: unit
unit: ## all tests but those with guests, with the race detector; those that count allocations without it as well
	@{ \
		status=0; \
		go test -json -race -shuffle=on -timeout 8m $(UNIT) || status=1; \
		go test -json -run Alloc $(UNIT) || status=1; \
		exit $$status; \
	} | $(REPORT)

.PHONY: interop
interop: setup build ## our server and our client with real peers in guests, in both directions (root)
	@go test -json -count=1 -p 1 -timeout 12m $(INTEROP) | $(REPORT)

.PHONY: flood
flood: setup ## hostile connections for half a minute of each kind, while good clients call (root)
	@GOPPTP_FLOOD=30s go test -count=1 -v -timeout 12m -run '^TestRequiresRootFlood$$' ./test/tunnel

.PHONY: soak
soak: setup ## traffic through a tunnel on a bad path, disturbed in every way, for GOPPTP_SOAK (10m); each octet is compared (root)
	@GOPPTP_SOAK=$${GOPPTP_SOAK:-10m} go test -count=1 -v -timeout 0 -run '^TestRequiresRootSoak$$' ./test/soak

.PHONY: bench
bench: setup build ## all that is measured, as ratios, each of two things measured by turns; also to bench/out (root, 20 minutes)
	@go run ./test/bench $(GOPPTP_BIN)

.PHONY: bench-quick
bench-quick: setup build ## the same rows in 2 minutes; fails where a ratio is below half of bench/baseline.json (root)
	@go run ./test/bench -quick $(GOPPTP_BIN)

.PHONY: deb
deb: build ## a Debian package for this kind of machine, in dist
	@mkdir -p dist
	@SOURCE_DATE_EPOCH=$(EPOCH) packaging/deb/build $(GOPPTP_BIN) $(subst -,+,$(DEB_VERSION))-1 dist/gopptp_$(subst -,+,$(DEB_VERSION))-1_$$(dpkg --print-architecture).deb
	@ls dist/gopptp_$(subst -,+,$(DEB_VERSION))-1_*.deb

.PHONY: release
release: ## archives for every kind of Linux machine, with sums and what is in them, in dist/release
	@SOURCE_DATE_EPOCH=$(EPOCH) packaging/release $(VERSION) dist/release
	@cat dist/release/SHA256SUMS

.PHONY: cross-test
# mips is big-endian and of 32 bits, arm little-endian and of 32 bits. An emulator runs the tests, without the race
# detector, and so many times slower that those are left out which only do the same for long, which count allocations, and
# which ask the kernel for what an emulator does not translate, or start themselves again.
cross-test: setup ## the unit tests of what reads octets and counts, on an emulated mips and arm
	@{ \
		status=0; \
		GOARCH=mips GOMIPS=softfloat CGO_ENABLED=0 go test -json -exec qemu-mips -skip '$(UNCROSSED)' -timeout 4m $(CROSS) || status=1; \
		GOARCH=arm GOARM=7 CGO_ENABLED=0 go test -json -exec qemu-arm -skip '$(UNCROSSED)' -timeout 4m $(CROSS) || status=1; \
		exit $$status; \
	} | CI= $(REPORT)

.PHONY: fuzz
# The fuzzer sometimes reports the end of its own time as a failure ("context deadline exceeded", without an input that
# fails); that is none.
fuzz: ## each fuzz target for FUZZTIME (10s)
	@log=$$(mktemp); trap 'rm -f $$log' EXIT; \
	for package in $$(go list ./...); do \
		listed=$$(go test -list '^Fuzz' $$package); \
		for target in $$(grep '^Fuzz' <<<"$$listed" || true); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$package 2>&1 | tee $$log || \
				{ grep -q 'context deadline exceeded' $$log && ! grep -q 'Failing input' $$log; }; \
		done; \
	done

.PHONY: docs
docs: ## write docs/reference from the declarations of the menus; the unit tests fail while it is stale
	@go test ./internal/reference -run '^TestReference$$' -count=1 -update

.PHONY: screenshots
screenshots: setup ## write docs/images from the page in Chromium, over a server that is made up (root, 2 minutes)
	@mkdir -p docs/images
	@GOPPTP_SCREENSHOTS=$(CURDIR)/docs/images go test -count=1 -timeout 5m -run '^TestRequiresRootViews$$' ./test/web
	@ls docs/images

.PHONY: setup
setup: ## install what the tests need and this machine lacks (Debian, root)
	@test/setup all

.PHONY: clean
clean: ## remove what was built
	@rm -rf bin dist
