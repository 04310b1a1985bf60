# stammkunde: `make report` builds the pilot company's report, `make test` runs every test.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PILOT := data/pilot/truth.json

.PHONY: help setup report test lint bench peers lab lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

setup: $(VENV)/.installed ## virtual environment in .venv with all that runs and tests need

$(VENV)/.installed: requirements.lock pyproject.toml tools/system-packages
	PYTHON="$(PYTHON)" tools/system-packages run
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(PILOT): | $(VENV)/.installed
	$(BIN)/stammkunde pilot data/pilot

report: $(PILOT) ## build the pilot company's report for its last complete quarter
	$(BIN)/stammkunde run params/pilot.yml

test: lint ## every test
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: setup ## style, types, notebooks without outputs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/nbstripout --verify notebooks/*.ipynb

bench: setup ## measure the kit against its peers and write benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

peers: ## environment of the libraries that bench measures against, in .venv-bench
	"$(PYTHON)" -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet lifelines lifetimes

lab: $(PILOT) ## JupyterLab on the notebooks, with the pilot's snapshot ready
	$(BIN)/stammkunde lab params/pilot.yml

lock: ## resolve requirements.lock anew: versions and hashes only
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --group dev pyproject.toml --output-file requirements.lock

clean: ## remove what was built, but not the reports
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
