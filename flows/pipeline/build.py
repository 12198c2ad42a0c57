# SPDX-License-Identifier: Apache-2.0
"""From bindings to logical flows, and with ofports to flows.

A logical flow says it the way ``ovn-sbctl lflow-list`` does, with names; a flow is what the
bridge holds, and is made of the logical flow's own terms:

* OPTIONS, per port: let the port's meter (:mod:`flows.pipeline.meter`) drop what is too much,
  pause the packet with the port's userdata, and when it comes back look
  into RESPONSE;
* GUARD, per port that asks for it: all that it sends is looked at first
  (:mod:`flows.pipeline.guard`);
* RESPONSE, per network: an answered packet leaves by the port it came from;
* RESPONSE, once: any other packet goes back to OPTIONS, marked by ``reg0[4]`` so that our own
  flows let it pass, and on as if we were not there.
"""

from __future__ import annotations

from collections.abc import Iterator

from ovs_dhcpd.flows.bindings.network import Network, Port
from ovs_dhcpd.flows.pipeline.dhcpv4 import Dhcpv4Service
from ovs_dhcpd.flows.pipeline.dhcpv6 import Dhcpv6Service
from ovs_dhcpd.flows.pipeline.flow import METADATA, Flow, Load, Resubmit
from ovs_dhcpd.flows.pipeline.guard import GuardService
from ovs_dhcpd.flows.pipeline.logical_flow import SEEN, LogicalFlow
from ovs_dhcpd.flows.pipeline.nd_ra import NdRaService
from ovs_dhcpd.flows.pipeline.neighbour import NeighbourService
from ovs_dhcpd.flows.pipeline.service import Service
from ovs_dhcpd.flows.pipeline.tables import OPTIONS, RESPONSE_WITHOUT_NAME

SERVICES: tuple[Service, ...] = (
    Dhcpv4Service(),
    Dhcpv6Service(),
    NdRaService(),
    NeighbourService(),
    GuardService(),
)

_UNANSWERED = LogicalFlow(
    RESPONSE_WITHOUT_NAME,
    when=(),
    then=(Load(METADATA, 0), SEEN, Resubmit(OPTIONS.number)),
    priority=0,
)


def port_lflows(network: Network, port: Port) -> Iterator[LogicalFlow]:
    """The logical flows that serve ``port``."""
    for service in SERVICES:
        yield from service.port_lflows(network, port)


def network_lflows(network: Network) -> Iterator[LogicalFlow]:
    """The logical flows that all ports of ``network`` share; those that OVN would have too."""
    for service in SERVICES:
        yield from (lflow for lflow in service.network_lflows(network) if lflow.stage.name)


def port_flows(
    network: Network, port: Port, ofport: int, *, metered: bool = True
) -> Iterator[Flow]:
    """The flows that serve ``port`` while it is the bridge's port ``ofport``.

    Without ``metered`` they use no meter, whatever the network's rate limit.
    """
    metered = metered and network.rate_limit is not None
    for lflow in port_lflows(network, port):
        yield from lflow.flows(ofport, metered=metered)


def network_flows(network: Network) -> Iterator[Flow]:
    """The flows that all ports of ``network`` share."""
    for service in SERVICES:
        for lflow in service.network_lflows(network):
            yield from lflow.flows()


def bridge_flows() -> Iterator[Flow]:
    """The flows that every bridge has once."""
    yield from _UNANSWERED.flows()
