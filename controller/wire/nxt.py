# SPDX-License-Identifier: Apache-2.0
"""NXT_PACKET_IN2 and NXT_RESUME: the two ends of a pause.

Both are Nicira experimenter messages (vendor 0x2320) whose body is a list of
properties, each ``type(2) length(2) value``, padded to 8 bytes; the padding is not
counted in the length.  Open vSwitch's ``include/openflow/nicira-ext.h``, ``enum
nx_packet_in2_prop_type``.  A packet-in carries, in this order: packet, full_len,
buffer_id, table, cookie, reason, metadata, continuation, userdata.  A resume needs
the packet, the metadata and the continuation, this last one as it came.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ovs_dhcpd.controller.wire.openflow import (
    BODY,
    FRAME,
    HEADER,
    KIND,
    NICIRA,
    OFPT_EXPERIMENTER,
    VENDOR_AND_PACKET_IN2,
    message,
)

VENDOR_AND_SUBTYPE = slice(HEADER.size, BODY)
NXT_RESUME = 28

_PROPERTY = struct.Struct("!HH")  # type, length
_OXM_HEADER = struct.Struct("!I")
_REGISTER = struct.Struct("!II")  # its OXM header, its value
# Header, vendor, subtype; the first property's type and length
_RESUME_HEAD = struct.Struct(HEADER.format + "IIHH")

_NEEDED = PACKET, COOKIE, METADATA, USERDATA, CONTINUATION = 0, 4, 6, 7, 8

# OXM/NXM headers without the has-mask bit and the length: class(2) field << 1.
NXM_REG = 0x0001_0000  # reg N is field N: 4 bytes
OXM_PACKET_REG = 0x8001_0000  # xreg N is field N, reg 2N its upper half: 8 bytes
NXM_XXREG = 0x0001_0000 + (111 << 9)  # xxreg N is field 111 + N, reg 4N its top word: 16 bytes


class NxtError(ValueError):
    """A message that is not a well-formed NXT_PACKET_IN2."""


class PacketIn2(NamedTuple):
    """What a resume and a responder need of an NXT_PACKET_IN2."""

    packet: bytes
    metadata: bytes  # bare OXM fields
    userdata: bytes
    continuation: bytes | None  # None: the packet is not frozen, and is not to be resumed
    cookie: int  # of its flow; 0 if that is not said


def is_packet_in2(message: bytes) -> bool:
    """Whether an OpenFlow message is an NXT_PACKET_IN2."""
    return (
        message[KIND] == OFPT_EXPERIMENTER and message[VENDOR_AND_SUBTYPE] == VENDOR_AND_PACKET_IN2
    )


def decode_packet_in2(message: bytes) -> PacketIn2:
    """Decode a whole NXT_PACKET_IN2 message.  Raises :exc:`NxtError`."""
    found: dict[int, bytes] = {}
    at, end = BODY, len(message)
    while at < end:
        if end - at < 4:
            raise NxtError(f"packet-in: {end - at} bytes left at offset {at}")
        kind, size = _PROPERTY.unpack_from(message, at)
        stop = at + size
        if size < 4 or stop > end:
            raise NxtError(f"packet-in: property {kind} of {size} bytes at offset {at}")
        if kind in _NEEDED and kind not in found:
            found[kind] = message[at + 4 : stop]
        at = stop + 7 & ~7  # as BODY is a multiple of 8
    if PACKET not in found:
        raise NxtError("packet-in: no packet")
    return PacketIn2(
        found[PACKET],
        found.get(METADATA, b""),
        found.get(USERDATA, b""),
        found.get(CONTINUATION),
        int.from_bytes(found.get(COOKIE, b"")[4:], "big"),  # after 4 bytes of padding
    )


def encode_packet_in2(version: int, packet_in: PacketIn2) -> bytes:
    """An NXT_PACKET_IN2 of a packet that is frozen."""
    properties = {
        PACKET: packet_in.packet,
        COOKIE: bytes(4) + packet_in.cookie.to_bytes(8, "big"),
        METADATA: packet_in.metadata,
        CONTINUATION: packet_in.continuation or b"",
        USERDATA: packet_in.userdata,
    }
    body = b"".join(encode_property(kind, value) for kind, value in properties.items())
    return message(version, OFPT_EXPERIMENTER, VENDOR_AND_PACKET_IN2 + body)


# That the packet is its first property must be known of the flow (:func:`decode_packet_in2`).


def packet_of(message: bytes) -> bytes:
    """The packet of a whole NXT_PACKET_IN2."""
    return message[FRAME : BODY + (message[BODY + 2] << 8 | message[BODY + 3])]


def flow_of(message: bytes) -> bytes:
    """What stands behind its packet: the same for all of a flow, and of no other."""
    return message[BODY + ((message[BODY + 2] << 8 | message[BODY + 3]) + 7 & ~7) :]


def encode_resume(version: int, packet: bytes, trailer: bytes) -> bytes:
    """An NXT_RESUME that lets ``packet`` go on; ``trailer`` are the other properties."""
    return b"".join(
        (resume_head(version, packet, trailer), packet, resume_padding(packet), trailer)
    )


def resume_head(version: int, packet: bytes, trailer: bytes) -> bytes:
    """What stands before the packet in a resume; its length counts the padding and the trailer."""
    size = 4 + len(packet)
    length = BODY + (size + 7 & ~7) + len(trailer)
    return _RESUME_HEAD.pack(
        version, OFPT_EXPERIMENTER, length, 0, NICIRA, NXT_RESUME, PACKET, size
    )


def resume_padding(packet: bytes) -> bytes:
    """What fills the packet's property to 8 bytes."""
    return bytes(-(4 + len(packet)) % 8)


