# SPDX-License-Identifier: Apache-2.0
"""Where external ports come in, and in which order hosts serve them."""

from __future__ import annotations

from ovs_dhcpd.flows.bindings.network import Parent
from ovs_dhcpd.flows.configuration.external import Entrance, in_order


def test_they_come_in_by_the_uplink_with_the_tag_of_the_localnet_port() -> None:
    assert Entrance("eth1", (("ln", 100),)).parent == Parent("eth1", 100, shared=True)
    assert Entrance("eth1", (("ln", 0),)).parent == Parent("eth1", 0, shared=True)


def test_of_several_localnet_ports_the_first_is_followed_and_that_is_said() -> None:
    entrance = Entrance("eth1", (("a", 100), ("b\n", 200)))
    assert entrance.parent.tag == 100
    what = r"localnet port of its switch: b\n is one too, expected one; a is followed"
    assert [*entrance.refused] == [what]
    assert [*Entrance("eth1", (("a", 100),)).refused] == []


def test_hosts_come_in_the_order_of_ovn() -> None:
    """By priority; of equal ones the last by name (compare_chassis_prio_)."""
    assert in_order([(10, "hv1"), (30, "hv3"), (10, "hv2")]) == ("hv3", "hv2", "hv1")
    assert in_order([]) == ()
