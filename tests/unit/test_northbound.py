# SPDX-License-Identifier: Apache-2.0
"""Rows of the Northbound database become bindings by OVN's rules; no database is needed."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address

import pytest

from flows.bindings import Binding
from flows.northbound import OptionsRow, PortRow, bind, shared_dhcpv4, shared_dhcpv6
from flows.options import DHCPV4
from flows.userdata import encode_userdata

MAC = "02:00:00:00:00:05"
V4 = {"server_id": "10.0.0.1", "server_mac": "0a:00:00:00:00:01", "lease_time": "60"}
V6 = {"server_id": "0a:00:00:00:00:01"}


def row(
    *addresses: str, type: str = "", enabled: bool = True, dynamic: str = "", hostname: str = ""
) -> PortRow:
    options = {"hostname": hostname} if hostname else {}
    return PortRow("p", type, enabled, addresses, dynamic, options)


def v4(options: Mapping[str, str] = V4, cidr: str = "10.0.0.0/24") -> OptionsRow:
    return OptionsRow("row4", cidr, options)


def v6(options: Mapping[str, str] = V6, cidr: str = "fd00::/64") -> OptionsRow:
    return OptionsRow("row6", cidr, options)


def bound(port: PortRow, dhcpv4: OptionsRow | None = None, dhcpv6: OptionsRow | None = None):
    return bind(port, dhcpv4 and shared_dhcpv4(dhcpv4), dhcpv6 and shared_dhcpv6(dhcpv6))


def offers(binding: Binding) -> list[tuple[str, list[str]]]:
    """MAC and addresses of each port that is served."""
    return [(port.mac.hex(":"), list(map(str, port.addresses))) for _, port in binding.served]


def options(binding: Binding) -> dict[str, bytes]:
    """The DHCPv4 options of the one port that is served, by name."""
    ((network, port),) = binding.served
    action = network.put_dhcp_opts(port)
    assert action
    return {DHCPV4.by_code[code].name: value for code, value in action.options}


def userdata(binding: Binding) -> list[str]:
    ((network, port),) = binding.served
    actions = (network.put_dhcp_opts(port), network.put_dhcpv6_opts(port))
    return [encode_userdata(action).hex() for action in actions if action]


HEADER = "000000{}000000000001de1000000063"
# OVN's userdata, as test_userdata_parity.py and its sibling see it made.
USERDATA4 = HEADER.format("02") + "0a00000533040000003c0104ffffff0036040a000001"
USERDATA6 = HEADER.format("05") + "00050010fd000000000000000000000000000005000200060a0000000001"


def test_both_families_are_served_with_the_bytes_of_ovn():
    assert userdata(bound(row(f"{MAC} 10.0.0.5 fd00::5"), v4(), v6())) == [USERDATA4, USERDATA6]


def test_the_length_of_a_prefix_does_not_change_the_bytes():
    assert userdata(bound(row(f"{MAC} fd00::5"), None, v6(cidr="fd00::/112"))) == [USERDATA6]


def test_stateless_dhcpv6_gives_no_address_but_asks_for_one_in_cidr():
    stateless = v6({**V6, "dhcpv6_stateless": "True"})
    assert userdata(bound(row(f"{MAC} fd00::5"), None, stateless)) == [
        HEADER.format("05") + "000200060a0000000001"
    ]
    assert bound(row(f"{MAC} fd11::5"), None, stateless).served == ()


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ([f"{MAC} 10.0.0.5"], [(MAC, ["10.0.0.5"])]),
        ([f"{MAC} 10.9.0.1 10.0.0.5 10.0.0.6"], [(MAC, ["10.0.0.5"])]),
        ([f"{MAC} 10.0.0.5/24"], [(MAC, ["10.0.0.5"])]),
        (["unknown", f"{MAC} 10.0.0.5"], [(MAC, ["10.0.0.5"])]),
        (["router", "", f"  {MAC}   10.0.0.5 "], [(MAC, ["10.0.0.5"])]),
        (
            [f"{MAC} 10.0.0.5", "02:00:00:00:00:06 10.0.0.6"],
            [(MAC, ["10.0.0.5"]), ("02:00:00:00:00:06", ["10.0.0.6"])],
        ),
    ],
)
def test_the_first_address_inside_cidr_is_offered_to_each_mac(addresses, expected):
    binding = bound(row(*addresses), v4())
    assert (offers(binding), binding.refused) == (expected, ())


def test_a_mac_is_served_only_what_it_has_an_address_for():
    """A port of DHCPv6 without an address would be one of a stateless server."""
    binding = bound(row(f"{MAC} 10.0.0.5", "02:00:00:00:00:06 fd00::6"), v4(), v6())
    (first, _), (second, _) = binding.served
    assert (bool(first.dhcpv4), bool(first.dhcpv6)) == (True, False)
    assert (bool(second.dhcpv4), bool(second.dhcpv6)) == (False, True)
    assert offers(binding) == [(MAC, ["10.0.0.5"]), ("02:00:00:00:00:06", ["fd00::6"])]


@pytest.mark.parametrize("text", ["dynamic", "dynamic 10.0.0.9", f"{MAC} dynamic"])
def test_dynamic_addresses_are_those_of_ovn_northd(text):
    binding = bound(row(text, dynamic=f"{MAC} 10.0.0.7 fd00::7"), v4(), v6())
    assert (offers(binding), binding.refused) == ([(MAC, ["10.0.0.7", "fd00::7"])], ())


@pytest.mark.parametrize(
    "port", [row(f"{MAC} 10.0.0.5", enabled=False), row(f"{MAC} 10.0.0.5", type="router")]
)
def test_such_a_port_is_not_served_and_nothing_is_amiss(port):
    assert bound(port, v4()) == Binding()


def test_a_port_without_options_is_not_served_and_nothing_is_amiss():
    assert bound(row(f"{MAC} 10.0.0.5")) == Binding()


def test_the_ports_hostname_wins_but_for_a_mistake():
    shared = v4({**V4, "hostname": '"shared"'})
    address = f"{MAC} 10.0.0.5"
    assert options(bound(row(address), shared))["hostname"] == b"shared"
    assert options(bound(row(address, hostname='"vm1"'), shared))["hostname"] == b"vm1"
    wrong = bound(row(address, hostname='""'), shared)
    assert options(wrong)["hostname"] == b"shared"
    assert wrong.refused == (
        "port p: options: hostname: it is empty, expected text, not empty and without NUL",
    )


# What is written; what is said of it.  The port is served without it.
LEFT_OUT = [
    ({"mtu": "99999"}, "mtu: 99999 does not fit, expected a number from 0 to 65535"),
    (
        {"colour": "red"},
        "colour: unknown option, expected the name of a DHCPv4 option or option_NNN",
    ),
    ({"offerip": "10.0.0.9"}, "offerip: comes from the port's addresses, expected nothing here"),
    (
        {"netmask": "255.0.0.0"},
        "netmask: is not that of cidr 10.0.0.0/24, expected 255.255.255.0 or no netmask",
    ),
    (
        {"T1": "50", "T2": "40"},
        "T1: T1 is 50, T2 40, lease_time 60, expected T1 < T2 < lease_time",
    ),
]


@pytest.mark.parametrize(("wrong", "line"), LEFT_OUT, ids=lambda value: str(value)[:20])
def test_one_wrong_option_is_left_out_and_the_rest_is_served(wrong, line):
    binding = bound(row(f"{MAC} 10.0.0.5"), v4({**V4, "router": "10.0.0.1", **wrong}))
    left = {**options(bound(row(f"{MAC} 10.0.0.5"), v4({**V4, "router": "10.0.0.1"})))}
    if "T2" in wrong:
        left["T2"] = (40).to_bytes(4, "big")
    assert options(binding) == left
    assert binding.refused == (f"port p: dhcpv4_options: {line}",)


@pytest.mark.parametrize("hostname", ["vm1", '"vm1"'])
def test_text_may_do_without_its_quotes(hostname):
    """OVN's ovn-controller cannot read the first: the port would have no DHCP at all."""
    binding = bound(row(f"{MAC} 10.0.0.5"), v4({**V4, "hostname": hostname}))
    assert (options(binding)["hostname"], binding.refused) == (b"vm1", ())


