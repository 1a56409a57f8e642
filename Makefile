# Each target sets itself up: Python 3.11+ and make are all it takes.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
BIN := $(VENV)/bin
AUDIT := .venv-audit
PEERS := .venv-peers

LINT := $(VENV)/lint

.PHONY: help demo test test-all crash check lint-deploy audit bench bench-bounds bench-peers profile lock clean
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/	/' | expand -t 14

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "memsync needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12"; exit 2; }
	@echo "Setting up $(VENV) (once) ..."
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## the whole job on embedded parts, in under a minute
	@$(BIN)/memsync demo

test: $(READY)  ## the tests, four at a time: many of them wait for something
	@$(BIN)/python -m pytest -n 4 -m "not slow"

test-all: $(READY) lint-deploy  ## the tests, slow ones too
	@$(BIN)/python -m pytest

$(LINT)/.ready: $(READY) requirements-lint.lock
	@echo "Setting up $(LINT) (once) ..."
	@rm -rf $(LINT) && $(PYTHON) -m venv $(LINT)
	@$(LINT)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-lint.lock
	@touch $@

lint-deploy: $(LINT)/.ready  ## the files for containers, workflows, clusters and systemd
	@PATH="$(CURDIR)/$(LINT)/bin:$$PATH" deploy/lint

SEEDS ?= 200
crash: $(READY)  ## the crash suite at length: SEEDS=200 trials in one go, with their figures
	@cd tests && ../$(BIN)/python -m crash $(SEEDS)

check: $(READY)  ## formatting, linting, types, tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(MAKE) --no-print-directory test

$(AUDIT)/.ready: requirements-audit.lock
	@rm -rf $(AUDIT) && $(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@touch $@

# B101: asserts tell the type checker what it cannot see. B608: SQL is composed of fixed texts in one place per store, values are parameters.
audit: $(AUDIT)/.ready  ## known holes in what is installed, and risky code (needs a network)
	@$(AUDIT)/bin/bandit --quiet --recursive --skip B101,B608 sync connectors state && echo "bandit: nothing found"
	@$(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r requirements.lock \
	  || { echo "audit: no clean answer about requirements.lock: a package above has a known hole, or the advisory service could not be asked"; exit 1; }

bench: $(READY)  ## speed and memory, beside a hand-written minimal loop: ARGS="--rows 5000000 --repeat 1"
	@$(BIN)/python -m benchmarks $(ARGS)

$(PEERS)/.ready: requirements-peers.lock
	@echo "Setting up $(PEERS) (once) ..."
	@rm -rf $(PEERS) && $(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@touch $@

bench-bounds: $(READY)  ## start-up, waiting, calls, connectors: each figure beside its bound (ten minutes)
	@failed=0; for each in start_up connectors calls waiting; do \
	  $(BIN)/python -m benchmarks.$$each || failed=1; done; exit $$failed

bench-peers: $(READY) $(PEERS)/.ready  ## the same beside dlt, in an environment of its own
	@$(BIN)/python -m benchmarks.peers --python $(PEERS)/bin/python $(ARGS)

profile: $(READY)  ## where the time of a first run goes, by part and by function
	@$(BIN)/python -m benchmarks.where $(ARGS)

lock:  ## renew the locks (needs uv)
	@uv pip compile pyproject.toml --all-extras --generate-hashes --universal --no-header --no-annotate --output-file requirements.lock $(UPGRADE)
	@uv pip compile pyproject.toml --extra notify --constraint requirements.lock --generate-hashes --universal --no-header --no-annotate --output-file requirements-run.lock
	@uv pip compile --group build --constraint requirements.lock --generate-hashes --universal --no-header --no-annotate --output-file requirements-build.lock
	@uv pip compile --group lint --generate-hashes --universal --no-header --no-annotate --output-file requirements-lint.lock $(UPGRADE)
	@uv pip compile --group audit --generate-hashes --universal --no-header --no-annotate --output-file requirements-audit.lock $(UPGRADE)
	@uv pip compile --group peers --generate-hashes --universal --no-header --no-annotate --output-file requirements-peers.lock $(UPGRADE)

clean:  ## remove what the targets made
	@rm -rf $(VENV) $(AUDIT) $(PEERS) memsync-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
