# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests that need real daemons.

Such a test is skipped, with the reason, where it cannot run; with
OVS_DHCPD_NO_SKIP=1 in the environment (as in CI) it fails instead, unless it needs
a program that this distribution has no package of (tests/lab/distribution.py), or is
marked `not_in_test_kernel` and runs on the kernel's datapath.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from tests.lab.keys import make_keys
from tests.lab.ovn import PrivateOvn
from tests.lab.requirements import require
from tests.lab.switch import DATAPATH, PrivateOvs

# As `ovs-dhcpd run` does: python-ovs would import eventlet where it finds it, which warns of its
# own end.  This file is read before any test module.
sys.modules.setdefault("eventlet", None)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _programs(request: pytest.FixtureRequest) -> None:
    """What a test marked `needs("udhcpc")` needs."""
    for marker in request.node.iter_markers("needs"):
        require(*marker.args)
    for marker in request.node.iter_markers("needs_programs"):
        require(*marker.args, root=False)


@pytest.fixture(scope="module")
def switch() -> Iterator[PrivateOvs]:
    """A private Open vSwitch, one for the module's tests."""
    require(*PrivateOvs.programs)
    with PrivateOvs() as switch:
        yield switch


@pytest.fixture(scope="module")
def ovn() -> Iterator[PrivateOvn]:
    """A private Open vSwitch programmed by OVN, one for the module's tests."""
    require(*PrivateOvn.programs)
    with PrivateOvn() as ovn:
        yield ovn


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A certificate that is its own authority, for both sides."""
    return make_keys(tmp_path_factory.mktemp("keys"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked so, before any fixture misses what it needs."""
    if os.environ.get(DATAPATH) != "system":
        return
    for item in items:
        for marker in item.iter_markers("not_in_test_kernel"):
            item.add_marker(pytest.mark.skip(reason=marker.args[0]))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Put the logs of the labs that a failing test used into its report."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, PrivateOvs):
                report.sections.append((f"logs of {name}", value.logs()))


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line("markers", "needs(*programs): programs that the test runs, as root")
    config.addinivalue_line("markers", "needs_programs(*programs): the same, without root")
    config.addinivalue_line("markers", "not_in_test_kernel(why): left out by `make test-kernel`")
