# SPDX-License-Identifier: Apache-2.0
"""How much of each pure room the last tests ran; fails if that is too little.

    python -m pytest --cov tests/unit && python -m tests.room_coverage

A pure room is a folder whose modules touch nothing outside of the process: there is no excuse for
a line there that no test runs. Lines and branches count alike, as in coverage.py's own "Cover".
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import coverage

ROOT = Path(__file__).resolve().parents[1]
PURE = (
    *sorted(path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("flows/*/__init__.py")),
    "controller/bridges",
    "controller/drafting",
    "controller/leases",
    "controller/ports",
    "controller/responders",
    "controller/tracing",
    "controller/watching",
    "controller/why",
    "controller/wire",
)
AT_LEAST_PERCENT = 95.0


def main() -> int:
    """Print a line for each pure room; the exit status is 1 if one of them is below the limit."""
    measured = coverage.Coverage()
    measured.load()
    low = []
    for room in PURE:
        percent = measured.report(include=[f"{room}/*"], file=io.StringIO())
        print(f"{percent:5.1f} %  {room}")
        if percent < AT_LEAST_PERCENT:
            low.append(room)
    for room in low:
        print(f"less than {AT_LEAST_PERCENT:g} % of {room} has been run", file=sys.stderr)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
