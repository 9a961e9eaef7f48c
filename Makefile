# Each target sets up what it needs and can be run twice.
#   make demo     see it work: a token kept fresh through a slow server, an outage, a refusal
#   make test     lint, types and tests with full branch coverage
#   make compat   of those, the real answers of identity providers alone
#   make sdk      the real Cognite SDK and Pygen, the newest and the oldest, each in its environment
#   make servers  authorization servers that others wrote, on loopback; needs Node 20 with npm
#   make package  wheel and sdist, installed alone and with each extra
#   make matrix   the whole suite with the oldest and the newest of what is supported
#   make fuzz     the property-based tests with many more cases, others each time; SEED=… repeats
#   make stress   threads, event loops, clocks and faults at once, for PYGEN_AUTH_STRESS_SECONDS=60
#   make bench    speed and memory, as ratios within one run

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types tests compat sdk servers package matrix prerelease fuzz stress bench clean
.DELETE_ON_ERROR:

demo: $(VENV)/package
	$(BIN)/pygen-auth demo

test: lint types tests

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev
	$(BIN)/mypy

tests: $(VENV)/dev
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered

compat: $(VENV)/dev
	$(BIN)/pytest compat

SDK := .venv-sdk
SDK_TESTS := compat/cognite_sdk compat/pygen

sdk: $(SDK)/newest/ready $(SDK)/oldest/ready
	$(SDK)/newest/bin/pytest $(SDK_TESTS)
	$(SDK)/oldest/bin/pytest $(SDK_TESTS)

servers: $(VENV)/dev
	$(BIN)/pytest compat/servers

package: $(VENV)/dev
	PYGEN_AUTH_INSTALL=1 $(BIN)/pytest tests/test_packaging.py tests/test_installed.py

matrix: $(VENV)/dev
	$(BIN)/nox --session matrix

prerelease: $(VENV)/dev
	$(BIN)/nox --session prerelease

SEED ?= $(shell $(PYTHON) -c 'import secrets; print(secrets.randbelow(2**31))')

fuzz: $(VENV)/dev
	$(BIN)/pytest tests/properties --hypothesis-profile=fuzz --hypothesis-seed=$(SEED)

stress: export PYGEN_AUTH_STRESS_SECONDS ?= 60
stress: export PYGEN_AUTH_STRESS_SEED ?= $(SEED)
stress: $(VENV)/dev
	$(BIN)/pytest tests/stress -rP

bench: $(VENV)/dev
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) $(SDK) .servers .nox .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache

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

$(VENV)/dev: $(VENV)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@ $(VENV)/package

$(SDK)/%/ready: compat/cognite_sdk/%.txt compat/cognite_sdk/tools.txt pyproject.toml
	$(PYTHON) -m venv --clear $(SDK)/$*
	$(SDK)/$*/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=24"
	$(SDK)/$*/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[testing,yaml]" --requirement $<
	@touch $@
