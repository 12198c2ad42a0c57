# SPDX-License-Identifier: Apache-2.0
"""What a switch may say besides packet-ins and flows: each length is checked before it is used.

A message here is whole: as long as its header says, and 8 bytes at least
(:func:`~controller.wire.openflow.split`).  Each function raises :exc:`ValueError`, with what was
found where and what was expected, and never anything else, whatever the bytes.

The layouts are the OpenFlow Switch Specification's: 1.5, 7.5.1 (HELLO), 7.3.1 (features), 7.5.4
(errors), 7.4.3 (port status), 7.3.9 (bundles); ONF EXT-230 for the bundles of 1.3.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ovs_dhcpd.controller.wire.openflow import (
    BUNDLE_COMMIT,
    HEADER,
    KIND,
    OFP14,
    OFPT_BUNDLE_CONTROL,
    OFPT_EXPERIMENTER,
    ONF,
    ONF_BUNDLE_CONTROL,
    VERSION,
    message,
    xid_of,
)

OFPT_HELLO, OFPT_ERROR, OFPT_ECHO_REQUEST, OFPT_ECHO_REPLY = 0, 1, 2, 3
OFPT_FEATURES_REQUEST, OFPT_FEATURES_REPLY, OFPT_PORT_STATUS = 5, 6, 12

OFPHET_VERSIONBITMAP = 1
OFPPR_ADD = 0

ERROR_TYPES = (
    *("HELLO_FAILED", "BAD_REQUEST", "BAD_ACTION", "BAD_INSTRUCTION", "BAD_MATCH"),
    *("FLOW_MOD_FAILED", "GROUP_MOD_FAILED", "PORT_MOD_FAILED", "TABLE_MOD_FAILED"),
    *("QUEUE_OP_FAILED", "SWITCH_CONFIG_FAILED", "ROLE_REQUEST_FAILED", "METER_MOD_FAILED"),
    *("TABLE_FEATURES_FAILED", "BAD_PROPERTY", "ASYNC_CONFIG_FAILED", "FLOW_MONITOR_FAILED"),
    "BUNDLE_FAILED",
)
OFPET_EXPERIMENTER = 0xFFFF

VENDOR_AND_BUNDLE_CONTROL = struct.pack("!II", ONF, ONF_BUNDLE_CONTROL)


class Hello(NamedTuple):
    """The greatest wire version of a peer, and all that it speaks, if it lists them."""

    version: int
    listed: frozenset[int]


class PortStatus(NamedTuple):
    """A port has come (`reason` OFPPR_ADD), gone or changed."""

    reason: int
    name: str
    ofport: int


def encode_hello(versions: frozenset[int]) -> bytes:
    """A HELLO that lists the wire versions ``versions``, each under 32."""
    bitmap = sum(1 << version for version in versions)
    return message(max(versions), OFPT_HELLO, struct.pack("!HHI", OFPHET_VERSIONBITMAP, 8, bitmap))


def decode_hello(hello: bytes) -> Hello:
    """Elements of ``type(2) length(2) value``, each padded to 8 bytes; a bitmap is 32-bit words."""
    versions: set[int] = set()
    at = HEADER.size
    while at < len(hello):
        if len(hello) - at < 4:
            raise ValueError(f"HELLO: {len(hello) - at} bytes left at offset {at}, expected 4")
        kind, size = struct.unpack_from("!HH", hello, at)
        if size < 4 or at + size > len(hello):
            where = f"at offset {at} of {len(hello)}"
            raise ValueError(f"HELLO: an element of {size} bytes {where}, expected 4 or more")
        if kind == OFPHET_VERSIONBITMAP:
            for index in range(min((size - 4) // 4, 8)):  # a version is a byte
                (word,) = struct.unpack_from("!I", hello, at + 4 + 4 * index)
                versions.update(32 * index + bit for bit in range(32) if word >> bit & 1)
        at += -(-size // 8) * 8
    return Hello(hello[VERSION], frozenset(versions))


def decode_datapath_id(features_reply: bytes) -> int:
    """The 64 bits by which a switch names itself, the first of a FEATURES_REPLY of 32 bytes."""
    if len(features_reply) != 32:
        raise ValueError(f"FEATURES_REPLY: {len(features_reply)} bytes, expected 32")
    return int.from_bytes(features_reply[8:16], "big")


def decode_error(error: bytes) -> str:
    """Type and code of an ERROR, the type by its name; an experimenter's code is its type."""
    if len(error) < 12:
        raise ValueError(f"ERROR: {len(error)} bytes, expected 12 or more")
    kind, code = struct.unpack_from("!HH", error, 8)
    name = ERROR_TYPES[kind] if kind < len(ERROR_TYPES) else "unknown"
    if kind == OFPET_EXPERIMENTER:
        name = "EXPERIMENTER"
    return f"OFPET_{name}({kind}) code {code}"


def decode_port_status(status: bytes) -> PortStatus:
    """A PORT_STATUS: ``reason(1) pad(7)``, and a port.

    That is ``number(4) pad(4) MAC(6) pad(2) name(16)`` and 32 bytes more in 1.3; from 1.4 on
    ``number(4) length(2) pad(2) MAC(6) pad(2) name(16) config(4) state(4)`` and properties.
    """
    expected = 56 if status[VERSION] >= OFP14 else 80
    if len(status) < expected:
        raise ValueError(f"PORT_STATUS: {len(status)} bytes, expected {expected} or more")
    if status[VERSION] >= OFP14:
        (size,) = struct.unpack_from("!H", status, 20)
        if size < 40 or 16 + size > len(status):
            where = f"at offset 16 of {len(status)}"
            raise ValueError(f"PORT_STATUS: a port of {size} bytes {where}, expected 40 or more")
    (ofport,) = struct.unpack_from("!I", status, 16)
    name = status[32:48].partition(b"\0")[0]
    return PortStatus(status[8], name.decode(errors="replace"), ofport)


def is_bundle_control(message: bytes) -> bool:
    """Whether ``message`` is a bundle control message, 1.5's (1.4's) or the ONF's for 1.3."""
    return message[KIND] == OFPT_BUNDLE_CONTROL or (
        message[KIND] == OFPT_EXPERIMENTER and message[8:16] == VENDOR_AND_BUNDLE_CONTROL
    )


def decode_bundle_control(control: bytes) -> int:
    """The type of a bundle control message; ``bundle id(4) type(2) flags(2)``."""
    at = 8 if control[KIND] == OFPT_BUNDLE_CONTROL else 16
    if len(control) < at + 8:
        raise ValueError(f"BUNDLE_CONTROL: {len(control)} bytes, expected {at + 8} or more")
    return int.from_bytes(control[at + 4 : at + 6], "big")


def is_bundle_commit(message: bytes) -> bool:
    """Whether ``message`` is ours that has a bundle carried out."""
    return is_bundle_control(message) and decode_bundle_control(message) == BUNDLE_COMMIT


def echo_reply(request: bytes) -> bytes:
    """What answers an ECHO_REQUEST."""
    return message(request[VERSION], OFPT_ECHO_REPLY, request[HEADER.size :], xid_of(request))
