# SPDX-License-Identifier: Apache-2.0
"""The DHCPv4 server of one port: RFC 2131 for a client whose addresses are already known.

All it knows is in the flow's userdata, all it remembers is nothing: the same request always gets
the same reply.  A reply depends on everything in the request except the IP identification, TTL
and TOS, the checksums and secs; xid is copied and has no other effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from controller.responders.boot import HTTP_CLIENT, Boot, BootFiles
from controller.responders.verdict import Answer, Reason, Silence, Verdict
from controller.wire import dhcpv4 as wire
from controller.wire.frames import Fragment, FrameError, NotUdp, Truncated, decode_udp, encode_udp
from flows.options import DHCPV4, PRIVATE
from flows.userdata import PutDhcpOpts

_SERVER_PORT = 67
_CLIENT_PORT = 68
_ANY = bytes(4)
_BROADCAST_IP = b"\xff" * 4
_BROADCAST_MAC = b"\xff" * 6
_BROADCAST_FLAG = 0x80  # in the first byte of flags
_INFINITE_S = 0xFFFFFFFF

# What the client must take without having said so (RFC 2132 §9.10), and what Ethernet carries:
# a reply is never fragmented.
_MIN_DATAGRAM = 576
_MAX_DATAGRAM = 1500
_IP_AND_UDP = 28
_NO_SNAME = bytes(wire.SNAME_SIZE)
_NO_FILE = bytes(wire.FILE_SIZE)

_NEXT_SERVER, _BOOTFILE_ALT = sorted(PRIVATE)
_ALWAYS = frozenset(option.code for option in DHCPV4.by_code.values() if option.always)
_TIMES = frozenset((wire.T1, wire.T2))
_FOR_HTTP = bytes((wire.VENDOR_CLASS, wire.BOOTFILE))
_REFUSAL = b"address not assigned to this port"

_NAMES = {wire.OFFER: "DHCPOFFER", wire.ACK: "DHCPACK", wire.NAK: "DHCPNAK"}
_FRAME_REASONS: Mapping[type[FrameError], Reason] = {
    NotUdp: Reason.NOT_DHCP,
    Fragment: Reason.FRAGMENT,
    Truncated: Reason.TRUNCATED,
}


class _Request(NamedTuple):
    """A request that is whole and may be answered."""

    link: bytes
    ip_source: bytes
    message: bytes
    options: dict[int, bytes]
    mac: bytes
    ciaddr: bytes
    giaddr: bytes


class _Form(NamedTuple):
    """What all replies of one kind have in common; `head` is their first options, encoded.

    One that `assigns` has the address it is about in yiaddr.
    """

    kind: int
    siaddr: bytes
    head: bytes
    assigns: bool = False
    left_out: frozenset[int] = frozenset()


class _Offered(NamedTuple):
    """The options a client may get after the head, by code, bare and encoded.

    `unasked` are those for a client that sends no parameter request list, `asked_or_not` those for
    one that does.  `sname` and `file` are the fields for a client that did not ask for the options
    in their place.
    """

    values: dict[int, bytes]
    encoded: dict[int, bytes]
    unasked: tuple[int, ...]
    asked_or_not: bytes
    sname: bytes
    file: bytes


class Dhcpv4Responder:
    """Answers the requests of one port, by the userdata of its flow."""

    def __init__(self, opts: PutDhcpOpts) -> None:
        """Lay out, once, everything a reply has from the userdata."""
        values = dict(opts.options)
        extension = opts.extension
        self._offerip = opts.offerip.packed
        self._addresses = {self._offerip, *(address.packed for address in extension.addresses)}
        self._server_id = _four_bytes(values, wire.SERVER_ID)
        lease_time = _four_bytes(values, wire.LEASE_TIME)
        self._defect: Reason | None = None
        if not self._server_id:
            self._defect = Reason.NO_SERVER_ID
        elif not lease_time:
            self._defect = Reason.NO_LEASE_TIME

        times = _renewal_times(int.from_bytes(lease_time, "big"), values)
        known = {wire.SERVER_ID: b"", wire.LEASE_TIME: b"", **values, **times}
        always = {
            code: known[code]
            for code in (wire.SERVER_ID, wire.LEASE_TIME, *values)
            if code in _ALWAYS and (code not in _TIMES or code in times)
        }
        asked_only = {code: time for code, time in times.items() if code not in values}

        siaddr = values.get(_NEXT_SERVER, _ANY)[:4].ljust(4, b"\0")
        without_times = {c: v for c, v in always.items() if c not in _TIMES | {wire.LEASE_TIME}}
        self._offer = _Form(wire.OFFER, siaddr, _head(wire.OFFER, always), assigns=True)
        self._ack = _Form(wire.ACK, siaddr, _head(wire.ACK, always), assigns=True)
        # IPv6-only preferred is for those who ask for an address (RFC 8925 §3.3).
        self._inform_ack = _Form(
            wire.ACK,
            siaddr,
            _head(wire.ACK, without_times),
            left_out=_TIMES | {wire.IPV6_ONLY},
        )
        self._nak = _Form(wire.NAK, _ANY, _head(wire.NAK, {wire.SERVER_ID: self._server_id}))
        self._rapid_ack: _Form | None = None
        if extension.rapid_commit:
            at_once = {**always, wire.RAPID_COMMIT: b""}
            self._rapid_ack = self._ack._replace(head=_head(wire.ACK, at_once))
        self._ipv6_only = wire.IPV6_ONLY in values

        self._boot_files = BootFiles(
            values.get(wire.BOOTFILE, b""), values.get(_BOOTFILE_ALT, b""), extension.boot_files
        )
        plain = {c: v for c, v in values.items() if c not in _ALWAYS and c != _NEXT_SERVER}
        self._to_client = {
            boot: _offered(
                _with_boot(plain, boot), asked_only, _FOR_HTTP if boot.over_http else b""
            )
            for boot in self._boot_files.possible()
        }
        self._with_nak = _offered({wire.MESSAGE: _REFUSAL}, {})

    def respond(self, frame: bytes) -> Verdict:
        """The verdict on the Ethernet frame of a request; never raises, whatever the bytes."""
        try:
            link, ip_source, port, message = decode_udp(frame)
        except FrameError as error:
            return Silence(_FRAME_REASONS[type(error)])
        if port != _SERVER_PORT:
            return Silence(Reason.NOT_DHCP)
        if len(message) < wire.HEADER_SIZE:
            return Silence(Reason.TRUNCATED, link[6:12])
        if message[wire.OP] != wire.BOOTREQUEST:
            return Silence(Reason.NOT_BOOTREQUEST, link[6:12])
        if message[wire.HARDWARE] != wire.ETHERNET:
            return Silence(Reason.NOT_ETHERNET, link[6:12])
        if message[wire.COOKIE] != wire.MAGIC_COOKIE:
            return Silence(Reason.BAD_COOKIE, link[6:12])
        mac = message[wire.CLIENT_MAC]
        giaddr = message[wire.GIADDR]
        # A relay agent speaks for others, a client only for itself.
        if giaddr == _ANY and mac != link[6:12]:
            return Silence(Reason.SPOOFED_CHADDR, link[6:12])
        try:
            options = wire.decode_options(message)
        except wire.OptionsError:
            return Silence(Reason.BAD_OPTIONS, mac)
        request = _Request(link, ip_source, message, options, mac, message[wire.CIADDR], giaddr)
        return self._verdict(request)

    def _verdict(self, request: _Request) -> Verdict:
        """By message type (RFC 2131 §4.3)."""
        # Options of a fixed length that come twice are joined: the first one counts.
        kind = int.from_bytes(request.options.get(wire.MESSAGE_TYPE, b"")[:1], "big")
        if self._defect is not None:
            return Silence(self._defect, request.mac)
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
        return server is not None and server[:4] != self._server_id

    def _on_discover(self, request: _Request) -> Verdict:
        """DHCPDISCOVER: an offer, or the lease itself with Rapid Commit (RFC 4039 §3.1).

        A client that is told to prefer IPv6 is offered its address all the same.  RFC 8925 §3.3
        would rather have 0.0.0.0, to save addresses: this one is kept for the port anyway, and
        not every client understands an offer of none.
        """
        requested = _requested(request)
        address = requested if requested in self._addresses else self._offerip
        form = self._offer
        if self._rapid_ack and wire.RAPID_COMMIT in request.options:
            asked = request.options.get(wire.PARAMETER_REQUEST_LIST, b"")
            # Who is told to prefer IPv6 may not want the lease (RFC 8925 §3.3).
            if not (self._ipv6_only and wire.IPV6_ONLY in asked):
                form = self._rapid_ack
        return self._reply(request, form, _ANY, address)

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
        if requested not in self._addresses:
            return self._reply(request, self._nak, _ANY, requested)
        return self._reply(request, self._ack, request.ciaddr, requested)

    def _on_inform(self, request: _Request) -> Verdict:
        """DHCPINFORM (RFC 2131 §4.3.5); a client that leaves ciaddr 0 is known by its IP source."""
        address = request.ciaddr if request.ciaddr != _ANY else request.ip_source
        if address == _ANY and request.giaddr == _ANY:
            return Silence(Reason.NO_ADDRESS, request.mac)
        return self._reply(request, self._inform_ack, request.ciaddr, address)

    def _noted(self, request: _Request, reason: Reason, address: bytes, message: str) -> Silence:
        """DHCPDECLINE and DHCPRELEASE: the address stays the port's (RFC 2131 §4.3.3, §4.3.4)."""
        if self._for_another(request):
            return Silence(Reason.OTHER_SERVER, request.mac)
        if len(address) != 4 or address == _ANY:
            return Silence(Reason.NO_ADDRESS, request.mac)
        return Silence(reason, request.mac, address, message)

    def _reply(self, request: _Request, form: _Form, ciaddr: bytes, address: bytes) -> Verdict:
        """A reply of `form` with this ciaddr (RFC 2131 Table 3), about `address`."""
        options = request.options
        if form is self._nak:
            offered, asked = self._with_nak, b""
        else:
            offered = self._to_client[self._boot_files.choose(options)]
            asked = options.get(wire.PARAMETER_REQUEST_LIST, b"")

        # The client identifier returns as it came (RFC 6842 §3), what the relay agent added as
        # the very last (RFC 3046 §2.2).
        tail = b"".join(
            wire.encode_option(code, options[code])
            for code in (wire.CLIENT_ID, wire.RELAY_AGENT)
            if code in options
        )
        wanted_size = int.from_bytes(options.get(wire.MAX_MESSAGE_SIZE, b"")[:2], "big")
        size = min(max(wanted_size, _MIN_DATAGRAM), _MAX_DATAGRAM)
        room = size - _IP_AND_UDP - wire.HEADER_SIZE
        if len(form.head) + len(tail) >= room:
            return Silence(Reason.NO_ROOM, request.mac)

        codes = _choose(offered, asked, form.left_out)
        body = b"".join([offered.encoded[code] for code in codes])
        if len(form.head) + len(body) + len(tail) < room:
            sname = _NO_SNAME if wire.TFTP_SERVER in codes else offered.sname
            file = _NO_FILE if wire.BOOTFILE in codes else offered.file
            fields = wire.Fields(form.head + body + tail + b"\xff", file, sname, ())
        else:
            fields = _overload(form, offered, asked, tail, room)

        to_mac, to_ip, to_port = self._destination(request, form, address)
        link = request.link
        message = request.message
        flags = message[wire.FLAGS]
        if form is self._nak and request.giaddr != _ANY:
            # The relay agent must broadcast it: the client's address is wrong (RFC 2131 §4.3.2).
            flags = bytes((flags[0] | _BROADCAST_FLAG, flags[1]))
        reply = wire.encode_reply(
            xid=message[wire.XID],
            flags=flags,
            ciaddr=ciaddr,
            yiaddr=address if form.assigns else _ANY,
            siaddr=form.siaddr,
            giaddr=request.giaddr,
            chaddr=message[wire.CHADDR],
            sname=fields.sname,
            file=fields.file,
            options=fields.options,
        )
        frame = encode_udp(
            link[:6] + to_mac + link[12:], self._server_id, to_ip, to_port, _SERVER_PORT, reply
        )
        return Answer(frame, _NAMES[form.kind], request.mac, address, fields.dropped)

    def _destination(
        self, request: _Request, form: _Form, address: bytes
    ) -> tuple[bytes, bytes, int]:
        """Where a reply about `address` goes: MAC, address, port (RFC 2131 §4.1)."""
        sender = request.link[6:12]
        informs = form is self._inform_ack
        # A DHCPINFORM is answered "directly to the address given in ciaddr" (§4.3.5), also when
        # it came through a relay agent: that is how Kea and ISC read it.
        if request.giaddr != _ANY and not (informs and request.ciaddr != _ANY):
            return sender, request.giaddr, _SERVER_PORT
        if form is self._nak:
            return _BROADCAST_MAC, _BROADCAST_IP, _CLIENT_PORT
        if request.ciaddr != _ANY:
            return sender, request.ciaddr, _CLIENT_PORT
        if request.message[wire.FLAGS][0] & _BROADCAST_FLAG:
            return _BROADCAST_MAC, _BROADCAST_IP, _CLIENT_PORT
        return sender, address, _CLIENT_PORT


