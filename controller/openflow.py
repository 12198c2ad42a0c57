# SPDX-License-Identifier: Apache-2.0
"""Flows as OpenFlow messages, and the switch's flows back as cookies.

Written by hand, because os-ken takes 0.2 ms to make and serialize one flow-mod
and as long to parse one flow of a dump; the bytes are compared with what
``ovs-ofctl ofp-print`` reads from them.  Everything here is the same in OpenFlow
1.3 and 1.5 except the version byte, the flow dump, ``load`` and ``move``, and the
bundle messages, which 1.3 has as an experimenter extension (ONF EXT-230).

The actions of Nicira (vendor 0x2320) are laid out in Open vSwitch's
``lib/ofp-actions.c``, the messages in ``lib/ofp-msgs.h``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache

from flows.flow import (
    COOKIE_PREFIX,
    COOKIE_SHIFT,
    IN_PORT,
    Action,
    Field,
    Flow,
    Load,
    Move,
    OutputInPort,
    Resubmit,
)
from flows.reconcile import Changes

OFP13, OFP15 = 4, 6  # wire versions

OFPT_EXPERIMENTER = 4
OFPT_SET_CONFIG = 9
OFPT_PACKET_OUT = 13
OFPT_FLOW_MOD = 14
OFPT_MULTIPART_REQUEST = 18
OFPT_MULTIPART_REPLY = 19
OFPT_BUNDLE_CONTROL = 33
OFPT_BUNDLE_ADD_MESSAGE = 34

OFPMP_FLOW = 1  # called OFPMP_FLOW_DESC in 1.5, with another layout of each flow
OFPMP_AGGREGATE = 2
OXS_FLOW_COUNT = 3
OFPMPF_MORE = 1

OFPFC_ADD, OFPFC_DELETE = 0, 3
OFP_NO_BUFFER = OFPP_ANY = OFPG_ANY = 0xFFFFFFFF
OFPTT_ALL = 0xFF
OFPP_IN_PORT = 0xFFFFFFF8
OFPP_CONTROLLER = 0xFFFFFFFD
OFPCML_NO_BUFFER = 0xFFFF
OFPIT_APPLY_ACTIONS = 4
OFPAT_OUTPUT, OFPAT_SET_FIELD, OFPAT_COPY_FIELD = 0, 25, 28

BUNDLE_OPEN, BUNDLE_COMMIT, BUNDLE_COMMIT_REPLY = 0, 4, 5
BUNDLE_ATOMIC_ORDERED = 1 | 2
ONF = 0x4F4E4600
ONF_BUNDLE_CONTROL, ONF_BUNDLE_ADD = 2300, 2301

NICIRA = 0x2320
NXAST_REG_MOVE, NXAST_REG_LOAD, NXAST_RESUBMIT_TABLE, NXAST_CONTROLLER2 = 6, 7, 14, 37
NXAC2PT_USERDATA, NXAC2PT_PAUSE = 3, 4
NXT_SET_PACKET_IN_FORMAT = 16
NXPIF_NXT_PACKET_IN2 = 2
OFPP_IN_PORT_16 = 0xFFF8  # NXAST_RESUBMIT_TABLE keeps 1.0's port numbers

COOKIE_MASK_OURS = 0xFFFF << COOKIE_SHIFT
COOKIE_MASK_EXACT = (1 << 64) - 1


def message(version: int, kind: int, body: bytes, xid: int = 0) -> bytes:
    """An OpenFlow message: the 8-byte header, then ``body``."""
    return struct.pack("!BBHI", version, kind, 8 + len(body), xid) + body


def xid_of(message: bytes) -> int:
    """The transaction id in the header of ``message``."""
    return int.from_bytes(message[4:8], "big")


def ask_for_packet_ins(version: int) -> bytes:
    """What makes a switch send NXT_PACKET_IN2, whole, on a connection that it would not by itself.

    A connection to ``<bridge>.mgmt`` is a service connection: it gets packet-ins
    only once its miss_send_len is not zero.
    """
    packet_in2 = struct.pack("!III", NICIRA, NXT_SET_PACKET_IN_FORMAT, NXPIF_NXT_PACKET_IN2)
    whole = struct.pack("!HH", 0, 0xFFFF)
    return message(version, OFPT_EXPERIMENTER, packet_in2) + message(
        version, OFPT_SET_CONFIG, whole
    )


def flow_dump_request(version: int, xid: int) -> bytes:
    """Ask for the flows whose cookie has our prefix."""
    return _flow_request(version, OFPMP_FLOW, xid)


def flow_count_request(version: int, xid: int) -> bytes:
    """Ask how many flows there are whose cookie has our prefix."""
    return _flow_request(version, OFPMP_AGGREGATE, xid)


def _flow_request(version: int, kind: int, xid: int) -> bytes:
    request = struct.pack(
        "!HH4xB3xII4xQQ",
        kind,
        0,
        OFPTT_ALL,
        OFPP_ANY,
        OFPG_ANY,
        COOKIE_PREFIX << COOKIE_SHIFT,
        COOKIE_MASK_OURS,
    )
    return message(version, OFPT_MULTIPART_REQUEST, request + _match(b""), xid)


def is_flow_dump_reply(message: bytes) -> bool:
    """Whether ``message`` is (a part of) the answer to :func:`flow_dump_request`."""
    return message[1] == OFPT_MULTIPART_REPLY and message[8:10] == b"\0\x01"


def is_flow_count_reply(message: bytes) -> bool:
    """Whether ``message`` is the answer to :func:`flow_count_request`."""
    return message[1] == OFPT_MULTIPART_REPLY and message[8:10] == b"\0\x02"


def decode_flow_count(reply: bytes) -> int:
    """The number in the answer to :func:`flow_count_request`.

    After 16 bytes of headers: in 1.3 ``packets(8) bytes(8) flows(4) pad(4)``, in 1.5
    ``reserved(2) length(2)``, then fields of ``class(2) field<<1(1) size(1)`` and a value.
    Raises :exc:`ValueError` if there is none.
    """
    if reply[0] != OFP15 and len(reply) >= 36:
        return int.from_bytes(reply[32:36], "big")
    at = 20
    while reply[0] == OFP15 and at + 4 <= len(reply):
        field, size = reply[at + 2] >> 1, reply[at + 3]
        if field == OXS_FLOW_COUNT and at + 4 + size <= len(reply):
            return int.from_bytes(reply[at + 4 : at + 4 + size], "big")
        at += 4 + size
    raise ValueError("the switch does not say how many flows there are")


def decode_flow_dump(reply: bytes) -> tuple[list[int], bool]:
    """One reply to :func:`flow_dump_request`: the cookies in it, and whether more replies follow.

    A flow is, in 1.3, ``length(2) table(1) pad(1) sec(4) nsec(4) priority(2) timeouts(4)
    flags(2) pad(4) cookie(8) …``; in 1.5 (``OFPMP_FLOW_DESC``) ``length(2) pad(2) table(1)
    pad(1) priority(2) timeouts(4) flags(2) importance(2) cookie(8) …``.  Raises
    :exc:`ValueError` where a length leads out of the message.
    """
    version = reply[0]
    cookie_at = 16 if version == OFP15 else 24
    (flags,) = struct.unpack_from("!H", reply, 10)
    cookies: list[int] = []
    at = 16
    while at < len(reply):
        if at + cookie_at + 8 > len(reply):
            raise ValueError(f"flow dump: {len(reply) - at} bytes left at offset {at}")
        (size,) = struct.unpack_from("!H", reply, at)
        if size < cookie_at + 8 or at + size > len(reply):
            raise ValueError(f"flow dump: a flow of {size} bytes at offset {at} of {len(reply)}")
        cookies += struct.unpack_from("!Q", reply, at + cookie_at)
        at += size
    return cookies, bool(flags & OFPMPF_MORE)


def encode_bundle(version: int, changes: Changes, bundle_id: int) -> Iterator[bytes]:
    """The messages that make ``changes`` in one bundle: all of them, in this order, or none.

    Their xid is ``bundle_id``, so that an error can be told to belong to it.
    """
    yield _bundle_control(version, bundle_id, BUNDLE_OPEN)
    for flow in changes.add:
        yield _bundle_add(version, bundle_id, encode_add(version, flow, bundle_id))
    for cookie in changes.delete:
        flow_mod = encode_delete(version, cookie, bundle_id)
        yield _bundle_add(version, bundle_id, flow_mod)
    yield _bundle_control(version, bundle_id, BUNDLE_COMMIT)


def encode_add(version: int, flow: Flow, xid: int = 0) -> bytes:
    """The flow-mod that adds ``flow``, or replaces the flow that has its match."""
    actions = b"".join([_action(version, action) for action in flow.actions])
    terms = [_oxm(field, value) for field, value in flow.protocol.fields] if flow.protocol else []
    # in_port first and prerequisites before what needs them, as OXM asks (OpenFlow 1.5, 7.2.3.8)
    terms += [_oxm(term.field, term.value, term.mask) for term in flow.match]
    instructions = struct.pack("!HH4x", OFPIT_APPLY_ACTIONS, 8 + len(actions)) + actions
    body = _flow_mod(OFPFC_ADD, flow.cookie, 0, flow.table, flow.priority)
    return message(version, OFPT_FLOW_MOD, body + _match(b"".join(terms)) + instructions, xid)


def encode_delete(version: int, cookie: int, xid: int = 0) -> bytes:
    """The flow-mod that deletes the flow whose cookie is ``cookie``."""
    body = _flow_mod(OFPFC_DELETE, cookie, COOKIE_MASK_EXACT, OFPTT_ALL, 0)
    return message(version, OFPT_FLOW_MOD, body + _match(b""), xid)


def encode_packet_out(version: int, port: int, frame: bytes) -> bytes:
    """The message that sends ``frame`` out of ``port``, as coming from the controller."""
    actions = _output(port)
    if version == OFP15:
        head = struct.pack("!IH2x", OFP_NO_BUFFER, len(actions))
        head += _match(_oxm(IN_PORT, OFPP_CONTROLLER))
    else:
        head = struct.pack("!IIH6x", OFP_NO_BUFFER, OFPP_CONTROLLER, len(actions))
    return message(version, OFPT_PACKET_OUT, head + actions + frame)


def _flow_mod(command: int, cookie: int, mask: int, table: int, priority: int) -> bytes:
    return struct.pack(
        "!QQBBHHHIIIHH",
        cookie,
        mask,
        table,
        command,
        0,  # idle_timeout
        0,  # hard_timeout
        priority,
        OFP_NO_BUFFER,
        OFPP_ANY,
        OFPG_ANY,
        0,  # flags
        0,  # importance (1.5), padding (1.3)
    )


def _match(oxms: bytes) -> bytes:
    """``type=1 (OXM) length``, the fields, padding to 8 bytes."""
    return _padded(struct.pack("!HH", 1, 4 + len(oxms)) + oxms)


@lru_cache(maxsize=1024)
def _oxm(field: Field, value: int, mask: int | None = None) -> bytes:
    """Header, value and mask of a field; a mask doubles the size and sets the has-mask bit."""
    if mask is None:
        return struct.pack("!I", field.header) + value.to_bytes(field.size, "big")
    header = (field.header & ~0xFF) | 0x100 | 2 * field.size
    return (
        struct.pack("!I", header)
        + value.to_bytes(field.size, "big")
        + mask.to_bytes(field.size, "big")
    )


@lru_cache(maxsize=1024)
def _action(version: int, action: Action) -> bytes:
    if isinstance(action, OutputInPort):
        return _output(OFPP_IN_PORT)
    if isinstance(action, Resubmit):
        return _nicira(NXAST_RESUBMIT_TABLE, struct.pack("!HB3x", OFPP_IN_PORT_16, action.table))
    if isinstance(action, Move):
        return _move(version, action)
    if isinstance(action, Load):
        return _load(version, action)
    # Properties are padded to 8 bytes, the padding not counted in their length.
    userdata = _padded(
        struct.pack("!HH", NXAC2PT_USERDATA, 4 + len(action.userdata)) + action.userdata
    )
    pause = struct.pack("!HH4x", NXAC2PT_PAUSE, 4)
    return _nicira(NXAST_CONTROLLER2, bytes(6) + userdata + pause)


def _output(port: int) -> bytes:
    return struct.pack("!HHIH6x", OFPAT_OUTPUT, 16, port, OFPCML_NO_BUFFER)


def _move(version: int, move: Move) -> bytes:
    bits = 8 * move.source.size
    headers = struct.pack("!II", move.source.header, move.target.header)
    if version == OFP15:
        return struct.pack("!HHHHH2x", OFPAT_COPY_FIELD, 24, bits, 0, 0) + headers + bytes(4)
    return _nicira(NXAST_REG_MOVE, struct.pack("!HHH", bits, 0, 0) + headers)


def _load(version: int, load: Load) -> bytes:
    if load.n_bits and version != OFP15:  # 1.3's set-field has no mask
        where = load.offset << 6 | load.n_bits - 1
        return _nicira(NXAST_REG_LOAD, struct.pack("!HIQ", where, load.field.header, load.value))
    mask = ((1 << load.n_bits) - 1) << load.offset if load.n_bits else None
    oxm = _oxm(load.field, load.value << load.offset, mask)
    action = _padded(bytes(4) + oxm)
    return struct.pack("!HH", OFPAT_SET_FIELD, len(action)) + action[4:]


def _nicira(subtype: int, body: bytes) -> bytes:
    """``type=0xffff length vendor subtype`` and the body; the whole is a multiple of 8 bytes."""
    return struct.pack("!HHIH", 0xFFFF, 10 + len(body), NICIRA, subtype) + body


def _bundle_control(version: int, bundle_id: int, step: int) -> bytes:
    body = struct.pack("!IHH", bundle_id, step, BUNDLE_ATOMIC_ORDERED)
    if version == OFP15:
        return message(version, OFPT_BUNDLE_CONTROL, body, bundle_id)
    return message(
        version, OFPT_EXPERIMENTER, struct.pack("!II", ONF, ONF_BUNDLE_CONTROL) + body, bundle_id
    )


def _bundle_add(version: int, bundle_id: int, flow_mod: bytes) -> bytes:
    body = struct.pack("!I2xH", bundle_id, BUNDLE_ATOMIC_ORDERED) + flow_mod
    if version == OFP15:
        return message(version, OFPT_BUNDLE_ADD_MESSAGE, body, bundle_id)
    return message(
        version, OFPT_EXPERIMENTER, struct.pack("!II", ONF, ONF_BUNDLE_ADD) + body, bundle_id
    )


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)