# Port, DHCP_Options of either family; what is said.  Nothing is served.
MISSING = "is missing, expected it: without, nothing is served"
REFUSED = [
    (row(f"{MAC} 10.1.0.5"), v4(), None,
     ["addresses: no address in cidr 10.0.0.0/24, expected one to offer"]),
    (row(f"{MAC} 10.0.0.5"), None, v6(),
     ["addresses: no address in cidr fd00::/64, expected one to offer"]),
    (row("unknown"), v4(), None,
     ["addresses: no address in cidr 10.0.0.0/24, expected one to offer"]),
    (row("dynamic"), v4(), None,
     ["dynamic_addresses: is empty, expected ovn-northd to have set it",
      "addresses: no address in cidr 10.0.0.0/24, expected one to offer"]),
    (row("10.0.0.5"), v4(), None,
     ["addresses: '10.0.0.5' is no MAC, expected xx:xx:xx:xx:xx:xx",
      "addresses: no address in cidr 10.0.0.0/24, expected one to offer"]),
    (row(f"{MAC} {MAC} 10.0.0.5"), v4(), None,
     [f"addresses: {MAC} is no address, expected one MAC, then addresses",
      "addresses: no address in cidr 10.0.0.0/24, expected one to offer"]),
    (row(f"{MAC} 10.0.0.5", type="localnet"), v4(), None,
     ["type: localnet, expected none: such a port is not plugged in"]),
    (row(f"{MAC} 10.0.0.5"), v4({}), None,
     [f"dhcpv4_options: {name}: {MISSING}" for name in V4]),
    (row(f"{MAC} 10.0.0.5"), v4({**V4, "lease_time": "soon"}), None,
     ["dhcpv4_options: lease_time: 'soon': column 1: `soon', expected a constant (text goes in "
      "double quotes); expected a number from 0 to 4294967295"]),
    (row(f"{MAC} 10.0.0.5"), v4(cidr="fd00::/64"), None,
     ["dhcpv4_options: cidr: 'fd00::/64' is no IPv4 subnet, expected address/length, "
      "as in 192.168.1.0/24"]),
    (row(f"{MAC} fd00::5"), None, v6({}), [f"dhcpv6_options: server_id: {MISSING}"]),
    (row(f"{MAC} 10.0.0.5"), v4({**V4, "option_224": "0x" + "00" * 65000}), None,
     ["dhcpv4_options: the options take 65548 bytes, at most 65000 fit"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("port", "dhcpv4", "dhcpv6", "lines"), REFUSED, ids=[lines[-1][:60] for *_, lines in REFUSED]
)
def test_what_cannot_be_served_is_refused_by_name(port, dhcpv4, dhcpv6, lines):
    binding = bound(port, dhcpv4, dhcpv6)
    assert binding.refused == tuple(f"port p: {line}" for line in lines)
    assert binding.served == ()


def test_what_is_wrong_in_one_family_does_not_touch_the_other():
    binding = bound(row(f"{MAC} 10.0.0.5 fd00::5"), v4({}), v6())
    assert userdata(binding) == [USERDATA6]
    assert len(binding.refused) == 3


def test_host_bits_in_cidr_are_overlooked():
    binding = bound(row(f"{MAC} 10.0.0.5 fd00::5"), v4(cidr="10.0.0.77/24"), v6(cidr="fd00::7/64"))
    assert (userdata(binding), binding.refused) == ([USERDATA4, USERDATA6], ())


def test_ports_with_the_same_rows_are_of_the_same_network():
    shared4, shared6 = shared_dhcpv4(v4()), shared_dhcpv6(v6())
    ((one, port),) = bind(row(f"{MAC} 10.0.0.5 fd00::5"), shared4, shared6).served
    ((two, _),) = bind(row("02:00:00:00:00:06 10.0.0.6 fd00::6"), shared4, shared6).served
    ((other, _),) = bind(row(f"{MAC} 10.0.0.5"), shared4, shared6).served
    assert one == two
    assert one.name != other.name
    assert port.addresses == (IPv4Address("10.0.0.5"), IPv6Address("fd00::5"))
