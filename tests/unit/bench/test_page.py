# SPDX-License-Identifier: Apache-2.0
"""That pages and pictures are what the runs in docs/ say."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import page, plot
from bench.results import WHO, Row, Run, read, write

REDO = "run python -m bench.page"
RUNS = sorted(page.DOCS.glob("benchmark*.json"))


@pytest.mark.parametrize("path", page.PAGES, ids=lambda path: path.name)
def test_a_page_has_the_figures_of_its_runs(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "<!-- figures " in text
    assert page.written(text) == text, REDO


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.name)
def test_each_run_has_its_picture(path: Path) -> None:
    assert path.with_suffix(".svg").read_text(encoding="utf-8") == page.picture(read(path)), REDO


def run() -> Run:
    """Two contenders, and what is needed of a run for a picture."""
    return Run(
        {"Open vSwitch": "3.1.0", "OVN": "23.03.1", "Python": "3.11.7"},
        {
            "throughput": [
                Row(
                    {"request": plot.REQUESTS[0], "outstanding": outstanding, WHO: who},
                    {
                        "replies/s": [50_000.0, 60_000.0, 10.0],
                        "p99 µs": [2_000.0, 1_000.0, 3_000.0],
                    },
                )
                for outstanding in ("1", "64")
                for who in ("ours", "<theirs>")
            ],
            "storm": [
                Row({"guests": "100", "time": time, WHO: who}, {"guests/s": [9e3], "p99 µs": [7e3]})
                for time in ("first", "again")
                for who in ("ours", "<theirs>")
            ],
        },
    )


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path / "run.json", run())
    assert read(tmp_path / "run.json") == run()


def test_a_picture_has_a_mark_for_each_figure_and_names_everyone() -> None:
    root = ElementTree.fromstring(page.picture(run()))
    circles = [each for each in root.iter() if each.tag.endswith("circle")]
    legend, rates, latencies, storm = 1, 2, 2, 2
    assert len(circles) == legend + rates + latencies + storm
    texts = {each.text for each in root.iter() if each.tag.endswith("text")}
    assert {"ours", "<theirs>", plot.REQUESTS[0], "100", "50,000", "2"} <= texts


@pytest.mark.parametrize(
    ("highest", "last", "steps"),
    [(48_000, 50_000, 5), (7.0, 8, 4), (0.9, 1.0, 5), (61_000, 80_000, 4)],
)
def test_ticks_are_round_and_few(highest: float, last: float, steps: int) -> None:
    ticks = plot.ticks(highest)
    assert (ticks[0], round(ticks[-1], 9), len(ticks) - 1) == (0, last, steps)


def test_a_page_says_of_what_a_run_has_not_that_it_has_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(page, "DOCS", tmp_path)
    write(tmp_path / "run.json", run())
    block = "<!-- figures run.json: onlookers -->\n{}<!-- end -->\n"
    assert page.written(block.format("")) == block.format("Not measured in this run.\n")
