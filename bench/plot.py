# SPDX-License-Identifier: Apache-2.0
"""A picture of a run, as SVG: rate and latency by outstanding requests, and the storm.

It reads in light and in dark, and tells the contenders apart by colour, dash and marker.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape

from bench.results import WHO, Row

REQUESTS = (
    "DISCOVER, the same",
    "DISCOVER, each different",
    "SOLICIT, each different",
    "router solicitation, each different",
)
WIDTH, LEFT, GAP = 1000, 64, 24
PANEL_WIDTH = (WIDTH - LEFT - 16 - GAP * (len(REQUESTS) - 1)) / len(REQUESTS)
PANEL_HEIGHT = 170
STORM_LEFT, STORM_ROW = 270, 28
STORM_WIDTH = (WIDTH - STORM_LEFT - 16 - 40) / 2

STORM_TITLE = "Boot storm: each guest asks for the first time after the start, 64 at once"

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 } .small { fill: #59636e }
.paper { fill: #ffffff } .grid { stroke: #d1d9e0; stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
.c0 .line { stroke: #0969da } .c0 .mark { fill: #0969da }
.c1 .line { stroke: #6e7781; stroke-dasharray: 2 4 } .c1 .mark { fill: #6e7781 }
.c2 .line { stroke: #bc4c00; stroke-dasharray: 8 4 } .c2 .mark { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .small { fill: #9198a1 } .paper { fill: #0d1117 } .grid { stroke: #3d444d }
  .c0 .line { stroke: #58a6ff } .c0 .mark { fill: #58a6ff }
  .c1 .line { stroke: #9198a1 } .c1 .mark { fill: #9198a1 }
  .c2 .line { stroke: #f0883e } .c2 .mark { fill: #f0883e }
}
"""


def svg(about: dict[str, str], throughput: Sequence[Row], storm: Sequence[Row]) -> str:
    """The picture."""
    names = list(dict.fromkeys(row.labels[WHO] for row in throughput))
    first = [row for row in storm if row.labels["time"] == "first"]
    storms = list(dict.fromkeys(row.labels["guests"] for row in first))
    rates_at, p99s_at = 112, 112 + PANEL_HEIGHT + 86
    storm_at = p99s_at + PANEL_HEIGHT + 112
    height = storm_at + STORM_ROW * len(storms) + 44
    versions = ", ".join(f"{name} {about[name]}" for name in ("Open vSwitch", "OVN", "Python"))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Replies a second, latency and boot storm">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
        _text(16, 26, f"Requests answered by each contender ({versions})", "title"),
        *_legend(names),
        *_panels(throughput, names, rates_at, "replies/s", "replies a second", 1),
        *_panels(throughput, names, p99s_at, "p99 µs", "99th percentile of the latency, ms", 1e-3),
        _text(16, storm_at - 46, STORM_TITLE, "title"),
        *_storm(first, storms, names, storm_at),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _legend(names: Sequence[str]) -> Iterator[str]:
    x = 16.0
    for index, name in enumerate(names):
        yield f'<g class="c{index}"><path class="line" d="M{x:.0f} 46h36"/>'
        yield f"{_mark(index, x + 18, 46)}</g>{_text(x + 44, 50, name)}"
        x += 72 + 7 * len(name)


