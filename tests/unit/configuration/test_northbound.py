# SPDX-License-Identifier: Apache-2.0
"""Rows of the Northbound database become bindings by OVN's rules; no database is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
from ovs_dhcpd.flows.bindings.network import Binding, Guarded, Parent
from ovs_dhcpd.flows.bindings.placement import Placement
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit
from ovs_dhcpd.flows.configuration.external import Entrance
from ovs_dhcpd.flows.configuration.northbound import (
    OptionsRow,
    PortRow,
    bind,
    claims,
    shared_dhcpv4,
    shared_dhcpv6,
)
from ovs_dhcpd.flows.configuration.router_port import RouterPortRow, shared_ra
from ovs_dhcpd.flows.options.table import DHCPV4
from ovs_dhcpd.flows.userdata.codec import encode_userdata

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


def bound(
    port: PortRow, dhcpv4: OptionsRow | None = None, dhcpv6: OptionsRow | None = None
) -> Binding:
    return bind(
        port,
        shared_dhcpv4(dhcpv4) if dhcpv4 else None,
        shared_dhcpv6(dhcpv6) if dhcpv6 else None,
    )


def offers(binding: Binding) -> list[tuple[str, list[str]]]:
    """MAC and addresses of each port that is served."""
    return [
        (port.mac.hex(":") if port.mac else "", list(map(str, port.addresses)))
        for _, port in binding.served
    ]


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


def test_both_families_are_served_with_the_bytes_of_ovn() -> None:
    assert userdata(bound(row(f"{MAC} 10.0.0.5 fd00::5"), v4(), v6())) == [USERDATA4, USERDATA6]


def test_the_length_of_a_prefix_does_not_change_the_bytes() -> None:
    assert userdata(bound(row(f"{MAC} fd00::5"), None, v6(cidr="fd00::/112"))) == [USERDATA6]


def test_stateless_dhcpv6_gives_no_address_but_asks_for_one_in_cidr() -> None:
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
def test_the_first_address_inside_cidr_is_offered_to_each_mac(
    addresses: list[str], expected: list[tuple[str, list[str]]]
) -> None:
    binding = bound(row(*addresses), v4())
    assert (offers(binding), binding.refused) == (expected, ())


def test_a_mac_is_served_only_what_it_has_an_address_for() -> None:
    """A port of DHCPv6 without an address would be one of a stateless server."""
    binding = bound(row(f"{MAC} 10.0.0.5", "02:00:00:00:00:06 fd00::6"), v4(), v6())
    (first, _), (second, _) = binding.served
    assert (bool(first.dhcpv4), bool(first.dhcpv6)) == (True, False)
    assert (bool(second.dhcpv4), bool(second.dhcpv6)) == (False, True)
    assert offers(binding) == [(MAC, ["10.0.0.5"]), ("02:00:00:00:00:06", ["fd00::6"])]


@pytest.mark.parametrize("text", ["dynamic", "dynamic 10.0.0.9", f"{MAC} dynamic"])
def test_dynamic_addresses_are_those_of_ovn_northd(text: str) -> None:
    binding = bound(row(text, dynamic=f"{MAC} 10.0.0.7 fd00::7"), v4(), v6())
    assert (offers(binding), binding.refused) == ([(MAC, ["10.0.0.7", "fd00::7"])], ())


@pytest.mark.parametrize(
    ("port", "why"),
    [
        (row(f"{MAC} 10.0.0.5", enabled=False), "enabled: false"),
        (row(f"{MAC} 10.0.0.5", type="router"), "type: router"),
    ],
)
def test_such_a_port_is_not_served_and_nothing_is_amiss(port: PortRow, why: str) -> None:
    assert bound(port, v4()) == Binding(unserved=why)


def test_a_port_without_options_is_not_served_and_nothing_is_amiss() -> None:
    why = "has neither dhcpv4_options nor dhcpv6_options"
    assert bound(row(f"{MAC} 10.0.0.5")) == Binding(unserved=why)


def test_the_ports_hostname_wins_but_for_a_mistake() -> None:
    shared = v4({**V4, "hostname": '"shared"'})
    address = f"{MAC} 10.0.0.5"
    assert options(bound(row(address), shared))["hostname"] == b"shared"
    assert options(bound(row(address, hostname='"vm1"'), shared))["hostname"] == b"vm1"
    wrong = bound(row(address, hostname='""'), shared)
    assert options(wrong)["hostname"] == b"shared"
    assert wrong.refused == (
        "options: hostname: it is empty, expected text, not empty and without NUL",
    )


# What is written; what is said of it.  The port is served without it.
LEFT_OUT = [
    ({"mtu": "99999"}, "mtu: 99999 does not fit, expected 68 to 65535 (RFC 2132 §5.1)"),
    ({"mtu": "67"}, "mtu: 67 is forbidden, expected 68 to 65535 (RFC 2132 §5.1)"),
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
def test_one_wrong_option_is_left_out_and_the_rest_is_served(
    wrong: dict[str, str], line: str
) -> None:
    binding = bound(row(f"{MAC} 10.0.0.5"), v4({**V4, "router": "10.0.0.1", **wrong}))
    left = {**options(bound(row(f"{MAC} 10.0.0.5"), v4({**V4, "router": "10.0.0.1"})))}
    if "T2" in wrong:
        left["T2"] = (40).to_bytes(4, "big")
    assert options(binding) == left
    assert binding.refused == (f"dhcpv4_options: {line}",)


@pytest.mark.parametrize("hostname", ["vm1", '"vm1"'])
def test_text_may_do_without_its_quotes(hostname: str) -> None:
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
def test_what_cannot_be_served_is_refused_by_name(
    port: PortRow, dhcpv4: OptionsRow | None, dhcpv6: OptionsRow | None, lines: list[str]
) -> None:
    binding = bound(port, dhcpv4, dhcpv6)
    assert binding.refused == tuple(lines)
    assert binding.served == ()


EVIL = "vm\x1b[2J\nforged\u202e" + "x" * 1000
CUT = r"vm\x1b[2J\nforged\u202e" + "x" * 57 + "…"


def test_text_of_the_rows_is_cut_and_escaped() -> None:
    many = {f"option{number:03}\x1b": "1" for number in range(100)}
    lines = [
        *bound(row(f"{MAC} {EVIL.replace(chr(10), '')}"), v4()).refused,
        *bound(row(f"{MAC} 10.0.0.5", type=EVIL), v4()).refused,
        *bound(
            row(f"{MAC} 10.0.0.5"), v4({**V4, EVIL: "1", "hostname": f'"{EVIL}', "mtu": EVIL})
        ).refused,
        *bound(row(f"{MAC} 10.0.0.5"), v4({**V4, **many})).refused,
    ]
    assert f"type: {CUT}, expected none: such a port is not plugged in" in lines
    assert any(line.startswith(f"dhcpv4_options: {CUT}: unknown option") for line in lines)
    assert any(line.startswith(f"dhcpv4_options: mtu: '{CUT}'") for line in lines)
    assert lines[-1] == "dhcpv4_options: and 80 more"
    assert all(line.isprintable() and len(line) < 400 for line in lines), lines


def test_what_is_wrong_in_one_family_does_not_touch_the_other() -> None:
    binding = bound(row(f"{MAC} 10.0.0.5 fd00::5"), v4({}), v6())
    assert userdata(binding) == [USERDATA6]
    assert len(binding.refused) == 3


def test_host_bits_in_cidr_are_overlooked() -> None:
    binding = bound(row(f"{MAC} 10.0.0.5 fd00::5"), v4(cidr="10.0.0.77/24"), v6(cidr="fd00::7/64"))
    assert (userdata(binding), binding.refused) == ([USERDATA4, USERDATA6], ())


def test_ports_with_the_same_rows_are_of_the_same_network() -> None:
    shared4, shared6 = shared_dhcpv4(v4()), shared_dhcpv6(v6())
    ((one, port),) = bind(row(f"{MAC} 10.0.0.5 fd00::5"), shared4, shared6).served
    ((two, _),) = bind(row("02:00:00:00:00:06 10.0.0.6 fd00::6"), shared4, shared6).served
    ((other, _),) = bind(row(f"{MAC} 10.0.0.5"), shared4, shared6).served
    assert one == two
    assert one.name != other.name
    assert port.addresses == (IPv4Address("10.0.0.5"), IPv6Address("fd00::5"))


@pytest.mark.parametrize("limit", [None, RateLimit(1, 2)])
def test_all_ports_have_the_rate_limit_that_is_given(limit: RateLimit | None) -> None:
    binding = bind(row(f"{MAC} 10.0.0.5 fd00::5"), shared_dhcpv4(v4()), None, rate_limit=limit)
    assert [network.rate_limit for network, _ in binding.served] == [limit]


def test_addresses_are_read_up_to_a_comma() -> None:
    binding = bound(row(f"{MAC} 10.0.0.5,10.0.0.6"), v4())
    assert offers(binding) == [(MAC, ["10.0.0.5"])]
    what = "10.0.0.5,10.0.0.6 is no address, expected one MAC, then addresses"
    assert binding.refused == (f"addresses: {what}",)


def test_of_two_pairs_of_one_mac_the_first_is_served() -> None:
    binding = bound(row(f"{MAC} 10.0.0.5", f"{MAC} 10.0.0.6"), v4())
    assert offers(binding) == [(MAC, ["10.0.0.5"])]
    what = f"{MAC} is there twice, expected once; the first is followed"
    assert binding.refused == (f"addresses: {what}",)


def test_a_localport_is_plugged_in_and_served() -> None:
    binding = bound(row(f"{MAC} 10.0.0.5", type="localport"), v4())
    assert offers(binding) == [(MAC, ["10.0.0.5"])]
    assert binding.refused == ()


@pytest.mark.parametrize(
    ("tag", "refused"),
    [
        (1, ()),
        (4094, ()),
        (0, ("tag: is missing, expected it",)),
        (4095, ("tag: 4095, expected a VLAN, from 1 to 4094",)),
    ],
)
def test_a_sub_port_needs_a_tag(tag: int, refused: tuple[str, ...]) -> None:
    port = replace(row(f"{MAC} 10.0.0.5"), parent=Parent("vm1", tag))
    binding = bound(port, v4())
    assert binding.refused == refused
    assert [port.parent for _, port in binding.served] == ([] if refused else [Parent("vm1", tag)])


def test_port_security_is_that_of_each_mac_of_the_port() -> None:
    security = (MAC + " 10.0.0.5", "02:00:00:00:00:06", "x")
    port = replace(row(f"{MAC} 10.0.0.5", "02:00:00:00:00:06 10.0.0.6"), port_security=security)
    held = (
        Guarded(bytes.fromhex("020000000005"), (IPv4Network("10.0.0.5"),)),
        Guarded(bytes.fromhex("020000000006")),
    )
    binding = bound(port, v4())
    assert [(port.guard, network.guard) for network, port in binding.served] == [(held, False)] * 2
    assert len(binding.refused) == 1
    assert binding.refused[0].startswith("port_security: 'x' is no MAC, ")


def test_a_port_that_is_served_nothing_is_held_to_its_port_security() -> None:
    ((network, port),) = bound(replace(row(), port_security=(MAC,))).served
    assert (network.dhcpv4, network.dhcpv6, network.ra, network.rate_limit) == (None,) * 4
    assert (port.name, port.mac, port.guard) == (
        "p",
        None,
        (Guarded(bytes.fromhex("020000000005")),),
    )
    assert not bound(replace(row(type="router"), port_security=(MAC,))).served
    assert not bound(replace(row(enabled=False), port_security=(MAC,))).served


def test_of_a_switch_that_passes_vlans_a_held_port_is_a_trunk() -> None:
    port = replace(row(f"{MAC} 10.0.0.5"), port_security=(MAC,))
    for passes in (False, True):
        ((_, held),) = bind(port, shared_dhcpv4(v4()), None, vlan_passthru=passes).served
        assert held.trunk == passes


def test_without_port_security_a_port_is_not_guarded() -> None:
    binding = bound(row(f"{MAC} 10.0.0.5"), v4())
    assert [port.guard for _, port in binding.served] == [None]


# External ports

UPLINK = Parent("eth1", 0, shared=True)
OTHER_MAC = "02:00:00:00:00:06"
TAGGED = Entrance("eth1", (("ln", 100),))


def external(*addresses: str) -> PortRow:
    return replace(row(*addresses, type="external"), parent=UPLINK)


def test_an_external_port_comes_in_by_the_uplink() -> None:
    port = external(f"{MAC} 10.0.0.5", f"{OTHER_MAC} 10.0.0.6")
    binding = bind(port, shared_dhcpv4(v4()), None, entrance=TAGGED)
    assert offers(binding) == [(MAC, ["10.0.0.5"]), (OTHER_MAC, ["10.0.0.6"])]
    assert {each.parent for _, each in binding.served} == {Parent("eth1", 100, shared=True)}
    assert {each.tag for _, each in binding.served} == {100}
    assert binding.refused == ()
    assert len(claims(port)) == 4
    ((_, untagged), _) = bind(
        port, shared_dhcpv4(v4()), None, entrance=Entrance("eth1", (("ln", 0),))
    ).served
    assert untagged.tag is None


def test_where_none_comes_in_an_external_port_is_refused() -> None:
    port = row(f"{MAC} 10.0.0.5", type="external")
    what = "type: external, expected none, or --external with the port that it comes in by"
    assert bound(port, v4()).refused == (what,)
    assert claims(port) == frozenset()
    nowhere = bind(external(f"{MAC} 10.0.0.5"), shared_dhcpv4(v4()), None,
                   entrance=Entrance("eth1", ()))  # fmt: skip
    what = "type: external, expected a localnet port on its switch"
    assert (nowhere.served, nowhere.refused) == ((), (what,))
    unread = bind(external(MAC), shared_dhcpv4(v4()), None, entrance=Entrance("eth1", None))
    assert (unread.served, unread.refused) == ((), ())
    assert unread.unserved


def test_an_uplink_is_not_held_to_the_port_security_of_one_guest() -> None:
    port = replace(external(f"{MAC} 10.0.0.5"), port_security=(MAC,))
    ((_, served),) = bind(port, shared_dhcpv4(v4()), None, entrance=TAGGED).served
    assert served.guard is None
    assert bind(port, None, None, entrance=TAGGED).unserved


def test_an_external_port_is_advertised_to_when_it_asks_and_nobody_else_is() -> None:
    ra = shared_ra(
        RouterPortRow("lrp", "lrp", OTHER_MAC, ("fd00::1/64",),
                      {"address_mode": "slaac", "send_periodic": "true"})
    )  # fmt: skip
    assert ra.ra
    assert ra.ra.interval
    ((asked, port),) = bind(external(MAC), None, None, ra=ra, entrance=TAGGED).served
    assert port.mac == bytes.fromhex(MAC.replace(":", ""))
    assert asked.ra == replace(ra.ra, interval=None)
    ((told, _),) = bind(row(MAC), None, None, ra=ra).served
    assert told.name != asked.name


def test_an_external_port_is_of_the_hosts_of_its_group_and_no_others() -> None:
    port = replace(external(f"{MAC} 10.0.0.5"), group=("hv2", "hv1"),
                   options={"requested-chassis": "hv1"})  # fmt: skip
    binding = bind(port, shared_dhcpv4(v4()), None, entrance=TAGGED)
    assert binding.placement == Placement(group=("hv2", "hv1"))


def test_a_time_of_ovns_has_no_units() -> None:
    options = {"server_id": "10.0.0.1", "server_mac": "02:00:00:00:00:01", "lease_time": "1h"}
    shared = shared_dhcpv4(OptionsRow("u", "10.0.0.0/24", options))
    assert shared.dhcp is None
    (line,) = shared.refused
    assert line.startswith("lease_time: '1h': column 1: ")
