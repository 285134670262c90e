# `make bindings` and `make test` are all that a user needs; both set up .venv by themselves.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: bindings test accept lint check bench mutants soak live test-pythons test-newer-pythons clean

bindings: $(VENV)/ready
	$(BIN)/xenbind generate
	$(BIN)/xenbind verify

# With OPTIONS=--exhaustive also what takes long, as in CI.
OPTIONS =
test: $(VENV)/ready
	$(BIN)/pytest -n auto --dist worksteal $(OPTIONS)

# Take what the tests now see as what they should see; look at the diff before you commit.
accept: $(VENV)/ready
	XENBIND_ACCEPT=1 $(BIN)/pytest tests || true
	git status --short tests

lint: SOURCES = codegen runtime generated tests examples benchmarks
lint: $(VENV)/ready
	$(BIN)/black --check --quiet $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	PYTHONPATH=generated $(BIN)/lint-imports

check: $(VENV)/ready
	$(BIN)/xenbind check

bench: $(VENV)/ready
	$(BIN)/pip install --quiet -e '.[bench]'
	$(BIN)/python benchmarks/generate.py
	$(BIN)/python benchmarks/ring.py

# Rings between two processes, and against a peer that writes nonsense, in full: a million
# requests each way and half a minute of nonsense. `make test` does the same in a few seconds.
soak: $(VENV)/ready
	$(BIN)/pytest tests/soak --exhaustive

# The examples' monitor on a real Xen with a guest, all of it under QEMU: needs no root and
# no Xen, but Debian's apt and some of its packages; takes two minutes. ARCH=arm64 is another.
ARCH ?= x86_64
live: $(VENV)/ready
	$(BIN)/pytest tests/live --arch $(ARCH)

# Alter the translated ring code in every way, and see that the tests find each.
mutants: $(VENV)/ready
	PYTHONPATH=generated:tests/helpers $(BIN)/python tests/backend/rings/mutants.py

# The tests on every CPython from 3.11 up: those on the PATH, and pyenv's; then the newer ones.
test-pythons: test-newer-pythons
	PYTHON='$(PYTHON)' sh tests/pythons/installed.sh

# What is generated, and the generator, on CPython 3.14 and 3.15. These are Debian's, fetched
# and run without root, of its suite where packages come first.
test-newer-pythons: $(VENV)/ready
	$(BIN)/pytest tests/pythons

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@

clean:
	rm -rf $(VENV) .venv-*
