# Everything a newcomer or CI does. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
PAGE := gateway/static/assets/.built
# One more than processors: many tests wait for processes of their own.
WORKERS ?= $(shell echo $$(($$(nproc 2>/dev/null || echo 2) + 1)))
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help setup run test drills bench check audit format generate lock train evaluate clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3 run"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is too old: 3.11 or newer is needed. Name one: make PYTHON=python3.12 run"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module. On Debian and Ubuntu: apt-get install python3-venv; then make again"; exit 1; }
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what the gateway runs on (from requirements.lock; takes a moment)"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "Installing what tests and checks need (from requirements-dev.lock; takes a moment)"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@

$(PAGE): $(wildcard gateway/static/page/*) | $(RUNTIME)
	@echo "Building the page"
	@$(BIN)/python -m gateway.build_page
	@touch $@

setup: $(RUNTIME) $(PAGE) ## everything a run needs, and nothing else

run: $(RUNTIME) ## the demo: nine services, the gateway and its worker, on http://127.0.0.1:8000/graphql
	@$(MAKE) --no-print-directory $(PAGE) || echo "Going on without the page at /graphql."
	@$(BIN)/gateway demo

test: $(DEV) $(PAGE) ## every test, against a real Postgres
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal

drills: $(DEV) ## faults on real processes: kill -9, a database that crashes, services that are ill (eight minutes)
	@$(BIN)/python -m pytest -s bench/drills
	@$(BIN)/python -m pytest tests/gateway/test_websocket.py tests/gateway/test_streams_over_http.py -k does_not_read

bench: $(DEV) ## how fast we are beside the limits, in one interleaved run (half an hour; wrk is needed)
	@$(BIN)/python -m bench.side_by_side

check: $(DEV) ## format, lint, types, import contracts, generated files, known vulnerabilities, secrets
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/gateway schema --check
	@$(BIN)/gateway docs --check
	@$(MAKE) --no-print-directory audit

audit: $(DEV) ## known vulnerabilities of what is brought in, and secrets in our files
	@$(BIN)/python bench/supply.py

format: $(DEV) ## put every file in shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

generate: $(RUNTIME) ## write schema.graphql and the generated docs anew
	@$(BIN)/gateway schema
	@$(BIN)/gateway docs

lock: $(DEV) ## resolve the newest allowed versions into the lock files
	@$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet pyproject.toml --extra page --output-file requirements.lock
	@$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet pyproject.toml --all-extras --constraint requirements.lock --output-file requirements-dev.lock

train: $(DEV) ## fit the models of risk, forecast and intake anew from GATEWAY_DEMO_DATA
	@test -n "$(GATEWAY_DEMO_DATA)" || { echo "Say where the learners are: GATEWAY_DEMO_DATA=../shared/data make train"; exit 1; }
	@$(BIN)/python -m analytics.training "$(GATEWAY_DEMO_DATA)"

evaluate: $(DEV) ## recompute on GATEWAY_DEMO_DATA what the formulas are worth, into docs/evidence.md
	@test -n "$(GATEWAY_DEMO_DATA)" || { echo "Say where the learners are: GATEWAY_DEMO_DATA=../shared/data make evaluate"; exit 1; }
	@$(BIN)/python -m analytics.evaluation "$(GATEWAY_DEMO_DATA)"

clean: ## remove what set-up made (.gateway, the demo's data, stays)
	rm -rf $(VENV) gateway/static/assets
