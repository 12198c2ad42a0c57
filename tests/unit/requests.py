# SPDX-License-Identifier: Apache-2.0
"""One port with what every port has, its requests, and what its responder makes of them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from ovs_dhcpd.controller.responders.dhcpv4 import Dhcpv4Responder
from ovs_dhcpd.controller.responders.verdict import Answer, Silence
from ovs_dhcpd.flows.options.table import DHCPV4
from ovs_dhcpd.flows.options.values import encode_value
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts
from ovs_dhcpd.flows.userdata.extension import Dhcpv4Extension

from tests.lab.packets import Reply, parse_reply, request

MAC = "02:00:00:00:00:01"
OWN = "10.0.0.5"
SERVER = "10.0.0.1"
BROADCAST = ("ff:ff:ff:ff:ff:ff", "255.255.255.255", 68)
CLIENT = (MAC, OWN, 68)

BOOTP = 42  # where the DHCP message begins in an untagged frame without IP options

NO_EXTENSION = Dhcpv4Extension()
REQUIRED = {"netmask": "255.255.255.0", "server_id": SERVER, "lease_time": 3600}


def opts(offerip: str = OWN, /, **options: object) -> PutDhcpOpts:
    """Userdata with the required options and `options`, in OVN's order; None leaves one out."""
    options = {**REQUIRED, **options}
    rows = {name: DHCPV4.lookup(name) for name in options}
    return PutDhcpOpts(
        IPv4Address(offerip),
        tuple(
            (rows[name].code, encode_value(rows[name], value))
            for name, value in sorted(options.items())
            if value is not None
        ),
    )


def serve(extension: Dhcpv4Extension = NO_EXTENSION, /, **options: object) -> Dhcpv4Responder:
    return Dhcpv4Responder(replace(opts(**options), extension=extension))


def ask(message: int, *options: bytes, mac: str = MAC, **fields: Any) -> bytes:
    return request(message, mac, *options, **fields)


def patch(frame: bytes, at: int, data: bytes) -> bytes:
    """`frame` with `data` at byte `at` of its DHCP message."""
    return frame[: BOOTP + at] + data + frame[BOOTP + at + len(data) :]


def answer(responder: Dhcpv4Responder, frame: bytes) -> Reply:
    """The reply to `frame`; fails if there is none."""
    verdict = responder.respond(frame)
    assert isinstance(verdict, Answer), verdict
    reply = parse_reply(verdict.frame)
    assert reply is not None
    return reply


def silence(responder: Dhcpv4Responder, frame: bytes) -> Silence:
    """Why `frame` is not answered; fails if it is."""
    verdict = responder.respond(frame)
    assert isinstance(verdict, Silence), verdict
    return verdict


def destination(reply: Reply) -> tuple[str, str, int]:
    """Where a reply goes: MAC, address, port.  MAC and port stand in the source, as in OVN."""
    return reply.eth_src, reply.ip_dst, reply.sport


def codes(reply: Reply) -> list[int]:
    return [code for code, _ in reply.options]
