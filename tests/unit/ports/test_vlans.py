# SPDX-License-Identifier: Apache-2.0
"""What a row of Port says of VLANs."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.ports.vlans import ALL_VLANS, vlans_of


@pytest.mark.parametrize(
    ("mode", "tag", "trunks", "untagged", "tagged"),
    [
        ("", None, set(), 0, ALL_VLANS),
        ("", None, {10, 20}, None, {10, 20}),
        ("", None, {0, 10}, 0, {10}),
        ("", 10, set(), 10, set()),
        ("", 0, set(), 0, set()),
        ("", 10, {20}, 10, set()),  # Open vSwitch ignores these trunks
        ("access", None, set(), 0, set()),
        ("trunk", 10, set(), 0, ALL_VLANS),
        ("native-untagged", 10, set(), 10, ALL_VLANS - {10}),
        ("native-untagged", 10, {20}, 10, {20}),
        ("native-tagged", 10, {20}, None, {10, 20}),
        ("native-tagged", 10, set(), None, ALL_VLANS),
        ("dot1q-tunnel", 10, set(), None, set()),
    ],
)
def test_the_vlans_of_a_port(
    mode: str, tag: int | None, trunks: set[int], untagged: int | None, tagged: set[int]
) -> None:
    vlans = vlans_of(mode, tag, frozenset(trunks))
    assert vlans.untagged == untagged
    assert set(vlans.tagged) == tagged
