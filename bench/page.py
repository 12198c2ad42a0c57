# SPDX-License-Identifier: Apache-2.0
"""``python -m bench.page``: put the figures of the runs in ``docs/`` into what is written of them.

A run is a JSON file that ``python -m bench --json`` wrote.  In ``docs/benchmark.md`` and
``README.md`` what stands between ``<!-- figures FILE: WHAT -->`` and ``<!-- end -->`` is replaced:
WHAT is ``about``, ``summary`` or the name of a measurement.  Beside each run its picture is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bench import plot
from bench.measurements import MEASUREMENTS
from bench.results import WHO, Row, Run, number, read

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = (DOCS / "benchmark.md", ROOT / "README.md")
_BLOCK = re.compile(
    r"(?P<begin><!-- figures (?P<file>\S+): (?P<what>\S+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL
)


def written(text: str) -> str:
    """A page with the figures of the runs that it names."""

    def block(found: re.Match[str]) -> str:
        run = read(DOCS / found["file"])
        return found["begin"] + "\n".join(_lines(run, found["what"])) + "\n" + found["end"]

    return _BLOCK.sub(block, text)


def picture(run: Run) -> str:
    """The picture of a run, as SVG."""
    return plot.svg(run.about, run.measured["throughput"], run.measured["storm"])


def _lines(run: Run, what: str) -> Iterator[str]:
    if what == "about":
        yield ", ".join(f"{name} {value}" for name, value in run.about.items()) + "."
    elif what == "summary":
        yield from _summary(run)
    elif what in run.measured:
        yield from MEASUREMENTS[what][0].table(run.measured[what])
    else:
        yield "Not measured in this run."


def _summary(run: Run) -> Iterator[str]:
    """Three lines: the storm, the steady state, the one more port."""
    ours, theirs = _pair(run, "storm", guests="DHCPv4, 1,000", time="first")
    yield (
        f"* 1,000 guests that ask at once after a start: {number(ours.median('guests/s'))} leases a"
        f" second, {ours.ratio('guests/s', theirs):.2f} times ovn-controller's rate; p99"
        f" {number(ours.median('p99 µs') / 1000)} ms, {ours.ratio('p99 µs', theirs):.2f} times its."
    )
    texts = []
    for request in ("DISCOVER, the same", "DISCOVER, each different"):
        ours, theirs = _pair(run, "throughput", request=request, outstanding="64")
        rate, ratio = ours.median("replies/s"), ours.ratio("replies/s", theirs)
        texts.append(f"{number(rate)} replies a second, {ratio:.2f} times its rate")
    yield f"* 64 requests outstanding: {texts[0]}; if no two are the same {texts[1]}."
    ours, *_, theirs = run.measured["northbound"]
    mine, other = (
        f"{number(row.median('transaction to flow, ms'))} ms with {row.labels['ports']} ports"
        for row in (ours, theirs)
    )
    yield f"* One more port in a Northbound database: its flow after {mine}, OVN's after {other}."


def _pair(run: Run, measurement: str, **thing: str) -> tuple[Row, Row]:
    found = {row.labels[WHO]: row for row in run.measured[measurement] if row.thing() == thing}
    return found["ovs-dhcpd"], found["ovn-controller"]


def main() -> None:
    """Write the pages and the pictures anew."""
    for page in PAGES:
        page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")
    for path in DOCS.glob("benchmark*.json"):
        path.with_suffix(".svg").write_text(picture(read(path)), encoding="utf-8")


if __name__ == "__main__":
    main()
