# SPDX-License-Identifier: Apache-2.0
"""A request sent through a bridge and the responder, and what comes of it, as text.

The middle is :mod:`controller.responders.dispatch` itself, on a packet-in with the userdata of the
flow that the packet met.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import NamedTuple

from ovs_dhcpd.controller.responders.dispatch import Dispatcher
from ovs_dhcpd.controller.responders.verdict import Answer, Verdict
from ovs_dhcpd.controller.tracing.course import Bridge, Course, Step
from ovs_dhcpd.controller.tracing.frame_text import show_frame
from ovs_dhcpd.controller.tracing.messages import MESSAGE4, MESSAGE6
from ovs_dhcpd.controller.tracing.packet_fields import rewritten
from ovs_dhcpd.controller.tracing.requests import KINDS, Client, lease_of, make_request
from ovs_dhcpd.controller.wire.asked import describe
from ovs_dhcpd.controller.wire.nxt import (
    NXM_REG,
    PacketIn2,
    decode_packet_in2,
    encode_packet_in2,
)
from ovs_dhcpd.controller.wire.openflow import OFP13
from ovs_dhcpd.controller.wire.oxm import about, decode_match, encode_match, encode_term
from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.dhcpv4 import WIDER_PRIORITY
from ovs_dhcpd.flows.pipeline.tables import GUARD, GUARD_ND
from ovs_dhcpd.flows.userdata.annotate import explain

_USERDATA = re.compile("userdata=[0-9a-f.]+")
_FROZEN = b"traced"  # in the place of what Open vSwitch thaws a packet by


class Transaction(NamedTuple):
    """A request, and what came of it.

    ``verdict`` is None where the request does not come to the controller.  ``reply`` is the frame
    that leaves, None if there is none.
    """

    kind: str
    request: bytes
    way_in: Course
    verdict: Verdict | None = None
    way_out: Course | None = None
    reply: bytes | None = None


def trace(
    bridge: Bridge,
    ofport: int,
    kind: str,
    client: Client,
    settings: Mapping[int, bytes | None],
) -> Transaction:
    """Send a message of ``kind``, a key of KINDS, with what the answers before it tell its client.

    Where such an answer fails to come, the transaction is that one: a client would say no more.
    ``settings`` are of the message itself.
    """
    lease = before = None
    for earlier in KINDS[kind].after:
        before = send(bridge, ofport, earlier, make_request(KINDS[earlier], client))
        lease = lease_of(before.reply) if before.reply else None
        if lease:
            break
    if before and not lease:
        return before
    return send(bridge, ofport, kind, make_request(KINDS[kind], client, lease, settings))


def send(bridge: Bridge, ofport: int, kind: str, request: bytes) -> Transaction:
    """What comes of the frame ``request``."""
    way_in = bridge.enter(request)
    sent = Transaction(kind, request, way_in)
    if way_in.userdata is None or not way_in.steps[-1].is_ours:
        return sent
    verdict, way_out, reply = respond(bridge, _packet_in(request, ofport, way_in))
    return sent._replace(verdict=verdict, way_out=way_out, reply=reply)


def respond(bridge: Bridge, packet_in: bytes) -> tuple[Verdict, Course, bytes | None]:
    """The verdict on a frozen packet, the way out of what is resumed, and the frame that leaves."""
    resume = Dispatcher().resume(packet_in)
    assert resume, "a packet that is frozen is resumed"
    resumed = decode_packet_in2(resume[0])  # an NXT_RESUME has the same properties
    verdict = resume[1]
    way_out = bridge.resume(resumed.packet, _registers(resumed.metadata))
    reply = None
    if isinstance(verdict, Answer) and way_out.leaves_by:
        reply = rewritten(resumed.packet, way_out.fields)
    return verdict, way_out, reply


def _packet_in(frame: bytes, ofport: int, course: Course) -> bytes:
    """The NXT_PACKET_IN2 of a packet that the last flow of its course has paused."""
    metadata = encode_term(f.IN_PORT, ofport)
    for name, value in course.registers.items():
        if name == f.METADATA.match:
            metadata += encode_term(f.METADATA, value)
        else:
            metadata += struct.pack("!II", NXM_REG | int(name[3:]) << 9 | 4, value)
    cookie = course.steps[-1].cookie
    packet_in = PacketIn2(frame, metadata, course.userdata or b"", _FROZEN, cookie)
    return encode_packet_in2(OFP13, packet_in)


def _registers(metadata: bytes) -> dict[str, int]:
    """The registers in a resume's metadata, by their names."""
    names = {NXM_REG | number << 9: f"reg{number}" for number in range(16)}
    names[about(f.METADATA.header)] = f.METADATA.match
    return {
        names[about(term.about)]: term.value
        for term in decode_match(encode_match(metadata))
        if about(term.about) in names
    }


