# SPDX-License-Identifier: Apache-2.0
"""What makes the first answers take no longer than later ones.

What Python runs for the first time is not in the processor's caches, and the interpreter adapts to
what it runs only after some times: without requests that nobody has sent, answered for nobody, the
first guests' take half as long again.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from ipaddress import IPv4Address

from ovs_dhcpd.controller.responders.dispatch import Dispatcher
from ovs_dhcpd.controller.responders.verdict import Verdict
from ovs_dhcpd.controller.switch.journal import Journal
from ovs_dhcpd.controller.tracing.requests import KINDS, Client, Lease, make_request
from ovs_dhcpd.controller.wire import dhcpv6
from ovs_dhcpd.controller.wire.nxt import PacketIn2, encode_packet_in2
from ovs_dhcpd.controller.wire.openflow import OFP15
from ovs_dhcpd.controller.wire.oxm import encode_term
from ovs_dhcpd.flows.bindings.network import link_local_address
from ovs_dhcpd.flows.options.table import DHCPV4, DHCPV6
from ovs_dhcpd.flows.pipeline.flow import IN_PORT
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts, PutDhcpv6Opts, encode_userdata

TIMES = 16
_MAC = b"\x02\0\0\0\0\1"
_SERVER, _ADDRESS = (IPv4Address(text).packed for text in ("192.0.2.1", "192.0.2.2"))
_ADDRESS6 = b"\x20\1\x0d\xb8".ljust(15, b"\0") + b"\2"  # these and _ADDRESS are documentation's


def prepare() -> None:
    """To be called once, when what will stay is made: the collector looks at none of it then."""
    warm_up()
    gc.freeze()


def warm_up() -> list[Verdict]:
    """Answer requests that nobody has sent; returns the verdicts."""
    # By its clock no time goes by, so that it writes nothing of this, however slow we are.
    dispatcher, journal = Dispatcher(), Journal(lambda: 0.0)
    verdicts = []
    for number in range(TIMES):  # each is the first packet of a flow, and the second
        for userdata, frames in _requests():
            for frame in frames:
                metadata = encode_term(IN_PORT, number)
                packet_in = PacketIn2(frame, metadata, userdata, bytes(64), number)
                message = encode_packet_in2(OFP15, packet_in)
                resume = dispatcher.resume(message)
                assert resume, "a packet that is frozen is resumed"
                journal.note("", 0.0, [message], [resume[1]])
                verdicts.append(resume[1])
    return verdicts


def _requests() -> Iterator[tuple[bytes, tuple[bytes, bytes]]]:
    """The userdata of a flow, and two requests that it pauses."""
    client = Client(_MAC)
    code4, code6 = (
        {name: option.code for name, option in table.by_name.items()} for table in (DHCPV4, DHCPV6)
    )
    options4 = {
        "netmask": b"\xff\xff\xff\0",
        "router": _SERVER,
        "lease_time": b"\0\0\x0e\x10",
        "server_id": _SERVER,
    }
    opts4 = PutDhcpOpts(
        IPv4Address(_ADDRESS), tuple((code4[name], value) for name, value in options4.items())
    )
    lease4 = Lease(_SERVER, _SERVER, _MAC, _ADDRESS)
    yield (
        encode_userdata(opts4),
        (
            make_request(KINDS["discover"], client),
            make_request(KINDS["request"], client, lease4),
        ),
    )
    opts6 = PutDhcpv6Opts(((code6["server_id"], _MAC), (code6["ia_addr"], _ADDRESS6)))
    lease6 = Lease(dhcpv6.encode_duid_ll(_MAC), link_local_address(_MAC).packed, _MAC, _ADDRESS6)
    yield (
        encode_userdata(opts6),
        (
            make_request(KINDS["solicit"], client),
            make_request(KINDS["request6"], client, lease6),
        ),
    )
