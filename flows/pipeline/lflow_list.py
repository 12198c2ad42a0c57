# SPDX-License-Identifier: Apache-2.0
"""The logical flows of many ports, in the form of ``ovn-sbctl lflow-list``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ovs_dhcpd.flows.bindings.network import Network, Port
from ovs_dhcpd.flows.pipeline.build import network_lflows, port_lflows
from ovs_dhcpd.flows.pipeline.logical_flow import LogicalFlow


def lflow_list(served: Iterable[tuple[Network, Port | None]]) -> Iterator[str]:
    """The lines for what is served: network by network, each in the order of the tables.

    A network's own logical flows are there once, also where it has no port (None).
    """
    networks: dict[str, list[LogicalFlow]] = {}
    for network, port in served:
        lflows = networks.get(network.name)
        if lflows is None:
            lflows = networks[network.name] = list(network_lflows(network))
        if port:
            lflows += port_lflows(network, port)
    for name, lflows in networks.items():
        yield f'Datapath: "{name}"  Pipeline: ingress'
        yield from map(str, sorted(lflows, key=lambda lflow: lflow.stage.table.number))
