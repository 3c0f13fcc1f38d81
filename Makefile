# Benne's commands; `make` lists them. Each one first sets up what it needs in .venv.
#
# Another interpreter:           make demo PYTHON=python3.12
# Options passed on to pytest:   make test ARGS="-k consent -x"
# Newer pinned versions:         make lock ARGS=--upgrade

VENV    ?= .venv
LOWEST  ?= .venv-lowest
WORKERS ?= auto
ARGS    ?=
PORT    ?= 8350

BIN    := $(VENV)/bin
SUITE  := -m pytest -n $(WORKERS) --dist worksteal
# The first interpreter of a supported version that can make virtual environments.
FIT    := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for it in python3 python3.13 python3.12 python3.11 python; do \
	"$$it" -c '$(FIT)' 2>/dev/null && { command -v "$$it"; break; }; done)

# uv installs in seconds, from the package index or from the mirror its own settings name.
# Where only pip knows the way to an index, pip takes over: $(call install,<venv>,<arguments>).
install = $(BIN)/uv pip install --quiet --python $(1) --no-deps $(2) \
	|| $(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps $(2)
lock    = $(BIN)/uv pip compile --quiet --generate-hashes \
	--annotation-style line --custom-compile-command "make lock" --python-version 3.11 \
	-c constraints/held-back.in $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-full test-lowest check types bench bench-features bench-model bench-service bench-batch bench-explanations bench-console bench-monitoring bench-large screenshots lock clean
.DELETE_ON_ERROR:

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Raw events of 20,000 simulated members become explained scores: build/demo/report.html
	$(BIN)/benne demo $(ARGS)

serve: $(VENV)/.demo ## The scoring service with the demo's model and simulated members, on 127.0.0.1 (PORT=8350)
	@test -f build/demo/summary.json || $(BIN)/benne demo
	@BENNE_PORT=$(PORT) $(BIN)/benne service demo build/demo/service --model build/demo/model
	@BENNE_PORT=$(PORT) $(BIN)/benne serve build/demo/service

test: $(VENV)/.dev ## The tests, without those marked slow
	$(BIN)/python $(SUITE) -m "not slow" $(ARGS)

test-full: $(VENV)/.dev ## All tests, the slow ones too
	$(BIN)/python $(SUITE) $(ARGS)

test-lowest: $(LOWEST)/.installed ## The tests on the lowest versions that pyproject.toml declares
	$(LOWEST)/bin/python $(SUITE) -m "not slow" $(ARGS)

check: $(VENV)/.dev types ## Style, types, import contracts, and whether the documents tell the truth
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p benne
	PYTHONPATH=.types $(BIN)/lint-imports
ifndef CI # there `make test` has just read the documents
	$(BIN)/python -m pytest -q -n $(WORKERS) tests/test_docs.py
endif

types: ## Mirror the installed names in .types, where type checkers and the import linter look
	@mkdir -p .types/benne
	@find .types -type l ! -exec test -e {} \; -exec rm {} +
	@ln -sfn $(foreach file,$(wildcard src/benne/*.py src/benne/py.typed src/benne/cli),../../$(file)) .types/benne/
	@ln -sfn $(foreach folder,features models explain scoring experiments,../../$(folder)) .types/benne/

bench: bench-features bench-model bench-service bench-batch bench-explanations bench-console bench-monitoring ## Accuracy, time and memory, in ratios measured in the same run

bench-features: $(VENV)/.dev ## Features beside pandas, Polars, DuckDB's SQL and Spark; some five minutes
	$(BIN)/python benchmarks/bench_features.py $(ARGS)

bench-model: $(VENV)/.dev ## The score model beside LightGBM, OptBinning and shap; some five minutes
	$(BIN)/python benchmarks/bench_model.py $(ARGS)

bench-service: $(VENV)/.dev ## The scoring service beside MLflow's own server, on the same model; some three minutes
	$(BIN)/python benchmarks/bench_service.py $(ARGS)

bench-batch: $(VENV)/.dev ## Batch scoring beside LightGBM: points from Parquet, then consents, audit and output; some three minutes
	$(BIN)/python benchmarks/bench_batch.py $(ARGS)

bench-explanations: $(VENV)/.dev ## Points, reasons and key factors beside LightGBM's pred_contrib; a minute or two
	$(BIN)/python benchmarks/bench_explanations.py $(ARGS)

bench-monitoring: $(VENV)/.dev ## A million rows of seventy features against a model's reference, beside pandas; two minutes
	$(BIN)/python benchmarks/bench_monitoring.py $(ARGS)

bench-console: $(VENV)/.dev ## Every page of the console at a hundred thousand members; some five minutes
	$(BIN)/python benchmarks/bench_console.py $(ARGS)

bench-large: $(VENV)/.peers ## Features of 100,000,000 payments, a fit of a million rows, InterpretML's EBM, ten million members scored: two hours, 45 GB on disk
	$(BIN)/python benchmarks/bench_features.py --events 20000000 --growth 5
	$(BIN)/python benchmarks/bench_model.py --peers ebm --rows 1000000
	$(BIN)/python benchmarks/bench_batch.py --members 10000000

screenshots: $(VENV)/.dev ## Pictures of the console for docs/console.md, taken in Chromium: docs/screens
	$(BIN)/python tests/browser/screenshots.py

lock: $(VENV)/.created ## Resolve the pinned, hashed sets in constraints/ anew (ARGS=--upgrade for newer versions)
	$(lock) pyproject.toml --universal --fork-strategy fewest --extra dev --group build -o constraints/dev.txt
	$(lock) pyproject.toml --universal --fork-strategy fewest --extra train --extra report --extra pdf --extra service --extra client --extra challengers --group build \
	-c constraints/dev.txt -o constraints/demo.txt
	$(lock) --universal --group pyproject.toml:installer -o constraints/installer.txt
	$(lock) --universal --fork-strategy fewest -c constraints/dev.txt benchmarks/peers.in -o benchmarks/peers.txt
	$(lock) pyproject.toml --upgrade --resolution lowest-direct --python-platform linux --extra dev --group build -o constraints/lowest.txt

clean: ## Remove everything these commands made, virtual environments included
	rm -rf $(VENV) $(LOWEST) .types build dist *.egg-info .coverage
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------- environments
# A stamp is older than its list or pyproject.toml when there is something to install.

$(VENV)/.created: constraints/installer.txt
	@test -n "$(PYTHON)" && "$(PYTHON)" -c '$(FIT)' || { echo "Benne needs Python 3.11, 3.12 or 3.13 with the venv module; \
	'$(PYTHON)' is not that. Install one, or name it: make PYTHON=python3.12" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r constraints/installer.txt
	@touch $@

$(VENV)/.demo: $(VENV)/.created constraints/demo.txt pyproject.toml
	$(call install,$(VENV),--require-hashes -r constraints/demo.txt)
	$(call install,$(VENV),--no-build-isolation -e .)
	@touch $@

$(VENV)/.dev: $(VENV)/.created constraints/dev.txt pyproject.toml
	$(call install,$(VENV),--require-hashes -r constraints/dev.txt)
	$(call install,$(VENV),--no-build-isolation -e .)
	@touch $@ $(VENV)/.demo

$(VENV)/.peers: $(VENV)/.dev benchmarks/peers.txt
	$(call install,$(VENV),--require-hashes -r benchmarks/peers.txt)
	@touch $@

$(LOWEST)/.installed: $(VENV)/.created constraints/lowest.txt pyproject.toml
	"$(PYTHON)" -m venv $(LOWEST)
	$(call install,$(LOWEST),--require-hashes -r constraints/lowest.txt)
	$(call install,$(LOWEST),--no-build-isolation -e .)
	@touch $@
