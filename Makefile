# Everything a newcomer needs, by name. `make` alone lists it.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
SUT ?= $(shell command -v bearerbox >/dev/null 2>&1 && echo kannel || echo reference)
DEBIAN_PACKAGES := kannel tshark faketime freeradius chromium \
  strongswan-swanctl strongswan-charon libcharon-extra-plugins libstrongswan-extra-plugins iproute2 tcpdump
DEMO := reports/demo

.PHONY: help demo test check fix bench fuzz soak sample docs packages clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(VENV)/installed ## judge a real client (Kannel if installed) and leave a report: reports/demo/report.html
	@rm -rf $(DEMO)
	@echo "system under test: $(SUT)"
	@$(BIN)/simbench conform --sut $(SUT) -o $(DEMO) \
	    --only backlog-monitored --only total-outage --only originators \
	  || status=$$?; [ "$${status:-0}" -le 1 ] || [ "$${status:-0}" -eq 3 ]
	@echo "open $(DEMO)/report.html"

packages: # Debian packages of the real parts, where we may install them; elsewhere their tests skip by name
	@missing=$$(dpkg-query -W -f '$${Status} $${Package}\n' $(DEBIAN_PACKAGES) 2>/dev/null | grep -c '^install ok'); \
	if [ "$$missing" -lt $(words $(DEBIAN_PACKAGES)) ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
	      apt-get install -y -qq --no-install-recommends $(DEBIAN_PACKAGES); \
	  else echo "not installed: some of $(DEBIAN_PACKAGES); their tests will be skipped"; fi; fi

test: $(VENV)/installed packages ## run every test, installing what the real parts need
	$(BIN)/python -m pytest -n 2 --dist loadfile -p no:cacheprovider -q

check: $(VENV)/installed ## style, types, import floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/installed ## put style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed ## measure speed: ratios in one run, and absolutes to compare on the same machine
	$(BIN)/python -m tests.bench

fuzz: $(VENV)/installed ## feed two million mutated frames to everything that reads a wire (SECONDS=900, SEED=1)
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),900) --seed $(or $(SEED),1)

soak: $(VENV)/installed ## half an hour and 20 million messages with cuts, memory watched (SECONDS=1800, MESSAGES=20000000)
	$(BIN)/python -m tests.soak --seconds $(or $(SECONDS),1800) --messages $(or $(MESSAGES),20000000)

sample: $(VENV)/installed ## regenerate the kept example report in reports/sample
	$(BIN)/python -m tests.sample

docs: $(VENV)/installed ## build the documentation as a site that needs no network: build/site/index.html
	$(BIN)/python -m tests.docs --write
	$(BIN)/python -m mkdocs build --strict --quiet

clean: ## remove the virtual environment and all output
	rm -rf $(VENV) build reports/demo .mypy_cache .ruff_cache .hypothesis
