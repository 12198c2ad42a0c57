# SPDX-License-Identifier: Apache-2.0
"""Addresses of pools that somebody else uses, as a client or we have found: they are parked.

A client that is given an address asks the network whether somebody has it, and if so declines it
(RFC 2131 §4.3.3, RFC 8415 §18.3.8).  It is believed: its port gets another address, and this one is
given to nobody until its time is up.  So is one for which somebody answers when it is asked for
before it is given out (:mod:`controller.ports.probes`).

What is parked stands in ``external_ids`` of the bridge, and what a guest says it may say again and
again.  So neither one port nor all of them together can take a pool away from others: of one port
MAX_OF_PORT addresses are parked at a time, of a network a quarter of its pool, of a bridge
MAX_OF_BRIDGE.  What is declined or answered for beyond that is offered all the same, and said.
Many hosts are behind an uplink, and behind a port that belongs to no network (``dhcp-network`` is
``none``): what is heard there has the bridge's limit alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ovs_dhcpd.flows.bindings.network import Network
from ovs_dhcpd.flows.bindings.pool import PooledAddress
from ovs_dhcpd.flows.options.wording import escape

MAX_OF_PORT = 4
MAX_OF_BRIDGE = 256  # about 60 bytes each
SHARE = 4


@dataclass(frozen=True, slots=True)
class Parked:
    """Until when, in seconds since 1970, and the owner of the port whose client declined it.

    Where somebody has answered for it, `answered_by` is its MAC, and the port is where it is heard.
    """

    until_s: int
    owner: str
    answered_by: bytes = b""


def may_park(
    network: Network, owner: str, parked: Mapping[PooledAddress, Parked], *, is_guest: bool = True
) -> str:
    """Why an address of ``network`` that ``owner`` declines, or has, is not parked; empty if it is.

    ``parked`` is what is parked on the bridge.  Who is no guest is an uplink.
    """
    assert network.pool
    of_network = [each for (name, _), each in parked.items() if name == network.name]
    if is_guest and sum(each.owner == owner for each in of_network) >= MAX_OF_PORT:
        return f"{MAX_OF_PORT} of {escape(owner)} are parked"
    if is_guest and len(of_network) >= max(1, network.pool.size // SHARE):
        return f"{len(of_network)} addresses of the pool are parked"
    if len(parked) >= MAX_OF_BRIDGE:
        return f"{MAX_OF_BRIDGE} addresses of the bridge are parked"
    return ""
