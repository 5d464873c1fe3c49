# All targets of developers. `make` by itself lists them.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
# PYTHON=... names the interpreter; by default scripts/venv.sh finds one.
PYTHON ?=
# SUT=... names the system under test of the demo; by default Kannel if it is installed.
SUT ?=
DEBIAN_PACKAGES := kannel tshark faketime freeradius chromium \
  strongswan-swanctl strongswan-charon libcharon-extra-plugins libstrongswan-extra-plugins iproute2 tcpdump

# Tests without these marks need only the installation.
MARKED := real or slow or package
# Two workers, tests in random order; -q prints a dot for each test, on a terminal only.
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal -p no:cacheprovider -q

.PHONY: help demo test test-real coverage check fix bench fuzz soak attack sample docs packages clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

$(VENV)/installed: pyproject.toml constraints.txt
	@PYTHON='$(PYTHON)' scripts/venv.sh $(VENV) '.[dev]'

demo: $(VENV)/installed ## judge a real client (Kannel if it can be installed) and print where to look (SUT=kannel)
	@[ '$(SUT)' ] || scripts/debian.sh 'the demo drives the reference client instead' kannel
	@$(BIN)/python -m tools.demo --sut '$(SUT)'

packages: # Debian packages of the real programs
	@scripts/debian.sh 'their tests are skipped' $(DEBIAN_PACKAGES)

test: $(VENV)/installed ## run every test that needs only the installation
	@$(PYTEST) -m 'not ($(MARKED))'

test-real: $(VENV)/installed packages ## run the others: real programs, documented commands, packaging, survival, large sizes
	@$(PYTEST) -m '$(MARKED)'

coverage: $(VENV)/installed ## run `make test` and print the lines and branches it does not reach
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(PYTEST:$(BIN)/python=$(BIN)/coverage run) -m 'not ($(MARKED))'
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --show-missing

check: $(VENV)/installed ## check style, types, import floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/installed ## fix style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed ## measure speed: ratios within one run, absolute figures to compare on one machine
	$(BIN)/python -m tools.bench

fuzz: $(VENV)/installed ## feed two million mutated frames to all parsers (SECONDS=900, SEED=1)
	$(BIN)/python -m tools.fuzz --seconds $(or $(SECONDS),900) --seed $(or $(SEED),1)

soak: $(VENV)/installed ## half an hour and 20 million messages with cuts, memory measured; then crowds and a client (SECONDS=1800, MESSAGES=20000000)
	$(BIN)/python -m tools.soak --seconds $(or $(SECONDS),1800) --messages $(or $(MESSAGES),20000000)
	$(BIN)/python -m tools.soak.crowd
	$(BIN)/python -m tools.soak.kills --count $(or $(KILLS),100)
	$(BIN)/python -m tools.soak.client

attack: $(VENV)/installed ## flood, guess and fetch beside ordinary clients, and print what they notice
	$(BIN)/python -m tools.attack

sample: $(VENV)/installed ## write one report of each kind to reports/sample
	$(BIN)/python -m tools.sample

docs: $(VENV)/installed ## build the documentation as an offline site: build/site/index.html
	$(BIN)/python -m tools.reference --write
	$(BIN)/python -m mkdocs build --strict --quiet

clean: ## remove the virtual environment and caches; keep reports
	@if [ -e $(VENV) ] && [ ! -e $(VENV)/installed ]; then echo "$(VENV) was not made here; it stays"; else rm -rf $(VENV); fi
	rm -rf $(VENV).lock $(VENV).log build/site build/coverage .mypy_cache .ruff_cache .hypothesis .import_linter_cache
