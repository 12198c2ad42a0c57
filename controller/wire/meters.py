# SPDX-License-Identifier: Apache-2.0
"""Meters as OpenFlow messages, and what a switch says of its own.

All of it is the same in OpenFlow 1.3 and 1.5 but for the version byte (Open vSwitch's
``lib/ofp-meter.c``).  Only meters of ours are looked at (:mod:`flows.pipeline.meter`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ovs_dhcpd.controller.wire.openflow import (
    MULTIPART_SIZE,
    OFPT_MULTIPART_REQUEST,
    has_more,
    message,
)
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit
from ovs_dhcpd.flows.pipeline.meter import PortMeter, is_ours

OFPT_METER_MOD = 29
OFPMC_ADD, OFPMC_MODIFY, OFPMC_DELETE = 0, 1, 2
OFPMF_PKTPS, OFPMF_BURST, OFPMF_STATS = 2, 4, 8
OFPMBT_DROP = 1
OFPM_ALL = 0xFFFFFFFF
OFPMP_METER, OFPMP_METER_CONFIG, OFPMP_METER_FEATURES = 9, 10, 11

FLAGS = OFPMF_PKTPS | OFPMF_BURST | OFPMF_STATS

_BAND = struct.Struct("!HHII4x")  # type, length, rate, burst size
_MOD = struct.Struct("!HHI")  # command, flags, meter id
_CONFIG = struct.Struct("!HHI")  # length, flags, meter id; then bands
_STATS = struct.Struct("!IH6xIQQII")  # id, length, flows, packets, bytes, s, ns; then bands
_BAND_STATS = struct.Struct("!QQ")  # packets, bytes


def encode_add(version: int, meter: PortMeter, xid: int) -> bytes:
    """The meter-mod that makes a new meter."""
    return _meter_mod(version, OFPMC_ADD, meter, xid)


def encode_modify(version: int, meter: PortMeter, xid: int) -> bytes:
    """The meter-mod that changes a meter; its flows stay."""
    return _meter_mod(version, OFPMC_MODIFY, meter, xid)


def encode_delete(version: int, number: int, xid: int) -> bytes:
    """The meter-mod that deletes a meter, and with it all flows that use it."""
    return message(version, OFPT_METER_MOD, _MOD.pack(OFPMC_DELETE, 0, number), xid)


def _meter_mod(version: int, command: int, meter: PortMeter, xid: int) -> bytes:
    band = _BAND.pack(OFPMBT_DROP, _BAND.size, meter.limit.pps, meter.limit.burst)
    return message(version, OFPT_METER_MOD, _MOD.pack(command, FLAGS, meter.number) + band, xid)


def features_request(version: int, xid: int) -> bytes:
    """Ask how many meters there can be."""
    return _request(version, OFPMP_METER_FEATURES, b"", xid)


def config_request(version: int, xid: int) -> bytes:
    """Ask which meters there are."""
    return _request(version, OFPMP_METER_CONFIG, struct.pack("!I4x", OFPM_ALL), xid)


def stats_request(version: int, xid: int) -> bytes:
    """Ask what the meters have counted."""
    return _request(version, OFPMP_METER, struct.pack("!I4x", OFPM_ALL), xid)


def _request(version: int, kind: int, body: bytes, xid: int) -> bytes:
    return message(version, OFPT_MULTIPART_REQUEST, struct.pack("!HH4x", kind, 0) + body, xid)


def decode_features(reply: bytes) -> int:
    """How many meters there can be: the first of the 16 bytes after the headers.

    Raises :exc:`ValueError` if they are not there.
    """
    if len(reply) < 32:
        raise ValueError(f"meter features: {len(reply)} bytes, expected 32")
    return int.from_bytes(reply[16:20], "big")


def decode_config(reply: bytes) -> tuple[dict[int, RateLimit | None], bool]:
    """Our meters in (a part of) the answer to :func:`config_request`, and whether more follow.

    Each by its number; None where a meter is not such as we make.  Raises :exc:`ValueError` where
    a length leads out of the message.
    """
    meters: dict[int, RateLimit | None] = {}
    for at, size in _entries(reply, _CONFIG.size, length_at=0):
        _, flags, number = _CONFIG.unpack_from(reply, at)
        if is_ours(number):
            meters[number] = _limit(flags, reply[at + _CONFIG.size : at + size])
    return meters, has_more(reply)


def _limit(flags: int, bands: bytes) -> RateLimit | None:
    if flags != FLAGS or len(bands) != _BAND.size:
        return None
    kind, size, pps, burst = _BAND.unpack(bands)
    return RateLimit(pps, burst) if (kind, size) == (OFPMBT_DROP, _BAND.size) else None


@dataclass(frozen=True, slots=True)
class MeterCount:
    """How many packets a meter has seen, and how many of these it has dropped."""

    seen: int
    dropped: int


def decode_stats(reply: bytes) -> tuple[dict[int, MeterCount], bool]:
    """What our meters have counted, as :func:`decode_config`."""
    counts: dict[int, MeterCount] = {}
    for at, size in _entries(reply, _STATS.size, length_at=4):
        number, _, _, seen, *_ = _STATS.unpack_from(reply, at)
        if is_ours(number):
            bands = reply[at + _STATS.size : at + size]
            whole = bands[: len(bands) // _BAND_STATS.size * _BAND_STATS.size]
            dropped = sum(packets for packets, _ in _BAND_STATS.iter_unpack(whole))
            counts[number] = MeterCount(seen, dropped)
    return counts, has_more(reply)


def _entries(reply: bytes, smallest: int, length_at: int) -> Iterator[tuple[int, int]]:
    """Where each meter begins and how long it is; its length is ``length_at`` bytes in it."""
    if len(reply) < MULTIPART_SIZE:
        raise ValueError(f"meters: {len(reply)} bytes, expected {MULTIPART_SIZE} of headers")
    at = MULTIPART_SIZE
    while at < len(reply):
        if at + smallest > len(reply):
            raise ValueError(f"meters: {len(reply) - at} bytes left at offset {at}")
        size = int.from_bytes(reply[at + length_at : at + length_at + 2], "big")
        if size < smallest or at + size > len(reply):
            raise ValueError(f"meters: one of {size} bytes at offset {at} of {len(reply)}")
        yield at, size
        at += size
