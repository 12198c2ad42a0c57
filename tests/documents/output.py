# SPDX-License-Identifier: Apache-2.0
"""Whether a command printed what its page shows.

`…` stands for anything in a line, and alone in one for any lines.  Times, pids, how long ago
something was, how often a client asked, its version, and how many spaces are between two columns
are not compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_VARIES = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?( UTC)?"), "TIME"),
    (re.compile(r"\b\d\d:\d\d:\d\d(\.\d+)?\b"), "TIME"),
    (re.compile(r"\bpid \d+\b"), "pid PID"),
    (re.compile(r"\b\d+ (s|µs)( ago)?\b"), r"N \1\2"),
    (re.compile(r"\b\d+([smhd])\b"), r"N\1"),
    (re.compile(r"\b\d+ +udhcp [\d.]+"), "N udhcp"),
    (re.compile(r" +"), " "),
)


def plain(text: str) -> str:
    """The text without what is not compared."""
    for varies, name in _VARIES:
        text = varies.sub(name, text)
    return "".join(f"{line.strip()}\n" for line in text.strip().splitlines())


def pattern(shown: Sequence[str]) -> re.Pattern[str]:
    """What a command must print."""
    lines = plain("\n".join(shown)).splitlines()
    return re.compile(
        "".join(
            r"(?:.*\n)*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n"
            for line in lines
        )
    )


def agrees(shown: Sequence[str], printed: str) -> bool:
    """Whether it is what is shown."""
    return pattern(shown).fullmatch(plain(printed)) is not None
