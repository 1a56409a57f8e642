# Each target sets itself up: Python 3.11+ and make are all it takes.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
BIN := $(VENV)/bin

.PHONY: help demo test test-all crash check bench lock clean
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/	/' | expand -t 12

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "memsync needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12"; exit 2; }
	@echo "Setting up $(VENV) (once) ..."
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## the whole job on embedded parts, in under a minute
	@$(BIN)/memsync demo

test: $(READY)  ## the tests
	@$(BIN)/python -m pytest -m "not slow"

test-all: $(READY)  ## the tests, slow ones too
	@$(BIN)/python -m pytest

SEEDS ?= 200
crash: $(READY)  ## the crash suite at length: SEEDS=200 trials in one go, with their figures
	@cd tests && ../$(BIN)/python -m crash $(SEEDS)

check: $(READY)  ## formatting, linting, types, tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(MAKE) --no-print-directory test

bench: $(READY)  ## speed and memory, beside a hand-written minimal loop
	@$(BIN)/python -m benchmarks

lock:  ## renew requirements.lock (needs uv)
	@uv pip compile pyproject.toml --all-extras --generate-hashes --universal --no-header --no-annotate --output-file requirements.lock $(UPGRADE)

clean:  ## remove what the targets made
	@rm -rf $(VENV) memsync-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
