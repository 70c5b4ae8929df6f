# Every target makes what it needs: a Python >= 3.11, make and a package index are enough to start from.
# An environment is .venv/; the first Python of this list that will do makes it (`make test PYTHON=/opt/bin/python3.12`).
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
ON_ALL_CORES := -n auto --dist loadfile

# A site's PYTHONPATH (basf2 and ROOT set one) would put its packages before those of the environment.
unexport PYTHONPATH
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Its newest source distribution is ahead of its wheels, and takes a compiler and minutes.
export PIP_ONLY_BINARY := pythia8mc

SAMPLE := zprime.h5
PLOTS := plots
PICTURES := $(patsubst examples/%.py,%.png,$(wildcard examples/*.py))

.DEFAULT_GOAL := help
.PHONY: help sample test validate lint bench clean distclean

help:
	@echo 'make sample     20 000 e+ e- -> mu+ mu- Z'"'"' events at Belle II in $(SAMPLE), and pictures of them in $(PLOTS)/'
	@echo 'make test       the tests; a part of them: make test ARGS="tests/gen -k isr"'
	@echo 'make validate   the tests that need large samples, and those against published figures that do'
	@echo 'make lint       ruff, mypy and repo-review'
	@echo 'make bench      benchmarks/: events per second of every stage, widths next to published ones'
	@echo 'make clean      remove what the other targets wrote; distclean removes the environment too'

sample: $(VENV)/.with-plot
	$(BIN)/darkbelle produce mumu-zprime -p mass=2.0 -p decay=invisible -n 20000 --experiment belle2 --seed 1 -o $(SAMPLE) --force
	$(BIN)/darkbelle info $(SAMPLE)
	$(BIN)/darkbelle plot $(SAMPLE) -o $(PLOTS) --force

test: $(VENV)/.with-test
	$(BIN)/python -m pytest $(ON_ALL_CORES) $(ARGS)

validate: $(VENV)/.with-test
	$(BIN)/python -m pytest $(ON_ALL_CORES) -m validation $(ARGS)

lint: $(VENV)/.with-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/repo-review .

bench: $(VENV)/.with-test
	@set -e; for script in $(sort $(wildcard benchmarks/*.py)); do echo "$$script"; $(BIN)/python "$$script"; done

clean:
	rm -rf $(SAMPLE) $(SAMPLE).part $(PLOTS) $(PICTURES) build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) darkbelle.egg-info

# Editable, so that the next run of any target is of the sources as they stand, with nothing to reinstall.
$(VENV)/.with-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --editable '.[$*]'
	@touch $@

$(BIN)/python:
	@for python in $(PYTHON); do \
	  if $$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "$$python -m venv $(VENV)    # $$($$python --version)"; \
	    $$python -m venv $(VENV) && exit 0; \
	    rm -rf $(VENV); exit 1; \
	  fi; \
	done; \
	echo 'darkbelle needs Python >= 3.11 with its venv module; none among: $(PYTHON).' >&2; \
	echo 'Name one, make $(or $(MAKECMDGOALS),test) PYTHON=/path/to/python3.12, or install it (Debian, Ubuntu: apt install python3-venv).' >&2; \
	exit 1

.PRECIOUS: $(VENV)/.with-%
