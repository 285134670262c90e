# `make bindings` and `make test` are all that a user needs; both set up .venv by themselves,
# the first with xenbind alone, the second with what the tests need too.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: bindings test accept lint check dist site reference headers peers xen-public bench bench-size mutants soak live bench-live suites test-pythons test-newer-pythons clean

bindings: $(VENV)/xenbind
	$(BIN)/xenbind generate
	$(BIN)/xenbind verify
	@echo 'Call xenbind as $(BIN)/xenbind; or as xenbind, in a shell after: . $(BIN)/activate'

# With OPTIONS=--exhaustive also what takes long, as in CI.
OPTIONS =
test: $(VENV)/ready
	$(BIN)/pytest -n auto --dist worksteal $(OPTIONS)

# Take what the tests now see as what they should see; look at the diff before you commit.
accept: $(VENV)/ready
	XENBIND_ACCEPT=1 $(BIN)/pytest tests || true
	git status --short tests codegen

lint: SOURCES = .ci/dist.py hatch_build.py codegen runtime generated tests examples benchmarks docs reference_pages
lint: $(VENV)/ready
	$(BIN)/black --check --quiet $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	PYTHONPATH=generated $(BIN)/lint-imports

check: $(VENV)/xenbind
	$(BIN)/xenbind check

# What is released: source and wheel of both packages, in dist/, as docs/releasing.md tells.
dist: $(VENV)/ready
	$(BIN)/python .ci/dist.py

# The pages of docs/ as a site, site/index.html, which needs no network; a dead link is an error.
# Not with --quiet, by which --strict sees no warnings.
site: $(VENV)/xenbind
	$(BIN)/pip install --disable-pip-version-check --quiet -e '.[site]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The pages of docs/reference/, by what commands, the package and the project's checks say.
reference: $(VENV)/ready
	PYTHONPATH=generated $(BIN)/python -m reference_pages

# Every header of the machine's that the compiler accepts alone, each with nothing but its name;
# EVERY=20 is a twentieth of them.
EVERY = 1
headers: $(VENV)/ready
	$(BIN)/python benchmarks/headers.py --every $(EVERY) --least 97

# How ctypesgen's and clang2py's modules of the same headers stand beside xenbind's.
peers: $(VENV)/ready
	$(BIN)/pip install --quiet -e '.[bench]'
	$(BIN)/python benchmarks/peers.py

# What becomes of each of Xen's headers, as docs/xen-public.md lists it.
xen-public: $(VENV)/ready
	$(BIN)/python benchmarks/xen_public.py > docs/xen-public.md

bench: $(VENV)/ready
	$(BIN)/pip install --quiet -e '.[bench]'
	$(BIN)/python benchmarks/generate.py
	$(BIN)/python benchmarks/ring.py
	$(BIN)/python benchmarks/decode.py

# Time and memory with the size of the header, beside other generators.
bench-size: $(VENV)/ready
	$(BIN)/pip install --quiet -e '.[bench]'
	$(BIN)/python benchmarks/size.py

# Rings between two processes, and against a peer that writes nonsense, in full: a million
# requests each way and half a minute of nonsense. `make test` does the same in a few seconds.
soak: $(VENV)/ready
	$(BIN)/pytest tests/soak --exhaustive

# The package's monitor on a real Xen with guests, all of it under QEMU: needs no root and no
# Xen, but Debian's apt and some of its packages; takes three minutes.  ARCH=arm64 is another
# machine, and SUITE=trixie another of Debian's suites, and so another Xen, than the host's.
# XEN=FILE is a hypervisor of one's own, such as one for arm64 with CONFIG_MEM_ACCESS, which
# Debian's lacks.
ARCH ?= x86_64
SUITE =
XEN =
MACHINE = --arch $(ARCH) $(if $(SUITE),--suite $(SUITE)) $(if $(XEN),--xen $(XEN))
live: $(VENV)/ready
	$(BIN)/pytest tests/live $(MACHINE)

# How many events a second the package's monitor answers, beside Xen's own in C, on such a machine.
# That one, xen-access, does without memory access nothing: it takes ARCH=arm64 and such a XEN.
bench-live: $(VENV)/ready
	$(BIN)/pytest tests/live --speed $(MACHINE)

# Alter the code of rings and of pages of events in every way, and see that the tests find each.
mutants: $(VENV)/ready
	PYTHONPATH=generated:tests/helpers $(BIN)/python tests/backend/rings/mutants.py
	PYTHONPATH=generated:tests/helpers $(BIN)/python tests/package/tree_ring_mutants.py
	PYTHONPATH=generated:tests/helpers $(BIN)/python tests/events/event_mutants.py
	PYTHONPATH=generated:tests/helpers $(BIN)/python tests/backend/rings/flex_mutants.py

# Random types of generators that others wrote, gcc's and csmith's, fetched from Debian: read, verified
# for three targets by gcc and clang, and used through Python. A fixed seed and a fresh one,
# which is printed; SEED=7 is that one alone.
SEED =
suites: $(VENV)/ready
	$(BIN)/pytest tests/suites -n auto --dist worksteal $(if $(SEED),--seed $(SEED))

# The tests on every CPython from 3.11 up: those on the PATH, and pyenv's; then the newer ones.
test-pythons: test-newer-pythons
	PYTHON='$(PYTHON)' sh tests/pythons/installed.sh

# What is generated, and the generator, on CPython 3.14 and 3.15. These are Debian's, fetched
# and run without root, of its suite where packages come first.
test-newer-pythons: $(VENV)/ready
	$(BIN)/pytest tests/pythons

# One that is there and whole is kept; what an interrupted or too old Python left is made anew.
$(VENV)/xenbind: pyproject.toml
	@$(BIN)/python -c '$(IS_NEW)' 2>/dev/null && $(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	    $(PYTHON) -c '$(IS_NEW)' || { \
	        echo "xenbind needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1 || echo none)."; \
	        echo 'Name another, as in: make bindings PYTHON=python3.12'; exit 1; } >&2; \
	    echo "Making $(VENV) with $$($(PYTHON) --version)"; \
	    $(PYTHON) -m venv $$([ ! -e $(VENV)/pyvenv.cfg ] || echo --clear) $(VENV); }
	@echo 'Installing xenbind and what it needs into $(VENV)'
	$(BIN)/pip install --disable-pip-version-check -e .
	@touch $@

$(VENV)/ready: $(VENV)/xenbind
	@echo 'Installing what the tests need into $(VENV): 950 MB'
	$(BIN)/pip install --disable-pip-version-check -e '.[test]'
	@touch $@

IS_NEW = import sys; sys.exit(sys.version_info < (3, 11))

clean:
	rm -rf $(VENV) .venv-* site
