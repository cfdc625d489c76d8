# make run [ARGS=--demo]   install what is missing, build, start the server with ./data
# make test                install what is missing, run every test
# make help                the rest

SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
DATA ?= ./data
ARGS ?=

page := web/page
page_built := $(page)/dist/index.html
page_modules := $(page)/node_modules/.package-lock.json
page_sources := $(shell find $(page) -path $(page)/node_modules -prune -o -path $(page)/dist -prune -o -type f -print 2>/dev/null)

.PHONY: help run build page test bench lint lint-live doctor-live fuzz fuzz-smoke fuzz-tool clean tools-build

help:
	@echo 'make run [ARGS=…]  build the page and the release binary, start it with $(DATA); ARGS go to riverrun serve'
	@echo 'make build         the same without starting'
	@echo 'make page          the web page alone'
	@echo 'make test          every test: unit, tidy, live with foreign publishers and players, the page'
	@echo 'make bench         install the peers, measure beside them, print the table; ARGS go to benches/run.sh'
	@echo 'make lint          format, clippy and docs, warnings as errors'
	@echo 'make lint-live [MINUTES=10 KIND=steady]  the playlist linter on a live broadcast; KIND may be jittery, bursty,'
	@echo '                   variable, dropping, restarted, ladder'
	@echo 'make doctor-live [MINUTES=10]   whether a ladder that the doctor calls comfortable drops nothing, and one too much does'
	@echo 'make fuzz T=amf0 [SECONDS=600]  one fuzz target; fuzz/README.md lists them'
	@echo 'make fuzz-smoke [SECONDS=60]    all of them in turn, SECONDS in total'
	@echo 'make clean         remove what was built; $(DATA) and the test footage stay'

run: build
	exec target/release/riverrun serve --data $(DATA) $(ARGS)

build: tools-build page
	$(CARGO) build --release --bin riverrun

tools-build:
	@bash tests/tools/setup.sh build

page: tools-build $(page_built)

$(page_modules): $(page)/package-lock.json
	cd $(page) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(page_built): $(page_modules) $(page_sources)
	cd $(page) && npm run --silent build
	@touch $@

test: page
	@bash tests/tools/setup.sh
	@CARGO=$(CARGO) bash tests/tools/run.sh

bench: page
	@CARGO=$(CARGO) bash benches/run.sh $(ARGS)

lint: page
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --workspace --no-deps

MINUTES ?= 10
KIND ?= steady
lint-live: page
	@bash tests/tools/setup.sh
	RIVERRUN_LINT_MINUTES=$(MINUTES) RIVERRUN_LINT_KIND=$(KIND) $(CARGO) test --test live -- --nocapture lint::watch::a_live_broadcast

doctor-live: build
	@bash tests/tools/setup.sh
	@python3 tests/tools/doctor_live.py $(MINUTES)

fuzz fuzz-smoke: page fuzz-tool

fuzz-tool:
	@command -v cargo-fuzz >/dev/null || $(CARGO) install cargo-fuzz --locked --version 0.13.2

fuzz:
	@CARGO=$(CARGO) bash fuzz/run.sh "$(T)" "$(or $(SECONDS),600)"

fuzz-smoke:
	@CARGO=$(CARGO) bash fuzz/run.sh all "$(or $(SECONDS),60)"

clean:
	$(CARGO) clean
	rm -rf $(page)/dist $(page)/node_modules tests/.tools tests/tools/node/node_modules
