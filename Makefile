# Two commands: `make demo` plays a tournament, `make test` checks everything.
# Both create .venv from the hash-locked requirements.txt; Python 3.11 or later and make are enough.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
TESTS ?= tests

.PHONY: demo test lint types contracts schema docs-check pytest bench docs lock clean

demo: $(STAMP)
	$(BIN)/arena run configs/quickstart.yaml
	$(BIN)/arena leaderboard --tournament quickstart

test: lint types contracts schema pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports --no-cache

schema: $(STAMP)
	rm -rf .venv/schema-check && mkdir .venv/schema-check
	$(BIN)/arena db upgrade --db sqlite:///.venv/schema-check/arena.db
	$(BIN)/arena db check --db sqlite:///.venv/schema-check/arena.db

pytest: $(STAMP)
	$(BIN)/python -m pytest $(TESTS) -n 2

bench: $(STAMP)
	$(BIN)/python -m bench

docs: $(STAMP)
	$(BIN)/python -m arena.cli.docs > docs/commands.md
	$(BIN)/arena schema > docs/tournament.schema.json

# The lock names versions and hashes for every platform, and no index.
lock: $(STAMP)
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--all-extras --quiet pyproject.toml -o requirements.txt

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "Python 3.11 or later is needed, $(PYTHON) is %d.%d: make PYTHON=python3.11" % v[:2])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@
