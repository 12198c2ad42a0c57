# SPDX-License-Identifier: Apache-2.0
"""The picture of `make demo` shows what it prints."""

from __future__ import annotations

import pytest

from tests import record_demo
from tests.lab.requirements import require
from tests.lab.switch import PrivateOvs


@pytest.mark.needs("udhcpc")
def test_the_picture_tells_what_the_demonstration_does() -> None:
    require(*PrivateOvs.programs)
    pictured = record_demo.shown(record_demo.PICTURE.read_text(encoding="utf-8"))
    today = record_demo.steps(record_demo.run())
    redo = "run python -m tests.record_demo"
    assert record_demo.told(pictured) == record_demo.told(today), redo


def test_a_run_is_drawn() -> None:
    printed = (
        "\n== one & two\n# a comment\n<line>\n\n== udhcpc in the guest\naddress  192.0.2.1/24\n"
    )
    picture = record_demo.svg(printed)
    assert record_demo.shown(picture) == [
        ["one & two", "<line>"],
        ["udhcpc in the guest", "address  192.0.2.1/24"],
    ]
    assert record_demo.told(record_demo.shown(picture)) == [
        "one & two", "udhcpc in the guest", "address  192.0.2.1/24",
    ]  # fmt: skip
    assert picture.count('class="frame still"') == 1


def test_what_is_long_is_continued_and_what_is_too_much_left_out() -> None:
    step = ["title", "x" * 200, *("line" for _ in range(40))]
    rows = record_demo.rows(step)
    assert len(rows) == record_demo.ROWS
    assert [len(row) for row in rows[1:3]] == [record_demo.COLUMNS, 200 - record_demo.COLUMNS + 6]
    assert rows[-1] == "…"
