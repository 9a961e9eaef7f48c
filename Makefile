# Each target sets up what it needs and can be run twice.
#   make demo     see it work: a token kept fresh through a slow server, an outage, a refusal
#   make test     lint, types and tests with full branch coverage
#   make compat   of those, the real answers of identity providers alone
#   make sdk      the real Cognite SDK and Pygen, the newest and the oldest, each in its environment
#   make servers  authorization servers that others wrote, on loopback; needs Node 20 with npm
#   make sharing  one token between processes, with a real Redis; installs redis-server where it can.
#                 64 processes start SHARING_RUNS=5 times with each store
#   make faults   what a call gets when something goes wrong, at each moment; writes a page
#   make package  wheel and sdist, installed alone and with each extra
#   make matrix   the whole suite with the oldest and the newest of what is supported, by pairs
#   make cube     the same with every combination; takes an hour
#   make fuzz     the property-based tests with many more cases, others each time; SEED=… repeats
#   make stress   threads, event loops, clocks and faults at once, for PYGEN_AUTH_STRESS_SECONDS=60
#   make docs     the site, in site/: built offline, each link checked, each page opened in a browser;
#                 installs chromium where it can
#   make pins     the versions of the development tools, anew; with PYTHON the oldest supported one
#   make bench    speed and memory, as ratios within one run
#   make bench-peers  beside what a user would pick instead, in an environment of its own; a quarter of an hour
#   make fleet    10,000 workers on a simulated clock: their token requests; draws the plot of the docs

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PINS := requirements/dev.txt

.PHONY: demo test lint types tests compat sdk servers sharing faults fuzz stress package matrix cube prerelease docs pins bench bench-peers fleet clean
.DELETE_ON_ERROR:

demo: $(VENV)/package
	$(BIN)/pygen-auth demo

# The workers must find sets of parameters in one order.
TESTS := PYTHONHASHSEED=0 $(BIN)/pytest --numprocesses=auto --dist=worksteal

test: lint types tests

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python --project tests/typing

tests: $(VENV)/dev
	$(TESTS) --cov --cov-report=term:skip-covered

compat: $(VENV)/dev
	$(BIN)/pytest compat

SDK := .venv-sdk
SDK_TESTS := compat/cognite_sdk compat/pygen

sdk: $(SDK)/newest/ready $(SDK)/oldest/ready
	$(SDK)/newest/bin/pytest $(SDK_TESTS)
	$(SDK)/oldest/bin/pytest $(SDK_TESTS)

servers: $(VENV)/dev
	$(BIN)/pytest compat/servers

# Nothing is installed for somebody who is neither root nor CI.
APT_GET := $(if $(filter 0,$(shell id -u)),apt-get,$(if $(CI),sudo -n apt-get,false))
program = @command -v $1 >/dev/null || $(APT_GET) install --yes --quiet $1 || \
	{ $(APT_GET) update --quiet && $(APT_GET) install --yes --quiet $1; } || \
	{ echo "$1 is needed: apt-get install $1"; exit 1; }

# The store in Redis is left out of the coverage that `make test` measures, and measured here.
SHARING := COVERAGE_FILE=$(VENV)/coverage-sharing $(BIN)/coverage

sharing: export SHARING_RUNS ?= 5
sharing: $(VENV)/dev
	$(call program,redis-server)
	$(SHARING) erase
	$(SHARING) run --omit=none -m pytest tests/sharing
	$(SHARING) combine --quiet
	$(SHARING) report --omit=none --include="*/pygen_auth/stores/*,*/testing/_store_contract.py"

faults: $(VENV)/dev
	$(BIN)/python -m tests.faults

package: $(VENV)/dev
	PYGEN_AUTH_INSTALL=1 $(BIN)/pytest tests/test_packaging.py tests/test_installed.py

matrix: $(VENV)/dev
	$(BIN)/nox --session matrix --tags pairs

cube: $(VENV)/dev
	$(BIN)/nox --session matrix

prerelease: $(VENV)/dev
	$(BIN)/nox --session prerelease

SEED := $(or $(SEED),$(shell $(PYTHON) -c 'import secrets; print(secrets.randbelow(2**31))'))

# Which cases come depends on the order of sets, too.
fuzz: $(VENV)/dev
	PYTHONHASHSEED=$(SEED) $(BIN)/pytest tests/properties --hypothesis-profile=fuzz --hypothesis-seed=$(SEED)

stress: export PYGEN_AUTH_STRESS_SECONDS ?= 60
stress: export PYGEN_AUTH_STRESS_SEED ?= $(SEED)
stress: $(VENV)/dev
	$(BIN)/pytest tests/stress -rP

DOCS := .venv-docs

docs: $(DOCS)/ready
	$(call program,chromium)
	$(DOCS)/bin/python -m docs.website
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/python -m mkdocs --quiet build
	$(DOCS)/bin/pytest --quiet docs/website

pins: pins-dev pins-docs

pins-%:
	$(PYTHON) -m venv --clear .venv-pins
	.venv-pins/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=24"
	.venv-pins/bin/python -m pip install --quiet --disable-pip-version-check ".[$*]"
	.venv-pins/bin/python -m pip freeze --exclude pygen-auth > requirements/$*.txt
	rm -rf .venv-pins

bench: $(VENV)/dev
	$(BIN)/python -m benchmarks

# All of them, or with SCENARIOS="hot-path herd" a part, of which nothing is written.
PEERS := .venv-peers

bench-peers: $(PEERS)/ready
	$(call program,redis-server)
	$(PEERS)/bin/pytest --quiet benchmarks/peers
	$(PEERS)/bin/python -m benchmarks.peers $(SCENARIOS)

fleet: $(VENV)/dev
	$(BIN)/python -m benchmarks.fleet

clean:
	rm -rf $(VENV) $(SDK) $(DOCS) $(PEERS) site .servers .nox .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache

# -- set-up

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=24"
	@touch $@

$(VENV)/package: $(VENV)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/dev: $(VENV)/python pyproject.toml $(PINS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint $(PINS) --editable ".[dev]"
	@touch $@ $(VENV)/package

$(SDK)/%/ready: compat/cognite_sdk/%.txt compat/cognite_sdk/tools.txt pyproject.toml
	$(PYTHON) -m venv --clear $(SDK)/$*
	$(SDK)/$*/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=24"
	$(SDK)/$*/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[testing,yaml]" --requirement $<
	@touch $@

$(PEERS)/ready: benchmarks/peers/requirements.txt pyproject.toml
	$(PYTHON) -m venv --clear $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=24"
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[redis,stores,testing]" --requirement $<
	@touch $@

$(DOCS)/ready: pyproject.toml requirements/docs.txt
	$(PYTHON) -m venv --clear $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=24"
	$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint requirements/docs.txt --editable ".[docs]"
	@touch $@
