# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from bench.results import WHO, Row, across, table

OURS = Row({"outstanding": "64", WHO: "ours"}, {"replies/s": [50_000, 30_000, 40_000]})
THEIRS = Row({"outstanding": "64", WHO: "theirs"}, {"replies/s": [40_000, 10_000, 20_000]})


def test_others_cells_have_the_median_of_the_ratios_in_turn() -> None:
    assert [*table([OURS, THEIRS])] == [
        "| outstanding |  | replies/s |",
        "|---|---|--:|",
        "| 64 | ours | 40,000 |",
        "| 64 | theirs | 20,000 (2.00) |",
    ]


def test_nothing_is_divided_by_zero() -> None:
    ours, theirs = (Row({WHO: name}, {"lost": [lost]}) for name, lost in (("a", 3), ("b", 0)))
    assert [*table([ours, theirs])][2:] == ["| a | 3.0 |", "| b | 0 |"]


def test_each_thing_has_its_own_first_contender() -> None:
    rows = [
        Row({"n": n, WHO: who}, {"ms": [ms]})
        for n, who, ms in (("1", "a", 1), ("1", "b", 2), ("2", "a", 3), ("2", "b", 3))
    ]
    assert [*table(rows)][3:] == [
        "| 1 | b | 2.0 (0.50) |",
        "| 2 | a | 3.0 |",
        "| 2 | b | 3.0 (1.00) |",
    ]


def test_across_has_a_column_for_each_row() -> None:
    rows = [Row({"ports": ports}, {"s": [1], "MB": [80]}) for ports in ("500", "1,000")]
    assert [*across(rows)] == [
        "| ports | 500 | 1,000 |",
        "|---|--:|--:|",
        "| s | 1.0 | 1.0 |",
        "| MB | 80.0 | 80.0 |",
    ]
