# SPDX-License-Identifier: Apache-2.0
"""Reads put_dhcp_opts.vectors, the golden vectors of action text and userdata."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("put_dhcp_opts.vectors")


@dataclass(frozen=True)
class Good:
    """An action: its text, the normal form of that, and its userdata."""

    line: int
    text: str
    normal: str
    userdata: bytes


@dataclass(frozen=True)
class Bad:
    """Text that is not an action, and the error."""

    line: int
    text: str
    error: str


def _read() -> tuple[list[Good], list[Bad]]:
    good: list[Good] = []
    bad: list[Bad] = []
    text = normal = ""
    for number, line in enumerate(_FILE.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("    formats as "):
            normal = line.removeprefix("    formats as ")
        elif line.startswith("    encodes as "):
            userdata = bytes.fromhex(line.removeprefix("    encodes as ").replace(".", ""))
            good.append(Good(number, text, normal, userdata))
        elif line.startswith("    error: "):
            bad.append(Bad(number, text, line.removeprefix("    error: ")))
        else:
            text = normal = line  # or a comment, or an empty line
    return good, bad


GOOD, BAD = _read()
REFERENCE = GOOD[0]
