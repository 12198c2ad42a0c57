# SPDX-License-Identifier: Apache-2.0
"""The packets of a client, as common ones send them: DHCPv4, DHCPv6, Neighbor Discovery.

What a client says of a lease it has been told by the server, so most kinds come after another one,
whose answer has it (:func:`lease_of`).  What a DHCPREQUEST and its like say of it is RFC 2131's
table 4; in DHCPv6 it is RFC 8415 §18.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address
from typing import NamedTuple

from ovs_dhcpd.controller.tracing.messages import (
    BROADCAST,
    CIADDR,
    GIADDR,
    IA_ADDR,
    IA_PREFIX,
    MESSAGE4,
    MESSAGE6,
    encode_setting,
)
from ovs_dhcpd.controller.wire import dhcpv4, dhcpv6, nd
from ovs_dhcpd.controller.wire.frames import (
    IPV4,
    IPV6,
    VLAN,
    decode_ipv6,
    decode_ipv6_udp,
    decode_udp,
    encode_ipv6_udp,
    encode_udp,
    with_tag,
)
from ovs_dhcpd.flows.bindings import well_known
from ovs_dhcpd.flows.bindings.network import link_local_address
from ovs_dhcpd.flows.options.table import OptionError, OptionTable

MAX_SETTINGS = 1000  # bytes: with them the message still fits in a frame

XID = 0x74726163  # of every traced packet: the same trace says the same

# What ISC's dhclient asks for, and systemd-networkd in DHCPv6.
PARAMETER_REQUEST_LIST = bytes((1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42))
OPTION_REQUEST = (23, 24, 39, 56, 82)

_ANY = bytes(4)
_BROADCAST_IP = well_known.BROADCAST.packed
_NO_SETTINGS: Mapping[int, bytes | None] = {}


class Client(NamedTuple):
    """Who sends: its MAC, and the VLAN in whose tag."""

    mac: bytes
    tag: int | None = None


class Lease(NamedTuple):
    """What an answer has told a client.

    ``server_id`` is the DHCPv4 server's address or the DHCPv6 server's DUID; ``server`` and
    ``server_mac`` are where the answer came from.
    """

    server_id: bytes
    server: bytes
    server_mac: bytes
    address: bytes = b""
    prefixes: bytes = b""


class Kind4(NamedTuple):
    """A DHCPv4 message: what it is, and what of the lease it has where (RFC 2131, table 4, 5)."""

    message_type: int
    after: tuple[str, ...] = ()
    unicast: bool = False
    server_id: bool = False
    requested_address: bool = False
    ciaddr: bool = False
    asks: bool = True


class Kind6(NamedTuple):
    """A DHCPv6 message: its type, whether it names the server, has IAs and asks for options."""

    message_type: int
    after: tuple[str, ...] = ()
    server_id: bool = False
    ias: bool = True
    asks: bool = True


class KindNd(NamedTuple):
    """A solicitation of Neighbor Discovery."""

    message_type: int
    after: tuple[str, ...] = ()


Kind = Kind4 | Kind6 | KindNd

_OFFER, _ADVERTISE = ("discover",), ("solicit",)
KINDS: Mapping[str, Kind] = {
    "discover": Kind4(dhcpv4.DISCOVER),
    "request": Kind4(dhcpv4.REQUEST, _OFFER, server_id=True, requested_address=True),
    "reboot": Kind4(dhcpv4.REQUEST, _OFFER, requested_address=True),
    "renew": Kind4(dhcpv4.REQUEST, _OFFER, unicast=True, ciaddr=True),
    "rebind": Kind4(dhcpv4.REQUEST, _OFFER, ciaddr=True),
    "inform": Kind4(dhcpv4.INFORM, _OFFER, ciaddr=True),
    "decline": Kind4(dhcpv4.DECLINE, _OFFER, server_id=True, requested_address=True, asks=False),
    "release": Kind4(dhcpv4.RELEASE, _OFFER, unicast=True, server_id=True, ciaddr=True, asks=False),
    "solicit": Kind6(dhcpv6.SOLICIT),
    "request6": Kind6(dhcpv6.REQUEST, _ADVERTISE, server_id=True),
    "confirm6": Kind6(dhcpv6.CONFIRM, _ADVERTISE, asks=False),
    "renew6": Kind6(dhcpv6.RENEW, _ADVERTISE, server_id=True),
    "rebind6": Kind6(dhcpv6.REBIND, _ADVERTISE),
    "inform6": Kind6(dhcpv6.INFORMATION_REQUEST, ias=False),
    "decline6": Kind6(dhcpv6.DECLINE, _ADVERTISE, server_id=True, asks=False),
    "release6": Kind6(dhcpv6.RELEASE, _ADVERTISE, server_id=True, asks=False),
    "rs": KindNd(well_known.ROUTER_SOLICITATION),
    "ns": KindNd(well_known.NEIGHBOUR_SOLICITATION, ("rs", "solicit")),
}


def parse_settings(kind: Kind, settings: Iterable[str]) -> dict[int, bytes | None]:
    """Codes and bytes of ``NAME=VALUE``, by the options of such a message; None: without it.

    Raises :exc:`OptionError`.
    """
    table: OptionTable | None = None
    if not isinstance(kind, KindNd):
        table = MESSAGE4 if isinstance(kind, Kind4) else MESSAGE6
    parsed: dict[int, bytes | None] = {}
    for setting in settings:
        if table is None:
            raise OptionError(f"{setting}: a solicitation has no such option, expected none")
        code, value = encode_setting(table, setting)
        if code in parsed:
            raise OptionError(f"{setting}: option {code} is given twice")
        parsed[code] = value
    size = sum(len(value) for value in parsed.values() if value)
    if size > MAX_SETTINGS:
        raise OptionError(f"the values take {size} bytes, expected {MAX_SETTINGS} at most")
    return parsed


def make_request(
    kind: Kind,
    client: Client,
    lease: Lease | None = None,
    settings: Mapping[int, bytes | None] = _NO_SETTINGS,
) -> bytes:
    """The Ethernet frame of such a message; ``lease`` is what the answer to ``kind.after`` says.

    ``settings`` replace the options that it would have, or are further ones.
    """
    if isinstance(kind, Kind4):
        frame = _dhcpv4(kind, client.mac, lease, settings)
    elif isinstance(kind, Kind6):
        frame = _dhcpv6(kind, client.mac, lease, settings)
    else:
        frame = _solicitation(kind, client.mac, lease)
    return frame if client.tag is None else with_tag(frame, client.tag)


def lease_of(answer: bytes) -> Lease | None:
    """What the frame of an answer tells its client; None if it is nothing."""
    source_mac = answer[6:12]
    if answer[12:14] == VLAN:
        answer = answer[:12] + answer[16:]
    if answer[12:14] == IPV4:
        datagram = decode_udp(answer)
        server_id = dhcpv4.decode_options(datagram.payload).get(dhcpv4.SERVER_ID, b"")
        address = datagram.payload[dhcpv4.YIADDR]
        if len(server_id) != 4 or address == _ANY:
            return None
        return Lease(server_id, datagram.ip_source, source_mac, address)
    packet = decode_ipv6(answer)
    if packet.protocol == nd.ICMPV6:
        return Lease(b"", packet.source, source_mac)
    options = dhcpv6.decode_options(decode_ipv6_udp(answer).payload[dhcpv6.HEADER_SIZE :])
    ias = dhcpv6.decode_ias(options)
    leases = [(ia.code, lease) for ia in ias for lease in ia.leases]
    return Lease(
        dict(options).get(dhcpv6.SERVER_ID, b""),
        packet.source,
        source_mac,
        b"".join(lease for code, lease in leases if code == dhcpv6.IA_NA),
        b"".join(lease for code, lease in leases if code == dhcpv6.IA_PD),
    )


def _with(options: Mapping[int, bytes], settings: Mapping[int, bytes | None]) -> dict[int, bytes]:
    merged = {**options, **settings}
    return {code: value for code, value in merged.items() if value is not None}


def _dhcpv4(
    kind: Kind4, mac: bytes, lease: Lease | None, settings: Mapping[int, bytes | None]
) -> bytes:
    options = {dhcpv4.MESSAGE_TYPE: bytes((kind.message_type,))}
    options[dhcpv4.CLIENT_ID] = dhcpv4.ETHERNET[:1] + mac
    ciaddr = source = _ANY
    to_mac, to = well_known.BROADCAST_MAC, _BROADCAST_IP
    if lease:
        if kind.requested_address:
            options[dhcpv4.REQUESTED_ADDRESS] = lease.address
        if kind.server_id:
            options[dhcpv4.SERVER_ID] = lease.server_id
        if kind.ciaddr:
            ciaddr = source = lease.address
        if kind.unicast:
            to_mac, to = lease.server_mac, lease.server_id
    if kind.asks:
        options[dhcpv4.PARAMETER_REQUEST_LIST] = PARAMETER_REQUEST_LIST
    merged = _with(options, settings)
    ciaddr = merged.pop(CIADDR, ciaddr)
    giaddr = merged.pop(GIADDR, _ANY)
    flags = b"\x80\0" if merged.pop(BROADCAST, b"\0") == b"\1" else b"\0\0"
    message = b"".join(
        (
            bytes((dhcpv4.BOOTREQUEST,)) + dhcpv4.ETHERNET + b"\0",
            XID.to_bytes(4, "big") + b"\0\0" + flags,
            ciaddr + _ANY + _ANY + giaddr,
            mac.ljust(16, b"\0"),
            bytes(dhcpv4.SNAME_SIZE + dhcpv4.FILE_SIZE),
            dhcpv4.MAGIC_COOKIE,
            *(dhcpv4.encode_option(code, value) for code, value in merged.items()),
            bytes((dhcpv4.END,)),
        )
    ).ljust(dhcpv4.MIN_SIZE, b"\0")
    source_port = well_known.DHCPV4_CLIENT_PORT
    if giaddr != _ANY:  # a relay agent sends from its own address (RFC 1542 §4.1.1)
        source, source_port = giaddr, well_known.DHCPV4_SERVER_PORT
    return encode_udp(
        to_mac + mac + IPV4, source, to, source_port, well_known.DHCPV4_SERVER_PORT, message
    )


def _dhcpv6(
    kind: Kind6, mac: bytes, lease: Lease | None, settings: Mapping[int, bytes | None]
) -> bytes:
    options = {dhcpv6.CLIENT_ID: dhcpv6.encode_duid_ll(mac)}
    if kind.server_id and lease:
        options[dhcpv6.SERVER_ID] = lease.server_id
    options[_ELAPSED_TIME] = bytes(2)
    if kind.ias:
        options[IA_ADDR] = lease.address if lease else b""
        if lease and lease.prefixes:
            options[IA_PREFIX] = lease.prefixes
    if kind.asks:
        codes = (each.to_bytes(2, "big") for each in OPTION_REQUEST)
        options[dhcpv6.OPTION_REQUEST] = b"".join(codes)
    encoded = b"".join(
        _ia(code, value, mac[-4:])
        if code in (IA_ADDR, IA_PREFIX)
        else dhcpv6.encode_option(code, value)
        for code, value in _with(options, settings).items()
    )
    return encode_ipv6_udp(
        _multicast(well_known.ALL_SERVERS) + mac + IPV6,
        link_local_address(mac).packed,
        well_known.ALL_SERVERS.packed,
        well_known.DHCPV6_CLIENT_PORT,
        well_known.DHCPV6_SERVER_PORT,
        bytes((kind.message_type,)) + XID.to_bytes(4, "big")[1:] + encoded,
    )


_ELAPSED_TIME = 8


def _ia(code: int, leases: bytes, iaid: bytes) -> bytes:
    """An IA with these addresses (16 bytes each) or prefixes (17: the length first), or none."""
    size = 16 if code == IA_ADDR else 17
    ia = dhcpv6.Ia(dhcpv6.IA_NA if code == IA_ADDR else dhcpv6.IA_PD, iaid, ())
    each = (leases[at : at + size] for at in range(0, len(leases), size))
    return dhcpv6.encode_ia(
        ia, bytes(8), b"".join(dhcpv6.encode_lease(one, bytes(8)) for one in each)
    )


def _multicast(address: IPv6Address) -> bytes:
    """The MAC of a multicast address (RFC 2464 §7)."""
    return b"\x33\x33" + address.packed[-4:]


def _solicitation(kind: KindNd, mac: bytes, lease: Lease | None) -> bytes:
    target = b""
    to = well_known.ALL_ROUTERS
    if kind.message_type == well_known.NEIGHBOUR_SOLICITATION and lease:
        target = lease.server
        to = IPv6Address(b"\xff\2" + bytes(9) + b"\1\xff" + target[-3:])  # RFC 4291 §2.7.1
    source_link_layer_address = bytes((nd.SOURCE_LINK_LAYER_ADDRESS, 1)) + mac
    message = bytes((kind.message_type,)) + bytes(7) + target + source_link_layer_address
    link = _multicast(to) + mac + IPV6
    return nd.encode_nd(link, link_local_address(mac).packed, to.packed, message)
