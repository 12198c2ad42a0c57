# SPDX-License-Identifier: Apache-2.0
"""Networks of all kinds, each port plugged in: what to make flows of to have seen them all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.flows.bindings.network import Guarded, Network

ROOT = Path(__file__).parents[3]
FILES = (Path(__file__).with_suffix(".yaml"), *sorted((ROOT / "tests" / "examples").glob("*.yaml")))


def _anybody(network: Network) -> Network:
    """The same network, whose ports serve whoever is behind them."""
    ports = tuple(replace(p, name=f"{p.name} (anybody)", mac=None) for p in network.ports)
    return replace(network, name=f"{network.name} (anybody)", ports=ports)


def _unserved(network: Network) -> Network:
    """The same network, with a port that has no address."""
    port = replace(network.ports[0], name=f"{network.name} (no address)", addresses=())
    return replace(network, name=f"{network.name} (no address)", ports=(port,))


def _port_security(network: Network) -> Network:
    """The same network, which is not guarded, with a port that is held to a MAC alone."""
    port = replace(network.ports[0], name=f"{network.name} (MAC)", guard=(Guarded(MAC),))
    return replace(network, name=f"{network.name} (MAC)", ports=(port,), guard=False)


MAC = bytes.fromhex("020000000099")
_WRITTEN = tuple(network for file in FILES for network in yaml_file.load(file).networks)

NETWORKS = (*_WRITTEN, _anybody(_WRITTEN[0]), _unserved(_WRITTEN[0]), _port_security(_WRITTEN[0]))
