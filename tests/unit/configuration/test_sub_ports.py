# SPDX-License-Identifier: Apache-2.0
"""`parent` and `tag` of a port in the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from ovs_dhcpd.flows.bindings.network import Parent

from tests.unit.configuration.file import errors, load

MAC = "02:00:00:00:00:01"
TEXT = f"""\
networks:
  red:
    dhcpv4: {{cidr: 10.0.0.0/24}}
    pool: 10.0.0.100
    ports:
      vm1: {{addresses: "{MAC} 10.0.0.5"}}
  blue:
    dhcpv4: {{cidr: 10.1.0.0/24}}
    ports:
      vm1-10: {{addresses: "{MAC} 10.1.0.5", parent: vm1, tag: 10}}
"""
PORT = '      other: {addresses: "02:00:00:00:00:02 10.1.0.6", %s}\n'


def test_a_port_may_be_a_vlan_of_another_with_its_mac(tmp_path: Path) -> None:
    same_network = f'      vm1-11: {{addresses: "{MAC} 10.1.0.6", parent: vm1, tag: 11}}\n'
    red, blue = load(tmp_path, TEXT + same_network).networks
    assert red.ports[0].parent is None
    assert [port.parent for port in blue.ports] == [Parent("vm1", 10), Parent("vm1", 11)]


@pytest.mark.parametrize(
    ("port", "line"),
    [
        ("parent: vm1", "tag: is missing, expected it beside parent"),
        ("tag: 10", "parent: is missing, expected it beside tag"),
        ("parent: vm1, tag: 0", "tag: 0, expected a VLAN, from 1 to 4094"),
        ("parent: vm1, tag: 4095", "tag: 4095, expected a VLAN, from 1 to 4094"),
        ("parent: [], tag: 5", "parent: a list, expected the name of another port"),
        ("parent: other, tag: 5", "parent: 'other', expected the name of another port"),
        ("parent: vm1, tag: 10", "tag: 10 is that of vm1-10 at c.yaml:10 too, expected another"),
        (
            "parent: vm1-10, tag: 5",
            "parent: vm1-10 is a sub-port itself, expected one that is none",
        ),
    ],
)
def test_mistakes_are_named_and_placed(tmp_path: Path, port: str, line: str) -> None:
    found = errors(tmp_path, TEXT + PORT % port)
    assert [each.replace(str(tmp_path) + "/", "") for each in found] == [
        f"c.yaml:11: other: {line}"
    ]
