# SPDX-License-Identifier: Apache-2.0
"""What is put together is accepted; what would not be is named."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from ovs_dhcpd.controller.drafting.draft import LINES, RANGES, Draft, DraftError, Unsaid, clean
from ovs_dhcpd.controller.drafting.yaml_text import Settings
from ovs_dhcpd.flows.bindings.pool import AddressRange

from tests.unit.drafting.reading import accepted, dhcpv4, left, network, pool, reserved

MAC, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"


def served(draft: Draft, name: str = "lan") -> Settings:
    """A network that is there, with a pool."""
    lan = draft.network(name, "f:1")
    draft.set(draft.open(lan, "dhcpv4", "f:1"), "cidr", "10.0.0.0/24", "f:1")
    draft.add_ranges(lan, [span("10.0.0.10", "10.0.0.99")], "f:1")
    return lan


def span(first: str, last: str) -> AddressRange:
    return AddressRange(ip_address(first), ip_address(last))


def test_what_is_said_is_there() -> None:
    draft = Draft("br9")
    served(draft)
    (lan,) = accepted(draft).networks
    assert (lan.name, lan.bridge, str(lan.pool)) == ("lan", "br9", "10.0.0.10-10.0.0.99")
    assert not draft.unsaid
    assert draft.text(["a", "b"]).startswith("# a\n# b\nbridge: br9\n")


def test_what_is_refused_is_taken_out_and_named() -> None:
    draft = Draft()
    lan = served(draft)
    part = lan["dhcpv4"]
    assert isinstance(part, Settings)
    draft.set(part, "mtu", 1, "f:7")
    draft.set(part, "router", "10.0.0.1", "f:8")
    assert left(draft) == ["f:7: lan: mtu: 1 is forbidden, expected 68 to 65535 (RFC 2132 §5.1)"]
    assert "  f:7: lan: mtu" in draft.text([]).split("bridge:")[0]
    assert "router" in dhcpv4(network(draft)).options


def test_what_hangs_on_it_is_taken_out_after_it() -> None:
    draft = Draft()
    lan = draft.network("lan", "f:1")
    draft.set(draft.open(lan, "dhcpv4", "f:2"), "cidr", "10.0.0.0/24", "f:2")
    draft.set(lan, "pool", ["10.9.0.1"], "f:3")
    draft.set(lan, "exclude", ["10.0.0.1"], "f:4")
    assert accepted(draft).networks == ()
    found = left(draft)
    assert found[0].startswith("f:3: ")
    assert any("f:4" in line for line in found)


def test_a_bridge_that_is_no_name_is_an_error() -> None:
    with pytest.raises(DraftError, match="bridge"):
        Draft("a b").text([])


def test_comments_that_are_taken_from_others_are_lines() -> None:
    draft = Draft()
    draft.leave("f\nx: y", "a\nb: c")
    text = draft.text(["t\nu: v"])
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        "bridge: br-int",
        "networks: {}",
    ]


def test_a_bridge_that_nobody_has_named_is_said_to_be_none_of_theirs() -> None:
    said = "# as nobody says which; --bridge does\nbridge: br-int\n"
    assert said in Draft().text([])
    assert "#" not in Draft("br-int").text([])
    draft = Draft()
    draft.root.note("bridge", "theirs")
    assert "# theirs\nbridge:" in draft.text([])
    assert "nobody says" not in draft.text([])


def test_each_thing_is_said_once() -> None:
    unsaid = Unsaid()
    for number in range(3):
        unsaid.add(f"f:{number}", "x: cannot be said")
    unsaid.add("", "y")
    assert [*unsaid.lines()] == ["f:0: x: cannot be said (3 times)", "y"]
    for number in range(2 * LINES):
        unsaid.add("", f"z{number}")
    assert len([*unsaid.lines()]) == LINES + 1
    assert [*unsaid.lines()][-1] == f"and {LINES + 2} more"


def test_networks_of_one_name_are_numbered() -> None:
    draft = Draft()
    names = ["lan", "lan", "lan-2", "", '"', "a\n"]
    for name in names:
        draft.network(name, "f:1")
    assert [*draft.networks] == ["lan", "lan-2", "lan-2-2", "lan-3", "lan-4", "a"]


def test_a_name_is_what_can_stand_in_a_file() -> None:
    assert clean('a"\\\nb ') == "ab"
    assert len(clean("x" * 1000)) == 64


def test_ranges_that_meet_are_one() -> None:
    draft = Draft()
    lan = served(draft)
    draft.add_ranges(lan, [span("10.0.0.100", "10.0.0.110"), span("10.0.0.5", "10.0.0.20")], "f:2")
    assert lan["pool"] == ["10.0.0.5-10.0.0.110"]


def test_a_pool_has_so_many_ranges_at_most() -> None:
    draft = Draft()
    lan = draft.network("lan", "f:1")
    draft.set(draft.open(lan, "dhcpv4", "f:1"), "cidr", "10.0.0.0/16", "f:1")
    ranges = [span(f"10.0.{n >> 7}.{n % 128 * 2}", f"10.0.{n >> 7}.{n % 128 * 2}")
              for n in range(1, RANGES + 9)]  # fmt: skip
    draft.add_ranges(lan, ranges, "f:2")
    assert len(pool(network(draft)).ranges) == RANGES
    assert f"more than {RANGES} ranges" in left(draft)[0]


def test_nobody_but_who_is_reserved_has_an_address() -> None:
    draft = Draft()
    lan = draft.network("lan", "f:1")
    draft.set(draft.open(lan, "dhcpv4", "f:1"), "cidr", "10.0.0.0/24", "f:1")
    draft.only_reserved(lan, ip_network("10.0.0.0/24"), "f:1")
    draft.fix(lan, MAC, [ip_address("10.0.0.5")], "f:2")
    found = network(draft).pool
    assert found
    assert found.choose(4, "x", lambda _: True) is None
    assert reserved(network(draft)) == {MAC: ["10.0.0.5"]}


def test_one_family_may_be_given_out_and_of_the_other_what_is_reserved() -> None:
    draft = Draft()
    lan = served(draft)
    draft.set(draft.open(lan, "dhcpv6", "f:1"), "cidr", "fd00::/64", "f:1")
    draft.only_reserved(lan, ip_network("fd00::/64"), "f:1")
    draft.add_ranges(lan, [span("10.0.0.200", "10.0.0.210")], "f:1")
    draft.fix(lan, MAC, [ip_address("fd00::5")], "f:2")
    found = network(draft).pool
    assert str(found).startswith("10.0.0.10-10.0.0.99, 10.0.0.200-10.0.0.210, fd00::-")
    assert found
    assert found.choose(6, "x", lambda _: True) is None
    assert found.choose(4, "x", lambda _: True)
    assert reserved(network(draft)) == {MAC: ["fd00::5"]}


def test_who_has_a_name_is_a_port_and_who_has_none_is_reserved() -> None:
    draft = Draft()
    lan = served(draft)
    assert draft.fix(lan, MAC, [ip_address("10.0.0.5")], "f:2") is None
    port = draft.fix(lan, OTHER, [], "f:3", "web")
    assert port is not None
    found = network(draft)
    assert reserved(found) == {MAC: ["10.0.0.5"], OTHER: []}
    assert [(each.name, each.dynamic) for each in found.ports] == [("web", True)]


def test_an_address_that_an_option_names_is_a_ports() -> None:
    """`reserve` may not have it, and a guest may be the DNS server."""
    draft = Draft()
    lan = served(draft)
    part = lan["dhcpv4"]
    assert isinstance(part, Settings)
    draft.set(part, "dns_server", ["10.0.0.5"], "f:1")
    draft.fix(lan, MAC, [ip_address("10.0.0.5")], "f:2")
    assert [each.name for each in network(draft).ports] == [MAC]
    assert left(draft) == []


def test_a_guest_may_be_told_in_two_families_one_after_the_other() -> None:
    draft = Draft()
    lan = served(draft)
    draft.set(draft.open(lan, "dhcpv6", "f:1"), "cidr", "fd00::/64", "f:1")
    draft.add_ranges(lan, [span("fd00::100", "fd00::1ff")], "f:1")
    draft.fix(lan, MAC, [ip_address("10.0.0.5")], "f:2")
    draft.fix(lan, MAC, [ip_address("fd00::5")], "f:3")
    draft.fix(lan, OTHER, [ip_address("fd00::6")], "f:4")
    draft.fix(lan, OTHER, [ip_address("10.0.0.6")], "f:5", "web")
    assert reserved(network(draft)) == {
        MAC: ["10.0.0.5", "fd00::5"],
        OTHER: ["fd00::6", "10.0.0.6"],
    }
    assert left(draft) == []


def test_a_port_has_of_the_pool_what_it_has_not_of_its_own() -> None:
    draft = Draft()
    lan = served(draft)
    draft.set(draft.open(lan, "dhcpv6", "f:1"), "cidr", "fd00::/64", "f:1")
    draft.add_ranges(lan, [span("fd00::100", "fd00::1ff")], "f:1")
    draft.fix(lan, MAC, [ip_address("10.0.0.5")], "f:2", "web")
    (port,) = network(draft).ports
    assert network(draft).lacking(port) == [6]


@pytest.mark.parametrize(
    ("mac", "address", "expected"),
    [
        (OTHER, "10.0.0.5", f"f:3: {OTHER}: 10.0.0.5 is that of {MAC} too"),
        (MAC, "10.0.0.6", f"f:3: {MAC}: 10.0.0.6 is one more of IPv4, expected one"),
    ],
)
def test_what_is_somebodys_already_is_named(mac: str, address: str, expected: str) -> None:
    draft = Draft()
    lan = served(draft)
    draft.fix(lan, MAC, [ip_address("10.0.0.5")], "f:2")
    draft.fix(lan, mac, [ip_address(address)], "f:3")
    assert left(draft) == [expected]
    assert reserved(network(draft)) == {MAC: ["10.0.0.5"]}
