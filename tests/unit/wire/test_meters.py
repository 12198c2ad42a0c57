# SPDX-License-Identifier: Apache-2.0
"""Meters as OpenFlow bytes: Open vSwitch's own decoder says what they are, and what it has said."""

from __future__ import annotations

import struct

import pytest
from ovs_dhcpd.controller.wire import meters
from ovs_dhcpd.controller.wire.events import (
    MeterCounts,
    MeterDump,
    MeterFeatures,
    decode_flow_reply,
)
from ovs_dhcpd.controller.wire.meters import MeterCount
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15, OFPT_MULTIPART_REPLY, message
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit
from ovs_dhcpd.flows.pipeline.meter import PortMeter

from tests.unit.ofp_print import ofp_print

VERSIONS = pytest.mark.parametrize("version", [OFP13, OFP15], ids=["1.3", "1.5"])
METER = PortMeter(0x64680005, RateLimit(50, 100))

# What Open vSwitch 3.1 answered with a meter of somebody else, one as ours are, and one with the
# prefix of ours that counts kilobits; the same in 1.3 and 1.5 but for the first byte.
FEATURES = bytes.fromhex(
    "04 13 00 20 00 00 00 4d 00 0b 00 00 00 00 00 0000 04 00 00 00 00 00 02 00 00 00 0f 08 00 00 00"
)
CONFIG = bytes.fromhex(
    "04 13 00 58 00 00 00 4d 00 0a 00 00 00 00 00 00"
    "00 18 00 0e 00 00 00 07 00 01 00 10 00 00 00 01 00 00 00 02 00 00 00 00"
    "00 18 00 0e 64 68 00 05 00 01 00 10 00 00 00 32 00 00 00 64 00 00 00 00"
    "00 18 00 01 64 68 00 06 00 01 00 10 00 00 00 09 00 00 00 09 00 00 00 00"
)
STATS_HEADERS = bytes.fromhex("04 13 00 80 00 00 00 4d 00 09 00 00 00 00 00 00")


def stats(number: int, seen: int, *dropped: int) -> bytes:
    """The entry of a meter as the specification lays it out (OpenFlow 1.3.5, 7.3.5.8)."""
    bands = b"".join(struct.pack("!QQ", packets, 100 * packets) for packets in dropped)
    size = 40 + len(bands)
    return struct.pack("!IH6xIQQII", number, size, 4, seen, 100 * seen, 1, 2) + bands


def with_version(version: int, reply: bytes) -> bytes:
    return bytes((version,)) + reply[1:]


@VERSIONS
def test_open_vswitch_reads_the_meter_mods_as_meant(version: int) -> None:
    name = {OFP13: "OF1.3", OFP15: "OF1.5"}[version]
    for encode, command in ((meters.encode_add, "ADD"), (meters.encode_modify, "MOD")):
        shown = ofp_print(encode(version, METER, 7)).replace("\n", " ")
        assert shown.startswith(
            f"OFPT_METER_MOD ({name}) (xid=0x7): {command} meter=1684537349 pktps burst stats "
            "bands= type=drop rate=50 burst_size=100 "
        )
    shown = ofp_print(meters.encode_delete(version, METER.number, 7))
    assert shown.startswith(f"OFPT_METER_MOD ({name}) (xid=0x7): DEL meter=1684537349")


@VERSIONS
def test_open_vswitch_reads_the_questions_as_meant(version: int) -> None:
    for request, kind, of_which in (
        (meters.features_request(version, 7), "OFPST_METER_FEATURES", ""),
        (meters.config_request(version, 7), "OFPST_METER_CONFIG", "meter=all"),
        (meters.stats_request(version, 7), "OFPST_METER", "meter=all"),
    ):
        printed = ofp_print(request)
        assert printed.startswith(f"{kind} request")
        assert "(xid=0x7)" in printed
        assert of_which in printed


@VERSIONS
def test_how_many_there_can_be(version: int) -> None:
    reply = with_version(version, FEATURES)
    assert "max_meter:262144" in ofp_print(reply)
    assert decode_flow_reply(reply) == MeterFeatures(0x4D, 262144)


@VERSIONS
def test_which_there_are(version: int) -> None:
    reply = with_version(version, CONFIG)
    ours = {0x64680005: RateLimit(50, 100), 0x64680006: None}
    assert decode_flow_reply(reply) == MeterDump(0x4D, ours, False)
    assert decode_flow_reply(reply[:10] + b"\0\1" + reply[12:]) == MeterDump(0x4D, ours, True)


@VERSIONS
@pytest.mark.parametrize(
    "bands",
    [
        b"",
        struct.pack("!HHII4x", 2, 16, 50, 100),  # it marks, and drops nothing
        struct.pack("!HHII4x", 1, 16, 50, 100) * 2,
    ],
)
def test_a_meter_that_is_not_such_as_ours(version: int, bands: bytes) -> None:
    entry = struct.pack("!HHI", 8 + len(bands), meters.FLAGS, 0x64680001) + bands
    reply = message(version, OFPT_MULTIPART_REPLY, struct.pack("!HH4x", 10, 0) + entry)
    assert meters.decode_config(reply) == ({0x64680001: None}, False)


@VERSIONS
def test_what_they_have_counted(version: int) -> None:
    entries = stats(7, 9, 1) + stats(0x64680005, 350, 250) + stats(0x64680006, 3)
    reply = message(version, OFPT_MULTIPART_REPLY, STATS_HEADERS[8:] + entries, 0x4D)
    assert "meter:1684537349 flow_count:4 packet_in_count:350" in ofp_print(reply)
    counts = {0x64680005: MeterCount(350, 250), 0x64680006: MeterCount(3, 0)}
    assert decode_flow_reply(reply) == MeterCounts(0x4D, counts, False)


def test_a_length_that_leads_out_of_the_message_is_refused() -> None:
    of_stats = STATS_HEADERS + stats(0x64680005, 350, 250)
    for reply, decode in ((CONFIG, meters.decode_config), (of_stats, meters.decode_stats)):
        whole = set()
        for size in range(8, len(reply)):
            try:
                decode(reply[:size])
                whole.add(size)
            except ValueError as error:
                assert str(error).startswith("meters: ")  # noqa: PT017
        assert whole <= {16, 40, 64}  # where one ends
    for size in (0, 7, 25):
        with pytest.raises(ValueError, match=f"meters: one of {size} bytes at offset 16 of 40"):
            meters.decode_config(CONFIG[:16] + struct.pack("!H", size) + CONFIG[18:40])
    for size in range(8, 32):
        with pytest.raises(ValueError, match=f"meter features: {size} bytes, expected 32"):
            meters.decode_features(FEATURES[:size])
