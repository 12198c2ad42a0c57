# SPDX-License-Identifier: Apache-2.0
"""Reads the golden vectors of action text and userdata, one file for each action."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Good:
    """An action: its text, the normal form of that, and its userdata."""

    where: str
    text: str
    normal: str
    userdata: bytes


@dataclass(frozen=True)
class Bad:
    """Text that is not an action, and the error."""

    where: str
    text: str
    error: str


def _read(action: str) -> tuple[list[Good], list[Bad]]:
    good: list[Good] = []
    bad: list[Bad] = []
    text = normal = ""
    lines = Path(__file__).with_name(f"{action}.vectors").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        where = f"{action}:{number}"
        if line.startswith("    formats as "):
            normal = line.removeprefix("    formats as ")
        elif line.startswith("    encodes as "):
            userdata = bytes.fromhex(line.removeprefix("    encodes as ").replace(".", ""))
            good.append(Good(where, text, normal, userdata))
        elif line.startswith("    error: "):
            bad.append(Bad(where, text, line.removeprefix("    error: ")))
        else:
            text = normal = line  # or a comment, or an empty line
    return good, bad


GOOD, BAD = _read("put_dhcp_opts")
GOOD6, BAD6 = _read("put_dhcpv6_opts")
GOOD_OVN, BAD_OVN = _read("ovn_only")
GOOD_RA, BAD_RA = _read("put_nd_ra_opts")
REFERENCE = GOOD[0]
