# SPDX-License-Identifier: Apache-2.0
"""From a paused packet to its resume: the one place that resumes.

The rule is that every frozen packet is resumed exactly once, whatever is in it or
in the userdata.  What a packet-in says after its packet (table, cookie, metadata,
continuation, userdata) is the same for every packet of one flow, so it is decoded
once for each distinct sequence of bytes and kept as a :class:`Path`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Protocol, Union

from ovs_dhcpd.controller.responders.dhcp_relay import (
    DhcpRelayRequestResponder,
    DhcpRelayResponseResponder,
)
from ovs_dhcpd.controller.responders.dhcpv4 import Dhcpv4Responder
from ovs_dhcpd.controller.responders.dhcpv6 import DECLINE, Dhcpv6Responder
from ovs_dhcpd.controller.responders.dns_lookup import DnsLookupResponder
from ovs_dhcpd.controller.responders.nd_na import NdNaResponder
from ovs_dhcpd.controller.responders.nd_ra import NdRaResponder
from ovs_dhcpd.controller.responders.repeat import DHCPV4, DHCPV6, Layout, Template
from ovs_dhcpd.controller.responders.responder import Responder
from ovs_dhcpd.controller.responders.token_bucket import TokenBucket
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence, Verdict
from ovs_dhcpd.controller.wire.declined import Declined
from ovs_dhcpd.controller.wire.frames import tag_of
from ovs_dhcpd.controller.wire.nxt import (
    CONTINUATION,
    METADATA,
    NxtError,
    PacketIn2,
    decode_packet_in2,
    encode_property,
    encode_resume,
    write_bit,
)
from ovs_dhcpd.controller.wire.openflow import BODY, VERSION
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit
from ovs_dhcpd.flows.userdata.codec import (
    ACTION_NAMES,
    DHCP_RELAY_REQ_CHK,
    DHCP_RELAY_RESP_CHK,
    DNS_LOOKUP,
    PROBE_HEARD,
    DhcpRelayReqChk,
    DhcpRelayRespChk,
    DnsLookup,
    LogicalAction,
    PutDhcpOpts,
    PutDhcpv6Opts,
    PutNdRaOpts,
    decode_userdata,
    split_address,
    split_host_name,
)
from ovs_dhcpd.flows.userdata.cursor import UserdataError

if TYPE_CHECKING:
    from ovs_dhcpd.controller.wire.probe import Heard

OUR_OPCODES = frozenset(opcode.to_bytes(4, "big") for opcode in ACTION_NAMES)
# Of flows that all ports of a network share: the limit of one port is none for them.
_SHARED = frozenset(
    opcode.to_bytes(4, "big") for opcode in (DNS_LOOKUP, DHCP_RELAY_REQ_CHK, DHCP_RELAY_RESP_CHK)
)

_PROBE_HEARD = PROBE_HEARD.to_bytes(4, "big")
LISTENED = RateLimit(pps=200, burst=1000)

MIN_PATHS = 256  # a path takes about 1.5 kB, and 10 µs to learn again
MAX_SERVERS = 1024  # some kB each; with options of their own, ports are so many networks
MAX_TEMPLATES = 4  # of one flow: its client's DISCOVER, its REQUESTs, its renewal
LAYOUTS: Mapping[type, Layout] = {Dhcpv4Responder: DHCPV4, Dhcpv6Responder: DHCPV6}


# The NXT_RESUME that lets a packet go on, and what was made of the packet.  A class with these
# two names would add a twentieth to what a repeated answer costs.
Resume = tuple[bytes, Verdict]

_TOO_MANY = Silence(Reason.RATE_LIMIT)


class Path:
    """What one flow's userdata and frozen state come to.

    ``answered`` and ``unanswered`` are the resume's metadata, with the result bit 1 and 0, and
    ``frozen`` is its continuation, each a whole property.  ``respond`` gives the verdict on a
    packet.  With a ``layout`` the same request has the same answer, as
    :mod:`controller.responders.repeat` has it.

    ``on_decline`` is called with the packet and the verdict where a client declines its address.
    """

    __slots__ = (
        *("_answered", "_frozen", "_layout", "_on_decline", "_once", "_respond", "_templates"),
        *("_unanswered", "_version"),
    )

    def __init__(
        self,
        version: int,
        answered: bytes,
        unanswered: bytes,
        frozen: bytes,
        respond: Callable[[bytes], Verdict],
        *,
        layout: Layout | None = None,
        on_decline: Callable[[bytes, Verdict], object] = lambda *_: None,
    ) -> None:
        self._version = version
        self._answered = answered
        self._unanswered = unanswered
        self._frozen = frozen
        self._respond = respond
        self._layout = layout
        self._once: tuple[int, ...] = ()  # hashes of what was answered once
        self._templates: dict[bytes, Template] = {}
        self._on_decline = on_decline

    def resume(self, packet: bytes, now_s: float = 0.0) -> Resume:
        """The resume for ``packet``, and the verdict on it; the time does not count.

        Where the same request has been answered before, that verdict is returned: its
        frame has that request's xid.
        """
        layout = self._layout
        if layout:
            key = layout.key(packet)
            known = self._templates.get(key)
            if known is not None:
                return known.resume(packet), known.verdict
        try:
            verdict = self._respond(packet)
        except Exception as error:  # the last line of defence: a frozen packet must not stay so
            verdict = _internal_error(error)
        if isinstance(verdict, Silence):
            if verdict.reason is Reason.DECLINED:
                self._on_decline(packet, verdict)
            return self._leave(packet), verdict
        if verdict.message == DECLINE:
            self._on_decline(packet, verdict)
        elif layout and layout.fits(packet):
            self._remember(layout, key, verdict)
        return encode_resume(self._version, verdict.frame, self._answered + self._frozen), verdict

    def refuse(self, packet: bytes) -> Resume:
        """The resume for ``packet``, unread: there are too many of them."""
        return self._leave(packet), _TOO_MANY

    def _leave(self, packet: bytes) -> bytes:
        """The resume for a packet that is not answered."""
        return encode_resume(self._version, packet, self._unanswered + self._frozen)

    def _remember(self, layout: Layout, key: bytes, answer: Answer) -> None:
        """Keep an answer ready when it is given a second time; few requests come again.

        Of the first time a number is kept: the key itself would be as much as all else of a path.
        """
        once = hash(key)
        if once not in self._once:
            self._once = (*self._once[1 - MAX_TEMPLATES :], once)
            return
        if len(self._templates) >= MAX_TEMPLATES:
            self._templates.clear()
        trailer = self._answered + self._frozen
        self._templates[key] = Template(self._version, layout, answer, trailer)


class LimitedPath:
    """A path with a token bucket before it, which nothing is read before."""

    __slots__ = ("_bucket", "_path")

    def __init__(self, path: Path, bucket: TokenBucket) -> None:
        self._path = path
        self._bucket = bucket

    def resume(self, packet: bytes, now_s: float) -> Resume:
        """As :meth:`Path.resume`, at the time ``now_s``."""
        if self._bucket.admit(now_s):
            return self._path.resume(packet)
        return self._path.refuse(packet)


class Listener:
    """Hears what by one port is said of an address that is probed; nothing is to be resumed.

    Nothing is read of what is more than LISTENED: a guest that goes on costs nobody anything.
    """

    __slots__ = ("_bucket", "_ofport", "_tell")

    def __init__(self, ofport: int, tell: Callable[[Heard], object]) -> None:
        self._bucket = TokenBucket(*LISTENED)
        self._ofport = ofport
        self._tell = tell

    def resume(self, packet: bytes, now_s: float) -> None:
        """As :meth:`Path.resume`, at the time ``now_s``."""
        from ovs_dhcpd.controller.wire.probe import decode_heard  # which no answer needs

        if self._bucket.admit(now_s) and (heard := decode_heard(self._ofport, packet)):
            self._tell(heard)


_UNKNOWN = Path(0, b"", b"", b"", lambda _: _TOO_MANY)  # of which nothing is known but that


class Resumer(Protocol):
    """What a connection asks about each packet-in; ``flows`` is how many flows there are.

    ``told`` is what clients have declined and what is heard of probes, for others to take away.
    """

    flows: int
    told: list[Declined | Heard]

    def resume(self, message: bytes, now_s: float) -> Resume | None:
        """The resume and the verdict; None if we are not to resume the packet."""

    def limit(self, buckets: Mapping[int, TokenBucket]) -> None:
        """From now on the flows with these cookies have a token bucket, and no others."""


_Path = Union[Path, LimitedPath, Listener]  # noqa: UP007 - evaluated on 3.10


class Dispatcher:
    """Turns NXT_PACKET_IN2 messages into NXT_RESUME messages and verdicts.

    With ``only_ours``, packets with another opcode than ours are somebody else's to resume.

    A path that is not used while as many others are as there are ``flows`` is forgotten, so that
    ports that come and go leave nothing behind.

    With ``each``, each path has a token bucket of its own, with that limit.
    """

    flows = 4096  # until somebody knows better

    def __init__(self, *, only_ours: bool = False, each: RateLimit | None = None) -> None:
        self.told: list[Declined | Heard] = []
        self._only_ours = only_ours
        self._each = each
        self._buckets: Mapping[int, TokenBucket] = {}
        self._servers = Servers()
        self._paths: dict[bytes, _Path | None] = {}
        self._older: dict[bytes, _Path | None] = {}  # not used since _paths was begun

    def limit(self, buckets: Mapping[int, TokenBucket]) -> None:
        """From now on the flows with these cookies have a token bucket."""
        self._buckets = buckets
        self._older, self._paths = {}, {}

    def resume(self, message: bytes, now_s: float = 0.0) -> Resume | None:
        """The resume for one NXT_PACKET_IN2 that has come at ``now_s``, and the verdict.

        None if there is nothing to resume: the packet is not frozen, or not ours.  Raises
        :exc:`controller.wire.nxt.NxtError` on a message that is not a packet-in.
        """
        try:
            size = message[BODY + 2] << 8 | message[BODY + 3]
            after_packet = message[BODY + (size + 7 & ~7) :]
            path = self._paths.get(after_packet, _UNKNOWN)
        except IndexError:
            raise NxtError(f"NXT_PACKET_IN2 of {len(message)} bytes, no packet") from None
        if path is _UNKNOWN:
            path = self._learn(message, after_packet)
        return path.resume(message[BODY + 4 : BODY + size], now_s) if path else None

    def _learn(self, message: bytes, after_packet: bytes) -> _Path | None:
        path: _Path | None
        if after_packet in self._older:
            path = self._older.pop(after_packet)
        else:
            packet_in = decode_packet_in2(message)
            found = compile_path(
                message[VERSION],
                packet_in,
                self._servers,
                self._note_declined,
                only_ours=self._only_ours,
            )
            if found is None:
                path = self._listener(packet_in)
            else:
                bucket = self._bucket(packet_in)
                path = LimitedPath(found, bucket) if bucket else found
        if len(self._paths) >= max(self.flows, MIN_PATHS):
            self._older, self._paths = self._paths, {}
        self._paths[after_packet] = path
        return path

    def _note_declined(self, metadata: bytes, packet: bytes, verdict: Verdict) -> None:
        from ovs_dhcpd.controller.wire.asked import in_port  # which is seldom needed

        ofport = in_port(metadata)
        if ofport is not None:
            declined = Declined(ofport, tag_of(packet), verdict.mac, verdict.address)
            self.told.append(declined)

    def _listener(self, packet_in: PacketIn2) -> Listener | None:
        """What hears the copies of packets of which this is one; None: nobody does."""
        if packet_in.userdata[:4] != _PROBE_HEARD or self._only_ours:
            return None
        from ovs_dhcpd.controller.wire.asked import in_port  # which is seldom needed

        ofport = in_port(packet_in.metadata)
        return None if ofport is None else Listener(ofport, lambda heard: self.told.append(heard))

    def _bucket(self, packet_in: PacketIn2) -> TokenBucket | None:
        """The token bucket of the flow that sent the packet-in, if it has one."""
        if self._each:
            shared = packet_in.userdata[:4] in _SHARED
            return None if shared else TokenBucket(*self._each)
        return self._buckets.get(packet_in.cookie) if self._buckets else None


class Servers:
    """The responders of the ports of some networks, and of each where its result goes.

    What is decoded and laid out once serves all userdata that differ only in what is likely to be
    a port's own, its address and its host name.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[tuple[int, int], Responder]] = {}

    def of(self, userdata: bytes) -> tuple[tuple[int, int], Responder]:
        """Register and bit of the result, and the responder.  Raises :exc:`UserdataError`."""
        address, common = split_address(userdata)
        host_name = b""
        if common not in self._known:
            host_name, common = split_host_name(common)
        register, responder = self._known.get(common) or self._learn(common)
        return register, responder.of_neighbour(address, host_name)

    def _learn(self, common: bytes) -> tuple[tuple[int, int], Responder]:
        opts = decode_userdata(common)
        if opts.result.register is None:
            raise UserdataError(f"the result {opts.result} is in no register")
        if len(self._known) >= MAX_SERVERS:
            self._known.clear()
        self._known[common] = known = opts.result.register, responder_for(opts)
        return known