def _panels(rows: Sequence[Row], names: Sequence[str], top: float, figure: str, title: str,
            unit: float) -> Iterator[str]:  # fmt: skip
    """One for each request, all on one scale."""
    shown = [row for row in rows if row.labels["request"] in REQUESTS]
    marks = ticks(max(row.median(figure) for row in shown) * unit)
    outstanding = sorted({int(row.labels["outstanding"]) for row in shown})

    def y_of(value: float) -> float:
        return top + PANEL_HEIGHT * (1 - value / marks[-1])

    yield _text(16, top - 28, title, "title")
    for tick in marks:
        yield _text(LEFT - 8, y_of(tick) + 4, f"{tick:,g}", "small", "end")
    for column, request in enumerate(REQUESTS):
        left = LEFT + column * (PANEL_WIDTH + GAP)
        x_of = _places(outstanding, left)
        here = [row for row in shown if row.labels["request"] == request]
        yield _text(left, top - 8, request)
        for tick in marks:
            yield f'<path class="grid" d="M{left:.1f} {y_of(tick):.1f}h{PANEL_WIDTH:.1f}"/>'
        for each in sorted({int(row.labels["outstanding"]) for row in here}):
            yield _text(x_of(each), top + PANEL_HEIGHT + 16, str(each), "small", "middle")
        yield _text(
            left + PANEL_WIDTH / 2, top + PANEL_HEIGHT + 30, "outstanding", "small", "middle"
        )
        for index, name in reversed([*enumerate(names)]):  # ours on top
            points = sorted(
                (int(row.labels["outstanding"]), row.median(figure) * unit)
                for row in here
                if row.labels[WHO] == name
            )
            places = [(x_of(at), y_of(value)) for at, value in points]
            if places:
                path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
                yield f'<g class="c{index}"><path class="line" d="M{path}"/>'
                yield "".join(_mark(index, x, y) for x, y in places) + "</g>"


def _storm(rows: Sequence[Row], storms: Sequence[str], names: Sequence[str],
           top: float) -> Iterator[str]:  # fmt: skip
    """Two dot plots with a line for each storm: how many a second, and how long it took."""
    figures = (("guests/s", "guests served a second", 1.0), ("p99 µs", "p99, ms", 1e-3))
    bottom = top + STORM_ROW * len(storms)
    for column, (figure, title, unit) in enumerate(figures):
        left = STORM_LEFT + column * (STORM_WIDTH + 40)
        marks = ticks(max(row.median(figure) for row in rows) * unit)
        yield _text(left, top - 14, title)
        for place in range(len(storms)):
            y = top + STORM_ROW * (place + 0.5)
            yield f'<path class="grid" d="M{left:.1f} {y:.1f}h{STORM_WIDTH:.1f}"/>'
        for tick in marks:
            x = left + STORM_WIDTH * tick / marks[-1]
            yield f'<path class="grid" d="M{x:.1f} {top:.1f}V{bottom:.1f}"/>'
            yield _text(x, bottom + 16, f"{tick:,g}", "small", "middle")
        for row in reversed(rows):
            index = names.index(row.labels[WHO])
            y = top + STORM_ROW * (storms.index(row.labels["guests"]) + 0.5)
            x = left + STORM_WIDTH * row.median(figure) * unit / marks[-1]
            yield f'<g class="c{index}">{_mark(index, x, y)}</g>'
    for place, storm in enumerate(storms):
        y = top + STORM_ROW * (place + 0.5)
        yield _text(STORM_LEFT - 14, y + 4, storm, anchor="end")


def _places(values: Sequence[int], left: float) -> Callable[[int], float]:
    """Where a number of outstanding requests is: on a logarithmic scale, with a margin."""
    last = math.log(values[-1]) or 1
    return lambda value: left + 14 + (PANEL_WIDTH - 28) * math.log(value) / last


def ticks(highest: float) -> list[float]:
    """Round numbers from 0 to at least the highest, at most six steps."""
    step = 10 ** math.floor(math.log10(highest))
    step *= next(part for part in (0.2, 0.25, 0.5, 1, 2) if highest / (step * part) <= 6)
    return [step * n for n in range(math.ceil(highest / step) + 1)]


def _mark(index: int, x: float, y: float) -> str:
    """A circle, a triangle or a square."""
    if index == 0:
        return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
    if index == 1:
        return f'<path class="mark" d="M{x:.1f} {y - 5:.1f}l5 9h-10z"/>'
    return f'<rect class="mark" x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"/>'


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
    )
