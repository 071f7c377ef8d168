# Everything runs in .venv, made from requirements.lock; nothing else on the machine is touched.
PYTHON ?= python3
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
BIN := .venv/bin
# The lock is complete: pip has nothing to resolve, only to verify and unpack.
PIP = $(BIN)/python -m pip install --disable-pip-version-check --no-deps
# Some images forbid bytecode; every Airflow task would then compile its imports again.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: setup demo up down test lint bench docs lock

setup: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	@echo "Installing $$(grep -c '^[a-z0-9].*==' requirements.lock) locked packages; the first time takes about two minutes."
	@$(PIP) --require-hashes -r requirements.lock | awk '\
	  /^Collecting/ && !(++n % 25) { print "  " n " packages fetched"; fflush() } \
	  /^Installing/ { print "  unpacking them"; fflush() }'
	@$(PIP) --quiet --no-build-isolation --editable .
	@touch $@

demo: setup
	$(BIN)/engagement demo

up: setup
	$(BIN)/engagement up

down: setup
	$(BIN)/engagement down

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar include/sql

# What a month takes, in 20 to 35 minutes: var/bench.json and docs/benchmarks.md. ONLY=check measures that part again.
bench: setup
	PYTHONPATH=tests $(BIN)/python -m benchmarks.run $(ONLY)

# Writes docs/tables.md and docs/dags.md from the schema and the DAG files.
docs: setup
	$(BIN)/python docs/generate.py

# Needs uv; a lock for every Python from 3.11 on, without the address of an index.
lock:
	uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --upgrade --output-file requirements.lock
