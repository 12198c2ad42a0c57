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
    last = len(header) - 1
    columns = [
        _column(title, cells, colours or {}, is_last=at == last)
        for at, (title, *cells) in enumerate(zip(header, *rows, strict=True))
    ]
    yield from map("  ".join, zip(*columns, strict=True))


def _column(
    title: str, cells: Sequence[str], colours: Mapping[str, str], *, is_last: bool
) -> list[str]:
    """The title and the cells, all as wide as the widest, but in the last column."""
    texts = {cell: printable(cell) or "-" for cell in set(cells)}  # many are the same
    width = 0 if is_last else max(map(width_of, (title, *texts.values())))
    shown = {cell: _padded(text, width, colours.get(text)) for cell, text in texts.items()}
    return [_padded(title, width, BOLD if colours else None), *map(shown.__getitem__, cells)]


def _padded(text: str, width: int, colour: str | None) -> str:
    shown = f"\x1b[{colour}m{text}\x1b[0m" if colour else text
    return shown + " " * (width - width_of(text))


def width_of(text: str) -> int:
    """How many columns of a terminal it takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))
