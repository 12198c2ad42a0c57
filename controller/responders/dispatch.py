# SPDX-License-Identifier: Apache-2.0
"""From a paused packet to its resume: the one place that resumes.

The rule is that every frozen packet is resumed exactly once, whatever is in it or
in the userdata.  What a packet-in says after its packet (table, cookie, metadata,
continuation, userdata) is the same for every packet of one flow, so it is decoded
once for each distinct sequence of bytes and kept as a :class:`Path`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from controller.responders import template
from controller.responders.dhcpv4 import Dhcpv4Responder
from controller.responders.dhcpv6 import Dhcpv6Responder
from controller.responders.nd_ra import NdRaResponder
from controller.responders.template import Template
from controller.responders.verdict import Answer, Reason, Silence, Verdict
from controller.wire.nxt import (
    BODY,
    decode_packet_in2,
    encode_resume,
    encode_trailer,
    write_bit,
)
from flows.cursor import UserdataError
from flows.userdata import ACTION_NAMES, Action, PutDhcpOpts, PutDhcpv6Opts, decode_userdata

OUR_OPCODES = frozenset(opcode.to_bytes(4, "big") for opcode in ACTION_NAMES)

MAX_PATHS = 8192  # then all are forgotten: a flow takes about 2 kB, and 0.1 ms to learn again
MAX_TEMPLATES = 4  # of one flow: its client's DISCOVER, its REQUESTs, its renewal


class Responder(Protocol):
    """A server of one port."""

    def respond(self, frame: bytes) -> Verdict:
        """The verdict on an Ethernet frame; never raises, whatever the bytes."""


class Path:
    """What one flow's userdata and frozen state come to.

    ``answered`` and ``unanswered`` are the resume's properties after the packet,
    with the result bit 1 and 0.  ``respond`` gives the verdict on a packet.
    """

    __slots__ = ("_answered", "_respond", "_templates", "_unanswered", "_version")

    def __init__(
        self,
        version: int,
        answered: bytes,
        unanswered: bytes,
        respond: Callable[[bytes], Verdict],
    ) -> None:
        self._version = version
        self._answered = answered
        self._unanswered = unanswered
        self._respond = respond
        self._templates: dict[bytes, Template | None] = {}  # None: answered once

    def resume(self, packet: bytes) -> tuple[bytes, Verdict]:
        """The resume for ``packet``, and the verdict on it.

        Where the same request has been answered before, that verdict is returned: its
        frame has that request's xid.
        """
        key = template.key(packet)
        known = self._templates.get(key)
        if known is not None:
            return known.resume(packet), known.verdict
        try:
            verdict = self._respond(packet)
        except Exception as error:  # the last line of defence: a frozen packet must not stay so
            verdict = _internal_error(error)
        if isinstance(verdict, Silence):
            return encode_resume(self._version, packet, self._unanswered), verdict
        if Template.fits(packet):
            self._remember(key, verdict)
        return encode_resume(self._version, verdict.frame, self._answered), verdict

    def _remember(self, key: bytes, answer: Answer) -> None:
        """Keep an answer ready when it is given a second time; few requests come again."""
        if key in self._templates:
            self._templates[key] = Template(self._version, answer, self._answered)
            return
        if len(self._templates) >= MAX_TEMPLATES:
            self._templates.clear()
        self._templates[key] = None


class Resumer(Protocol):
    """What a connection asks about each packet-in."""

    def resume(self, message: bytes) -> tuple[bytes, Verdict] | None:
        """The resume and the verdict; None if we are not to resume the packet."""


class Dispatcher:
    """Turns NXT_PACKET_IN2 messages into NXT_RESUME messages and verdicts.

    With ``only_ours``, packets with another opcode than ours are somebody else's to resume.
    """

    def __init__(self, *, only_ours: bool = False) -> None:
        self._only_ours = only_ours
        self._paths: dict[bytes, Path | None] = {}

    def resume(self, message: bytes) -> tuple[bytes, Verdict] | None:
        """The resume for one NXT_PACKET_IN2, and the verdict on its packet.

        None if there is nothing to resume: the packet is not frozen, or not ours.  Raises
        :exc:`controller.wire.nxt.NxtError` on a message that is not a packet-in.
        """
        size = message[BODY + 2] << 8 | message[BODY + 3]
        after_packet = message[BODY + (size + 7 & ~7) :]
        try:
            path = self._paths[after_packet]
        except KeyError:
            path = self._learn(message, after_packet)
        return path.resume(message[BODY + 4 : BODY + size]) if path else None

    def _learn(self, message: bytes, after_packet: bytes) -> Path | None:
        path = compile_path(message, only_ours=self._only_ours)
        if len(self._paths) >= MAX_PATHS:
            self._paths.clear()
        self._paths[after_packet] = path
        return path


def compile_path(message: bytes, *, only_ours: bool = False) -> Path | None:
    """The path of the flow that sent ``message``; None if its packets are not to be resumed."""
    packet_in = decode_packet_in2(message)
    metadata, continuation = packet_in.metadata, packet_in.continuation
    if continuation is None or (only_ours and packet_in.userdata[:4] not in OUR_OPCODES):
        return None
    unchanged = encode_trailer(metadata, continuation)
    try:
        opts = decode_userdata(packet_in.userdata)
        if opts.result.register is None:
            raise UserdataError(f"the result {opts.result} is in no register")
        answered, unanswered = (
            encode_trailer(write_bit(metadata, *opts.result.register, value), continuation)
            for value in (True, False)
        )
        return Path(message[0], answered, unanswered, responder_for(opts).respond)
    except UserdataError as error:
        silence = Silence(Reason.BAD_USERDATA, detail=str(error))
    except Exception as error:  # as in Path.resume
        silence = _internal_error(error)
    return Path(message[0], unchanged, unchanged, lambda _: silence)


def _internal_error(error: Exception) -> Silence:
    return Silence(Reason.INTERNAL_ERROR, detail=f"{type(error).__name__}: {error}")


def responder_for(opts: Action) -> Responder:
    """The responder that carries out what the userdata says."""
    if isinstance(opts, PutDhcpOpts):
        return Dhcpv4Responder(opts)
    if isinstance(opts, PutDhcpv6Opts):
        return Dhcpv6Responder(opts)
    return NdRaResponder(opts)
