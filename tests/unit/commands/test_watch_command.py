# SPDX-License-Identifier: Apache-2.0
"""Which transactions are chosen."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.commands import cli
from ovs_dhcpd.controller.commands.watch_command import is_of

from tests.unit.transaction import OFFER


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([], True),
        (["vm1"], True),
        (["lab"], True),
        (["br-int"], True),
        (["02:00:00:00:00:01"], True),
        (["10.0.0.5"], True),
        (["vm2", "vm1"], True),
        (["vm2"], False),
    ],
)
def test_what_is_asked_for_is_chosen(names: list[str], chosen: bool) -> None:
    assert is_of(OFFER, names) == chosen


@pytest.mark.parametrize("count", ["0", "-1", "x", "1.5", ""])
def test_it_ends_after_one_at_least(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["watch", f"--count={count}"])
    said = f"ovs-dhcpd watch: -n/--count: {count!r}, expected a number from 1 on; type: "
    assert capsys.readouterr()[1].startswith(said)
