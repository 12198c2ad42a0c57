# SPDX-License-Identifier: Apache-2.0
"""Passes over options that nobody reads, many in one step.

A packet has room for hundreds of small options, and a loop that takes each of them apart makes it
as dear as ten plain ones.  A regular expression passes over them several times as fast; it is
worth its while for who sends more than `FEW`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

FEW = 16  # options that are read one by one, before any are passed over
MANY = 128  # steps after which a message is refused: no client's takes nearly as many

_SMALL = 16  # bytes; of options that have so many and more, a packet has room for a few dozen


def none_of(codes: Iterable[int]) -> bytes:
    """The pattern of one byte that is none of these."""
    return b"[^%b]" % b"".join(b"\\x%02x" % code for code in codes)


def pass_over(code: bytes, size: bytes = b"", padding: bytes = b"") -> Callable[[bytes, int], int]:
    """A function of bytes and an offset: where the run of small options that begins there ends.

    That is the same offset where none begins.  `code`, `size` (what stands between the code and the
    last byte of the size) and `padding` (before an option, and behind the last) are patterns.
    """
    sized = b"|".join(b"\\x%02x%b" % (count, b"." * count) for count in range(_SMALL))
    run = re.compile(b"(?s)(?:%b%b%b(?:%b))*%b" % (padding, code, size, sized, padding))

    def end_of_run(data: bytes, at: int) -> int:
        found = run.match(data, at)
        return found.end() if found else at

    return end_of_run
