# SPDX-License-Identifier: Apache-2.0
"""The facts of a port that is served and has asked, for tests to change."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from ovs_dhcpd.controller.leases.lease import Lease
from ovs_dhcpd.controller.leases.leases import Row
from ovs_dhcpd.controller.ports.interface import Interface
from ovs_dhcpd.controller.why.facts import BridgeFacts, Facts, FlowFacts, SourceFacts
from ovs_dhcpd.controller.wire.flow_stats import FlowCounts
from ovs_dhcpd.controller.wire.meters import MeterCount
from ovs_dhcpd.flows.pipeline import build

from tests.unit.ports.host import Source

MAC, MAC2 = "02:00:00:00:00:01", "02:00:00:00:00:02"
FILE = f"""
networks:
  lab:
    dhcpv4: {{cidr: 10.0.0.0/24}}
    dhcpv6: {{cidr: "fd00::/64"}}
    pool: 10.0.0.100-10.0.0.103
    ports: {{vm1: {{addresses: "{MAC} 10.0.0.5 fd00::5"}}}}
"""
NETWORK = Source(FILE).networks("br-int")["lab"]
(PORT,) = NETWORK.ports
FLOWS = tuple(build.port_flows(NETWORK, PORT, 7))
INTERFACE = Interface(
    row=uuid.UUID(int=1), bridge="br-int", name="tap1", iface_id="vm1", ofport=7, attached_mac=MAC
)
COUNTS = {flow.cookie: FlowCounts(2, 100.0, 12.0) for flow in FLOWS}
BRIDGE = BridgeFacts(
    name="br-int",
    ours=("br-int",),
    connection="connected since noon, OpenFlow 1.5",
    state="8 flows, in step",
)
ROW = Row(
    port="vm1",
    bridge="br-int",
    ofport=7,
    network=NETWORK,
    binding=PORT,
    family=4,
    mac=bytes.fromhex("020000000001"),
    addresses=("10.0.0.5",),
    prefixes=(),
    state="bound",
    lease=Lease("bound", asked="REQUEST", answer="DHCPACK", last_s=988.0, requests=6),
    requests=6,
    requests_since_s=900.0,
    last_s=988.0,
)
SERVED = Facts(
    asked_for="vm1",
    port="vm1",
    program="ovs-dhcpd 1.0, pid 7",
    rundir="/run",
    database="unix:/run/db.sock",
    sources=(SourceFacts(name="c.yaml"),),
    interface=INTERFACE,
    named_by=("c.yaml",),
    named=((NETWORK, PORT),),
    served=((NETWORK, PORT),),
    pools=("lab",),
    leases=(ROW,),
    now_s=1000.0,
    bridge=BRIDGE,
    flows=FlowFacts(
        wanted=FLOWS, counts=COUNTS, limit="50 a second, 100 at once", meter=MeterCount(16, 0)
    ),
)


def but(**fields: Any) -> Facts:
    """The facts, but for these; those of the bridge, the flows and the interface as dicts."""
    for name in ("bridge", "flows", "interface"):
        if isinstance(fields.get(name), dict):
            fields[name] = replace(getattr(SERVED, name), **fields[name])
    return replace(SERVED, **fields)


def said(state: str, asked: str, answer: str) -> Facts:
    """The facts of a guest that has asked this last, and was answered so."""
    lease = Lease(state, asked=asked, answer=answer, last_s=988.0, requests=6)
    return but(leases=(ROW._replace(state=state, lease=lease),))


def unserved(**fields: Any) -> Facts:
    """As :func:`but`, of a port that is named nowhere and served nothing."""
    return but(**{"served": (), "named": (), "named_by": (), **fields})
