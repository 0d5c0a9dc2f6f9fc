# Needs Python 3.11 or newer and make; everything else comes from PyPI into .venv.
# make demo ARGS="--events 5000" · make test ARGS="-k journal" · make demo PYTHON=python3.12

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
VENV ?= .venv
BIN := $(VENV)/bin
BENCH := $(VENV)-bench# the peers': they hold back packages that Riverdesk needs newer
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS ?=

.PHONY: help demo test test-kafka kafka chaos bench conformance removals check clean
.DELETE_ON_ERROR:

help:
	@echo "make demo        the main job on an embedded broker and ClickHouse, nothing to install"
	@echo "make test        all tests that need no other program"
	@echo "make test-kafka  the tests on a real Apache Kafka (Java and Maven)"
	@echo "make chaos       a fault campaign on a real Apache Kafka, everything counted"
	@echo "make bench       cost, latency, scale; against floors and other engines"
	@echo "make conformance every learner is taught a million lessons: does it grow? (minutes)"
	@echo "make removals    takes the mechanisms out one by one: do the tests notice? (minutes)"
	@echo "make check       style, types, import contracts, dependencies, spelling"
	@echo "make clean       remove the environment and all caches"

demo: $(VENV)/.demo
	@$(BIN)/riverdesk demo $(ARGS)

test: $(VENV)/.test
	@$(BIN)/python -m pytest -m "not kafka and not long" $(ARGS)

test-kafka: $(VENV)/.test
	@missing=$$($(BIN)/python -c 'from streams.local_kafka.fetch import missing_tools; print(*missing_tools())'); \
	if [ -n "$$missing" ] && [ "$${CI:-}" != true ]; then \
	  echo "make test-kafka: skipped, a real Apache Kafka needs $$missing here"; \
	else \
	  $(MAKE) --no-print-directory kafka && \
	  RIVERDESK_REQUIRE_KAFKA=1 $(BIN)/python -m pytest -m kafka $(ARGS); \
	fi

kafka: $(VENV)/.demo
	@echo "fetching Apache Kafka (once)" && $(BIN)/python -m streams.local_kafka.fetch

chaos: kafka
	@$(BIN)/riverdesk chaos --broker kafka $(ARGS)

bench: kafka $(BENCH)/.bench
	@$(BIN)/riverdesk bench --peers-python $(BENCH)/bin/python $(ARGS)

# The fixed job must be the same work for both: its packages are held at the same versions.
$(BENCH)/.bench: streams/bench/peers.txt $(VENV)/.bench
	@echo "installing the engines that Riverdesk is measured against"
	@$(BIN)/python -m venv $(BENCH)
	@$(BIN)/python -m pip freeze | grep -E '^(river|numpy|scipy|orjson)==' > $(BENCH)/same.txt
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-warn-conflicts \
	  -r streams/bench/peers.txt -c $(BENCH)/same.txt
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.bench: pyproject.toml | $(BIN)/python
	@echo "installing Riverdesk"
	@$(PIP) -e ".[embedded,bench]"
	@touch $@ $(VENV)/.demo

conformance: $(VENV)/.test
	@$(BIN)/python -m pytest -s -m long tests/models $(ARGS)

removals: $(VENV)/.test
	@$(BIN)/python -m tests.removals --baseline $(ARGS)

check: $(VENV)/.test
	@echo "ruff check" && $(BIN)/ruff check .
	@echo "ruff format" && $(BIN)/ruff format --check .
	@echo "mypy" && $(BIN)/mypy
	@echo "import contracts" && $(BIN)/lint-imports --no-cache > $(VENV)/contracts.log || { cat $(VENV)/contracts.log; exit 1; }
	@echo "dependencies" && $(BIN)/deptry .
	@echo "spelling" && $(BIN)/codespell

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Riverdesk needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	@echo "installing Riverdesk (about 300 MB, once)"
	@$(PIP) -e ".[embedded]"
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	@echo "installing Riverdesk and its tools"
	@$(PIP) -e ".[embedded,dev]"
	@touch $@ $(VENV)/.demo

clean:
	@rm -rf $(VENV) $(BENCH) .kafka build *.egg-info
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find schemas models sinks streams tests -name __pycache__ -type d -prune -exec rm -rf {} +
