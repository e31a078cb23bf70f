# smppgate: everything a person or CI does with this repository. `make` lists the targets.
# Needs make and Python 3.11 or newer with venv; `make interop`, `make browser` and `make bench` need more and say what.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
ARGS   ?=
JOBS   ?= 2
PROFILE ?= prove
RECORD ?=

BIN     := $(VENV)/bin
PIP     := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
PYTEST  := $(BIN)/python -m pytest
RUNTIME := $(VENV)/.runtime
DEV     := $(VENV)/.dev
AXE     := tests/browser/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help run test lint audit-code sbom interop browser bench regress crash hostile prove prove-short lock clean
.SUFFIXES:

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

run: $(RUNTIME) ## start a gateway with a demo account on loopback (ARGS: flags for quickstart)
	@$(BIN)/smppgate quickstart $(ARGS)

test: $(DEV) ## unit tests, and the whole road against a real server (ARGS: flags for pytest)
	@$(PYTEST) -m "not interop and not prove and not browser and not hostile" -n $(JOBS) --dist loadfile $(ARGS)

lint: $(DEV) ## ruff and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/mypy

audit-code: $(DEV) ## bandit over the code, pip-audit over the lock: clean, or explained in .ci/audit_code.py
	@$(BIN)/python .ci/audit_code.py

sbom: $(RUNTIME) ## dist/sbom.json: what it is made of, CycloneDX, from the lock
	@$(BIN)/python .ci/sbom.py dist/sbom.json

interop: $(DEV) ## foreign clients: smpplib, node-smpp, Kannel, Perl Net::SMPP; tshark and promtool as referees
	@$(PYTEST) -m interop $(ARGS)

browser: $(DEV) $(AXE) ## the panel in Debian's Chromium, with axe-core as its judge; pictures go to dist/screenshots
	@rm -rf dist/screenshots
	@$(PYTEST) -m browser -n $(JOBS) --dist load tests/browser $(ARGS)

bench: $(DEV) ## messages per CPU-second, next to a bare node-smpp server on the same machine
	@$(BIN)/python -m bench $(ARGS)

regress: $(DEV) ## instructions of the hot road's pieces, by valgrind, against bench/baseline.json (ARGS=--write makes it anew)
	@$(BIN)/python -m bench.regress $(ARGS)

crash: $(DEV) ## kills, failpoints, stops and power cuts under load, at length (PROFILE=ci: the short form; RECORD=1: figures)
	@HYPOTHESIS_PROFILE=$(PROFILE) SMPPGATE_FIGURES=$(if $(RECORD),docs/figures.json) \
		$(PYTEST) -m crash -s --timeout 7200 $(ARGS)

hostile: $(DEV) ## attacks on a real server while a healthy session measures it; notes the figures (ARGS=--quick: short, none)
	@SMPPGATE_FIGURES=$(if $(findstring --quick,$(ARGS)),,docs/figures.json) $(PYTEST) -m hostile tests/hostile $(ARGS)
	@$(BIN)/python docs/generate.py

prove: $(DEV) ## the long proofs: 10,000 examples each, many kill -9 rounds (most of an hour)
	@HYPOTHESIS_PROFILE=prove $(PYTEST) -m "not interop and not browser and not hostile" -n $(JOBS) --dist loadfile \
		--timeout 7200 $(ARGS)
	@$(MAKE) hostile ARGS=

prove-short: $(DEV) ## the same proofs in the size CI runs
	@$(PYTEST) -m "prove and not alone" -n $(JOBS) --dist loadfile --timeout 600 $(ARGS)
	@$(PYTEST) -m "prove and alone" --timeout 600 $(ARGS)

lock: | $(BIN)/python ## write the lock files anew from pyproject.toml
	@$(PIP) install "uv>=0.13,<0.14"
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --output-file requirements.lock pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --extra dev --constraints requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

clean: ## remove what the other targets made (the data folder stays)
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage tests/interop/node_modules \
		tests/browser/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("smppgate needs Python 3.11 or newer, this is " + sys.version) if sys.version_info < (3, 11) else 0'
	@$(PYTHON) -m venv $(VENV)

# A stamp for each set of packages: nothing is asked of the network while the lock files stand.
$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing smppgate into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "installing the development tools into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

$(AXE): tests/browser/package-lock.json
	@cd tests/browser && npm ci --silent
