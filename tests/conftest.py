# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests that need real daemons.

Such a test is skipped, with the reason, where it cannot run; with
OVS_DHCPD_NO_SKIP=1 in the environment (as in CI) it fails instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.lab.ovn import PrivateOvn
from tests.lab.process import missing, run
from tests.lab.switch import PrivateOvs

NO_SKIP = "OVS_DHCPD_NO_SKIP"


def require(*programs: str) -> None:
    """Skip the test, or fail it (see above), without root or one of the programs."""
    reasons = [f"{program} is not installed" for program in missing(*programs)]
    if os.geteuid() != 0:
        reasons.append("root is needed for network namespaces")
    if reasons and os.environ.get(NO_SKIP) == "1":
        pytest.fail(f"{NO_SKIP}=1 and " + ", ".join(reasons))
    if reasons:
        pytest.skip(", ".join(reasons))


@pytest.fixture(autouse=True)
def _programs(request: pytest.FixtureRequest) -> None:
    """What a test marked `needs("udhcpc")` needs."""
    for marker in request.node.iter_markers("needs"):
        require(*marker.args)


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
    directory = tmp_path_factory.mktemp("keys")
    key, certificate = directory / "key.pem", directory / "cert.pem"
    run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=lab", "-keyout", key, "-out", certificate]
    )  # fmt: skip
    return {"--private-key": str(key), "--certificate": str(certificate),
            "--ca-cert": str(certificate)}  # fmt: skip


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
    """Declare the marker."""
    config.addinivalue_line("markers", "needs(*programs): programs that the test runs")