@lru_cache(maxsize=1024)
def _results(metadata: bytes, register: int, bit: int) -> tuple[bytes, bytes]:
    """The metadata's property with the result 1 and 0; it is the same for all ports of a network.

    Raises :exc:`NxtError` where ``metadata`` is malformed.
    """
    one, zero = write_bit(metadata, register, bit)
    return encode_property(METADATA, one), encode_property(METADATA, zero)


def compile_path(
    version: int,
    packet_in: PacketIn2,
    servers: Servers,
    on_decline: Callable[[bytes, bytes, Verdict], object],
    *,
    only_ours: bool = False,
) -> Path | None:
    """The path of the flow that sent the packet-in; None if its packets are not to be resumed.

    ``on_decline`` is called with the packet-in's metadata, packet and verdict where a client
    declines its address.
    """
    _, metadata, userdata, continuation, _ = packet_in
    if continuation is None or (only_ours and userdata[:4] not in OUR_OPCODES):
        return None
    frozen = encode_property(CONTINUATION, continuation)
    try:
        (register, bit), responder = servers.of(userdata)
        answered, unanswered = _results(metadata, register, bit)
        return Path(
            version,
            answered,
            unanswered,
            frozen,
            responder.respond,
            layout=LAYOUTS.get(type(responder)),
            on_decline=partial(on_decline, metadata),
        )
    except UserdataError as error:
        silence = Silence(Reason.BAD_USERDATA, detail=str(error))
    except Exception as error:  # as in Path.resume
        silence = _internal_error(error)
    unchanged = encode_property(METADATA, metadata)
    return Path(version, unchanged, unchanged, frozen, lambda _: silence)


def _internal_error(error: Exception) -> Silence:
    return Silence(Reason.INTERNAL_ERROR, detail=f"{type(error).__name__}: {error}")


def responder_for(opts: LogicalAction) -> Responder:
    """The responder that carries out what the userdata says."""
    if isinstance(opts, PutDhcpOpts):
        return Dhcpv4Responder(opts)
    if isinstance(opts, PutDhcpv6Opts):
        return Dhcpv6Responder(opts)
    if isinstance(opts, PutNdRaOpts):
        return NdRaResponder(opts)
    if isinstance(opts, DnsLookup):
        return DnsLookupResponder()
    if isinstance(opts, DhcpRelayReqChk):
        return DhcpRelayRequestResponder(opts)
    if isinstance(opts, DhcpRelayRespChk):
        return DhcpRelayResponseResponder(opts)
    return NdNaResponder(opts)
