# SPDX-License-Identifier: Apache-2.0
"""Coverage-guided fuzzing of the responders, with the oracles of tests/property.

    python -m tests.fuzz.fuzz_responders [-max_total_time=SECONDS] [CORPUS]

Needs atheris, which no other test does; the arguments are libFuzzer's.  Stops at the first frame
that raises or is answered wrongly, and leaves it in a file, which is an argument to try it again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["controller", "flows"]):
    from tests.property import test_nd_ra_fuzz as nd_ra
    from tests.property import test_responder_fuzz as dhcpv4
    from tests.property import test_responder_v6_fuzz as dhcpv6

ORACLES = (dhcpv4, dhcpv6, nd_ra)
MAX_FRAME = 1600


def try_frame(frame: bytes) -> None:
    """Every responder says something about `frame` that it may say."""
    for oracle in ORACLES:
        oracle.check(frame)


def main() -> None:
    with tempfile.TemporaryDirectory() as seeds:
        for oracle in ORACLES:
            for name, frame in oracle.GOLDEN.items():
                (Path(seeds) / f"{oracle.__name__} {name}").write_bytes(frame)
        corpus = [] if any(Path(argument).is_file() for argument in sys.argv[1:]) else [seeds]
        atheris.Setup([*sys.argv, f"-max_len={MAX_FRAME}", *corpus], try_frame)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
