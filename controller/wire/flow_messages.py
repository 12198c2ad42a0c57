# SPDX-License-Identifier: Apache-2.0
"""Flows as OpenFlow messages (:mod:`~controller.wire.flow_entry` has them as the switch says).

Written by hand, because os-ken takes 0.2 ms to make and serialize one flow-mod
and as long to parse one flow of a dump; the bytes are compared with what
``ovs-ofctl ofp-print`` reads from them.  Everything here is the same in OpenFlow
1.3 and 1.5 except the version byte, registers, ``load``, ``move`` and ``meter``, and
the bundle messages, which 1.3 has as an experimenter extension (ONF EXT-230).  1.4
has 1.5's bundles and is otherwise as 1.3.

The actions of Nicira (vendor 0x2320) are laid out in Open vSwitch's ``lib/ofp-actions.c``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache

from ovs_dhcpd.controller.wire.openflow import (
    BUNDLE_COMMIT,
    NICIRA,
    OFP14,
    OFP15,
    OFPG_ANY,
    OFPMP_AGGREGATE,
    OFPMP_FLOW,
    OFPP_ANY,
    OFPT_BUNDLE_CONTROL,
    OFPT_EXPERIMENTER,
    OFPT_MULTIPART_REQUEST,
    ONF,
    ONF_BUNDLE_CONTROL,
    VERSION,
    message,
)
from ovs_dhcpd.controller.wire.oxm import encode_match, encode_match_of, encode_term, nxm_header
from ovs_dhcpd.flows.pipeline.flow import (
    COOKIE_PREFIX,
    COOKIE_SHIFT,
    IN_PORT,
    Action,
    Flow,
    Load,
    Meter,
    Move,
    OutputInPort,
    Pause,
    Resubmit,
)
from ovs_dhcpd.flows.pipeline.reconcile import Changes

FLOW_MOD_SIZE = 48  # of the header and of what a flow-mod has before its match

OFPT_PACKET_OUT = 13
OFPT_FLOW_MOD = 14
OFPT_BUNDLE_ADD_MESSAGE = 34

OXS_FLOW_COUNT = 3

OFPFC_ADD, OFPFC_DELETE, OFPFC_DELETE_STRICT = 0, 3, 4
OFP_NO_BUFFER = 0xFFFFFFFF
OFPTT_ALL = 0xFF
OFPP_IN_PORT = 0xFFFFFFF8
OFPP_TABLE = 0xFFFFFFF9
OFPP_CONTROLLER = 0xFFFFFFFD
OFPCML_NO_BUFFER = 0xFFFF
OFPIT_APPLY_ACTIONS, OFPIT_METER = 4, 6
OFPAT_OUTPUT, OFPAT_SET_FIELD, OFPAT_COPY_FIELD, OFPAT_METER = 0, 25, 28, 29

BUNDLE_OPEN = 0
BUNDLE_ATOMIC_ORDERED = 1 | 2
ONF_BUNDLE_ADD = 2301

NXAST_REG_MOVE, NXAST_REG_LOAD, NXAST_RESUBMIT_TABLE, NXAST_CONTROLLER2 = 6, 7, 14, 37
NXAC2PT_USERDATA, NXAC2PT_PAUSE = 3, 4
OFPP_IN_PORT_16 = 0xFFF8  # NXAST_RESUBMIT_TABLE keeps 1.0's port numbers

COOKIE_MASK_OURS = 0xFFFF << COOKIE_SHIFT
COOKIE_MASK_EXACT = (1 << 64) - 1


def flow_dump_request(version: int, xid: int) -> bytes:
    """Ask for the flows whose cookie has our prefix."""
    return encode_flow_request(version, OFPMP_FLOW, xid)


def flow_count_request(version: int, xid: int) -> bytes:
    """Ask how many flows there are whose cookie has our prefix."""
    return encode_flow_request(version, OFPMP_AGGREGATE, xid)


def encode_flow_request(version: int, kind: int, xid: int, terms: bytes = b"") -> bytes:
    """A multipart request of this kind about our flows, or those with these encoded terms."""
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
    return message(version, OFPT_MULTIPART_REQUEST, request + encode_match(terms), xid)


def decode_flow_count(reply: bytes) -> int:
    """The number in the answer to :func:`flow_count_request`.

    After 16 bytes of headers: in 1.3 ``packets(8) bytes(8) flows(4) pad(4)``, in 1.5
    ``reserved(2) length(2)``, then fields of ``class(2) field<<1(1) size(1)`` and a value.
    Raises :exc:`ValueError` if there is none.
    """
    if reply[VERSION] != OFP15 and len(reply) >= 36:
        return int.from_bytes(reply[32:36], "big")
    at = 20
    while reply[VERSION] == OFP15 and at + 4 <= len(reply):
        field, size = reply[at + 2] >> 1, reply[at + 3]
        if field == OXS_FLOW_COUNT and at + 4 + size <= len(reply):
            return int.from_bytes(reply[at + 4 : at + 4 + size], "big")
        at += 4 + size
    raise ValueError("the switch does not say how many flows there are")


def encode_bundle(
    version: int, changes: Changes, bundle_id: int, others: Iterable[bytes] = ()
) -> Iterator[bytes]:
    """The messages that make ``changes`` in one bundle: all of them, in this order, or none.

    ``others`` are flow-mods that come before.  The xid of all is ``bundle_id``, so that an error
    can be told to belong to it.
    """
    yield _bundle_control(version, bundle_id, BUNDLE_OPEN)
    for flow_mod in others:
        yield _bundle_add(version, bundle_id, flow_mod)
    for flow in changes.add:
        yield _bundle_add(version, bundle_id, encode_add(version, flow, bundle_id))
    for cookie in changes.delete:
        flow_mod = encode_delete(version, cookie, bundle_id)
        yield _bundle_add(version, bundle_id, flow_mod)
    yield _bundle_control(version, bundle_id, BUNDLE_COMMIT)


def encode_add(version: int, flow: Flow, xid: int = 0) -> bytes:
    """The flow-mod that adds ``flow``, or replaces the flow that has its match.

    Its instructions are as Open vSwitch returns them: a flow that drops has none.
    """
    before = b""  # in 1.3 a meter is no action, but an instruction before them
    actions = b"".join([_action(version, action) for action in flow.actions])
    if version != OFP15 and flow.actions and isinstance(flow.actions[0], Meter):
        before, actions = actions[:8], actions[8:]
    if actions:
        actions = struct.pack("!HH4x", OFPIT_APPLY_ACTIONS, 8 + len(actions)) + actions
    body = _flow_mod(OFPFC_ADD, flow.cookie, 0, flow.table, flow.priority)
    match = encode_match_of(flow, packet_registers=version == OFP15)
    return message(version, OFPT_FLOW_MOD, body + match + before + actions, xid)


def encode_delete(version: int, cookie: int, xid: int = 0) -> bytes:
    """The flow-mod that deletes the flow whose cookie is ``cookie``."""
    body = _flow_mod(OFPFC_DELETE, cookie, COOKIE_MASK_EXACT, OFPTT_ALL, 0)
    return message(version, OFPT_FLOW_MOD, body + encode_match(), xid)


def encode_delete_strict(
    version: int, table: int, priority: int, cookie: int, match: bytes, xid: int = 0
) -> bytes:
    """The flow-mod that deletes the flow with this match (encoded) if it has this cookie."""
    body = _flow_mod(OFPFC_DELETE_STRICT, cookie, COOKIE_MASK_EXACT, table, priority)
    return message(version, OFPT_FLOW_MOD, body + match, xid)


def encode_packet_out(version: int, port: int, frame: bytes) -> bytes:
    """The message that sends ``frame`` out of ``port``, as coming from the controller."""
    return _packet_out(version, OFPP_CONTROLLER, _output(port), frame)


def encode_as_if_from(version: int, port: int, loads: Iterable[Load], frame: bytes) -> bytes:
    """The message that has ``frame`` meet the flows as if ``port`` had sent it, after ``loads``."""
    actions = b"".join([_action(version, load) for load in loads]) + _output(OFPP_TABLE)
    return _packet_out(version, port, actions, frame)


def _packet_out(version: int, in_port: int, actions: bytes, frame: bytes) -> bytes:
    if version == OFP15:
        head = struct.pack("!IH2x", OFP_NO_BUFFER, len(actions))
        head += encode_match(encode_term(IN_PORT, in_port))
    else:
        head = struct.pack("!IIH6x", OFP_NO_BUFFER, in_port, len(actions))
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
    if isinstance(action, Meter):
        kind = OFPAT_METER if version == OFP15 else OFPIT_METER
        return struct.pack("!HHI", kind, 8, action.meter_id)
    # Properties are padded to 8 bytes, the padding not counted in their length.
    userdata = _padded(
        struct.pack("!HH", NXAC2PT_USERDATA, 4 + len(action.userdata)) + action.userdata
    )
    pause = struct.pack("!HH4x", NXAC2PT_PAUSE, 4) if isinstance(action, Pause) else b""
    return _nicira(NXAST_CONTROLLER2, bytes(6) + userdata + pause)


def _output(port: int) -> bytes:
    return struct.pack("!HHIH6x", OFPAT_OUTPUT, 16, port, OFPCML_NO_BUFFER)


def _move(version: int, move: Move) -> bytes:
    bits = 8 * move.source.size
    if version == OFP15:
        headers = struct.pack("!II", move.source.header, move.target.header)
        return struct.pack("!HHHHH2x", OFPAT_COPY_FIELD, 24, bits, 0, 0) + headers + bytes(4)
    headers = struct.pack("!II", nxm_header(move.source), nxm_header(move.target))
    return _nicira(NXAST_REG_MOVE, struct.pack("!HHH", bits, 0, 0) + headers)


def _load(version: int, load: Load) -> bytes:
    if load.n_bits and version != OFP15:  # 1.3's set-field has no mask
        where = load.offset << 6 | load.n_bits - 1
        return _nicira(NXAST_REG_LOAD, struct.pack("!HIQ", where, load.field.header, load.value))
    mask = ((1 << load.n_bits) - 1) << load.offset if load.n_bits else None
    oxm = encode_term(load.field, load.value << load.offset, mask)
    action = _padded(bytes(4) + oxm)
    return struct.pack("!HH", OFPAT_SET_FIELD, len(action)) + action[4:]


def _nicira(subtype: int, body: bytes) -> bytes:
    """``type=0xffff length vendor subtype`` and the body; the whole is a multiple of 8 bytes."""
    return struct.pack("!HHIH", 0xFFFF, 10 + len(body), NICIRA, subtype) + body


def _bundle_control(version: int, bundle_id: int, step: int) -> bytes:
    body = struct.pack("!IHH", bundle_id, step, BUNDLE_ATOMIC_ORDERED)
    if version >= OFP14:
        return message(version, OFPT_BUNDLE_CONTROL, body, bundle_id)
    return message(
        version, OFPT_EXPERIMENTER, struct.pack("!II", ONF, ONF_BUNDLE_CONTROL) + body, bundle_id
    )


def _bundle_add(version: int, bundle_id: int, flow_mod: bytes) -> bytes:
    body = struct.pack("!I2xH", bundle_id, BUNDLE_ATOMIC_ORDERED) + flow_mod
    if version >= OFP14:
        return message(version, OFPT_BUNDLE_ADD_MESSAGE, body, bundle_id)
    return message(
        version, OFPT_EXPERIMENTER, struct.pack("!II", ONF, ONF_BUNDLE_ADD) + body, bundle_id
    )


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)
