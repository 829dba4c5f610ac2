# The ways into this project. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCENARIO ?= bad-release
KEEP ?=
SEEDS ?= 10
DRILL ?=
SHARE ?= 1
FAULTY ?= 10000
UPGRADE ?=
INPUTS ?= 100000
ONLY ?=

# Node.js and the CDK CLI live in the virtual environment; jsii and cdk look for `node` on the path.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Neither the CDK CLI nor npm should ask the network for news on every run.
export CDK_DISABLE_VERSION_CHECK := 1
export NPM_CONFIG_UPDATE_NOTIFIER := false
export NODE_DISABLE_COMPILE_CACHE := 1

# Every file of a release, for every platform and every Python that this project knows; no address of an index.
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade-package $(UPGRADE))

.DEFAULT_GOAL := help
.PHONY: help setup lock check audit unit test test-all demo drill chaos bench causes reference clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## Create .venv with everything pinned, Node.js and the CDK CLI; instant when up to date

$(VENV)/.ready: requirements.txt infra/package-lock.json pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@mkdir -p $(VENV)/cdk
	@cp infra/package.json infra/package-lock.json $(VENV)/cdk
	$(BIN)/npm ci --prefix $(VENV)/cdk --silent --no-audit --no-fund
	@ln -sf ../cdk/node_modules/.bin/cdk $(BIN)/cdk
	@touch $@

lock: setup ## Write the pins with their hashes anew, from requirements.in and package.json; UPGRADE=name moves one
	$(COMPILE) functions/requirements.in --output-file functions/requirements.txt
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) tools/bench/custodian/requirements.in --output-file tools/bench/custodian/requirements.txt
	cd infra && npm install --package-lock-only --silent --no-audit --no-fund

check: setup ## Lint, formatting, types, the import rule, the templates against cdk-nag, the pins against advisories
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --quiet tests/infra/test_compliance.py -k cdk_nag
	$(BIN)/python -m tools.audit --unless-offline

audit: setup ## Ask whether a pinned package has a known vulnerability; fails if nobody can be asked
	$(BIN)/python -m tools.audit

unit: setup ## The fast tests, on every core
	$(BIN)/python -m pytest -n auto -m "not thorough" tests/unit

test: check ## Every check, and every test but the long ones
	$(BIN)/python -m pytest -m "not long"

test-all: check ## Every check and every test
	$(BIN)/python -m pytest

demo: setup ## One incident on an embedded AWS; SCENARIO=bad-release|traffic-spike|stuck-tasks|database-down|all KEEP=1
	$(BIN)/python -m tools.demo --scenario $(SCENARIO) $(if $(KEEP),--keep)

drill: setup ## Every scenario, every way to respond, in virtual time; SEEDS=10; the report is build/drill.html
	@mkdir -p build
	$(BIN)/python -m tools.cli.main drill --seeds $(SEEDS) --sensitivity --json build/drill.json --report build/drill.html

chaos: setup ## The responder broken at every point, in faulty weather, by bad input, and its rights; SHARE=1 FAULTY=10000 INPUTS=100000
	$(BIN)/python -m tools.chaos --share $(SHARE) --faulty $(FAULTY) --json build/chaos.json
	$(BIN)/python -m tools.chaos.fuzz --inputs $(INPUTS) --json build/chaos.json
	$(BIN)/python -m tools.chaos.rights --json build/chaos.json

bench: setup ## What it takes in time, calls and money, beside its floor and its baseline; ONLY=cold-start
	$(BIN)/python -m tools.bench $(if $(ONLY),--only $(ONLY)) --json build/bench.json

causes: setup ## Write docs/causes.md anew; DRILL=build/drill.json takes the figures of that drill
	$(BIN)/python -m tools.drill.causes $(DRILL)

reference: setup ## Write the tables of docs/playbooks.md and docs/api.md, docs/openapi.json and the schema of the events anew
	$(BIN)/python -m tools.reference.page
	$(BIN)/python -m tools.reference.openapi
	$(BIN)/python -m tools.reference.events

clean: ## Remove everything that setup, checks and builds made
	rm -rf $(VENV) build cdk.out* *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find functions infra tools tests -name __pycache__ -type d -prune -exec rm -rf {} +
