# SPDX-License-Identifier: Apache-2.0
"""Why a bridge cannot be served, in one line."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.bridges.reachable import unreachable


@pytest.mark.parametrize("protocols", [(), ("OpenFlow13",), ("OpenFlow10", "OpenFlow15")])
def test_one_common_version_is_enough(protocols: tuple[str, ...]) -> None:
    assert unreachable("br-int", {"br-int": protocols}, ("1.5", "1.3")) == ""


def test_a_bridge_without_one_is_told_which_and_what_to_type() -> None:
    bridges = {"br-int": ("OpenFlow12", "OpenFlow10")}
    assert unreachable("br-int", bridges, ("1.5", "1.3")) == (
        "bridge br-int: protocols=OpenFlow10,OpenFlow12, expected one of OpenFlow15, OpenFlow13 "
        "among them; type: ovs-vsctl add bridge br-int protocols OpenFlow15"
    )


def test_a_bridge_that_the_switch_does_not_have_is_told_where_to_look() -> None:
    expected = (
        "bridge br0: ovs-vswitchd cannot make it, or does not run; type: "
        "tail /var/log/openvswitch/ovs-vswitchd.log"
    )
    assert unreachable("br0", {"br0": ()}, ("1.5",), ["br0"]) == expected


def test_a_bridge_that_is_not_there_is_told_so() -> None:
    expected = "bridge br-ex: does not exist; type: ovs-vsctl add-br br-ex"
    assert unreachable("br-ex", {}, ("1.5",)) == expected


def test_a_bridge_that_is_not_there_is_told_which_there_are() -> None:
    expected = (
        "bridge br-o: does not exist, expected br-ex or br-int; write that, or for a new bridge "
        "type: ovs-vsctl add-br br-o"
    )
    assert unreachable("br-o", {"br-int": (), "br-ex": ()}, ("1.5",)) == expected


def test_a_name_is_one_word_of_what_is_to_be_typed() -> None:
    expected = "bridge br&o: does not exist; type: ovs-vsctl add-br 'br&o'"
    assert unreachable("br&o", {}, ("1.5",)) == expected
