# SPDX-License-Identifier: Apache-2.0
"""From bindings to logical flows, and with ofports to flows.

A logical flow says it the way ``ovn-sbctl lflow-list`` does, with names; a flow is what the
bridge holds.  Both are made next to each other, in :mod:`flows.services`, so that they say
the same:

* OPTIONS, per port: pause the packet with the port's userdata, and when it comes back look
  into RESPONSE;
* RESPONSE, per network: an answered packet leaves by the port it came from;
* RESPONSE, once: any other packet goes back to OPTIONS, marked by ``reg0[4]`` so that our own
  flows let it pass, and on as if we were not there.
"""

from __future__ import annotations

from collections.abc import Iterator

from flows.bindings import Network, Port
from flows.flow import METADATA, REG0, Flow, Load, Resubmit
from flows.services import dhcpv4, dhcpv6, nd_ra, neighbour
from flows.stage import SEEN_BIT, LogicalFlow
from flows.tables import OPTIONS, RESPONSE

SERVICES = (dhcpv4, dhcpv6, nd_ra, neighbour)


def port_lflows(network: Network, port: Port) -> Iterator[LogicalFlow]:
    """The logical flows that serve ``port``."""
    for service in SERVICES:
        yield from service.port_lflows(network, port)


def network_lflows(network: Network) -> Iterator[LogicalFlow]:
    """The logical flows that all ports of ``network`` share."""
    for service in SERVICES:
        yield from service.network_lflows(network)


def port_flows(network: Network, port: Port, ofport: int) -> Iterator[Flow]:
    """The flows that serve ``port`` while it is the bridge's port ``ofport``."""
    for service in SERVICES:
        yield from service.port_flows(network, port, ofport)


def network_flows(network: Network) -> Iterator[Flow]:
    """The flows that all ports of ``network`` share."""
    for service in SERVICES:
        yield from service.network_flows(network)


def bridge_flows() -> Iterator[Flow]:
    """The flows that every bridge has once."""
    yield Flow(
        RESPONSE.number,
        0,
        None,
        (),
        (
            Load(METADATA, 0),
            Load(REG0, 1, offset=SEEN_BIT, n_bits=1),
            Resubmit(OPTIONS.number),
        ),
    )
