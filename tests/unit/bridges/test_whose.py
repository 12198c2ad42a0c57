# SPDX-License-Identifier: Apache-2.0
"""Which bridge a switch is that connects to us."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.bridges.whose import Stranger, whose

BRIDGES = {"br-int": 0x42, "br-lab": 0x43}


@pytest.mark.parametrize("complete", [False, True])
def test_its_datapath_id_says_so(complete: bool) -> None:
    assert whose(0x43, BRIDGES, complete=complete) == "br-lab"
    assert whose(0x42, {**BRIDGES, "br-new": None}, complete=complete) == "br-int"


@pytest.mark.parametrize(
    ("bridges", "complete"),
    [(BRIDGES, False), ({}, False), ({**BRIDGES, "br-new": None}, True)],
    ids=["not read", "nothing read", "one without an id"],
)
def test_it_may_still_turn_out(bridges: dict[str, int | None], complete: bool) -> None:
    assert whose(0x44, bridges, complete=complete) is None


def test_a_stranger_is_told_who_was_expected() -> None:
    known = "0000000000000042 of br-int, 0000000000000043 of br-lab"
    with pytest.raises(Stranger, match=f"datapath 0000000000000044, expected {known}"):
        whose(0x44, BRIDGES, complete=True)
    with pytest.raises(Stranger, match="expected none"):
        whose(0x44, {}, complete=True)
