# SPDX-License-Identifier: Apache-2.0
"""What a row of Logical_Router_Port has to say of router advertisements, by ovn-northd's rules."""

from __future__ import annotations

from ipaddress import IPv6Network

import pytest
from ovs_dhcpd.flows.bindings.network import Ra
from ovs_dhcpd.flows.configuration.northbound import PortRow, bind
from ovs_dhcpd.flows.configuration.router_port import RouterPortRow, SharedRa, shared_ra
from ovs_dhcpd.flows.userdata.action_text import format_action
from ovs_dhcpd.flows.userdata.codec import PutNdRaOpts

MAC = "0a:00:00:00:00:01"
NETWORKS = ("fd00:2::1/64", "10.0.0.1/24", "fe80::1/64", "fd00:1::1/64", "fd00:3::1/64")


def row(*networks: str, mac: str = MAC, mode: str = "slaac", **configs: str) -> RouterPortRow:
    return RouterPortRow("uuid", "lrp0", mac, networks, {"address_mode": mode, **configs})


def advertises(shared: SharedRa) -> Ra:
    assert shared.ra
    return shared.ra


def text(shared: SharedRa) -> str:
    action = format_action(PutNdRaOpts(advertises(shared).message))
    return action.partition("put_nd_ra_opts(")[2].partition(");")[0]


def test_all_that_the_row_says_is_in_the_order_of_northd() -> None:
    shared = shared_ra(
        row(
            *NETWORKS,
            mode="dhcpv6_stateless",
            mtu="1442",
            rdnss="fd00::53",
            dnssl="a.example, b.example",
            route_info="HIGH-fd00:8::/48,LOW-fd00:9::/96",
            router_preference="LOW",
        )
    )
    assert text(shared) == (
        'addr_mode = "dhcpv6_stateless", router_preference = "LOW", slla = 0a:00:00:00:00:01, '
        'mtu = 1442, rdnss = fd00::53, dnssl = "a.example,b.example", '
        'route_info = "HIGH-fd00:8::/48,LOW-fd00:9::/96", '
        "prefix = fd00:1::/64, prefix = fd00:2::/64, prefix = fd00:3::/64"
    )
    assert shared.refused == ()
    assert advertises(shared).slla.hex(":") == MAC


@pytest.mark.parametrize("mtu", ["", "0"])
def test_without_an_mtu_there_is_none(mtu: str) -> None:
    shared = shared_ra(row(*NETWORKS, mtu=mtu))
    assert "mtu" not in text(shared)
    assert shared.refused == ()


@pytest.mark.parametrize(
    ("configs", "line"),
    [
        ({"mtu": "1279"}, "mtu: 1279, expected 1280 or more (RFC 8200 §5)"),
        ({"router_preference": "high"}, "router_preference: "),
        ({"rdnss": "10.0.0.1"}, "rdnss: "),
        ({"dnssl": "a..b"}, "dnssl: "),
        ({"route_info": "UP-fd00::/48"}, "route_info: "),
    ],
)
def test_one_value_that_is_wrong_is_left_out_and_named(configs: dict[str, str], line: str) -> None:
    shared = shared_ra(row(*NETWORKS, **configs))
    assert text(shared) == text(shared_ra(row(*NETWORKS)))
    (refused,) = shared.refused
    assert refused.startswith(line)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (row("10.0.0.1/24", "fe80::1/64"), "networks: no IPv6 prefix, expected one: "),
        (row(*NETWORKS, mac="02:00"), "mac: "),
        (row(*NETWORKS, mode="dhcp"), "addr_mode: "),
    ],
)
def test_without_what_it_needs_nothing_is_advertised(wrong: RouterPortRow, line: str) -> None:
    shared = shared_ra(wrong)
    assert shared.ra is None
    (refused,) = shared.refused
    assert refused.startswith(line)


def test_more_than_a_flow_can_hold_is_not_advertised() -> None:
    networks = [
        f"{IPv6Network((0xFD00 << 112 | number << 64, 64))[1]}/64" for number in range(3000)
    ]
    shared = shared_ra(row(*networks))
    assert shared.ra is None
    assert shared.refused[0].startswith("ipv6_ra_configs: ")


@pytest.mark.parametrize(
    ("configs", "interval"),
    [
        ({}, None),
        ({"send_periodic": "false", "max_interval": "30"}, None),
        ({"send_periodic": "true"}, (200, 600)),
        ({"send_periodic": "True", "max_interval": "8"}, (6, 8)),
        ({"send_periodic": "true", "max_interval": "9"}, (3, 9)),
        ({"send_periodic": "true", "max_interval": "2", "min_interval": "1"}, (3, 4)),
        ({"send_periodic": "true", "max_interval": "5000"}, (600, 1800)),
        ({"send_periodic": "true", "min_interval": "590"}, (450, 600)),
        ({"send_periodic": "true", "max_interval": "often"}, (200, 600)),
    ],
)
def test_the_times_between_two_are_kept_in_the_bounds_of_northd(
    configs: dict[str, str], interval: tuple[int, int] | None
) -> None:
    assert advertises(shared_ra(row(*NETWORKS, **configs))).interval == interval


def test_a_port_without_dhcp_and_without_a_mac_is_advertised_to() -> None:
    port = PortRow("p", "", True, ("unknown",), "", {})
    ((network, served),) = bind(port, None, None, ra=shared_ra(row(*NETWORKS))).served
    assert (network.name, served.mac, served.addresses) == ("ra uuid", None, ())
    assert network.ra


def test_what_of_an_advertisement_is_left_out_is_refused_of_the_port() -> None:
    port = PortRow("p", "", True, ("unknown",), "", {})
    shared = shared_ra(row("10.0.0.1/24"))
    assert bind(port, None, None, ra=shared).refused == shared.refused