def _requested(request: _Request) -> bytes:
    """The address in option 50, or else in ciaddr, which may be none (RFC 2131 Table 4)."""
    requested = request.options.get(wire.REQUESTED_ADDRESS, b"")[:4]
    return request.ciaddr if len(requested) != 4 or requested == _ANY else requested


def _four_bytes(values: Mapping[int, bytes], code: int) -> bytes:
    """The value of an option that has 4 bytes; empty if it is absent or of another length."""
    value = values.get(code, b"")
    return value if len(value) == 4 else b""


def _renewal_times(lease_time_s: int, values: Mapping[int, bytes]) -> dict[int, bytes]:
    """T1 and T2 by code, as configured or by default; none for an infinite lease.

    T1 < T2 < lease time is a MUST (RFC 2131 §4.4.5): times that break it give way to the defaults.
    """
    if lease_time_s == _INFINITE_S:
        return {}
    default = {wire.T1: lease_time_s // 2, wire.T2: lease_time_s * 7 // 8}
    configured = {
        code: int.from_bytes(_four_bytes(values, code), "big")
        for code in default
        if _four_bytes(values, code)
    }
    for times in (default | configured, default):
        if times[wire.T1] < times[wire.T2] < lease_time_s:
            return {code: time.to_bytes(4, "big") for code, time in times.items()}
    return {}


def _head(kind: int, options: Mapping[int, bytes]) -> bytes:
    """Option 53 and then `options`, encoded."""
    return wire.encode_option(wire.MESSAGE_TYPE, bytes((kind,))) + b"".join(
        wire.encode_option(code, value) for code, value in options.items()
    )


def _with_boot(values: Mapping[int, bytes], boot: Boot) -> dict[int, bytes]:
    """`values` with this boot file in the place of all that are configured."""
    public = {wire.BOOTFILE if c == _BOOTFILE_ALT else c: v for c, v in values.items()}
    if boot.file:
        public[wire.BOOTFILE] = boot.file
    if boot.over_http:
        public[wire.VENDOR_CLASS] = HTTP_CLIENT
    return public


def _offered(
    values: Mapping[int, bytes], asked_only: Mapping[int, bytes], asked_or_not: bytes = b""
) -> _Offered:
    """Compile `values`, in their order, and those that are sent only when asked for."""
    every = {**values, **asked_only}
    sname, file = values.get(wire.TFTP_SERVER, b""), values.get(wire.BOOTFILE, b"")
    if len(sname) == 4:  # in OVN's userdata an address stands in four bytes; the field is for names
        sname = b""
    return _Offered(
        values=every,
        encoded={code: wire.encode_option(code, value) for code, value in every.items()},
        # IPv6-only preferred is for those who ask for it (RFC 8925 §3.3).
        unasked=tuple(code for code in values if code != wire.IPV6_ONLY),
        asked_or_not=asked_or_not,
        # A name in a field ends with a NUL (RFC 2131 §2); one that does not fit stays out.
        sname=sname.ljust(wire.SNAME_SIZE, b"\0") if len(sname) < wire.SNAME_SIZE else _NO_SNAME,
        file=file.ljust(wire.FILE_SIZE, b"\0") if len(file) < wire.FILE_SIZE else _NO_FILE,
    )


def _choose(offered: _Offered, asked: bytes, left_out: frozenset[int]) -> list[int]:
    """The codes to send, in the order they were asked for (RFC 2132 §9.8)."""
    if not asked:
        return [code for code in offered.unasked if code not in left_out]
    wanted = dict.fromkeys(offered.asked_or_not + asked)
    codes = [c for c in wanted if c in offered.encoded and c not in left_out]
    if wire.CLASSLESS_ROUTES in codes:
        # It replaces both for a client that asks for it (RFC 3442).
        return [c for c in codes if c not in (wire.ROUTER, wire.STATIC_ROUTE)]
    return codes


def _overload(form: _Form, offered: _Offered, asked: bytes, tail: bytes, room: int) -> wire.Fields:
    """The fields of a reply too big for its `options` field alone.

    The boot file and TFTP server go as options, as their fields may be taken (RFC 2132 §9.4, §9.5).
    """

    def place(left_out: frozenset[int]) -> wire.Fields:
        codes = _choose(offered, asked, left_out)
        codes += [c for c in (wire.BOOTFILE, wire.TFTP_SERVER) if c in offered.values]
        options = [(code, offered.values[code]) for code in dict.fromkeys(codes)]
        return wire.overload(form.head, options, tail, room)

    fields = place(form.left_out)
    if wire.CLASSLESS_ROUTES in fields.dropped:
        # Without the classless routes the client needs those they would have replaced.
        fields = place(form.left_out | {wire.CLASSLESS_ROUTES})
        fields = fields._replace(dropped=(wire.CLASSLESS_ROUTES, *fields.dropped))
    return fields
