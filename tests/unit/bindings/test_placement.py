# SPDX-License-Identifier: Apache-2.0
"""On which host a port is served, by the options of its row."""

from __future__ import annotations

import pytest
from ovs_dhcpd.flows.bindings.placement import Placement

HOST = frozenset({"hv1", "host1"})


@pytest.mark.parametrize(
    ("options", "version"),
    [
        ({}, None),
        ({}, "7"),
        ({"iface-id-ver": "7"}, "7"),
        ({"requested-chassis": ""}, None),
        ({"requested-chassis": "hv1"}, None),
        ({"requested-chassis": "host1"}, None),
        ({"requested-chassis": "hv2,hv1"}, None),
        ({"activation-strategy": "rarp"}, None),
        ({"requested-chassis": ",hv1,hv2", "activation-strategy": "rarp"}, None),
    ],
)
def test_here_it_is_served(options: dict[str, str], version: str | None) -> None:
    assert Placement.of(options).why_not(version, HOST) == ""


@pytest.mark.parametrize(
    ("options", "version", "line"),
    [
        ({"iface-id-ver": "7"}, None, "options: iface-id-ver: 7, expected the interface's, none"),
        ({"iface-id-ver": "7"}, "8", "options: iface-id-ver: 7, expected the interface's, 8"),
        (
            {"requested-chassis": "hv2,hv\x1b"},
            None,
            r"options: requested-chassis: hv2,hv\x1b, expected this host, host1 or hv1",
        ),
        (
            {"requested-chassis": "hv2,hv1", "activation-strategy": "rarp"},
            None,
            "options: activation-strategy: is waited for while requested-chassis begins with hv2",
        ),
    ],
)
def test_elsewhere_it_is_not(options: dict[str, str], version: str | None, line: str) -> None:
    assert Placement.of(options).why_not(version, HOST) == line


@pytest.mark.parametrize(
    ("group", "line"),
    [
        (None, ""),
        (("hv1", "hv2"), ""),
        (
            ("hv2\n", "hv1"),
            r"ha_chassis_group: hv2\n comes first in it, expected this host, host1 or hv1",
        ),
        ((), "ha_chassis_group: is empty, expected this host, host1 or hv1"),
    ],
)
def test_of_a_group_of_hosts_the_first_serves(group: tuple[str, ...] | None, line: str) -> None:
    assert Placement(group=group).why_not(None, HOST) == line
