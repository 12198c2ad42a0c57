# SPDX-License-Identifier: Apache-2.0
"""An exchange as those see it who watch: what was asked by whom, and what became of it.

``{"version": 1, "next": 17, "missed": 0, "transactions": [{…}, …]}``, each with all of FIELDS, and
with PACKETS where the packets are wanted, too.  What is not there is null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from ipaddress import ip_address
from typing import Any

from ovs_dhcpd.controller.responders.exchange import Exchange
from ovs_dhcpd.controller.responders.verdict import Answer, Silence
from ovs_dhcpd.controller.tracing.flow_walk import FlowWalk
from ovs_dhcpd.controller.tracing.transaction import respond
from ovs_dhcpd.controller.watching.recent import Reading
from ovs_dhcpd.controller.wire.asked import decode_asked, in_port
from ovs_dhcpd.controller.wire.nxt import NxtError, decode_packet_in2
from ovs_dhcpd.flows.bindings.network import Network
from ovs_dhcpd.flows.pipeline.build import bridge_flows, network_flows

VERSION = 1

FIELDS = (
    *("time", "bridge", "ofport", "vlan", "port", "network", "mac", "asked", "xid"),
    *("answer", "address", "reason", "took_us"),
)
PACKETS = ("request", "reply")  # Ethernet frames, in hexadecimal; a reply is as it leaves

Whose = Callable[[Exchange], "tuple[str, Network] | None"]  # a port's name, and its network


def document(
    reading: Reading, whose: Whose, since_1970_s: float, *, packets: bool = False
) -> Mapping[str, object]:
    """What has been read; ``since_1970_s`` is when the clock of exchanges was 0."""
    seen = [_seen(exchange, whose, since_1970_s, packets) for exchange in reading.exchanges]
    return {
        "version": VERSION,
        "next": reading.next,
        "missed": reading.missed,
        "transactions": seen,
    }


def _seen(exchange: Exchange, whose: Whose, since_1970_s: float, packets: bool) -> dict[str, Any]:
    read, verdict = exchange.read, exchange.verdict
    try:
        packet_in = decode_packet_in2(exchange.message)
    except NxtError:  # its packet is not where that of the flow's first one was
        request, ofport = b"", None
    else:
        request, ofport = packet_in.packet, in_port(packet_in.metadata)
    asked = decode_asked(request)
    tag = asked.tag if asked else 0
    found = whose(exchange)
    is_silent = isinstance(verdict, Silence)
    seen = {
        "time": _time(since_1970_s + read.read_s),
        "bridge": read.bridge,
        "ofport": ofport,
        "vlan": tag or None,
        "port": found[0] if found else None,
        "network": found[1].name if found else None,
        "mac": (asked.mac if asked else request[6:12]).hex(":"),
        "asked": asked.name if asked else None,
        "xid": asked.xid.hex() if asked and asked.xid else None,
        "answer": None if is_silent else verdict.message,
        "address": str(ip_address(verdict.address)) if len(verdict.address) in (4, 16) else None,
        "reason": verdict.why if isinstance(verdict, Silence) else None,
        "took_us": round((read.sent_s - read.read_s) * 1e6),
    }
    if packets:
        seen["request"] = request.hex()
        seen["reply"] = None
        if isinstance(verdict, Answer) and ofport is not None and found:
            seen["reply"] = _reply(exchange, ofport, found[1])
    return seen


def _reply(exchange: Exchange, ofport: int, network: Network) -> str | None:
    """The frame that leaves: what a responder says is made of the packet-in alone, so ask again."""
    bridge = FlowWalk([*network_flows(network), *bridge_flows()], ofport)
    _, _, reply = respond(bridge, exchange.message)
    return reply.hex() if reply else None


def _time(since_1970_s: float) -> str:
    moment = datetime.fromtimestamp(since_1970_s, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
