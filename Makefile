# Two commands do everything on a fresh clone: `make run` and `make test`. `make help` lists the rest.
SHELL := /bin/sh
PORT ?= 8080
SOAK_MINUTES ?= 120
FUZZ_SECONDS ?= 60
UV_VERSION := 0.13.9
PYTHON := $(shell command -v python3.11 || command -v python3)
UV := $(shell command -v uv || echo .tools/bin/uv)
export UV_PYTHON_DOWNLOADS := never
# Else each start compiles Rasa anew where Python may not write bytecode.
export UV_COMPILE_BYTECODE := 1
export RASA_TELEMETRY_ENABLED := false
export PORT

.DEFAULT_GOAL := help
.PHONY: help run train test lint evaluate bench bench-clinc test-browser test-scale chaos soak fuzz mutation coverage setup setup-dev audit sbom

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## set everything up and serve on PORT (8080)
	@.venv/bin/sapa train
	@exec .venv/bin/sapa serve

train: setup ## train the model where the training files have changed
	@.venv/bin/sapa train

test: setup-dev ## run the tests, with set-up
	@.venv/bin/sapa train
	.venv/bin/pytest -n 2 --dist worksteal

lint: setup-dev ## check style, types, imports, dead code, training data, length of sentences and size of the widget
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/vulture
	.venv/bin/python -m evaluation.check_data
	.venv/bin/python -m evaluation.check_sentences
	.venv/bin/python widget/check_size.py

evaluate: setup-dev ## measure understanding on evaluation/**/*.csv, write evaluation/report.md
	@.venv/bin/sapa train
	.venv/bin/python -m evaluation.report $(EVALUATE_OPTIONS)

test-browser: setup-dev ## run the tests in Debian's Chromium
	@.venv/bin/sapa train
	$(UV) sync --frozen --group browser --python $(PYTHON)
	.venv/bin/pytest -m browser tests/browser

test-scale: setup-dev ## run the tests on PostgreSQL and Redis (SAPA_TEST_POSTGRES names the server), and slow ones
	@.venv/bin/sapa train
	$(UV) sync --frozen --group scale --python $(PYTHON)
	.venv/bin/pytest -m "scale and not chaos"

chaos: setup-dev ## kill a real server in mid-work, again and again (CHAOS_KILLS times, 50), and four under load; count
	@.venv/bin/sapa train
	$(UV) sync --frozen --group scale --python $(PYTHON)
	.venv/bin/pytest -m chaos

soak: setup-dev ## load a server fully for SOAK_MINUTES (120) and see whether it grows
	@.venv/bin/sapa train
	.venv/bin/python -m bench.soak --minutes $(SOAK_MINUTES)

fuzz: setup-dev ## search parsers and renderers for faults, guided by coverage, for FUZZ_SECONDS (60) each
	$(UV) run --frozen --group fuzz python -m tests.fuzz.run --seconds $(FUZZ_SECONDS)

mutation: setup-dev ## change calendar, tickets, privacy and SIMPEL's disclosure in small ways: a change that no test sees has to be explained
	$(UV) sync --frozen --group mutation --python $(PYTHON)
	rm -rf mutants # mutmut copies no newer data files into it
	nice .venv/bin/mutmut run
	.venv/bin/python -m tests.mutation.survivors

coverage: setup-dev ## which lines and branches no test of make test and make test-scale reaches; about 25 minutes
	@.venv/bin/sapa train
	$(UV) sync --frozen --group scale --python $(PYTHON)
	.venv/bin/coverage erase
	.venv/bin/coverage run -m pytest -n 2 --dist worksteal
	.venv/bin/coverage run -m pytest -m "scale and not chaos" --ignore tests/scale
	.venv/bin/coverage combine --quiet
	.venv/bin/coverage report --include "services/*,store/*" --precision 1 --fail-under 99.9
	.venv/bin/coverage report --fail-under 96

bench: setup-dev ## measure against stock Rasa, and the desk's search over a million messages; write bench/*.md
	@.venv/bin/sapa train
	.venv/bin/python -m bench.run $(BENCH_OPTIONS)
	.venv/bin/python -m bench.search

bench-clinc: setup-dev ## measure the intent classifier on CLINC150 (CLINC150 names its data_full.json)
	OPENBLAS_NUM_THREADS=1 .venv/bin/python -m bench.clinc

audit: setup-dev ## ask after known vulnerabilities and licences of what production installs
	@$(UV) export --quiet --frozen --no-dev --no-emit-project --format requirements.txt --output-file .venv/requirements.txt
	$(UV) run --frozen --group audit python deploy/audit.py .venv/requirements.txt

sbom: tools ## write a bill of materials (CycloneDX 1.5) to sbom.json
	$(UV) export --quiet --frozen --no-dev --preview-features sbom-export --format cyclonedx1.5 --output-file sbom.json

setup: .venv/production.stamp
setup-dev: .venv/development.stamp

.venv/production.stamp: pyproject.toml uv.lock | tools
	@if [ ! -f .venv/development.stamp ]; then $(UV) sync --frozen --no-dev --python $(PYTHON); \
	 else $(UV) sync --frozen --python $(PYTHON); fi
	@touch $@

.venv/development.stamp: pyproject.toml uv.lock | tools
	$(UV) sync --frozen --python $(PYTHON)
	@touch $@ .venv/production.stamp

.PHONY: tools
tools:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
	 echo "Sapa Setneg needs Python 3.11: install it (for example: apt install python3.11) and run make again." >&2; exit 1; }
	@command -v $(UV) >/dev/null 2>&1 || [ -x $(UV) ] || { echo "putting uv $(UV_VERSION) into .tools"; \
	 { $(PYTHON) -m venv .tools && .tools/bin/python -m pip install --quiet uv==$(UV_VERSION); } || \
	 { rm -rf .tools; $(PYTHON) -m pip install --quiet --target .tools uv==$(UV_VERSION); }; }
