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

import struct
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ovs_dhcpd.controller.responders.boot import HTTP_CLIENT6, Boot, BootFiles
from ovs_dhcpd.controller.responders.verdict import NO_DATAGRAM, Answer, Reason, Silence, Verdict
from ovs_dhcpd.controller.wire import dhcpv6 as wire
from ovs_dhcpd.controller.wire.frames import (
    FrameError,
    decode_ipv6_udp,
    encode_ipv6_udp,
)
from ovs_dhcpd.flows.bindings.well_known import DHCPV6_CLIENT_PORT, DHCPV6_SERVER_PORT, UNSPECIFIED
from ovs_dhcpd.flows.options.domain_names import LABELS, NAMES
from ovs_dhcpd.flows.options.table import DHCPV6
from ovs_dhcpd.flows.userdata.codec import PutDhcpv6Opts
from ovs_dhcpd.flows.userdata.extension import INFINITY_S

_UNSPECIFIED = UNSPECIFIED.packed
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
_MAX_CHOICES = 64  # a guest may ask for anything
_EXTENDING = frozenset((wire.RENEW, wire.REBIND))
DECLINE = "DHCPv6 DECLINE"
_GIVING_BACK = {wire.RELEASE: "DHCPv6 RELEASE", wire.DECLINE: DECLINE}
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
# What stands in an IA for which there is no lease, by its code.
_NOTHING_LEFT = {
    wire.IA_NA: _STATUS[wire.NO_ADDRESSES],
    wire.IA_TA: _STATUS[wire.NO_ADDRESSES],
    wire.IA_PD: _STATUS[wire.NO_PREFIX],
}
_NOTHING_TO_EXTEND = dict.fromkeys(_NOTHING_LEFT, _STATUS[wire.NO_BINDING])
_NONE: frozenset[bytes] = frozenset()
_NO_TIMES = _NO_LIFETIMES = bytes(8)

# The least that an IA takes in a reply is its header, its IAID and a status.
_MAX_IAS = _ROOM // (4 + 4 + len(_STATUS[wire.NO_BINDING]))


@dataclass(slots=True)  # fields of a NamedTuple take several times as long to look at
class _Request:
    """A client's message that is whole.  Of an option that is there twice the first counts."""

    link: bytes
    source: bytes
    destination: bytes
    mac: bytes
    kind: int
    xid: bytes
    options: dict[int, bytes]
    ias: tuple[wire.Ia, ...]
    ids: bytes  # the client's identifier as it came, if it came, and ours, encoded (§18.3)
    is_multicast: bool


class _Choice(NamedTuple):
    """Options to send, as far as there is room: their codes, and each encoded; all of them."""

    options: tuple[tuple[int, bytes], ...]
    encoded: bytes


class _Layout:
    """What all ports of a network have in common of the userdata, laid out once."""

    def __init__(self, opts: PutDhcpv6Opts) -> None:
        values = dict(opts.options)
        extension = opts.extension
        mac = values.pop(wire.SERVER_ID, b"")
        self.server_duid = wire.encode_duid_ll(mac) if mac else b""
        self.server_id = wire.encode_option(wire.SERVER_ID, self.server_duid)
        values.pop(wire.IA_ADDRESS, None)  # a port's own

        self.more_addresses = tuple(address.packed for address in extension.addresses)
        self.prefixes = tuple(
            bytes((prefix.prefixlen,)) + prefix.network_address.packed
            for prefix in dict.fromkeys(extension.delegated_prefixes)
        )
        self.lifetimes = wire.encode_lifetimes(
            extension.preferred_lifetime_s, extension.valid_lifetime_s
        )
        self.times = _renewal_times(extension.preferred_lifetime_s, extension.t1_s, extension.t2_s)
        self.host_bits = 128 - extension.prefix_length
        self.rapid_commit = extension.rapid_commit

        preference = values.pop(wire.PREFERENCE, None)
        self.preference = (
            b"" if preference is None else wire.encode_option(wire.PREFERENCE, preference)
        )
        if wire.DOMAIN_SEARCH in values:
            values[wire.DOMAIN_SEARCH] = _labels(values[wire.DOMAIN_SEARCH])
        for code, option in DHCPV6.by_code.items():
            if code in values and not option.allows(values[code]):
                del values[code]  # no client takes it
        self._boot_files = BootFiles(
            values.pop(wire.BOOTFILE, b""), values.pop(_BOOTFILE_ALT, b""), extension.boot_files
        )
        self._values = values
        self._choices: dict[tuple[Boot, bytes | None, int, bool], _Choice] = {}

    def choose(self, request: _Request) -> _Choice:
        """The options to send."""
        options = request.options
        what = (
            self._boot_files.choose6(options),
            options.get(wire.OPTION_REQUEST),
            _fqdn_flags(options[wire.FQDN]) if wire.FQDN in options else -1,
            request.kind == wire.INFORMATION_REQUEST,
        )
        chosen = self._choices.get(what)
        if chosen is None:
            if len(self._choices) >= _MAX_CHOICES:
                self._choices.clear()
            chosen_options = tuple(self._choose(*what))
            chosen = _Choice(chosen_options, b"".join([option for _, option in chosen_options]))
            self._choices[what] = chosen
        return chosen

    def _choose(
        self, boot: Boot, asked: bytes | None, fqdn_flags: int, only_informed: bool
    ) -> Iterator[tuple[int, bytes]]:
        """In the order of the option request option (RFC 8415 §18.3, §21.7).

        First comes, asked for or not, what tells a client that its boot file is loaded by HTTP.
        A client that sends none, which it must not do, gets everything.  Without an FQDN option
        of its own, `fqdn_flags` -1, it gets none (RFC 4704 §6).
        """
        offered = self._values | ({wire.BOOTFILE: boot.file} if boot.file else {})
        if boot.over_http:
            offered.pop(wire.VENDOR_CLASS, None)
            yield wire.VENDOR_CLASS, wire.encode_option(wire.VENDOR_CLASS, HTTP_CLIENT6)
        codes = list(offered)
        if asked is not None:
            numbers = struct.unpack_from(f"!{len(asked) // 2}H", asked)
            codes = list(dict.fromkeys(filter(offered.__contains__, numbers)))
        for code in codes:
            value = offered[code]
            if code == wire.FQDN:
                if fqdn_flags < 0:
                    continue
                value = bytes((fqdn_flags,)) + value
            elif code == wire.REFRESH_TIME and not only_informed:  # RFC 8415 §21.23
                continue
            elif code == wire.NTP_SERVER:
                yield from ((code, wire.encode_option(code, each)) for each in _servers(value))
                continue
            yield code, wire.encode_option(code, value)


