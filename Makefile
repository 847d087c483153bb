# Two commands need nothing typed before them: `make demo` and `make test`. Both make .venv first, once.
#   make PYTHON=python3.13 test     picks the interpreter, if .venv is not there yet
#   make test ARGS="-k wire -x"     hands arguments to pytest

PYTHON =
ARGS   =
BIN    = .venv/bin
STAMP  = .venv/.installed

help:
	@echo 'make demo             install into .venv, run scenarios/quickstart.toml, say where the report is'
	@echo 'make test             install into .venv, run every check: lint, typecheck, pytest'
	@echo 'make lint             ruff and the import contracts'
	@echo 'make typecheck        mypy --strict'
	@echo 'make interop-servers  on Debian, as root: provide Postfix, Dovecot and Exim for tests/interop'
	@echo 'make clean            remove .venv, caches and what interop-servers unpacked; out/ is yours and stays'

demo: $(STAMP)
	$(BIN)/mailproof run scenarios/quickstart.toml

test: lint typecheck
	$(BIN)/python -m pytest $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/lint-imports

typecheck: $(STAMP)
	$(BIN)/mypy

interop-servers:
	.ci/interop-servers

clean:
	rm -rf .venv .interop build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml constraints.txt
	PYTHON='$(PYTHON)' .ci/set-up
	@touch $@

.PHONY: help demo test lint typecheck interop-servers clean
