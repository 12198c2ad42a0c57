# SPDX-License-Identifier: Apache-2.0

PYTHON ?= python3
VENV := .venv
TOX := $(VENV)/bin/tox
ARGS ?=
SUITE ?= trixie
MINUTES ?= 10
TARGET ?= responders
EXTRAS ?= dev

.PHONY: help venv demo test deb test-deb test-debian test-kernel unit lint type check fuzz soak compose-test bench bench-quick bench-debian clean packages-%

help:  ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: packages-venv $(VENV)/installed  ## Make .venv with the ovs-dhcpd command and the developer's tools

demo: packages-demo $(VENV)/installed  ## Show a lease going out through a private Open vSwitch (root)
	$(VENV)/bin/python -m tests.demo

test: packages-test $(VENV)/installed  ## Run every test (root; without, those on a real switch are skipped)
	$(TOX) run -e test $(if $(ARGS),-- $(ARGS))

test-debian: packages-test-debian $(VENV)/installed  ## Run demo and test on a bare Debian, SUITE=trixie or sid (root)
	tests/bare/run $(SUITE) $(ARGS)

deb: packages-test-debian  ## Build the Debian package on a bare Debian 13, into build/deb (root)
	tests/deb/run build

test-deb: packages-test-debian  ## Build it and try it there, under systemd and with an Open vSwitch (root)
	tests/deb/run

test-kernel: packages-test-kernel $(VENV)/installed  ## Run tests/switch and tests/clients on the kernel's datapath, in QEMU (root)
	tests/kernel/run $(ARGS)

unit: venv  ## Run the tests that need neither root nor a switch, and show what they cover
	$(TOX) run -e $(if $(ARGS),test -- tests/unit tests/property tests/database tests/package $(ARGS),unit)

lint: venv  ## Run ruff
	$(TOX) run -e lint

type: venv  ## Run mypy
	$(TOX) run -e type

check: lint type  ## Run lint and type

.PHONY: release
release: $(VENV)/installed  ## Build and tag what is checked out as VERSION; nothing is pushed
	.ci/release $(VERSION)

fuzz: venv  ## Fuzz TARGET=responders, openflow or configuration until stopped, or with ARGS=-max_total_time=SECONDS
	$(TOX) run -e fuzz -- $(TARGET) $(ARGS)

soak: packages-soak $(VENV)/installed  ## Do all that can happen to the daemon at random, MINUTES=10 long, ARGS="--seed N" again (root)
	$(VENV)/bin/python -m tests.soak --minutes $(MINUTES) $(ARGS)

compose-test: packages-compose-test venv  ## Build the images of docker-compose.yml and try its profiles by leases (root)
	tests/compose/run

bench: packages-bench $(VENV)/installed  ## Measure side by side with ovn-controller; ARGS="--help" says what (root, 12 minutes)
	$(VENV)/bin/python -m bench $(ARGS)

bench-debian: packages-test-debian $(VENV)/installed  ## Measure on a bare Debian, SUITE=trixie or sid (root)
	tests/bare/bench $(SUITE) $(ARGS)

bench-quick: packages-bench $(VENV)/installed  ## The same in about a minute, as a first impression
	$(VENV)/bin/python -m bench --quick

clean:  ## Remove what the other verbs made
	rm -rf $(VENV) .tox .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage build ./*.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

packages-%:
	tests/install-packages $*

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install -q -e '.[$(EXTRAS)]'
	touch $@
