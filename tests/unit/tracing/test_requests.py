# SPDX-License-Identifier: Apache-2.0
"""What a client sends: RFC 2131's table 4 and RFC 8415 §18.2, as the frames have it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from ovs_dhcpd.controller.tracing.requests import (
    KINDS,
    Client,
    Kind4,
    Kind6,
    Lease,
    lease_of,
    make_request,
    parse_settings,
)
from ovs_dhcpd.controller.wire import dhcpv4, dhcpv6, nd
from ovs_dhcpd.controller.wire.asked import describe
from ovs_dhcpd.controller.wire.frames import decode_ipv6_udp, decode_udp
from ovs_dhcpd.flows.options.table import OptionError

MAC = bytes.fromhex("fa163e000001")
SERVER_MAC = bytes.fromhex("fa163e9f1ab5")
LEASE4 = Lease(bytes((10, 0, 0, 1)), bytes((10, 0, 0, 1)), SERVER_MAC, bytes((10, 0, 0, 5)))
DUID = b"\0\3\0\1" + SERVER_MAC
SERVER6 = IPv6Address("fe80::f816:3eff:fe9f:1ab5")
LEASE6 = Lease(DUID, SERVER6.packed, SERVER_MAC, IPv6Address("fd00::5").packed)
CLIENT = Client(MAC)
ALL = "ff:ff:ff:ff:ff:ff"
SERVER = SERVER_MAC.hex(":")
ANY = "0.0.0.0"

# Where it goes, from which address, its ciaddr, and the options that say something of the lease.
TABLE_4 = {
    "discover": ("DHCPDISCOVER", ALL, ANY, "255.255.255.255", ANY, set()),
    "request": ("DHCPREQUEST", ALL, ANY, "255.255.255.255", ANY, {50, 54}),
    "reboot": ("DHCPREQUEST", ALL, ANY, "255.255.255.255", ANY, {50}),
    "renew": ("DHCPREQUEST", SERVER, "10.0.0.5", "10.0.0.1", "10.0.0.5", set()),
    "rebind": ("DHCPREQUEST", ALL, "10.0.0.5", "255.255.255.255", "10.0.0.5", set()),
    "inform": ("DHCPINFORM", ALL, "10.0.0.5", "255.255.255.255", "10.0.0.5", set()),
    "decline": ("DHCPDECLINE", ALL, ANY, "255.255.255.255", ANY, {50, 54}),
    "release": ("DHCPRELEASE", SERVER, "10.0.0.5", "10.0.0.1", "10.0.0.5", {54}),
}


@pytest.mark.parametrize("name", TABLE_4)
def test_dhcpv4_says_of_the_lease_what_table_4_has(name: str) -> None:
    frame = make_request(KINDS[name], CLIENT, LEASE4)
    message, to_mac, source, to, ciaddr, about_lease = TABLE_4[name]
    datagram = decode_udp(frame)
    options = dhcpv4.decode_options(datagram.payload)
    assert describe(frame).split()[0] == message
    assert (frame[:6].hex(":"), frame[6:12]) == (to_mac, MAC)
    assert str(IPv4Address(datagram.ip_source)) == source
    assert str(IPv4Address(frame[30:34])) == to
    assert str(IPv4Address(datagram.payload[dhcpv4.CIADDR])) == ciaddr
    assert options.keys() & {50, 54} == about_lease
    assert {options.get(50, LEASE4.address), options.get(54, LEASE4.server_id)} == {
        LEASE4.address,
        LEASE4.server_id,
    }
    assert (55 in options) == (name not in ("decline", "release"))
    assert datagram.payload[dhcpv4.CLIENT_MAC] == MAC
    assert len(datagram.payload) >= dhcpv4.MIN_SIZE


def test_every_kind_of_dhcpv4_is_in_the_table() -> None:
    assert {name for name, kind in KINDS.items() if isinstance(kind, Kind4)} == TABLE_4.keys()


# Whether it names the server, has an IA with the address, and asks for options.
TABLE_6 = {
    "solicit": ("SOLICIT", False, True, True),
    "request6": ("REQUEST", True, True, True),
    "confirm6": ("CONFIRM", False, True, False),
    "renew6": ("RENEW", True, True, True),
    "rebind6": ("REBIND", False, True, True),
    "inform6": ("INFORMATION-REQUEST", False, False, True),
    "decline6": ("DECLINE", True, True, False),
    "release6": ("RELEASE", True, True, False),
}


@pytest.mark.parametrize("name", TABLE_6)
def test_dhcpv6_says_of_the_lease_what_its_rfc_has(name: str) -> None:
    kind = KINDS[name]
    lease = LEASE6 if kind.after else None
    frame = make_request(kind, CLIENT, lease)
    message, names_server, has_ia, asks = TABLE_6[name]
    datagram = decode_ipv6_udp(frame)
    options = dict(dhcpv6.decode_options(datagram.payload[dhcpv6.HEADER_SIZE :]))
    assert describe(frame).split(" xid")[0] == f"DHCPv6 {message}"
    assert frame[:6].hex(":") == "33:33:00:01:00:02"
    assert str(IPv6Address(datagram.source)) == "fe80::f816:3eff:fe00:1"
    assert str(IPv6Address(datagram.destination)) == "ff02::1:2"
    assert options[dhcpv6.CLIENT_ID] == b"\0\3\0\1" + MAC
    assert options.get(dhcpv6.SERVER_ID) == (DUID if names_server else None)
    assert (dhcpv6.OPTION_REQUEST in options) == asks
    ias = dhcpv6.decode_ias(options.items())
    leases = (LEASE6.address,) if lease else ()
    expected = (dhcpv6.Ia(dhcpv6.IA_NA, MAC[-4:], leases),) if has_ia else ()
    assert ias == expected


def test_every_kind_of_dhcpv6_is_in_the_table() -> None:
    assert {name for name, kind in KINDS.items() if isinstance(kind, Kind6)} == TABLE_6.keys()


def test_solicitations_are_valid() -> None:
    lease = Lease(b"", SERVER6.packed, SERVER_MAC)
    router = nd.decode_solicitation(make_request(KINDS["rs"], CLIENT), 133)
    assert IPv6Address(router.destination) == IPv6Address("ff02::2")
    neighbour = nd.decode_solicitation(make_request(KINDS["ns"], CLIENT, lease), 135)
    assert neighbour.target == SERVER6.packed
    assert IPv6Address(neighbour.destination) == IPv6Address("ff02::1:ff9f:1ab5")
    assert neighbour.link[:6].hex(":") == "33:33:ff:9f:1a:b5"


def test_the_tag_is_the_clients() -> None:
    frame = make_request(KINDS["discover"], Client(MAC, 100))
    assert frame[12:16].hex() == "81000064"
    assert decode_udp(frame).payload == decode_udp(make_request(KINDS["discover"], CLIENT)).payload


def options_of(name: str, *settings: str) -> dict[int, bytes]:
    kind = KINDS[name]
    frame = make_request(kind, CLIENT, LEASE4, parse_settings(kind, settings))
    return dhcpv4.decode_options(decode_udp(frame).payload)


def test_settings_replace_add_and_take_away() -> None:
    options = options_of(
        *("request", "requested_address=10.0.0.9", "hostname=vm1", "parameter_request_list=")
    )
    assert options[50] == bytes((10, 0, 0, 9))
    assert options[12] == b"vm1"
    assert 55 not in options


def test_a_relayed_request_comes_from_the_relay_agent() -> None:
    kind = KINDS["discover"]
    settings = parse_settings(kind, ["giaddr=10.9.0.1", "broadcast=true"])
    datagram = decode_udp(make_request(kind, CLIENT, None, settings))
    assert datagram.ip_source == datagram.payload[dhcpv4.GIADDR] == bytes((10, 9, 0, 1))
    assert datagram.payload[dhcpv4.FLAGS] == b"\x80\0"


@pytest.mark.parametrize(
    ("name", "settings", "mistake"),
    [
        ("rs", ["mtu=1500"], "mtu=1500: a solicitation has no such option, expected none"),
        (
            *("discover", ["hostname=a", "option_12=0x62"]),
            "option_12=0x62: option 12 is given twice",
        ),
        (
            *("discover", ["option_200=0x" + 1001 * "00"]),
            "the values take 1001 bytes, expected 1000 at most",
        ),
    ],
)
def test_mistakes(name: str, settings: list[str], mistake: str) -> None:
    with pytest.raises(OptionError) as error:
        parse_settings(KINDS[name], settings)
    assert str(error.value) == mistake


def test_an_answer_that_assigns_nothing_is_no_lease() -> None:
    assert lease_of(make_request(KINDS["discover"], CLIENT)) is None
