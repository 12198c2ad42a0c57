# SPDX-License-Identifier: Apache-2.0

PYTHON ?= python3
VENV := .venv
TOX := $(VENV)/bin/tox
ARGS ?=

.PHONY: help venv demo test unit lint type check fuzz compose-test bench bench-quick clean packages-%

help:  ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: packages-venv $(VENV)/installed  ## Make .venv with the ovs-dhcpd command and the developer's tools

demo: packages-demo $(VENV)/installed  ## Show a lease going out through a private Open vSwitch (root)
	$(VENV)/bin/python -m tests.demo

test: packages-test $(VENV)/installed  ## Run every test (root; without, those on a real switch are skipped)
	$(TOX) run -e test $(if $(ARGS),-- $(ARGS))

unit: venv  ## Run the tests that need neither root nor a switch
	$(TOX) run -e test -- tests/unit tests/property $(ARGS)

lint: venv  ## Run ruff
	$(TOX) run -e lint

type: venv  ## Run mypy
	$(TOX) run -e type

check: lint type  ## Run lint and type

fuzz: venv  ## Fuzz the responders until stopped, or with ARGS=-max_total_time=SECONDS
	$(TOX) run -e fuzz $(if $(ARGS),-- $(ARGS))

compose-test: packages-compose-test venv  ## Build and run docker-compose.yml and check the client's lease
	tests/compose/run

bench: packages-bench $(VENV)/installed  ## Measure side by side with ovn-controller, and at 2,000 ports (root, 6 minutes)
	$(VENV)/bin/python -m bench $(ARGS)

bench-quick: packages-bench $(VENV)/installed  ## The same in less than a minute, as a first impression
	$(VENV)/bin/python -m bench --quick

clean:  ## Remove what the other verbs made
	rm -rf $(VENV) .tox .pytest_cache .mypy_cache .ruff_cache .hypothesis build ./*.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

packages-%:
	tests/install-packages $*

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install -q -e '.[dev]'
	touch $@
