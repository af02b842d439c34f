# Each target installs what it needs by itself into .venv; a second call returns at once.
# Nothing here depends on a POSIX shell's extensions or on GNU tools beside make.

ifndef PYTHON
# The first interpreter that runs at all, to have bootstrap.py choose (or refuse) the right one: a shim may be
# there without a Python behind it.
PYTHON := $(shell for python in .venv/bin/python python3 python3.12 python3.11 python; do \
	"$$python" -ISc '' 2>/dev/null && echo "$$python" && break; done)
endif

VENV = .venv/bin/python
COMPILE = .local/tools/bin/uv pip compile --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11

.PHONY: help run test fuzz check bench lock schema clean runtime dev

help:
	@echo "make run     the shop on http://localhost:8000 (PORT=8001 make run: on another port)"
	@echo "             (GATEWAY_DOUBLES=1 make run: with a double of every payment gateway)"
	@echo "make test    all tests (make test ARGS='-k cart': some of them)"
	@echo "make fuzz    5000 random documents of each kind, with the engine and without (FUZZ_EXAMPLES=500 make fuzz)"
	@echo "make check   lint, format, types, import directions, migrations, schema.graphql, production settings"
	@echo "make bench   measure requests against a generated shop"
	@echo "make schema  write schema.graphql"
	@echo "make lock    compile requirements.lock and requirements-dev.lock again"
	@echo "make clean   remove .venv, .local (with the local shop's data) and all caches"

# The doubles of the gateways, and what they need, are those of the tests.
run: $(if $(filter 1 true yes on y ok,$(GATEWAY_DOUBLES)),dev,runtime)
	@exec $(VENV) -m backend.local.run

test: dev
	@exec $(VENV) -m pytest --numprocesses logical --dist loadfile $(ARGS)

fuzz: export FUZZ_EXAMPLES ?= 5000
fuzz: dev
	@exec $(VENV) -m pytest --numprocesses logical -k any_document tests/schema $(ARGS)

check: dev
	@exec $(VENV) backend/local/check.py

bench: runtime
	@exec $(VENV) -m bench $(ARGS)

schema: runtime
	@exec $(VENV) manage.py export_schema

lock: python
	@$(PYTHON) backend/local/bootstrap.py tools
	$(COMPILE) --quiet pyproject.toml -o requirements.lock
	$(COMPILE) --quiet --group dev -c requirements.lock -o requirements-dev.lock

clean: python
	@$(PYTHON) backend/local/bootstrap.py clean

runtime dev: python
	@$(PYTHON) backend/local/bootstrap.py $@

.PHONY: python
python:
	@test -n "$(PYTHON)" || { echo "Cartograph needs Python 3.11 or 3.12, and this machine has no Python that runs." >&2; exit 1; }
	@"$(PYTHON)" -ESc 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null || { \
		echo "PYTHON=$(PYTHON) does not run, or is too old: Cartograph needs Python 3.11 or 3.12." >&2; exit 1; }
