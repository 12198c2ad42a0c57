# SPDX-License-Identifier: Apache-2.0
"""What a service is to the pipeline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from ovs_dhcpd.flows.bindings.network import Network, Port
from ovs_dhcpd.flows.pipeline.logical_flow import LogicalFlow


class Service(ABC):
    """Something that ports are served: the logical flows that do it, none where it is not."""

    @abstractmethod
    def port_lflows(self, network: Network, port: Port) -> Iterator[LogicalFlow]:
        """The logical flows that serve ``port``."""

    @abstractmethod
    def network_lflows(self, network: Network) -> Iterator[LogicalFlow]:
        """The logical flows that all ports of ``network`` share."""
