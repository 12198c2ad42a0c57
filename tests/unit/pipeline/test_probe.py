# SPDX-License-Identifier: Apache-2.0
"""The flows by which it is heard that somebody has an address."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from ovs_dhcpd.flows.bindings.probe import PROBING_MACS, probing_mac
from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.flow import Meter
from ovs_dhcpd.flows.pipeline.probe import PASSES_OURS, daemon_flow, probe_flows

TELL = "controller(userdata=64.68.00.02.00.00.00.00),resubmit(,201)"


@pytest.mark.parametrize(
    ("address", "matches"),
    [
        ("10.0.0.5", ["arp,reg0=0/0x10,arp_spa=10.0.0.5",
                      "arp,reg0=0/0x10,arp_spa=0.0.0.0,arp_tpa=10.0.0.5,arp_op=1"]),
        ("fd00::5", ["icmp6,reg0=0/0x10,nw_ttl=255,icmp_type=136,icmp_code=0,nd_target=fd00::5",
                     "icmp6,reg0=0/0x10,ipv6_src=::,nw_ttl=255,icmp_type=135,icmp_code=0,"
                     "nd_target=fd00::5"]),
    ],
)  # fmt: skip
def test_who_has_it_and_who_asks_for_it_is_heard_and_the_packet_goes_on(
    address: str, matches: list[str]
) -> None:
    expected = [f"priority=101,{match} actions=meter:1684537344,{TELL}" for match in matches]
    assert [flow.content for flow in probe_flows(ip_address(address))] == expected
    without = [flow.content for flow in probe_flows(ip_address(address), metered=False)]
    assert without == [line.replace("meter:1684537344,", "") for line in expected]


@pytest.mark.parametrize(
    ("version", "match"),
    [
        (4, "arp,reg0=0/0x10,dl_src=02:64:68:00:00:00/ff:ff:ff:00:00:00,arp_spa=0.0.0.0,arp_op=1"),
        (6, "icmp6,reg0=0/0x10,dl_src=02:64:68:00:00:00/ff:ff:ff:00:00:00,ipv6_src=::,nw_ttl=255,"
            "icmp_type=135,icmp_code=0"),
    ],
)  # fmt: skip
def test_daemons_are_heard_whatever_they_ask_for(version: int, match: str) -> None:
    line = f"priority=101,{match} actions=meter:1684537344,{TELL}"
    assert daemon_flow(version).content == line
    without = daemon_flow(version, metered=False).content
    assert without == line.replace("meter:1684537344,", "")
    value, mask = PROBING_MACS
    assert int.from_bytes(probing_mac("br0", b"salt"), "big") & mask == value


def test_its_meter_is_no_ports() -> None:
    (meter,) = {flow.actions[0] for flow in probe_flows(ip_address("10.0.0.5"))}
    assert meter == Meter(0x64680000)


def test_what_we_ask_ourselves_is_not_heard_and_passes_the_guard() -> None:
    (first, _) = probe_flows(ip_address("10.0.0.5"))
    reg0 = sum(load.value << load.offset for load in PASSES_OURS if load.field is f.REG0)
    assert reg0 == 0b1010000
    (seen,) = (term for term in first.match if term.field is f.REG0)
    assert (reg0 ^ seen.value) & (seen.mask or 0)