def show(transaction: Transaction, where: str) -> Iterator[str]:
    """All of the transaction in lines; ``where`` is the port that the request comes from."""
    yield from _show_frame(transaction.request)
    yield from _show_course(transaction.way_in)
    yield ""
    verdict, way_out, reply = transaction.verdict, transaction.way_out, transaction.reply
    if verdict is None or way_out is None:
        yield f"not answered: {_why_not_asked(transaction.way_in)}"
        yield _leaves(transaction.way_in, where)
        return
    yield f"verdict: {_show_verdict(verdict)}"
    yield ""
    yield from _show_course(way_out)
    yield ""
    if reply:
        advertisement = verdict.message if verdict.message.startswith("ND_") else ""
        yield from _show_frame(reply, advertisement)
    yield _leaves(way_out, where)


def _show_frame(frame: bytes, name: str = "") -> Iterator[str]:
    yield name or describe(frame).partition(" xid ")[0]
    for line in show_frame(frame):
        yield f"    {line}"
    yield ""


def _show_course(course: Course) -> Iterator[str]:
    for step in course.steps:
        yield _show_step(step)
        paused = course.userdata is not None and step is course.steps[-1]
        for action in step.actions:
            # What the userdata says stands below it.
            indent = "     " if action.startswith("->") else "    "
            yield indent + (_USERDATA.sub("userdata=…", action) if paused else action)
        if paused and course.userdata is not None:
            yield f"     -> {explain(course.userdata)}"


def _show_step(step: Step) -> str:
    if not step.priority and not step.cookie and step.match:  # "No match."
        return f"{step.table:>2}. {step.match}"
    match = f"{step.match}, " if step.match else ""
    whose = f"cookie {step.cookie:#x}" if step.cookie else "no cookie"
    return f"{step.table:>2}. {match}priority {step.priority}, {whose}"


def _show_verdict(verdict: Verdict) -> str:
    address = f" {ip_address(verdict.address)}" if len(verdict.address) in (4, 16) else ""
    if isinstance(verdict, Answer):
        text = f"{verdict.message}{address}"
        if verdict.dropped:
            table = MESSAGE6 if verdict.message.startswith("DHCPv6") else MESSAGE4
            names = (table.by_code.get(code, table.numbered(code)).name for code in verdict.dropped)
            text += f"; left out, there is no room: {', '.join(names)}"
        return text
    detail = f" ({verdict.detail})" if verdict.detail else ""
    return f"no answer: {verdict.reason.value}{address}{detail}"


def _why_not_asked(course: Course) -> str:
    if not course.steps:
        return "what the switch says of it is not understood"
    if course.userdata is not None:
        return "a flow of somebody else pauses it, for its own controller"
    last = course.steps[-1]
    if last.is_ours and last.table in (GUARD.number, GUARD_ND.number):
        return "the port's guard drops it"
    for step in course.steps:
        if not step.is_ours and step.priority >= WIDER_PRIORITY:
            return (
                f"a flow of somebody else takes it before ours, table={step.table}, "
                f"priority={step.priority},{step.match}; expected a priority below {WIDER_PRIORITY}"
            )
    return "no flow of ovs-dhcpd waits for it"


def _leaves(course: Course, where: str) -> str:
    actions = course.steps[-1].actions if course.steps else ()
    if course.leaves_by and str(f.OutputInPort()) in actions:
        return f"leaves by the port it came from, {where}"
    if course.leaves_by:
        return f"leaves by {', '.join(course.leaves_by)}"
    if actions:
        return "leaves nowhere"
    return "goes on to flows that are not ours"
