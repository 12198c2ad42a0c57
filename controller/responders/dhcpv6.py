# SPDX-License-Identifier: Apache-2.0
"""The DHCPv6 server of one port: RFC 8415 for a client whose leases are already known.

All it knows is in the flow's userdata, all it remembers is nothing: the same request always gets
the same reply.

An answer's frame is what OVN's pinctrl makes: Ethernet and IPv6 source and destination as in the
request (so the source is the client), UDP ports 546 -> 547, and a UDP checksum that is right for
that frame.  The response flow then does, as OVN's does (northd's build_dhcpv6_action),

    eth.dst = eth.src; eth.src = server_id; ip6.dst = ip6.src; ip6.src = server's link-local
    address; udp.src = 547; udp.dst = 546; outport = inport; flags.loopback = 1; output;

and the switch keeps the checksum right with every field it sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from controller.responders.verdict import Answer, Reason, Silence, Verdict
from controller.wire import dhcpv6 as wire
from controller.wire.frames import (
    Fragment,
    FrameError,
    NotIpv6,
    NotUdp,
    Truncated,
    decode_ipv6_udp,
    encode_ipv6_udp,
)
from flows.domain_names import LABELS, NAMES
from flows.extension import INFINITY_S
from flows.options import DHCPV6
from flows.userdata import PutDhcpv6Opts

_CLIENT_PORT = 546
_SERVER_PORT = 547
_UNSPECIFIED = bytes(16)
_MULTICAST = 0xFF  # the first byte of every multicast address

# What Ethernet carries beyond the headers of IPv6, UDP and DHCPv6: a reply is never fragmented.
_ROOM = 1500 - 40 - 8 - wire.HEADER_SIZE

_BOOTFILE_ALT = DHCPV6.by_name["bootfile_name_alt"].code

# Messages to one server, which must name it and may be unicast where the server allows that, and
# messages to any server, which must not name one and must be multicast (RFC 8415 §16).
_TO_ONE = frozenset((wire.REQUEST, wire.RENEW, wire.DECLINE, wire.RELEASE))
_TO_ANY = frozenset((wire.SOLICIT, wire.CONFIRM, wire.REBIND))
_FROM_CLIENTS = _TO_ONE | _TO_ANY | {wire.INFORMATION_REQUEST}
_NOT_FROM_CLIENTS: Mapping[int, Reason] = {
    **dict.fromkeys((wire.ADVERTISE, wire.REPLY, wire.RECONFIGURE), Reason.SERVER_MESSAGE),
    wire.RELAY_FORWARD: Reason.RELAYED,
    wire.RELAY_REPLY: Reason.SERVER_MESSAGE,
}
_EXTENDING = frozenset((wire.RENEW, wire.REBIND))
_GIVING_BACK = {wire.RELEASE: "DHCPv6 RELEASE", wire.DECLINE: "DHCPv6 DECLINE"}
_ADVERTISED, _REPLIED = "DHCPv6 ADVERTISE", "DHCPv6 REPLY"

_STATUS = {
    code: wire.encode_status(code, text)
    for code, text in {
        wire.SUCCESS: b"",
        wire.NO_ADDRESSES: b"this port has no such address to give",
        wire.NO_BINDING: b"this port has no such lease",
        wire.NOT_ON_LINK: b"not an address of this network",
        wire.USE_MULTICAST: b"send to ff02::1:2",
        wire.NO_PREFIX: b"this port has no such prefix to give",
    }.items()
}
_NOTHING_LEFT = {
    wire.IA_NA: wire.NO_ADDRESSES,
    wire.IA_TA: wire.NO_ADDRESSES,
    wire.IA_PD: wire.NO_PREFIX,
}

# A client discards or replaces values out of these bounds (RFC 8415 §21.23-21.25).
_BOUNDS = {
    wire.REFRESH_TIME: (600, INFINITY_S),
    wire.SOL_MAX_RT: (60, 86400),
    wire.INF_MAX_RT: (60, 86400),
}

_FRAME_REASONS: Mapping[type[FrameError], Reason] = {
    NotIpv6: Reason.NOT_DHCP,
    NotUdp: Reason.NOT_DHCP,
    Fragment: Reason.FRAGMENT,
    Truncated: Reason.TRUNCATED,
}


class _Request(NamedTuple):
    """A client's message that is whole.  Of an option that is there twice the first counts."""

    link: bytes
    source: bytes
    destination: bytes
    kind: int
    xid: bytes
    options: dict[int, bytes]
    ias: tuple[wire.Ia, ...]

    @property
    def mac(self) -> bytes:
        return self.link[6:12]

    @property
    def is_multicast(self) -> bool:
        return self.destination[0] == _MULTICAST


