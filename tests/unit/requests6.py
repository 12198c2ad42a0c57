# SPDX-License-Identifier: Apache-2.0
"""One port with what every port has, its DHCPv6 requests, and what its responder makes of them."""

from __future__ import annotations

from typing import Any

from ovs_dhcpd.controller.responders.dhcpv6 import Dhcpv6Responder
from ovs_dhcpd.controller.responders.verdict import Answer, Silence
from ovs_dhcpd.flows.options.table import DHCPV6
from ovs_dhcpd.flows.options.values import encode_value
from ovs_dhcpd.flows.userdata.codec import PutDhcpv6Opts
from ovs_dhcpd.flows.userdata.extension import Dhcpv6Extension

from tests.lab import packets6 as p6

MAC = "02:00:00:00:00:01"
LLA = "fe80::ff:fe00:1"
SERVER_MAC = "0a:00:00:00:00:01"
OWN = "fd00::5"
INFINITY = 0xFFFFFFFF
FOREVER = (OWN, INFINITY, INFINITY)

DUID = bytes.fromhex("000100012a2b2c2d") + p6.mac_bytes(MAC)
CLIENT_ID = p6.option(1, DUID)
SERVER_DUID = p6.duid_ll(SERVER_MAC)
SERVER_ID = p6.option(2, SERVER_DUID)

DHCP = 62  # where the DHCP message begins in an untagged frame without extension headers


def opts(
    extension: Dhcpv6Extension = Dhcpv6Extension(),  # noqa: B008 (frozen)
    /,
    *,
    ia_addr: object = OWN,
    **options: object,
) -> PutDhcpv6Opts:
    """Userdata with ia_addr, `options` and server_id, as OVN sorts them; None leaves one out."""
    options = {"ia_addr": ia_addr, **dict(sorted({"server_id": SERVER_MAC, **options}.items()))}
    return PutDhcpv6Opts(
        tuple(
            (DHCPV6.lookup(name).code, encode_value(DHCPV6.lookup(name), value))
            for name, value in options.items()
            if value is not None
        ),
        extension=extension,
    )


def serve(*extension: Dhcpv6Extension, **options: object) -> Dhcpv6Responder:
    return Dhcpv6Responder(opts(*extension, **options))


def ask(message: int, *options: bytes, xid: bytes = b"\xab\xcd\xef", **fields: Any) -> bytes:
    """A client's message with these options, and first its client identifier."""
    return bare(message, CLIENT_ID, *options, xid=xid, **fields)


def bare(message: int, *options: bytes, xid: bytes = b"\xab\xcd\xef", **fields: Any) -> bytes:
    """A client's message with these options only."""
    fields = {"ip_src": LLA, **fields}
    return p6.frame_of(bytes([message]) + xid + b"".join(options), MAC, **fields)


def answer(responder: Dhcpv6Responder, frame: bytes) -> p6.Reply6:
    """The reply to `frame`; fails if there is none."""
    verdict = responder.respond(frame)
    assert isinstance(verdict, Answer), verdict
    return p6.parse_reply(verdict.frame)


def silence(responder: Dhcpv6Responder, frame: bytes) -> Silence:
    """Why `frame` is not answered; fails if it is."""
    verdict = responder.respond(frame)
    assert isinstance(verdict, Silence), verdict
    return verdict


def ia(code: int, iaid: int, *leases: tuple[str, int, int], status: int | None = None) -> p6.Ia:
    """The IA of a reply while all times are infinite; without a lease that lasts T1 = T2 = 0."""
    lasting = any(valid for _, _, valid in leases)
    time = None if code == p6.IA_TA else INFINITY if lasting else 0
    return p6.Ia(code, iaid, time, time, leases, status)
