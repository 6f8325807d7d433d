# Holdfast's commands. `make demo` and `make test` work from a fresh clone; `make help` lists all.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.holdfast-ready
WORKERS ?= 2
PIP_TOOLS := pip-tools==7.6.2
PIP_AUDIT := pip-audit>=2.9

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-once test lint format types layering tests fast web pictures yjs icaljs lock audit \
    bench clean

help: ## What there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## Make .venv and install what the lock pins, with hashes, and Holdfast itself

$(READY): requirements-dev.lock pyproject.toml tools/setup_venv.py
	@python="$$(PYTHON='$(PYTHON)' sh tools/find-python)" && \
	    "$$python" tools/setup_venv.py $(VENV) requirements-dev.lock
	@touch $@
	@echo "Ready: $(BIN)/holdfast"

demo: $(READY) web ## The whole story on this machine; the processes stay until Ctrl-C
	@$(BIN)/holdfast demo

demo-once: $(READY) web ## The same story, ending by itself
	@$(BIN)/holdfast demo --once

test: $(READY) yjs icaljs web lint types tests ## Everything: lint, types, layers, tests, coverage

lint: $(READY) ## Style, likely mistakes, formatting
	@echo "Lint"
	@$(BIN)/python -m ruff check --quiet .
	@$(BIN)/python -m ruff format --check --quiet . || \
	    { echo "error: some files are not formatted: make format"; exit 1; }

format: $(READY) ## Put every file into the one format
	@$(BIN)/python -m ruff check --fix-only --quiet .
	@$(BIN)/python -m ruff format .

types: $(READY) ## Strict type checks, of the pages too
	@echo "Types"
	@$(BIN)/python -m mypy
	@$(BIN)/python tools/make_api_types.py && $(BIN)/python tools/build_web.py --check

web: $(READY) ## The pages, from web/ into the package, where they are older than their sources
	@$(BIN)/python tools/build_web.py

pictures: $(READY) web ## The pictures of the documents, by a Chromium, into docs/pictures
	@$(BIN)/python tools/screenshots.py

layering: $(READY) ## Only the tests of the layers and of the tree's hygiene
	@$(BIN)/python -m pytest -q tests/test_layering.py

tests: $(READY) yjs icaljs web
	@echo "Tests"
	@$(BIN)/python -m pytest -q -n $(WORKERS) --cov --cov-report=term

fast: $(READY) web ## Tests only, without the slow ones, up to the first failure
	@$(BIN)/python -m pytest -q -x -m "not slow and not kill"

# Yjs opens our pages in one test, and ical.js reads our calendars in another. They are wanted, not
# needed: without them those tests skip and say so.
yjs icaljs:
	@if command -v npm >/dev/null 2>&1 && command -v node >/dev/null 2>&1; then \
	    $(MAKE) --silent --no-print-directory tests/$@/node_modules/.holdfast-ready; \
	else \
	    echo "$@: no node and npm here; its test will be skipped"; \
	fi

tests/%/node_modules/.holdfast-ready: tests/%/package.json tests/%/package-lock.json
	@echo "$*, as tests/$*/package-lock.json pins it"
	@if (cd tests/$* && npm ci --silent); then touch $@; \
	else echo "$*: npm ci failed; its test will be skipped"; fi

# Only the default index: what a local wheel directory adds would put hashes into the lock that
# nobody else can fetch. Versions stay as they are; `make lock UPGRADE=--upgrade` renews them.
UPGRADE ?=
CLEAN_PIP := env -u PIP_FIND_LINKS -u PIP_INDEX_URL -u PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE=/dev/null
COMPILE := $(CLEAN_PIP) CUSTOM_COMPILE_COMMAND="make lock" .venv-lock/bin/python -m piptools compile \
    --quiet --no-config --generate-hashes --strip-extras --allow-unsafe \
    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(UPGRADE)

lock: ## Compile both lock files from pyproject.toml
	@python="$$(PYTHON='$(PYTHON)' sh tools/find-python)" && "$$python" -m venv .venv-lock
	@$(CLEAN_PIP) .venv-lock/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_TOOLS)
	@echo "requirements.lock (what runs)"
	@$(COMPILE) --output-file requirements.lock pyproject.toml
	@echo "requirements-dev.lock (what also tests and builds)"
	@$(COMPILE) --extra dev --constraint requirements.lock \
	    --output-file requirements-dev.lock pyproject.toml
	@rm -rf .venv-lock

# Asks the index's own list of known weaknesses; a machine that cannot reach it learns nothing.
audit: ## Known weaknesses of what the locks pin, where their list can be reached
	@python="$$(PYTHON='$(PYTHON)' sh tools/find-python)" && "$$python" -m venv .venv-lock
	@$(CLEAN_PIP) .venv-lock/bin/python -m pip install --quiet --disable-pip-version-check "$(PIP_AUDIT)"
	@$(CLEAN_PIP) .venv-lock/bin/python -m pip_audit --disable-pip --require-hashes --strict \
	    --requirement requirements.lock --requirement requirements-dev.lock; \
	    status=$$?; rm -rf .venv-lock; exit $$status

bench: $(READY) ## Measure, as ratios to raw SQLite and raw HTTP
	@$(BIN)/holdfast bench

clean: ## Remove whatever a run made, .venv included
	@rm -rf $(VENV) .venv-lock .venv-node tests/*/node_modules web/node_modules holdfast/api/pages \
	    build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find holdfast tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
