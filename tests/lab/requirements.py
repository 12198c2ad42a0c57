# SPDX-License-Identifier: Apache-2.0
"""What a test with real daemons needs of the machine."""

from __future__ import annotations

import os

import pytest

from tests.lab import distribution
from tests.lab.process import missing

NO_SKIP = "OVS_DHCPD_NO_SKIP"


def require(*programs: str, root: bool = True) -> None:
    """Skip the test, or fail it if NO_SKIP is 1, without root or one of the programs.

    A program that this distribution does not package is no failure
    (:mod:`tests.lab.distribution`).
    """
    reasons, excuses = [], []
    for program in missing(*programs):
        if excuse := distribution.not_packaged(program, distribution.this()):
            excuses.append(excuse)
        else:
            reasons.append(f"{program} is not installed")
    if root and os.geteuid() != 0:
        reasons.append("root is needed for network namespaces")
    if reasons and os.environ.get(NO_SKIP) == "1":
        pytest.fail(f"{NO_SKIP}=1 and " + ", ".join(reasons))
    if reasons or excuses:
        pytest.skip(", ".join(reasons + excuses))
