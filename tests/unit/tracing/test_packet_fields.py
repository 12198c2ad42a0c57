# SPDX-License-Identifier: Apache-2.0
"""What flows see of a frame, and a frame with other values."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.tracing.packet_fields import fields_of, rewritten
from ovs_dhcpd.controller.wire.frames import with_tag

from tests.lab import nd, packets6
from tests.lab.packets import DISCOVER, request

MAC = "fa:16:3e:00:00:01"
LLA = "fe80::f816:3eff:fe00:1"
DHCPV4 = request(DISCOVER, MAC)
DHCPV6 = packets6.frame_of(b"\1\0\0\0", MAC, ip_src=LLA)
NS = nd.neighbour_solicitation(MAC, LLA, "fe80::9", nd.mac_option(1, MAC))
RS = nd.router_solicitation(MAC, LLA)


def shown(frame: bytes) -> dict[str, str]:
    return {field.match: field.show(value) for field, value in fields_of(frame).items()}


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (
            DHCPV4,
            "dl_dst=ff:ff:ff:ff:ff:ff dl_src=fa:16:3e:00:00:01 dl_type=0x800 dl_vlan=0 nw_proto=17 "
            "nw_ttl=64 nw_src=0.0.0.0 nw_dst=255.255.255.255 tp_src=68 tp_dst=67",
        ),
        (
            DHCPV6,
            "dl_dst=33:33:00:01:00:02 dl_src=fa:16:3e:00:00:01 dl_type=0x86dd dl_vlan=0 "
            "nw_proto=17 nw_ttl=1 ipv6_src=fe80::f816:3eff:fe00:1 ipv6_dst=ff02::1:2 tp_src=546 "
            "tp_dst=547",
        ),
        (
            NS,
            "dl_dst=33:33:ff:00:00:09 dl_src=fa:16:3e:00:00:01 dl_type=0x86dd dl_vlan=0 "
            "nw_proto=58 nw_ttl=255 ipv6_src=fe80::f816:3eff:fe00:1 ipv6_dst=ff02::1:ff00:9 "
            "icmp_type=135 icmp_code=0 nd_target=fe80::9 nd_sll=fa:16:3e:00:00:01 "
            "nd_tll=00:00:00:00:00:00",
        ),
        (
            with_tag(RS, 100),
            "dl_dst=33:33:00:00:00:02 dl_src=fa:16:3e:00:00:01 dl_type=0x86dd dl_vlan=100 "
            "nw_proto=58 nw_ttl=255 ipv6_src=fe80::f816:3eff:fe00:1 ipv6_dst=ff02::2 "
            "icmp_type=133 icmp_code=0",
        ),
        (
            DHCPV4[:40],  # cut off
            "dl_dst=ff:ff:ff:ff:ff:ff dl_src=fa:16:3e:00:00:01 dl_type=0x800 dl_vlan=0",
        ),
    ],
)
def test_the_fields_of_a_frame(frame: bytes, expected: str) -> None:
    assert shown(frame) == dict(term.split("=") for term in expected.split())


@pytest.mark.parametrize("frame", [DHCPV4, with_tag(DHCPV4, 100), DHCPV6, NS, RS])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dl_src": "02:00:00:00:00:01", "dl_dst": "02:00:00:00:00:02"},
        {"nw_src": "10.0.0.1", "tp_src": "67", "tp_dst": "68"},
        {"ipv6_src": "fe80::1", "ipv6_dst": "fe80::2"},
    ],
)
def test_a_frame_with_other_values_differs_in_these_alone(
    frame: bytes, changes: dict[str, str]
) -> None:
    has = shown(frame)
    after = shown(rewritten(frame, changes))
    here = {name: value for name, value in changes.items() if name in has}
    ttl = {} if has["dl_type"] == "0x86dd" and has["nw_proto"] == "58" else {"nw_ttl": "64"}
    assert after == has | here | ttl
