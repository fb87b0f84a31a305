# Ham Rahi voice gateway. Needs make and any node with npm; everything else comes by itself (see setup).

SHELL := /bin/sh
NODE := .tools/bin/node
BIN := $(NODE) node_modules/.bin
export PATH := $(CURDIR)/.tools/bin:$(PATH)
export BIND DEMO_JSON

# Those that take longest come first: what is short fills the gaps at the end.
SUITES := e2e integration contract unit scenario

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup tools asterisk chromium iproute promtool client demo sandbox test test-unit test-contract test-integration \
	test-scenario test-e2e fuzz coverage lint format generate bench bench-load bench-4g bench-history soak chaos measure clean distclean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

setup: tools asterisk chromium iproute promtool client ## fetch all that demo, sandbox and tests need (they do it by themselves)

demo: tools asterisk client ## two SOS on real Asterisk, timed against the requirements; DEMO_JSON=file writes them down
	@$(NODE) control-plane/sandbox/demo.ts

sandbox: tools asterisk client ## run the gateway with a simulated carrier until Ctrl-C; BIND=address serves other devices
	@$(NODE) control-plane/sandbox/main.ts

test: setup ## lint and all test suites, in LANES=3 lanes side by side (what CI runs)
	@$(NODE) control-plane/tools/run-tests.ts --make lint $(SUITES)

test-unit: tools ## the unit tests; ARGS='-g RTC-3' goes to mocha, as in all of these
	@$(NODE) control-plane/tools/run-tests.ts unit -- $(ARGS)

test-contract: tools asterisk ## the port contracts, on every real adapter
	@$(NODE) control-plane/tools/run-tests.ts contract -- $(ARGS)

test-integration: tools asterisk promtool client ## the parts on real PostgreSQL, Asterisk and sockets
	@$(NODE) control-plane/tools/run-tests.ts integration -- $(ARGS)

test-scenario: tools asterisk client ## whole incidents, step by step
	@$(NODE) control-plane/tools/run-tests.ts scenario -- $(ARGS)

test-e2e: setup ## the whole gateway, with a real browser
	@$(NODE) control-plane/tools/run-tests.ts e2e -- $(ARGS)

fuzz: setup ## the fuzz tests at length; FUZZ_SEED=n repeats a run, FUZZ_FACTOR=n makes it n times as long as in the suites
	@seed=$${FUZZ_SEED:-$$(date +%s)}; echo "FUZZ_SEED=$$seed"; FUZZ_SEED=$$seed FUZZ_FACTOR=$${FUZZ_FACTOR:-20} \
		$(NODE) control-plane/tools/run-tests.ts --deadline-s 3600 unit integration e2e -- -g 'fuzz'

coverage: tools ## coverage of the unit tests, in coverage/index.html
	@$(BIN)/c8 --all --src control-plane/src --include 'control-plane/src/**/*.ts' --reporter text --reporter html \
		$(NODE) node_modules/mocha/bin/mocha.js --reporter dot 'test/unit/**/*.test.ts'

bench: tools asterisk client ## latencies over many activations beside a floor of the same run, then bench-load
	@status=0; $(NODE) test/bench/main.ts $(ARGS) || status=1; \
		BENCH_JSON=$${BENCH_JSON:+$${BENCH_JSON%.json}-load.json} $(NODE) test/bench/load/main.ts || status=1; exit $$status

bench-load: tools asterisk client ## a hundred sessions at once: times, processor, memory, and whether any voice crossed; BENCH_JSON=file
	@$(NODE) test/bench/load/main.ts

chaos: tools asterisk client ## every fault against a session in every phase; ARGS='core.killed' picks some, CHAOS_JSON=file writes all down
	@$(NODE) test/chaos/main.ts $(ARGS)

bench-4g: tools asterisk iproute client ## SOS over a mobile network (100 ms, jitter, loss): heard in time, and understood; as root; BENCH_JSON=file
	@$(NODE) test/bench/link/main.ts

soak: tools asterisk client ## ten thousand short sessions without growth (SOAK_SESSIONS=n: fewer); BENCH_JSON=file
	@$(NODE) test/bench/load/soak-main.ts

bench-history: tools ## reports, lists, verification with a million sessions that have ended (HISTORY_SESSIONS=n: fewer); 20 GB of disk
	@$(NODE) test/bench/history/main.ts

measure: tools asterisk client ## demo and bench, written down in docs/measured.json and docs/requirements.md
	@rm -rf .cache/measured && mkdir -p .cache/measured
	-@DEMO_JSON=.cache/measured/demo.json $(NODE) control-plane/sandbox/demo.ts
	-@BENCH_JSON=.cache/measured/bench.json $(NODE) test/bench/main.ts
	$(NODE) control-plane/tools/record-measurements.ts .cache/measured/demo.json .cache/measured/bench.json
	$(NODE) control-plane/tools/requirements-document.ts

.PHONY: mutants soak-model
mutants: tools ## plants a bug for each rule in a copy of the domain, and tells how soon the model test finds it
	@$(NODE) test/model/mutants.ts

soak-model: tools ## a million random sequences against the reducer; SEQUENCES=n for another number
	@$(NODE) test/model/soak.ts $(or $(SEQUENCES),1000000)

lint: tools ## types, lint rules, format, layers, unused code
	$(BIN)/tsc --noEmit -p .
	$(BIN)/tsc --noEmit -p control-plane/src/domain
	$(BIN)/eslint .
	$(BIN)/prettier --check --log-level warn .
	$(NODE) control-plane/tools/check-layers.ts
	$(BIN)/knip

format: tools ## repair what can be repaired: format and simple lint findings
	$(BIN)/eslint --fix .
	$(BIN)/prettier --write --log-level warn .

generate: tools asterisk ## write generated code and documents anew
	$(NODE) control-plane/tools/generate-ari.ts
	$(NODE) control-plane/tools/generate-contracts.ts
	$(NODE) control-plane/tools/sandbox-numbers-document.ts
	$(NODE) control-plane/tools/draw-phases.ts
	$(NODE) control-plane/tools/requirements-document.ts

clean: ## delete what runs and tests left; keeps what was fetched
	@control-plane/tools/clean.sh runs

distclean: ## delete everything that is not in the repository
	@control-plane/tools/clean.sh all

# Steps of setup. Each is silent and quick when there is nothing to do.
tools:
	@control-plane/tools/bootstrap.sh

asterisk: tools
	@$(NODE) control-plane/sandbox/install/main.ts asterisk

chromium: tools
	@$(NODE) control-plane/sandbox/install/main.ts chromium

iproute: tools
	@$(NODE) control-plane/sandbox/install/main.ts iproute

promtool: tools
	@$(NODE) control-plane/sandbox/install/main.ts promtool

client: tools
	@$(NODE) control-plane/tools/build-client.ts
