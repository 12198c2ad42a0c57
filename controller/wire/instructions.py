# SPDX-License-Identifier: Apache-2.0
"""Whether instructions do the same, however they are written.

Open vSwitch tells of an action as it was given it: what ``ovs-ofctl add-flows`` or an OpenFlow of
another version has put there does the same as ours, in other bytes (``lib/ofp-actions.c``).
"""

from __future__ import annotations

import struct
from collections.abc import Hashable, Iterator

from ovs_dhcpd.controller.wire.flow_messages import (
    NXAST_REG_LOAD,
    NXAST_REG_MOVE,
    OFPAT_COPY_FIELD,
    OFPAT_METER,
    OFPAT_OUTPUT,
    OFPAT_SET_FIELD,
    OFPIT_APPLY_ACTIONS,
    OFPIT_METER,
)
from ovs_dhcpd.controller.wire.openflow import NICIRA, ONF
from ovs_dhcpd.controller.wire.oxm import HAS_MASK, about

OFPAT_EXPERIMENTER = 0xFFFF
ONF_COPY_FIELD = 3200

_MOVE = struct.Struct("!HHH")  # bits, offset in the source, offset in the target
_LOAD = struct.Struct("!HIQ")  # offset << 6 | bits - 1, field, value


def parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and body of each ``type(2) length(2) body``: of instructions, and of actions.

    Raises :exc:`ValueError` where there is none.
    """
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if size < 4 or at + size > len(data):
            raise ValueError(f"instructions: {size} bytes at offset {at} of {len(data)}")
        yield int.from_bytes(data[at : at + 2], "big"), data[at + 4 : at + size]
        at += size


def actions_of(instructions: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and body of the actions that are applied.  Raises :exc:`ValueError`."""
    for kind, body in parts(instructions):
        if kind == OFPIT_APPLY_ACTIONS:
            yield from parts(body[4:])


def do_the_same(one: bytes, other: bytes) -> bool:
    """Whether both instructions do the same, so far as this can be seen."""
    try:
        return one == other or list(_steps(one)) == list(_steps(other))
    except (ValueError, struct.error):
        return False


def _steps(instructions: bytes) -> Iterator[Hashable]:
    """What is done, in its order; fields that are set bit by bit are set at once."""
    held: tuple[int, int, int] | None = None  # field, value, mask of what is being set
    for kind, body in parts(instructions):
        if kind != OFPIT_APPLY_ACTIONS:  # a meter is one of 1.3's instructions
            yield ("meter" if kind == OFPIT_METER else kind), body
            continue
        for action, rest in parts(body[4:]):
            if found := _set(action, rest):
                field, value, mask = found
                if held and held[0] == field:
                    value, mask = held[1] & ~mask | value, held[2] | mask
                elif held:
                    yield held
                held = field, value, mask
                continue
            if held:
                yield held
                held = None
            yield _other(action, rest)
    if held:
        yield held


def _set(action: int, body: bytes) -> tuple[int, int, int] | None:
    """Field, value and mask, if it sets a field."""
    if action == OFPAT_SET_FIELD:
        (header,) = struct.unpack_from("!I", body)
        size = header & 0xFF
        if header & HAS_MASK:
            size //= 2
            mask = int.from_bytes(body[4 + size : 4 + 2 * size], "big")
        else:
            mask = (1 << 8 * size) - 1
        return about(header), int.from_bytes(body[4 : 4 + size], "big"), mask
    if _experimenter(action, body) == (NICIRA, NXAST_REG_LOAD):
        where, header, value = _LOAD.unpack_from(body, 6)
        offset, n_bits = where >> 6, (where & 0x3F) + 1
        return about(header), value << offset, ((1 << n_bits) - 1) << offset
    return None


def _other(action: int, body: bytes) -> Hashable:
    """An action that sets no field; how much a controller is sent of a packet does not count."""
    if action == OFPAT_OUTPUT:
        return action, body[:4]
    if action == OFPAT_METER:
        return "meter", body
    move = {
        (0, OFPAT_COPY_FIELD): (0, 8),
        (NICIRA, NXAST_REG_MOVE): (6, 12),
        (ONF, ONF_COPY_FIELD): (8, 16),
    }.get(_experimenter(action, body) or (0, action))
    if move is None:
        return action, body
    bits_at, fields_at = move
    source, target = struct.unpack_from("!II", body, fields_at)
    return "move", _MOVE.unpack_from(body, bits_at), about(source), about(target)


def _experimenter(action: int, body: bytes) -> tuple[int, int] | None:
    if action != OFPAT_EXPERIMENTER:
        return None
    vendor, subtype = struct.unpack_from("!IH", body)
    return vendor, subtype
