# SPDX-License-Identifier: Apache-2.0
"""Run pytest: ``python -m tests [pytest's arguments]``.

With OVS_DHCPD_RECHECK=1 in the environment, as in CI, what failed is run once more, and the exit
status is the second run's.  Open vSwitch's and OVN's own ``make check RECHECK=yes`` do so too:
their tests and ours bring up half a dozen real daemons each, and a machine that is busy with
something else can make any of them late.  Both runs are shown: a test that needs it often is seen.
"""

from __future__ import annotations

import os
import subprocess
import sys

FAILED = 1  # pytest's exit status if tests failed, and for nothing else

RECHECK = "OVS_DHCPD_RECHECK"


def main(arguments: list[str]) -> int:
    """Run pytest with these; return its exit status."""
    pytest = [sys.executable, "-m", "pytest", *arguments]
    status = subprocess.call(pytest)
    if status == FAILED and os.environ.get(RECHECK) == "1":
        print("\n== once more, what failed", flush=True)
        status = subprocess.call([*pytest, "--last-failed", "--last-failed-no-failures=none"])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
