# Two commands need nothing typed before them: `make demo` and `make test`. Both make .venv first, once.
#   make PYTHON=python3.13 test     picks the interpreter, if .venv is not there yet
#   make test ARGS="-k wire -x"     hands arguments to pytest

PYTHON =
ARGS   =
PIECE  = whole
ORDERS = 1 2 3 4 5 6 7 8 9 10
BIN    = .venv/bin
STAMP  = .venv/.installed

# Tests start the command some hundred times: where an environment forbids to keep what was compiled, each start takes
# half as long again.
export PYTHONDONTWRITEBYTECODE =

help:
	@echo 'make demo             install into .venv, run scenarios/quickstart.toml, say where the report is'
	@echo 'make test             install into .venv, run every check: lint, typecheck, pytest'
	@echo 'make matrix           every fault and lawful choice against every case: some four hours; writes out/matrix.xml'
	@echo '                      make matrix PIECE=3/40: the third of forty pieces'
	@echo 'make orders           the tests in virtual time, trio running their tasks in ten other orders, some 45 minutes; ORDERS="1 2"'
	@echo 'make lint             ruff and the import contracts'
	@echo 'make typecheck        mypy --strict'
	@echo 'make interop-servers  on Debian, as root: provide Postfix, Dovecot and Exim for tests/interop'
	@echo 'make servers-matrix   judge Postfix, Exim, aiosmtpd, Dovecot and our own server, and write docs/servers.md and .html'
	@echo 'make crash-proof      kill Postfix and our own server ten times amid a load, and count every 250; ARGS="--crashes 30"'
	@echo 'make ledger-proof     the ledger against sinks that do wrong, and ten million messages; some fifteen minutes'
	@echo 'make bench            measure against the peers, some 29 minutes, and write benchmarks/RESULTS.md'
	@echo '                      make bench ARGS=--quick: a sketch in four; ARGS="--only NAME"; ARGS="--rounds 9"'
	@echo 'make bench-peers      on Debian, as root: provide the peers'
	@echo 'make soak             ten minutes at 2,000 sessions; ARGS="--minutes 2 --sessions 500"'
	@echo 'make clean            remove .venv, caches and what interop-servers and bench-peers unpacked; out/ stays'

demo: $(STAMP)
	$(BIN)/mailproof run scenarios/quickstart.toml

# What runs in virtual time, or in none, is shared out among the cores. What is put to a real server, or starts processes,
# mostly waits for them, so it waits beside others; it judges no speed.
IN_VIRTUAL_TIME = $(addprefix tests/,architecture capacity conformance ledger matrix message proof refserver reports routing scenario schedule \
    session transport wire)
WHOLE_SUITES = tests/interop/test_conform.py tests/interop/test_conform_pop3.py
REAL_RUNS = tests/interop/test_run.py tests/interop/test_written_sessions.py tests/interop/test_ledger_maildir.py \
    tests/interop/test_crash.py

test: lint typecheck
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(BIN)/python -m pytest -n auto $(IN_VIRTUAL_TIME)
	$(BIN)/python -m pytest -n 3 $(WHOLE_SUITES)
	$(BIN)/python -m pytest -n 2 $(REAL_RUNS)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(addprefix --ignore=,$(IN_VIRTUAL_TIME) $(WHOLE_SUITES) $(REAL_RUNS))
endif

matrix: $(STAMP)
	MAILPROOF_MATRIX=$(PIECE) $(BIN)/python -m pytest -n auto tests/matrix tests/matrix/whole.py --junit-xml=out/matrix.xml $(ARGS)

orders: $(STAMP)
	failed=0; for order in $(ORDERS); do \
	    echo "order $$order"; MAILPROOF_ORDER=$$order $(BIN)/python -m pytest -q -n auto $(IN_VIRTUAL_TIME) $(ARGS) || failed=1; \
	done; exit $$failed

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/lint-imports

typecheck: $(STAMP)
	$(BIN)/mypy

interop-servers:
	.ci/interop-servers

crash-proof: $(STAMP)
	$(BIN)/python -m tests.interop.crash_proof $(ARGS)

ledger-proof: $(STAMP)
	$(BIN)/python -m benchmarks ledger $(ARGS)

servers-matrix: $(STAMP)
	$(BIN)/python -m tests.interop.servers_matrix $(ARGS)

bench: $(STAMP)
	$(BIN)/python -m benchmarks run $(ARGS)

bench-peers: $(STAMP)
	benchmarks/fetch-peers

soak: $(STAMP)
	$(BIN)/python -m benchmarks soak $(ARGS)

clean:
	rm -rf .venv .interop .bench/postal .bench/mpop .bench/venv .bench/scratch build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml constraints.txt hatch_build.py loadgen/transport/native.pyx loadgen/transport/system.pxd loadgen/transport/heard.pxi \
		loadgen/transport/lanes.pxi loadgen/transport/tally.pxi loadgen/session/mailing.pyx
	PYTHON='$(PYTHON)' .ci/set-up
	@touch $@

.PHONY: help demo test matrix orders lint typecheck interop-servers servers-matrix crash-proof ledger-proof bench bench-peers soak clean
