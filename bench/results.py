# SPDX-License-Identifier: Apache-2.0
"""What a measurement returns, and how it is shown.

A measurement is a module with two functions, :class:`Measurement`.  Names of labels and of figures
are the titles of a table's columns, so they are in plain words and have their units.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Protocol

WHO = "who"  # the label that names a contender


@dataclass(frozen=True)
class Effort:
    """How much time a measurement may take."""

    quick: bool = False
    rounds: int = 5
    seconds: float = 0.7  # of each run under load
    hosts: int = 30
    relays: int = 2
    minutes: float = 0


@dataclass(frozen=True)
class Row:
    """What was measured of one thing: its labels, and of each figure all runs, in their order."""

    labels: dict[str, str]
    figures: dict[str, list[float]]

    def __str__(self) -> str:
        figures = [f"{figure} {number(self.median(figure))}" for figure in self.figures]
        return ", ".join([*self.labels.values(), *figures])

    def median(self, figure: str) -> float:
        """The median of a figure's runs."""
        return median(self.figures[figure])

    def ratio(self, figure: str, other: Row) -> float | None:
        """The median, over the runs in turn, of this row's figure divided by the other's."""
        pairs = zip(self.figures[figure], other.figures[figure], strict=True)
        ratios = [mine / theirs for mine, theirs in pairs if theirs]
        return median(ratios) if ratios else None

    def rounded(self) -> Row:
        """The same with five digits of each figure, which is more than a run can tell."""
        figures = {
            figure: [float(f"{value:.5g}") for value in runs]
            for figure, runs in self.figures.items()
        }
        return Row(self.labels, figures)

    def thing(self) -> dict[str, str]:
        """The labels but for the contender."""
        return {name: text for name, text in self.labels.items() if name != WHO}


@dataclass(frozen=True)
class Run:
    """What was measured on what, and the rows of each measurement by its name."""

    about: dict[str, str]
    measured: dict[str, list[Row]]


def read(path: Path) -> Run:
    """The run in a JSON file."""
    found = json.loads(path.read_text(encoding="utf-8"))
    about = found.pop("about")
    return Run(about, {name: [Row(**row) for row in rows] for name, rows in found.items()})


def write(path: Path, run: Run) -> None:
    """Write a run as JSON, one line for each row."""
    parts = [f'"about": {_json(run.about)}']
    for name, rows in run.measured.items():
        lines = ",\n".join(_json(asdict(row)) for row in rows)
        parts.append(f'"{name}": [\n{lines}\n]')
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


class Measurement(Protocol):
    """What ``python -m bench`` calls."""

    def measure(self, effort: Effort) -> Iterable[Row]:
        """Measure."""

    def table(self, rows: Sequence[Row]) -> Iterable[str]:
        """The lines of a table in Markdown."""


def number(value: float) -> str:
    """A figure as a table shows it: three digits or more."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.1f}"


def line(cells: Iterable[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def head(labels: Sequence[str], figures: Sequence[str]) -> Iterator[str]:
    """The first two lines of a table."""
    yield line(["" if name == WHO else name for name in labels] + [*figures])
    yield line(["---"] * len(labels) + ["--:"] * len(figures)).replace(" ", "")


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Medians; in the other contenders' cells also the first one's figure divided by theirs."""
    yield from head([*rows[0].labels], [*rows[0].figures])
    for _, group in groupby(rows, Row.thing):
        ours, *others = group
        yield line([*ours.labels.values(), *(number(ours.median(each)) for each in ours.figures)])
        for other in others:
            cells = []
            for figure in other.figures:
                ratio = ours.ratio(figure, other)
                compared = "" if ratio is None else f" ({ratio:.2f})"
                cells.append(number(other.median(figure)) + compared)
            yield line([*other.labels.values(), *cells])


def across(rows: Sequence[Row]) -> Iterator[str]:
    """Medians, with one line for each figure and one column for each row."""
    (label,) = rows[0].labels
    yield from head([label], [row.labels[label] for row in rows])
    for figure in rows[0].figures:
        yield line([figure, *(number(row.median(figure)) for row in rows)])
