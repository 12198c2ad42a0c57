# SPDX-License-Identifier: Apache-2.0
"""What stands in a row by hand, and what is ours."""

from __future__ import annotations

import uuid
from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from ovs_dhcpd.controller.ports.by_hand import ByHand
from ovs_dhcpd.controller.ports.interface import Interface, Memory

ADDRESS, OTHER = IPv4Address("10.0.0.5"), IPv4Address("10.0.0.6")
OURS = Memory((ADDRESS,), "tap1")
TAP = Interface(row=uuid.UUID(int=1), bridge="br-int", name="tap1", ofport=1, memory=OURS)


@pytest.mark.parametrize(
    ("memory", "by_hand"),
    [
        (Memory(), False),
        (Memory((ADDRESS,)), True),
        (OURS, False),
        (Memory((OTHER,), "tap1"), True),
        (Memory((OTHER,), "tap2"), False),  # another guest's, whose row it was
    ],
)
def test_what_has_no_owner_or_other_addresses_is_by_hand(memory: Memory, by_hand: bool) -> None:
    ours = ByHand()
    ours.note(TAP, OURS)
    assert ours.wrote(replace(TAP, memory=memory)) == by_hand


def test_what_has_an_owner_is_ours_as_far_as_we_know() -> None:
    changed = replace(TAP, memory=Memory((OTHER,), "tap1"))
    ours = ByHand()
    assert not ours.wrote(changed)
    ours.note(TAP, OURS)
    assert not ours.wrote(replace(changed, row=uuid.UUID(int=2)))
    ours.forget("tap1")
    assert not ours.wrote(changed)
