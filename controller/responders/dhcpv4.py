# SPDX-License-Identifier: Apache-2.0
"""The DHCPv4 server of one port: RFC 2131 for a client whose addresses are already known.

All it knows is in the flow's userdata, all it remembers is nothing: the same request always gets
the same reply.  A reply depends on everything in the request except the IP identification, TTL
and TOS, the checksums and secs; xid is copied and has no other effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from ovs_dhcpd.controller.responders.boot import (
    HTTP_CLIENT,
    NO_BOOT,
    Boot,
    BootFiles,
    tftp_server_address,
    tftp_server_text,
)
from ovs_dhcpd.controller.responders.verdict import NO_DATAGRAM, Answer, Reason, Silence, Verdict
from ovs_dhcpd.controller.wire import dhcpv4 as wire
from ovs_dhcpd.controller.wire.frames import (
    FrameError,
    decode_udp,
    encode_udp,
)
from ovs_dhcpd.flows.bindings.well_known import (
    BROADCAST,
    BROADCAST_MAC,
    DHCPV4_CLIENT_PORT,
    DHCPV4_SERVER_PORT,
)
from ovs_dhcpd.flows.options.table import DHCPV4, PRIVATE
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts
from ovs_dhcpd.flows.userdata.extension import INFINITY_S

_ANY = bytes(4)
_BROADCAST_IP = BROADCAST.packed
_BROADCAST_FLAG = 0x80  # in the first byte of flags

# What the client must take without having said so (RFC 2132 §9.10), and what Ethernet carries:
# a reply is never fragmented.
_MIN_DATAGRAM = 576
_MAX_DATAGRAM = 1500
_HEADERS = 28 + wire.HEADER_SIZE
_ROOM = _MIN_DATAGRAM - _HEADERS
_NO_SNAME = bytes(wire.SNAME_SIZE)
_NO_FILE = bytes(wire.FILE_SIZE)

_NEXT_SERVER, _BOOTFILE_ALT = sorted(PRIVATE)
_ALWAYS = frozenset(option.code for option in DHCPV4.by_code.values() if option.always)
_TIMES = frozenset((wire.T1, wire.T2))
_FOR_HTTP = bytes((wire.VENDOR_CLASS, wire.BOOTFILE))
_LEASE_TIMES = _TIMES | {wire.LEASE_TIME}
_REFUSAL = b"address not assigned to this port"

_MAX_PLANS = 64  # of one kind of reply: a guest may ask for anything
_RETURNED = (wire.CLIENT_ID, wire.RELAY_AGENT)


# What follows is looked at for each packet: fields of a NamedTuple take several times as long.


@dataclass(slots=True)
class _Request:
    """A request that is whole and may be answered."""

    link: bytes
    ip_source: bytes
    xid: bytes
    flags: bytes
    ciaddr: bytes
    giaddr: bytes
    chaddr: bytes
    mac: bytes
    options: dict[int, bytes]


@dataclass(slots=True)
class _Plan:
    """The fields of a reply, but for what is the port's or the client's own.

    The encoded `options` are cut in two where the port's host name goes, if it is asked for.
    """

    options: tuple[bytes, ...]
    sname: bytes
    file: bytes


@dataclass(slots=True)
class _Form:
    """What all replies of one kind have in common.

    They answer messages of the type `asked`.  `head` are their first options, encoded.  One that
    `assigns` has the address it is about in yiaddr.  `plans` are by what a client boots and by its
    parameter request list; each is for replies whose options find room in the field for them.
    """

    asked: int
    kind: int
    message: str
    siaddr: bytes
    head: bytes
    plans: dict[tuple[Boot, bytes], _Plan]
    assigns: bool = False
    informs: bool = False


class _Layout:
    """What a reply has from the userdata, for all ports of a network.

    Each form, and what is offered to those who boot a file, is laid out when it is first needed:
    where each port has options of its own, most get one OFFER and one ACK from theirs.
    """

    def __init__(self, opts: PutDhcpOpts) -> None:
        values = dict(opts.options)
        next_server = _ANY
        if wire.TFTP_SERVER in values:
            values[wire.TFTP_SERVER] = tftp_server_text(values[wire.TFTP_SERVER])
            # PXE and iPXE take it from siaddr and from nowhere else.
            next_server = tftp_server_address(values[wire.TFTP_SERVER])
        extension = opts.extension
        self.server_id = _four_bytes(values, wire.SERVER_ID)
        self.more_addresses = frozenset([address.packed for address in extension.addresses])
        self.rapid_commit = extension.rapid_commit
        self.ipv6_only = wire.IPV6_ONLY in values
        self.boot_files = BootFiles(
            values.get(wire.BOOTFILE, b""), values.get(_BOOTFILE_ALT, b""), extension.boot_files
        )
        lease_time = _four_bytes(values, wire.LEASE_TIME)
        self.defect: Reason | None = None
        if not self.server_id:
            self.defect = Reason.NO_SERVER_ID
        elif not lease_time:
            self.defect = Reason.NO_LEASE_TIME

        times = _renewal_times(
            lease_time, _four_bytes(values, wire.T1), _four_bytes(values, wire.T2)
        )
        # Sent in every lease are the times that are configured; others only if asked for.
        self._always = {wire.SERVER_ID: b"", wire.LEASE_TIME: b""}
        self._when_asked = {**times}
        self._others: dict[int, bytes] = {}
        for code, value in values.items():
            if code in times:
                self._always[code] = self._when_asked.pop(code)
            elif code in _ALWAYS:
                if code not in _TIMES:
                    self._always[code] = value
            elif code != _NEXT_SERVER:
                self._others[code] = value
        self._siaddr = values.get(_NEXT_SERVER, next_server)[:4].ljust(4, b"\0")
        self._offered: dict[Boot, dict[int, bytes]] = {}

    @cached_property
    def offer(self) -> _Form:
        """DHCPOFFER."""
        head = _head(wire.OFFER, self._always)
        return _Form(wire.DISCOVER, wire.OFFER, "DHCPOFFER", self._siaddr, head, {}, assigns=True)

    @cached_property
    def ack(self) -> _Form:
        """DHCPACK of a DHCPREQUEST."""
        return self._ack(wire.REQUEST, self._always, assigns=True)

    @cached_property
    def rapid_ack(self) -> _Form:
        """DHCPACK of a DHCPDISCOVER (RFC 4039 §3.1)."""
        always = {**self._always, wire.RAPID_COMMIT: b""}
        return self._ack(wire.DISCOVER, always, assigns=True)

    @cached_property
    def inform_ack(self) -> _Form:
        """DHCPACK of a DHCPINFORM: there is no lease (RFC 2131 §4.3.5)."""
        always = {code: v for code, v in self._always.items() if code not in _LEASE_TIMES}
        return self._ack(wire.INFORM, always, informs=True)

    def _ack(
        self,
        asked: int,
        always: Mapping[int, bytes],
        *,
        assigns: bool = False,
        informs: bool = False,
    ) -> _Form:
        head = _head(wire.ACK, always)
        return _Form(asked, wire.ACK, "DHCPACK", self._siaddr, head, {}, assigns, informs)

    @cached_property
    def nak(self) -> _Form:
        """DHCPNAK."""
        head = _head(wire.NAK, {wire.SERVER_ID: self.server_id})
        return _Form(wire.REQUEST, wire.NAK, "DHCPNAK", _ANY, head, {})

    def offered(self, form: _Form, boot: Boot) -> dict[int, bytes]:
        """What a client that boots this may get in such a reply after its head."""
        if form.kind == wire.NAK:
            return _WITH_NAK
        if boot not in self._offered:
            self._offered[boot] = _with_boot(self._others, boot) | self._when_asked
        return self._offered[boot]

    def choose(
        self, form: _Form, boot: Boot, asked: bytes, without: frozenset[int] = frozenset()
    ) -> list[int]:
        """The codes to send after the head, in the order they were asked for (RFC 2132 §9.8)."""
        offered = self.offered(form, boot)
        if form.informs:
            # IPv6-only preferred is for those who ask for an address (RFC 8925 §3.3).
            without |= _TIMES | {wire.IPV6_ONLY}
        if not asked:
            # ... and ask for it by name.
            without = without.union(self._when_asked, (wire.IPV6_ONLY,))
            return [code for code in offered if code not in without]
        if boot.over_http:
            asked = _FOR_HTTP + asked
        codes = [code for code in offered if code in asked and code not in without]
        if wire.CLASSLESS_ROUTES in codes:
            # It replaces both for a client that asks for it (RFC 3442).
            codes = [c for c in codes if c not in (wire.ROUTER, wire.STATIC_ROUTE)]
        return sorted(codes, key=asked.index)

    def plan(self, form: _Form, boot: Boot, asked: bytes) -> _Plan:
        """The plan for a client that boots this and asks for these; it is kept, if few are."""
        plan = form.plans.get((boot, asked))
        if plan is None:
            codes = self.choose(form, boot, asked)
            offered = self.offered(form, boot)
            encoded = [form.head]
            for code in codes:
                if code == wire.HOST_NAME:
                    encoded.append(b"")
                else:
                    encoded[-1] += wire.encode_option(code, offered[code])
            # The fields are for a client that did not ask for the options in their place.
            plan = _Plan(
                tuple(encoded),
                _NO_SNAME if wire.TFTP_SERVER in codes else _sname(offered),
                _NO_FILE if wire.BOOTFILE in codes else _file(offered),
            )
            if len(form.plans) >= _MAX_PLANS:
                form.plans.clear()
            form.plans[boot, asked] = plan
        return plan

    def overload(
        self, form: _Form, boot: Boot, asked: bytes, host_name: bytes, tail: bytes, room: int
    ) -> wire.Fields:
        """The fields of a reply too big for its `options` field alone.

        The boot file and TFTP server go as options, as their fields may be taken (RFC 2132 §9.4,
        §9.5).
        """
        offered = self.offered(form, boot)

        def place(without: frozenset[int]) -> wire.Fields:
            codes = self.choose(form, boot, asked, without)
            codes += [c for c in (wire.BOOTFILE, wire.TFTP_SERVER) if c in offered]
            values = {code: offered[code] for code in dict.fromkeys(codes)}
            if wire.HOST_NAME in values:
                values[wire.HOST_NAME] = host_name
            return wire.overload(form.head, values.items(), tail, room)

        fields = place(frozenset())
        if wire.CLASSLESS_ROUTES in fields.dropped:
            # Without the classless routes the client needs those they would have replaced.
            fields = place(frozenset((wire.CLASSLESS_ROUTES,)))
            fields = fields._replace(dropped=(wire.CLASSLESS_ROUTES, *fields.dropped))
        return fields


class Dhcpv4Responder:
    """Answers the requests of one port, by the userdata of its flow."""

    __slots__ = ("_host_name", "_host_name_option", "_layout", "_offerip")

    def __init__(self, opts: PutDhcpOpts) -> None:
        """For the port that has this userdata."""
        self._layout = _Layout(opts)
        host_name = dict(opts.options).get(wire.HOST_NAME, b"")
        self._set(opts.offerip.packed, host_name, wire.encode_option(wire.HOST_NAME, host_name))

    def of_neighbour(self, offerip: bytes, host_name: bytes = b"") -> Dhcpv4Responder:
        """The responder of a port whose userdata differs in these alone, at a fraction of the cost.

        An empty host name stands for this port's.
        """
        other = Dhcpv4Responder.__new__(Dhcpv4Responder)
        other._layout = self._layout
        if host_name:
            other._set(offerip, host_name, wire.encode_option(wire.HOST_NAME, host_name))
        else:
            other._set(offerip, self._host_name, self._host_name_option)
        return other

    def _set(self, offerip: bytes, host_name: bytes, host_name_option: bytes) -> None:
        self._offerip = offerip
        self._host_name = host_name
        self._host_name_option = host_name_option

    def respond(self, frame: bytes) -> Verdict:
        """The verdict on the Ethernet frame of a request; never raises, whatever the bytes."""
        try:
            link, ip_source, port, message = decode_udp(frame)
        except FrameError as error:
            return Silence(NO_DATAGRAM[type(error)])
        if port != DHCPV4_SERVER_PORT:
            return Silence(Reason.NOT_DHCP)
        sender = link[6:12]
        if len(message) < wire.HEADER_SIZE:
            return Silence(Reason.TRUNCATED, sender)
        op, hardware, xid, flags, ciaddr, giaddr, chaddr, cookie = wire.HEADER.unpack_from(message)
        if op != wire.BOOTREQUEST:
            return Silence(Reason.NOT_BOOTREQUEST, sender)
        if hardware != wire.ETHERNET:
            return Silence(Reason.NOT_ETHERNET, sender)
        if cookie != wire.MAGIC_COOKIE:
            return Silence(Reason.BAD_COOKIE, sender)
        mac = chaddr[:6]
        # A relay agent speaks for others, a client only for itself.
        if mac != sender and giaddr == _ANY:
            return Silence(Reason.SPOOFED_CHADDR, sender)
        try:
            options = wire.decode_options(message)
        except wire.OptionsError:
            return Silence(Reason.BAD_OPTIONS, mac)
        return self._verdict(
            _Request(link, ip_source, xid, flags, ciaddr, giaddr, chaddr, mac, options)
        )

    def _verdict(self, request: _Request) -> Verdict:
        """By message type (RFC 2131 §4.3)."""
        # Options of a fixed length that come twice are joined: the first one counts.
        message_type = request.options.get(wire.MESSAGE_TYPE)
        kind = message_type[0] if message_type else 0
        if self._layout.defect is not None:
            return Silence(self._layout.defect, request.mac)
        if kind == wire.DISCOVER:
            return self._on_discover(request)
        if kind == wire.REQUEST:
            return self._on_request(request)
        if kind == wire.INFORM:
            return self._on_inform(request)
        if kind == wire.DECLINE:
            address = request.options.get(wire.REQUESTED_ADDRESS, b"")[:4]
            return self._noted(request, Reason.DECLINED, address, "DHCPDECLINE")
        if kind == wire.RELEASE:
            return self._noted(request, Reason.RELEASED, request.ciaddr, "DHCPRELEASE")
        if kind in (wire.OFFER, wire.ACK, wire.NAK):
            return Silence(Reason.SERVER_MESSAGE, request.mac)
        if wire.MESSAGE_TYPE not in request.options:
            return Silence(Reason.NO_MESSAGE_TYPE, request.mac)
        return Silence(Reason.UNKNOWN_MESSAGE, request.mac)

    def _for_another(self, request: _Request) -> bool:
        server = request.options.get(wire.SERVER_ID)
        return server is not None and server[:4] != self._layout.server_id

    def _on_discover(self, request: _Request) -> Verdict:
        """DHCPDISCOVER: an offer, or the lease itself with Rapid Commit (RFC 4039 §3.1).

        A client that is told to prefer IPv6 is offered its address all the same.  RFC 8925 §3.3
        would rather have 0.0.0.0, to save addresses: this one is kept for the port anyway, and
        not every client understands an offer of none.
        """
        requested = _requested(request)
        address = requested if requested in self._layout.more_addresses else self._offerip
        if self._layout.rapid_commit and wire.RAPID_COMMIT in request.options:
            asked = request.options.get(wire.PARAMETER_REQUEST_LIST, b"")
            # Who is told to prefer IPv6 may not want the lease (RFC 8925 §3.3).
            if not (self._layout.ipv6_only and wire.IPV6_ONLY in asked):
                return self._reply(request, self._layout.rapid_ack, _ANY, address)
        return self._reply(request, self._layout.offer, _ANY, address)

    def _on_request(self, request: _Request) -> Verdict:
        """DHCPREQUEST (RFC 2131 §4.3.2, Table 4).

        SELECTING names the server and the address, INIT-REBOOT the address in option 50, RENEWING
        and REBINDING the address in ciaddr.
        """
        if self._for_another(request):
            return Silence(Reason.OTHER_SERVER, request.mac)
        requested = _requested(request)
        if requested == _ANY:
            return Silence(Reason.NO_ADDRESS, request.mac)
        if requested != self._offerip and requested not in self._layout.more_addresses:
            return self._reply(request, self._layout.nak, _ANY, requested)
        return self._reply(request, self._layout.ack, request.ciaddr, requested)

    def _on_inform(self, request: _Request) -> Verdict:
        """DHCPINFORM (RFC 2131 §4.3.5); a client that leaves ciaddr 0 is known by its IP source."""
        address = request.ciaddr if request.ciaddr != _ANY else request.ip_source
        if address == _ANY and request.giaddr == _ANY:
            return Silence(Reason.NO_ADDRESS, request.mac)
        return self._reply(request, self._layout.inform_ack, request.ciaddr, address)

    def _noted(self, request: _Request, reason: Reason, address: bytes, message: str) -> Silence:
        """DHCPDECLINE and DHCPRELEASE get no reply (RFC 2131 §4.3.3, §4.3.4).

        A declined address may be parked, by whoever made the flow; a released one stays the port's.
        """
        if self._for_another(request):
            return Silence(Reason.OTHER_SERVER, request.mac)
        if len(address) != 4 or address == _ANY:
            return Silence(Reason.NO_ADDRESS, request.mac)
        return Silence(reason, request.mac, address, message)

    def _reply(self, request: _Request, form: _Form, ciaddr: bytes, address: bytes) -> Verdict:
        """A reply of `form` with this ciaddr (RFC 2131 Table 3), about `address`."""
        options = request.options
        layout = self._layout
        if form.kind == wire.NAK:
            boot, asked = NO_BOOT, b""
        else:
            boot = layout.boot_files.choose(options)
            asked = options.get(wire.PARAMETER_REQUEST_LIST, b"")

        # The client identifier returns as it came (RFC 6842 §3), what the relay agent added as
        # the very last (RFC 3046 §2.2).
        tail = b""
        for code in _RETURNED:
            if code in options:
                tail += wire.encode_option(code, options[code])
        room = _room(options[wire.MAX_MESSAGE_SIZE]) if wire.MAX_MESSAGE_SIZE in options else _ROOM
        if len(form.head) + len(tail) >= room:
            return Silence(Reason.NO_ROOM, request.mac)

        plan = layout.plan(form, boot, asked)
        encoded = self._host_name_option.join(plan.options) + tail
        dropped: tuple[int, ...] = ()
        if len(encoded) < room:
            sname, file, encoded = plan.sname, plan.file, encoded + b"\xff"
        else:
            encoded, file, sname, dropped = layout.overload(
                form, boot, asked, self._host_name, tail, room
            )

        to_mac, to_ip, to_port = self._destination(request, form, address)
        link, flags = request.link, request.flags
        if form.kind == wire.NAK and request.giaddr != _ANY:
            # The relay agent must broadcast it: the client's address is wrong (RFC 2131 §4.3.2).
            flags = bytes((flags[0] | _BROADCAST_FLAG, flags[1]))
        reply = wire.encode_reply(
            request.xid,
            flags,
            ciaddr,
            address if form.assigns else _ANY,  # yiaddr
            form.siaddr,
            request.giaddr,
            request.chaddr,
            sname,
            file,
            encoded,
        )
        frame = encode_udp(
            link[:6] + to_mac + link[12:],
            self._layout.server_id,
            to_ip,
            to_port,
            DHCPV4_SERVER_PORT,
            reply,
        )
        return Answer(frame, form.message, request.mac, address, dropped, form.asked)

    def _destination(
        self, request: _Request, form: _Form, address: bytes
    ) -> tuple[bytes, bytes, int]:
        """Where a reply about `address` goes: MAC, address, port (RFC 2131 §4.1)."""
        sender = request.link[6:12]
        # A DHCPINFORM is answered "directly to the address given in ciaddr" (§4.3.5), also when
        # it came through a relay agent: that is how Kea and ISC read it.
        if request.giaddr != _ANY and not (form.informs and request.ciaddr != _ANY):
            return sender, request.giaddr, DHCPV4_SERVER_PORT
        if form.kind == wire.NAK:
            return BROADCAST_MAC, _BROADCAST_IP, DHCPV4_CLIENT_PORT
        if request.ciaddr != _ANY:
            return sender, request.ciaddr, DHCPV4_CLIENT_PORT
        if request.flags[0] & _BROADCAST_FLAG:
            return BROADCAST_MAC, _BROADCAST_IP, DHCPV4_CLIENT_PORT
        return sender, address, DHCPV4_CLIENT_PORT


def _requested(request: _Request) -> bytes:
    """The address in option 50, or else in ciaddr, which may be none (RFC 2131 Table 4)."""
    requested = request.options.get(wire.REQUESTED_ADDRESS, b"")[:4]
    return request.ciaddr if len(requested) != 4 or requested == _ANY else requested


def _room(max_message_size: bytes) -> int:
    """How many bytes the options may have, by the client's option 57 (RFC 2132 §9.10)."""
    wanted_size = int.from_bytes(max_message_size[:2], "big")
    return min(max(wanted_size, _MIN_DATAGRAM), _MAX_DATAGRAM) - _HEADERS