class Dhcpv6Responder:
    """Answers the requests of one port, by the userdata of its flow."""

    __slots__ = ("_addresses", "_layout")

    def __init__(self, opts: PutDhcpv6Opts) -> None:
        """Lay out, once, everything a reply has from the userdata."""
        ia_addr = dict(opts.options).get(wire.IA_ADDRESS, b"")
        self._set(_Layout(opts), *(ia_addr[at : at + 16] for at in range(0, len(ia_addr), 16)))

    def of_neighbour(self, ia_addr: bytes, host_name: bytes = b"") -> Dhcpv6Responder:
        """The responder of a port whose userdata differs in its one ia_addr alone, at little cost.

        Without one, it is this port's.
        """
        if not ia_addr:
            return self
        other = Dhcpv6Responder.__new__(Dhcpv6Responder)
        other._set(self._layout, ia_addr)
        return other

    def _set(self, layout: _Layout, *addresses: bytes) -> None:
        self._addresses = tuple(dict.fromkeys(addresses + layout.more_addresses))
        self._layout = layout

    def _pool(self, code: int) -> tuple[bytes, ...]:
        """The leases for the IAs of this code, each once.

        Temporary addresses change, and ours do not: there are none (RFC 8415 §6.5).
        """
        if code == wire.IA_NA:
            return self._addresses
        return self._layout.prefixes if code == wire.IA_PD else ()

    def respond(self, frame: bytes) -> Verdict:
        """The verdict on the Ethernet frame of a request; never raises, whatever the bytes."""
        try:
            link, source, destination, port, message = decode_ipv6_udp(frame)
        except FrameError as error:
            return Silence(NO_DATAGRAM[type(error)])
        if port != DHCPV6_SERVER_PORT:
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
            every_option = wire.decode_options(message[wire.HEADER_SIZE :])
            ias = [option for option in every_option if option[0] in wire.IAS]
            if len(ias) > _MAX_IAS:
                return Silence(Reason.NO_ROOM, mac)
            options = dict(reversed(every_option))
            ids = self._layout.server_id
            if wire.CLIENT_ID in options:
                duid = wire.decode_duid(options[wire.CLIENT_ID])
                ids = wire.encode_option(wire.CLIENT_ID, duid) + ids
            request = _Request(
                link,
                source,
                destination,
                mac,
                kind,
                message[wire.XID],
                options,
                wire.decode_ias(ias) if ias else (),
                ids,
                destination[0] == _MULTICAST,
            )
        except wire.OptionsError:
            return Silence(Reason.BAD_OPTIONS, mac)
        flaw = self._flaw(request)
        return self._verdict(request) if flaw is None else Silence(flaw, mac)

    def _flaw(self, request: _Request) -> Reason | None:
        """Why a message must be discarded (RFC 8415 §16, §16.2-16.9, §16.12)."""
        if not self._layout.server_duid:
            return Reason.NO_SERVER_ID
        kind = request.kind
        server = request.options.get(wire.SERVER_ID)
        if wire.CLIENT_ID not in request.options and kind != wire.INFORMATION_REQUEST:
            return Reason.NO_CLIENT_ID
        if server is None and kind in _TO_ONE:
            return Reason.NO_SERVER_NAMED
        if server is not None and kind in _TO_ANY:
            return Reason.SERVER_NAMED
        if server is not None and server != self._layout.server_duid:
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
        if not self._addresses:
            return Silence(Reason.UNKNOWN_LINK, request.mac)
        status = wire.NOT_ON_LINK if self._off_link(request) else wire.SUCCESS
        return self._reply(request, _STATUS[status], addresses[0])

    def _on_giving_back(self, request: _Request) -> Verdict:
        """RELEASE, DECLINE (RFC 8415 §18.3.7, §18.3.8): heard.

        The verdict is about the first lease that is the port's, if one is.  What is declined may be
        parked, by whoever made the flow; what is released stays the port's.
        """
        leases = [lease for ia in request.ias for lease in ia.leases]
        unknown = [
            wire.encode_ia(ia, _NO_TIMES, _STATUS[wire.NO_BINDING])
            for ia in request.ias
            if not any(lease in ia.leases for lease in self._pool(ia.code))
        ]
        return self._reply(
            request,
            _STATUS[wire.SUCCESS] + b"".join(unknown),
            _address(sorted(leases, key=lambda lease: not self._has(lease))),
            message=_GIVING_BACK[request.kind],
        )

    def _on_asking(self, request: _Request) -> Verdict:
        """SOLICIT, REQUEST, RENEW, REBIND (RFC 8415 §18.3.1, §18.3.2, §18.3.4, §18.3.5)."""
        if request.kind == wire.REBIND and not any(self._pool(ia.code) for ia in request.ias):
            return Silence(Reason.UNKNOWN_LINK, request.mac)  # it may be another server's client
        off_link = self._off_link(request)
        if len(request.ias) == 1:  # as nearly always
            (ia,) = request.ias
            leases = self._give_to_one(request, ia, off_link)
            body = self._ia(request.kind, ia, leases, off_link)
            address = leases[0][-16:] if leases else b""
        else:
            given = self._give(request, off_link)
            body = b"".join(
                [
                    self._ia(request.kind, ia, leases, off_link)
                    for ia, leases in zip(request.ias, given, strict=True)
                ]
            )
            address = _address([leases[0] for leases in given if leases])
        if request.kind != wire.SOLICIT:
            return self._configure(request, body, address)
        # Only what there is can be committed to; else an Advertise says that it is not (§18.3.9).
        if self._layout.rapid_commit and wire.RAPID_COMMIT in request.options and address:
            return self._configure(
                request, wire.encode_option(wire.RAPID_COMMIT, b"") + body, address
            )
        return self._configure(
            request, self._layout.preference + body, address, wire.ADVERTISE, _ADVERTISED
        )

    def _give(self, request: _Request, off_link: Set[bytes]) -> list[list[bytes]]:
        """Which leases each IA gets, for there is no record of which it had.

        Every IA gets those of our leases that it names, then one of the others if it has none; the
        first IA that has some also gets what is left.
        """
        given: list[list[bytes]] = [[] for _ in request.ias]
        begins = self._begins(request)
        for code in wire.IAS:
            pool = self._pool(code)
            if not pool:
                continue
            free = dict.fromkeys(pool)
            # A REQUEST for an address that does not fit the link gets none (§18.3.2).
            takers = [
                (ia, leases)
                for ia, leases in zip(request.ias, given, strict=True)
                if ia.code == code
                and (request.kind != wire.REQUEST or off_link.isdisjoint(ia.leases))
            ]
            for ia, leases in takers:
                for lease in ia.leases:
                    if lease in free:
                        del free[lease]
                        leases.append(lease)
            for _, leases in takers if begins else ():
                if not free:
                    break
                if not leases:
                    leases.append(next(iter(free)))
                    del free[leases[0]]
            for _, leases in takers:
                if leases:
                    leases += free
                    break
        return given

    def _give_to_one(self, request: _Request, ia: wire.Ia, off_link: Set[bytes]) -> list[bytes]:
        """As :meth:`_give`, where there is one IA."""
        pool = self._pool(ia.code)
        if request.kind == wire.REQUEST and not off_link.isdisjoint(ia.leases):
            return []
        named = [lease for lease in ia.leases if lease in pool]
        if len(named) == len(pool):
            return named
        if not named:
            return list(pool) if self._begins(request) else []
        return list(dict.fromkeys((*named, *pool)))

    def _begins(self, request: _Request) -> bool:
        """Whether the request may begin a lease that it does not name.

        A REBIND goes to all servers: only where the client takes any of them that is first may it
        (RFC 8415 §18.3.5).
        """
        return request.kind != wire.REBIND or self._layout.rapid_commit

    def _ia(self, kind: int, ia: wire.Ia, leases: list[bytes], off_link: Set[bytes]) -> bytes:
        """The IA of a reply, with `leases` or with why there are none.

        Without a lease there is nothing to renew: T1 and T2 are 0, the client's choice (§21.4).
        """
        nothing = _NOTHING_TO_EXTEND if kind in _EXTENDING else _NOTHING_LEFT
        if not leases and not ia.leases:
            return wire.encode_ia(ia, _NO_TIMES, nothing[ia.code])
        layout = self._layout
        lifetimes = layout.lifetimes
        if len(leases) == 1:
            options = wire.encode_lease(leases[0], lifetimes)
        else:
            options = b"".join([wire.encode_lease(lease, lifetimes) for lease in leases])
        is_off_link = bool(off_link) and not off_link.isdisjoint(ia.leases)
        if kind in _EXTENDING and (
            leases or is_off_link or (kind == wire.REBIND and self._pool(ia.code))
        ):
            # What is not, or no longer, the client's it must stop to use (§18.3.4, §18.3.5).
            foreign = [lease for lease in ia.leases if not self._has(lease)]
            options += b"".join([wire.encode_lease(lease, _NO_LIFETIMES) for lease in foreign])
        if not options:
            refused = kind == wire.REQUEST and is_off_link
            options = _STATUS[wire.NOT_ON_LINK] if refused else nothing[ia.code]
        return wire.encode_ia(ia, layout.times if leases else _NO_TIMES, options)

    def _has(self, lease: bytes) -> bool:
        """Whether the lease is one of the port's."""
        return lease in self._addresses or lease in self._layout.prefixes

    def _off_link(self, request: _Request) -> Set[bytes]:
        """Those of the addresses named that certainly do not fit the link."""
        named = [lease for ia in request.ias for lease in ia.leases if len(lease) == 16]
        ours = self._addresses
        if not named or not ours:
            return _NONE
        host_bits = self._layout.host_bits
        links = {int.from_bytes(address, "big") >> host_bits for address in ours}
        return {each for each in named if int.from_bytes(each, "big") >> host_bits not in links}

    def _configure(
        self,
        request: _Request,
        body: bytes,
        address: bytes = b"",
        kind: int = wire.REPLY,
        message: str = _REPLIED,
    ) -> Verdict:
        """A reply of `body` and, as far as there is room, the options the client asked for."""
        room = _ROOM - len(request.ids) - len(body)
        dropped: tuple[int, ...] = ()
        choice = self._layout.choose(request)
        if len(choice.encoded) <= room:
            return self._reply(request, body + choice.encoded, address, kind, message)
        for code, option in choice.options:
            if len(option) > room:
                dropped += (code,)
            else:
                body += option
                room -= len(option)
        return self._reply(request, body, address, kind, message, tuple(dict.fromkeys(dropped)))

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
        options = request.ids + body
        if len(options) > _ROOM:
            return Silence(Reason.NO_ROOM, request.mac)
        frame = encode_ipv6_udp(
            request.link,
            request.source,
            request.destination,
            DHCPV6_CLIENT_PORT,
            DHCPV6_SERVER_PORT,
            bytes((kind,)) + request.xid + options,
        )
        return Answer(frame, message, request.mac, address, dropped, request.kind)


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


@lru_cache
def _labels(names: bytes) -> bytes:
    """The search list as labels, without compression (RFC 3646 §4, RFC 8415 §10)."""
    return LABELS.encode(NAMES.decode(names))


def _servers(value: bytes) -> Iterator[bytes]:
    """The NTP servers, which are suboptions, each as the only one of its option (RFC 5908 §4)."""
    try:
        servers = wire.decode_options(value)
    except wire.OptionsError:  # given by its number
        yield value
    else:
        yield from (wire.encode_option(*server) for server in servers)


def _fqdn_flags(clients: bytes) -> int:
    """The flags for a client's FQDN option: no DNS update is done, whatever it wants done.

    RFC 4704 §4.1, §6.1.
    """
    wants_update = bool(clients) and clients[0] & wire.FQDN_S
    return wire.FQDN_N | (wire.FQDN_O if wants_update else 0)


def _address(leases: Iterable[bytes]) -> bytes:
    """The address, or the prefix without its length, of the first lease; empty if there is none."""
    return next(iter(leases), b"")[-16:]
