# SPDX-License-Identifier: Apache-2.0
"""Coverage-guided fuzzing with the oracles of tests/property.

    python -m tests.fuzz responders|openflow|configuration [-max_total_time=SECONDS] [CORPUS]

Needs atheris, which no other test does; the arguments are libFuzzer's.  Stops at the first bytes
with which something is raised or done wrongly, and leaves them in a file, which is an argument to
try them again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ovs_dhcpd"]):
    from tests.property import (
        oracle_configuration,
        oracle_dhcp_relay,
        oracle_dhcpv4,
        oracle_dhcpv6,
        oracle_nd_ra,
        oracle_openflow,
    )

# What to try, and how many bytes it gets at the most.
TARGETS = {
    "responders": ((oracle_dhcpv4, oracle_dhcpv6, oracle_dhcp_relay, oracle_nd_ra), 1600),
    "openflow": ((oracle_openflow,), 4096),
    "configuration": ((oracle_configuration,), 4096),
}


def main() -> None:
    """Fuzz what the first argument names."""
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        sys.exit(f"usage: python -m tests.fuzz {'|'.join(TARGETS)} [ARGUMENT…]")
    oracles, most = TARGETS[name]

    def check(data: bytes) -> None:
        for oracle in oracles:
            oracle.check(data)

    with tempfile.TemporaryDirectory() as seeds:
        for oracle in oracles:
            frames = {**oracle.GOLDEN, **getattr(oracle, "MALFORMED", {})}
            for number, frame in enumerate(frames.values()):
                (Path(seeds) / f"{oracle.__name__}-{number}").write_bytes(frame)
        corpus = [] if any(Path(argument).is_file() for argument in sys.argv[1:]) else [seeds]
        atheris.Setup([*sys.argv, f"-max_len={most}", *corpus], check)
        atheris.Fuzz()


main()
