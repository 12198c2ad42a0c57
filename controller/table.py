# SPDX-License-Identifier: Apache-2.0
"""Tables for people: a header, columns that are as wide as what stands in them, colour on a
terminal."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from ovs_dhcpd.flows.options.wording import printable

BOLD, RED, GREEN, YELLOW, DIM = "1", "31", "32", "33", "2"  # of SGR (ECMA-48 §8.3.117)


def wants_colour(stream: TextIO) -> bool:
    """Whether what is written there is to be in colour (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    colours: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """A line for the header and for each row; what is empty is shown as "-".

    All of it is made printable.  With ``colours`` the header is bold, and a cell that is one of
    these words is in its colour.
    """
    cells = [[printable(cell) or "-" for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(header, *cells, strict=True)]
    yield _line(header, widths, dict.fromkeys(header, BOLD) if colours else {})
    for row in cells:
        yield _line(row, widths, colours or {})


def _line(row: Sequence[str], widths: Sequence[int], colours: Mapping[str, str]) -> str:
    last = len(row) - 1
    pieces = []
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        colour = colours.get(cell)
        shown = f"\x1b[{colour}m{cell}\x1b[0m" if colour else cell
        pieces.append(shown if column == last else shown + " " * (width - _width(cell)))
    return "  ".join(pieces)


def _width(text: str) -> int:
    """How many columns of a terminal it takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))