class Dhcpv6Responder:
    """Answers the requests of one port, by the userdata of its flow."""

    def __init__(self, opts: PutDhcpv6Opts) -> None:
        """Lay out, once, everything a reply has from the userdata."""
        values = dict(opts.options)
        extension = opts.extension
        mac = values.pop(wire.SERVER_ID, b"")
        self._server_duid = wire.encode_duid_ll(mac) if mac else b""

        ia_addr = values.pop(wire.IA_ADDRESS, b"")
        addresses = tuple(ia_addr[at : at + 16] for at in range(0, len(ia_addr), 16))
        addresses += tuple(address.packed for address in extension.addresses)
        prefixes = tuple(
            bytes((prefix.prefixlen,)) + prefix.network_address.packed
            for prefix in extension.delegated_prefixes
        )
        # Temporary addresses change, and ours do not: there are none (RFC 8415 §6.5).
        self._pools = {wire.IA_NA: addresses, wire.IA_TA: (), wire.IA_PD: prefixes}
        self._leases = {
            lease: wire.encode_lease(
                lease, extension.preferred_lifetime_s, extension.valid_lifetime_s
            )
            for lease in (*addresses, *prefixes)
        }
        self._times = _renewal_times(extension.preferred_lifetime_s, extension.t1_s, extension.t2_s)
        self._host_bits = 128 - extension.prefix_length
        self._links = {self._link_of(address) for address in addresses}
        self._rapid_commit = extension.rapid_commit

        preference = values.pop(wire.PREFERENCE, None)
        self._preference = (
            b"" if preference is None else wire.encode_option(wire.PREFERENCE, preference)
        )
        if wire.DOMAIN_SEARCH in values:
            names = NAMES.decode(values[wire.DOMAIN_SEARCH])
            values[wire.DOMAIN_SEARCH] = LABELS.encode(names)
        for code, (least, most) in _BOUNDS.items():
            if not least <= int.from_bytes(values.get(code, b""), "big") <= most:
                values.pop(code, None)
        self._to_ipxe = _with_bootfile(values, wire.BOOTFILE)
        self._to_others = _with_bootfile(values, _BOOTFILE_ALT)

    def respond(self, frame: bytes) -> Verdict:
        """The verdict on the Ethernet frame of a request; never raises, whatever the bytes."""
        try:
            link, source, destination, port, message = decode_ipv6_udp(frame)
        except FrameError as error:
            return Silence(_FRAME_REASONS[type(error)])
        if port != _SERVER_PORT:
            return Silence(Reason.NOT_DHCP)
        mac = link[6:12]
        if len(message) < wire.HEADER_SIZE:
            return Silence(Reason.TRUNCATED, mac)
        kind = message[0]
        if kind not in _FROM_CLIENTS:
            # What a relay agent brings goes on to whom it is for; RFC 7283 §4 for unknown types.
            return Silence(_NOT_FROM_CLIENTS.get(kind, Reason.UNKNOWN_MESSAGE), mac)
        if source == _UNSPECIFIED or source[0] == _MULTICAST:
            return Silence(Reason.NO_REPLY_ADDRESS, mac)
        try:
            options = wire.decode_options(message[wire.HEADER_SIZE :])
            request = _Request(
                link,
                source,
                destination,
                kind,
                message[wire.XID],
                dict(reversed(options)),
                wire.decode_ias(options),
            )
            if wire.CLIENT_ID in request.options:
                wire.decode_duid(request.options[wire.CLIENT_ID])
        except wire.OptionsError:
            return Silence(Reason.BAD_OPTIONS, mac)
        flaw = self._flaw(request)
        return self._verdict(request) if flaw is None else Silence(flaw, mac)

    def _flaw(self, request: _Request) -> Reason | None:
        """Why a message must be discarded (RFC 8415 §16, §16.2-16.9, §16.12)."""
        if not self._server_duid:
            return Reason.NO_SERVER_ID
        kind = request.kind
        server = request.options.get(wire.SERVER_ID)
        if wire.CLIENT_ID not in request.options and kind != wire.INFORMATION_REQUEST:
            return Reason.NO_CLIENT_ID
        if server is None and kind in _TO_ONE:
            return Reason.NO_SERVER_NAMED
        if server is not None and kind in _TO_ANY:
            return Reason.SERVER_NAMED
        if server is not None and server != self._server_duid:
            return Reason.OTHER_SERVER
        if request.ias and kind == wire.INFORMATION_REQUEST:
            return Reason.ASKS_FOR_LEASE
        if not request.is_multicast and kind not in _TO_ONE:
            return Reason.UNICAST
        return None

    def _verdict(self, request: _Request) -> Verdict:
        """By message type (RFC 8415 §18.3)."""
        kind = request.kind
        if not request.is_multicast:
            # No client is told that it may unicast (§18.4).
            return self._reply(request, _STATUS[wire.USE_MULTICAST])
        if kind == wire.INFORMATION_REQUEST:  # §18.3.6
            return self._configure(request, b"")
        if kind == wire.CONFIRM:
            return self._on_confirm(request)
        if kind in _GIVING_BACK:
            return self._on_giving_back(request)
        return self._on_asking(request)

    def _on_confirm(self, request: _Request) -> Verdict:
        """CONFIRM (RFC 8415 §18.3.3): do the addresses fit the link, whoever has them?"""
        addresses = [lease for ia in request.ias for lease in ia.leases if len(lease) == 16]
        if not addresses:
            return Silence(Reason.NO_ADDRESS, request.mac)
        if not self._links:
            return Silence(Reason.UNKNOWN_LINK, request.mac)
        status = wire.NOT_ON_LINK if any(map(self._is_off_link, addresses)) else wire.SUCCESS
        return self._reply(request, _STATUS[status], addresses[0])

    def _on_giving_back(self, request: _Request) -> Verdict:
        """RELEASE, DECLINE (RFC 8415 §18.3.7, §18.3.8): heard, and the lease stays the port's."""
        unknown = [
            wire.encode_ia(ia, bytes(8), _STATUS[wire.NO_BINDING])
            for ia in request.ias
            if not set(ia.leases) & set(self._pools[ia.code])
        ]
        return self._reply(
            request,
            _STATUS[wire.SUCCESS] + b"".join(unknown),
            _address(lease for ia in request.ias for lease in ia.leases),
            message=_GIVING_BACK[request.kind],
        )

    def _on_asking(self, request: _Request) -> Verdict:
        """SOLICIT, REQUEST, RENEW, REBIND (RFC 8415 §18.3.1, §18.3.2, §18.3.4, §18.3.5)."""
        if request.kind == wire.REBIND and not any(self._pools[ia.code] for ia in request.ias):
            return Silence(Reason.UNKNOWN_LINK, request.mac)  # it may be another server's client
        given = self._give(request)
        body = b"".join(self._ia(request.kind, ia, leases) for ia, leases in given.items())
        address = _address(lease for leases in given.values() for lease in leases)
        if request.kind != wire.SOLICIT:
            return self._configure(request, body, address)
        # Only what there is can be committed to; else an Advertise says that it is not (§18.3.9).
        if self._rapid_commit and wire.RAPID_COMMIT in request.options and address:
            return self._configure(
                request, wire.encode_option(wire.RAPID_COMMIT, b"") + body, address
            )
        return self._configure(
            request, self._preference + body, address, wire.ADVERTISE, _ADVERTISED
        )

    def _give(self, request: _Request) -> dict[wire.Ia, list[bytes]]:
        """Which leases each IA gets, for there is no record of which it had.

        Every IA gets those of our leases that it names, then one of the others if it has none; the
        first IA that has some also gets what is left.
        """
        given: dict[wire.Ia, list[bytes]] = {ia: [] for ia in request.ias}
        # A REBIND goes to all servers: only where the client takes any of them that is first may
        # it begin a lease (§18.3.5).
        begins = request.kind != wire.REBIND or self._rapid_commit
        for code, pool in self._pools.items():
            ias = [ia for ia in given if ia.code == code and not self._is_refused(request, ia)]
            free = dict.fromkeys(pool)
            for ia in ias:
                given[ia] = [lease for lease in ia.leases if lease in free]
                for lease in given[ia]:
                    del free[lease]
            for ia in ias:
                if not given[ia] and free and begins:
                    given[ia].append(next(iter(free)))
                    del free[given[ia][0]]
            for ia in ias:
                if given[ia]:
                    given[ia] += free
                    break
        return given

    def _is_refused(self, request: _Request, ia: wire.Ia) -> bool:
        """Whether a REQUEST asks for an address that does not fit the link (RFC 8415 §18.3.2)."""
        return request.kind == wire.REQUEST and any(map(self._is_off_link, ia.leases))

    def _ia(self, kind: int, ia: wire.Ia, leases: list[bytes]) -> bytes:
        """The IA of a reply, with `leases` or with why there are none."""
        foreign = [lease for lease in ia.leases if lease not in self._leases]
        off_link = any(map(self._is_off_link, foreign))
        options = b"".join(self._leases[lease] for lease in leases)
        known = bool(self._pools[ia.code])
        if kind in _EXTENDING and (leases or off_link or (known and kind == wire.REBIND)):
            # What is not, or no longer, the client's it must stop to use (§18.3.4, §18.3.5).
            options += b"".join(wire.encode_lease(lease, 0, 0) for lease in foreign)
        if not options:
            if kind in _EXTENDING:
                status = wire.NO_BINDING
            elif kind == wire.REQUEST and off_link:
                status = wire.NOT_ON_LINK
            else:
                status = _NOTHING_LEFT[ia.code]
            options = _STATUS[status]
        return wire.encode_ia(ia, self._times, options)

    def _link_of(self, address: bytes) -> int:
        return int.from_bytes(address, "big") >> self._host_bits

    def _is_off_link(self, lease: bytes) -> bool:
        """Whether it is an address that certainly does not fit the link."""
        return len(lease) == 16 and bool(self._links) and self._link_of(lease) not in self._links

    def _configure(
        self,
        request: _Request,
        body: bytes,
        address: bytes = b"",
        kind: int = wire.REPLY,
        message: str = _REPLIED,
    ) -> Verdict:
        """A reply of `body` and, as far as there is room, the options the client asked for."""
        offered = self._to_ipxe if _is_ipxe(request.options) else self._to_others
        room = _ROOM - len(self._ids(request)) - len(body)
        dropped = []
        for code in _choose(offered, request):
            value = offered[code]
            if code == wire.FQDN:
                value = bytes((_fqdn_flags(request.options[code]),)) + value
            option = wire.encode_option(code, value)
            if len(option) > room:
                dropped.append(code)
            else:
                body += option
                room -= len(option)
        return self._reply(request, body, address, kind, message, tuple(dropped))

    def _ids(self, request: _Request) -> bytes:
        """The client's identifier as it came, if it came, and ours (RFC 8415 §18.3)."""
        ids = wire.encode_option(wire.SERVER_ID, self._server_duid)
        if wire.CLIENT_ID in request.options:
            ids = wire.encode_option(wire.CLIENT_ID, request.options[wire.CLIENT_ID]) + ids
        return ids

    def _reply(
        self,
        request: _Request,
        body: bytes,
        address: bytes = b"",
        kind: int = wire.REPLY,
        message: str = _REPLIED,
        dropped: tuple[int, ...] = (),
    ) -> Verdict:
        """A reply with the identifiers and `body`; silence if that does not fit."""
        options = self._ids(request) + body
        if len(options) > _ROOM:
            return Silence(Reason.NO_ROOM, request.mac)
        frame = encode_ipv6_udp(
            request.link,
            request.source,
            request.destination,
            _CLIENT_PORT,
            _SERVER_PORT,
            bytes((kind,)) + request.xid + options,
        )
        return Answer(frame, message, request.mac, address, dropped)


