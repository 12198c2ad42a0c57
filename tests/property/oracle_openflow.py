# SPDX-License-Identifier: Apache-2.0
"""What holds for whatever a switch says, and what switches say to begin with."""

from __future__ import annotations

import contextlib
import random
import struct
from pathlib import Path

from ovs_dhcpd.controller.bridges.bridge import Bridge
from ovs_dhcpd.controller.responders.dispatch import Dispatcher
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.controller.wire import messages
from ovs_dhcpd.controller.wire.connection import Connected
from ovs_dhcpd.controller.wire.events import Event, FlowDump, FlowsChanged, decode_event
from ovs_dhcpd.controller.wire.flow_monitor import FlowUpdate, What
from ovs_dhcpd.controller.wire.handshake import Handshake
from ovs_dhcpd.controller.wire.nxt import NxtError, is_packet_in2
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15, VERSION, message, split

from tests.unit.packet_ins import PACKET_INS, packet_in
from tests.unit.wire.replies import COUNT_REPLIES, dump_reply, entry, monitor_reply, port_status

VERSIONS = (OFP13, OFP15)
NICIRA_RESUME = bytes.fromhex("00002320 0000001c")
OURS, METER = 0x6468 << 48, 0x64680007
EXAMPLE = Path(__file__).parents[1] / "examples" / "finance-network1.yaml"
(NETWORK,) = yaml_file.load(EXAMPLE).networks
HELLO = messages.encode_hello(frozenset(VERSIONS))


def _multipart(version: int, kind: int, body: bytes, xid: int) -> bytes:
    return message(version, 19, struct.pack("!HH4x", kind, 0) + body, xid)


def _said(version: int) -> dict[str, bytes]:
    flows = [entry(OURS | number) for number in range(3)]
    updates = [FlowUpdate(what, flow) for what, flow in zip(What, flows, strict=True)]
    experimenter = struct.pack("!IIIHH", 0x4F4E4600, 2300, 1, 5, 3)
    bundle = struct.pack("!IHH", 1, 5, 3)
    meter = struct.pack("!HHIHHII4x", 24, 14, METER, 1, 16, 50, 100)
    counted = struct.pack("!IH6xIQQIIQQ", METER, 56, 1, 9, 900, 1, 2, 5, 500)
    return {
        "flow dump": dump_reply(version, 1, flows),
        "part of a flow dump": dump_reply(version, 1, flows, True),
        "flow count": bytes.fromhex(COUNT_REPLIES[version]),
        "changes": monitor_reply(version, updates, 0),
        "what there is to be monitored": monitor_reply(version, updates, 2, True),
        "port": port_status(version, 0, b"tap1", 7),
        "error": message(version, messages.OFPT_ERROR, b"\0\x01\0\x05" + bytes(8), 3),
        "bundle reply": message(version, 4 if version == OFP13 else 33,
                                experimenter if version == OFP13 else bundle, 1),
        "meter features": _multipart(version, 11, struct.pack("!IIIBB2x", 1024, 2, 15, 8, 8), 1),
        "meters": _multipart(version, 10, meter * 2, 2),
        "what meters have counted": _multipart(version, 9, counted * 2, 3),
        "features": message(version, messages.OFPT_FEATURES_REPLY, bytes(7) + b"\1" + bytes(16)),
        "echo": message(version, messages.OFPT_ECHO_REQUEST, b"ping"),
        "packet-in": packet_in(version=f"1.{version - 1}"),
    }  # fmt: skip


GOLDEN = {
    "HELLO": HELLO,
    **{
        f"{name} in 1.{version - 1}": said
        for version in VERSIONS
        for name, said in _said(version).items()
    },
    **{f"packet-in, {name}, {version}": bytes.fromhex(text)
       for (name, version), text in PACKET_INS.items()},
}  # fmt: skip
GOLDEN |= {
    f"connection in 1.{version - 1}": b"".join((HELLO, *_said(version).values()))
    for version in VERSIONS
}


def check(stream: bytes) -> None:
    """The handshake and the connection take `stream`; raise nothing but their own errors."""
    handshake = Handshake(VERSIONS)
    with contextlib.suppress(ValueError):
        check_whole(handshake.receive(stream))
        assert not handshake.features or handshake.version in VERSIONS
    try:
        whole, size = split(stream)
    except ValueError:
        return
    assert b"".join(whole) == stream[:size]
    dispatcher = Dispatcher()
    bridges = {version: _bridge(version) for version in VERSIONS}
    for number, said in enumerate(whole):
        if is_packet_in2(said):
            with contextlib.suppress(NxtError):
                check_resume(dispatcher.resume(said))
            continue
        try:
            event = decode_event(said)
        except ValueError:
            continue
        if event is not None and said[VERSION] in bridges:
            check_event(event, bridges[said[VERSION]], float(number))


def check_whole(sent: bytes) -> None:
    """What we send is whole messages."""
    messages, size = split(sent)
    assert size == len(sent)
    assert b"".join(messages) == sent


def check_resume(answer: tuple[bytes, object] | None) -> None:
    """A packet-in is resumed by one NXT_RESUME, or is not ours to resume."""
    if answer is not None:
        resume, _ = answer
        assert resume[8:16] == NICIRA_RESUME
        assert int.from_bytes(resume[2:4], "big") == len(resume)


def check_event(event: Event, bridge: Bridge, now_s: float) -> None:
    """A bridge lives with `event`, and what it says of it is printable."""
    if isinstance(event, FlowDump):
        assert all(str(flow).isprintable() for flow in event.flows)
    if isinstance(event, FlowsChanged):
        assert all(str(update.flow).isprintable() for update in event.updates)
    check_whole(b"".join(bridge.handle(event, now_s)))
    check_whole(b"".join(bridge.tick(now_s, all_known=True)))
    assert all(note.text.isprintable() for note in bridge.take_notes())


def _bridge(version: int) -> Bridge:
    bridge = Bridge("br-int", random.Random(1).uniform)
    bridge.want(True)
    bridge.serve("tap1", 7, [(NETWORK, NETWORK.ports[0])], 0.0)
    bridge.handle(Connected(version, 1), 0.0)
    return bridge
