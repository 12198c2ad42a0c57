# SPDX-License-Identifier: Apache-2.0
"""What those see of an exchange who watch."""

from __future__ import annotations

from typing import Any

from ovs_dhcpd.controller.leases.leases import Leases
from ovs_dhcpd.controller.responders.exchange import Exchange, Read
from ovs_dhcpd.controller.watching.document import FIELDS, document
from ovs_dhcpd.controller.watching.recent import Reading
from ovs_dhcpd.controller.wire import openflow
from ovs_dhcpd.controller.wire.frames import decode_udp
from ovs_dhcpd.controller.wire.nxt import (
    CONTINUATION,
    METADATA,
    PACKET,
    USERDATA,
    decode_packet_in2,
    encode_property,
)
from ovs_dhcpd.controller.wire.openflow import BODY
from ovs_dhcpd.controller.wire.oxm import encode_term
from ovs_dhcpd.flows.pipeline.build import network_flows
from ovs_dhcpd.flows.pipeline.flow import IN_PORT
from ovs_dhcpd.flows.pipeline.flow import METADATA as METADATA_FIELD

from tests.lab import packets6 as p6
from tests.lab.packets import DISCOVER, REQUEST, option
from tests.unit.leases.exchanges import ALL, BRIDGE, LAB, OFPORT, VM1, Switch

READ = Read(BRIDGE, 100.0, 100.000085)


def seen(exchange: Exchange, *, packets: bool = False) -> dict[str, Any]:
    """What is seen where vm1 is served, and vm1-100 behind it."""
    leases = Leases()
    leases.serve("vm1", BRIDGE, OFPORT, [(LAB, VM1)], 0.0)
    leases.serve("vm1-100", BRIDGE, OFPORT, [ALL["vm1-100"]], 0.0)
    reading = Reading(17, (exchange._replace(read=READ),), 3)
    found: Any = document(reading, leases.whose, 1_700_000_000.0, packets=packets)
    assert (found["version"], found["next"], found["missed"]) == (1, 18, 3)
    only: dict[str, Any]
    (only,) = found["transactions"]
    return only


def test_an_answer_is_seen_with_its_port_its_network_and_its_time() -> None:
    found = seen(Switch().ask(DISCOVER))
    xid = found.pop("xid")
    assert len(xid) == 8
    assert found == {
        "time": "2023-11-14T22:15:00.000Z",
        "bridge": BRIDGE,
        "ofport": OFPORT,
        "vlan": None,
        "port": "vm1",
        "network": "lab",
        "mac": "02:00:00:00:00:01",
        "asked": "DHCPDISCOVER",
        "answer": "DHCPOFFER",
        "address": "10.0.0.5",
        "reason": None,
        "took_us": 85,
    }


def test_all_fields_are_there_whatever_was_asked() -> None:
    switch = Switch()
    for exchange in (switch.ask(DISCOVER), switch.ask6(p6.SOLICIT), switch.send(b"\0" * 60, 4)):
        assert {*seen(exchange)} == {*FIELDS}


def test_silence_is_seen_with_its_reason() -> None:
    found = seen(Switch().ask(REQUEST, option(50, "10.0.0.5"), option(54, "192.0.2.1")))
    assert (found["answer"], found["reason"]) == (None, "meant for another server")


def test_who_is_in_a_vlan_is_told_from_who_is_in_none() -> None:
    found = seen(Switch(*ALL["vm1-100"]).ask(DISCOVER))
    assert (found["port"], found["vlan"], found["address"]) == ("vm1-100", 100, "10.0.0.7")


def test_who_is_served_by_nobody_has_no_name() -> None:
    found = seen(Switch().ask(DISCOVER, mac="02:00:00:00:00:99"))
    assert (found["port"], found["network"]) == (None, None)


def test_a_request_is_that_of_the_wire() -> None:
    exchange = Switch().ask(DISCOVER)
    request = decode_packet_in2(exchange.message).packet
    assert seen(exchange, packets=True)["request"] == request.hex()


def packet_in_of(metadata: bytes, packet: bytes = b"", userdata: bytes = b"") -> bytes:
    """A packet-in that was frozen with this metadata."""
    properties = {PACKET: packet, METADATA: metadata, CONTINUATION: b"frozen", USERDATA: userdata}
    body = b"".join(encode_property(kind, value) for kind, value in properties.items())
    kind = openflow.OFPT_EXPERIMENTER
    return openflow.message(openflow.OFP13, kind, openflow.VENDOR_AND_PACKET_IN2 + body)


def test_a_reply_leaves_as_the_servers() -> None:
    """It is what the pipeline makes of a responder's answer: here the packet-in says whose."""
    exchange = Switch().ask(DISCOVER)
    packet_in = decode_packet_in2(exchange.message)
    network = next(
        term.value
        for flow in network_flows(LAB)
        for term in flow.match
        if term.field is METADATA_FIELD
    )
    metadata = encode_term(IN_PORT, OFPORT) + encode_term(METADATA_FIELD, network)
    message = packet_in_of(metadata, packet_in.packet, packet_in.userdata)
    found = seen(exchange._replace(message=message), packets=True)
    reply = bytes.fromhex(found["reply"])
    assert reply[:6] == packet_in.packet[6:12]
    datagram, asked = decode_udp(reply), decode_udp(packet_in.packet)
    assert reply[26:30] == bytes([10, 0, 0, 1])
    assert datagram.payload[4:8] == asked.payload[4:8]


def test_an_exchange_is_of_a_port_and_a_network() -> None:
    leases = Leases()
    leases.serve("vm1", BRIDGE, OFPORT, [(LAB, VM1)], 0.0)
    switch = Switch()
    assert leases.whose(switch.ask(DISCOVER)) == ("vm1", LAB)
    assert leases.whose(switch.ask(DISCOVER, mac="02:00:00:00:00:99")) is None
    nowhere = switch.ask(DISCOVER)._replace(message=packet_in_of(b""))
    assert leases.whose(nowhere) is None


def test_one_of_which_no_port_is_known_is_seen_without() -> None:
    found = seen(Switch().ask(DISCOVER)._replace(message=packet_in_of(b"")), packets=True)
    assert (found["ofport"], found["port"], found["reply"]) == (None, None, None)


def test_a_packet_in_that_has_its_packet_elsewhere_is_seen_without() -> None:
    exchange = Switch().ask(DISCOVER)
    message = exchange.message
    odd = exchange._replace(message=message[:BODY] + b"\0\4" + message[BODY + 2 :])
    found = seen(odd, packets=True)
    assert (found["ofport"], found["port"], found["asked"], found["request"]) == (None,) * 3 + ("",)