def _four_bytes(values: Mapping[int, bytes], code: int) -> bytes:
    """The value of an option that has 4 bytes; empty if it is absent or of another length."""
    value = values.get(code, b"")
    return value if len(value) == 4 else b""


@lru_cache
def _renewal_times(lease_time: bytes, t1: bytes, t2: bytes) -> Mapping[int, bytes]:
    """T1 and T2 by code, as configured or, where empty, by default; none for an infinite lease.

    T1 < T2 < lease time is a MUST (RFC 2131 §4.4.5): times that break it give way to the defaults.
    """
    lease_time_s = int.from_bytes(lease_time, "big")
    if lease_time_s == INFINITY_S:
        return {}
    default = {wire.T1: lease_time_s // 2, wire.T2: lease_time_s * 7 // 8}
    configured = {
        code: int.from_bytes(time, "big") for code, time in ((wire.T1, t1), (wire.T2, t2)) if time
    }
    for times in (default | configured, default):
        if times[wire.T1] < times[wire.T2] < lease_time_s:
            return {code: time.to_bytes(4, "big") for code, time in times.items()}
    return {}


def _encode(options: Iterable[tuple[int, bytes]]) -> bytes:
    return b"".join([wire.encode_option(code, value) for code, value in options])


def _head(kind: int, options: Mapping[int, bytes]) -> bytes:
    """Option 53 and then `options`, encoded."""
    return wire.encode_option(wire.MESSAGE_TYPE, bytes((kind,))) + _encode(options.items())


def _with_boot(values: Mapping[int, bytes], boot: Boot) -> dict[int, bytes]:
    """`values` with this boot file in the place of all that are configured."""
    public = {wire.BOOTFILE if c == _BOOTFILE_ALT else c: v for c, v in values.items()}
    if boot.file:
        public[wire.BOOTFILE] = boot.file
    if boot.over_http:
        public[wire.VENDOR_CLASS] = HTTP_CLIENT
    return public


def _sname(offered: Mapping[int, bytes]) -> bytes:
    """The field with the TFTP server's name, if it fits."""
    name = offered.get(wire.TFTP_SERVER, b"")
    # A name in a field ends with a NUL (RFC 2131 §2); one that does not fit stays out.
    return name.ljust(wire.SNAME_SIZE, b"\0") if len(name) < wire.SNAME_SIZE else _NO_SNAME


def _file(offered: Mapping[int, bytes]) -> bytes:
    """The field with the name of the boot file, if it fits."""
    name = offered.get(wire.BOOTFILE, b"")
    return name.ljust(wire.FILE_SIZE, b"\0") if len(name) < wire.FILE_SIZE else _NO_FILE


_WITH_NAK = {wire.MESSAGE: _REFUSAL}