def encode_property(kind: int, value: bytes) -> bytes:
    """One property, padded."""
    size = 4 + len(value)
    return _PROPERTY.pack(kind, size) + value + bytes(-size % 8)


def write_bit(metadata: bytes, register: int, bit: int) -> tuple[bytes, bytes]:
    """``metadata`` with bit ``bit`` of ``reg<register>`` set, and with it cleared.

    Open vSwitch sends registers as 4-byte NXM registers in OpenFlow 1.3, as 8-byte
    packet registers in 1.5, masked where only one half is meant, and leaves out
    those that are zero.  It refuses a field that comes twice, so the bit goes into
    the entry that is there; only where there is none, one is added.  Raises
    :exc:`NxtError` where ``metadata`` is malformed.
    """
    at, size = 0, len(metadata)
    while at < size:
        if size - at < 4:
            raise NxtError(f"metadata: {size - at} bytes left at offset {at}")
        (header,) = _OXM_HEADER.unpack_from(metadata, at)
        end = at + 4 + (header & 0xFF)
        if end > size:
            raise NxtError(f"metadata: a field of {header & 0xFF} bytes at offset {at}")
        place = _bit_in_field(header, register, bit)
        if place is not None:
            before, value, after = metadata[: at + 4], metadata[at + 4 : end], metadata[end:]
            mask = b""
            if header & 0x100:
                half = len(value) // 2
                value, mask = value[:half], value[half:]
                mask = (int.from_bytes(mask, "big") | place).to_bytes(half, "big")
            number = int.from_bytes(value, "big")
            one, zero = (n.to_bytes(len(value), "big") for n in (number | place, number & ~place))
            return before + one + mask + after, before + zero + mask + after
        at = end
    return metadata + _REGISTER.pack(NXM_REG | register << 9 | 4, 1 << bit), metadata


def _bit_in_field(header: int, register: int, bit: int) -> int | None:
    """The bit as a number in the field that ``header`` names, or None if it is not there."""
    name = header & ~0x1FF
    if name == NXM_REG | register << 9:
        return 1 << bit
    if name == OXM_PACKET_REG | register // 2 << 9:
        return 1 << bit + (0 if register % 2 else 32)
    if name == NXM_XXREG + (register // 4 << 9):
        return 1 << bit + 32 * (3 - register % 4)
    return None