def _renewal_times(preferred_s: int, t1_s: int | None, t2_s: int | None) -> bytes:
    """T1 and T2 of every IA, as configured or as RFC 8415 §21.4 recommends: 0.5 and 0.8 of the
    preferred lifetime, and infinity of infinity, as OVN has them.

    A client discards an IA with T1 > T2 > 0: times that come to that give way to the defaults.
    """
    infinite = preferred_s == INFINITY_S
    defaults = (INFINITY_S,) * 2 if infinite else (preferred_s // 2, preferred_s * 4 // 5)
    t1, t2 = (
        default if time is None else time
        for time, default in zip((t1_s, t2_s), defaults, strict=True)
    )
    if t1 > t2 > 0:
        t1, t2 = defaults
    return t1.to_bytes(4, "big") + t2.to_bytes(4, "big")


def _with_bootfile(values: Mapping[int, bytes], preferred: int) -> dict[int, bytes]:
    """`values` with one boot file, under its public code: the preferred one if there are two."""
    public = {}
    for code, value in values.items():
        if code in (wire.BOOTFILE, _BOOTFILE_ALT):
            public[wire.BOOTFILE] = values.get(preferred, value)
        else:
            public[code] = value
    return public


def _is_ipxe(options: Mapping[int, bytes]) -> bool:
    return b"iPXE" in options.get(wire.USER_CLASS, b"")


def _choose(offered: Mapping[int, bytes], request: _Request) -> list[int]:
    """The codes to send, in the order of the option request option (RFC 8415 §18.3, §21.7).

    A client that sends none, which it must not do, gets everything.
    """
    asked = request.options.get(wire.OPTION_REQUEST)
    left_out = set()
    if wire.FQDN not in request.options:  # RFC 4704 §6
        left_out.add(wire.FQDN)
    if request.kind != wire.INFORMATION_REQUEST:  # RFC 8415 §21.23
        left_out.add(wire.REFRESH_TIME)
    codes = list(offered)
    if asked is not None:
        wanted = (int.from_bytes(asked[at : at + 2], "big") for at in range(0, len(asked) - 1, 2))
        codes = [code for code in dict.fromkeys(wanted) if code in offered]
    return [code for code in codes if code not in left_out]


def _fqdn_flags(clients: bytes) -> int:
    """The flags for a client's FQDN option: no DNS update is done, whatever it wants done.

    RFC 4704 §4.1, §6.1.
    """
    wants_update = bool(clients) and clients[0] & wire.FQDN_S
    return wire.FQDN_N | (wire.FQDN_O if wants_update else 0)


def _address(leases: Iterable[bytes]) -> bytes:
    """The address, or the prefix without its length, of the first lease; empty if there is none."""
    return next(iter(leases), b"")[-16:]
