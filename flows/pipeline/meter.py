# SPDX-License-Identifier: Apache-2.0
"""The meter of each port: all its flows that pause packets share it.

The packets that it drops are lost before Open vSwitch freezes them, so they cost nobody else
anything.  Its number follows from the port's, and says that it is ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ovs_dhcpd.flows.bindings.network import Network
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit
from ovs_dhcpd.flows.pipeline.flow import LOCAL

METER_PREFIX = 0x6468  # "dh": the top 16 bits of the number of every meter of ours
METER_SHIFT = 16


# What is heard of probes has a meter of its own: no port has the number 0.
PROBES = METER_PREFIX << METER_SHIFT
PROBES_LIMIT = RateLimit(pps=200, burst=1000)  # another host may ask for many ports at once


def meter_id(ofport: int) -> int:
    """The number of the meter of the bridge's port ``ofport``.

    Port numbers have 16 bits, but for LOCAL and its like, whose lower 16 bits no other port has.
    """
    return METER_PREFIX << METER_SHIFT | ofport & 0xFFFF


def ofport_of(number: int) -> int:
    """The port whose meter has this number."""
    ofport = number & 0xFFFF
    return LOCAL if ofport == LOCAL & 0xFFFF else ofport


def is_ours(number: int) -> bool:
    """Whether the meter ``number`` is one of ours."""
    return number >> METER_SHIFT == METER_PREFIX


@dataclass(frozen=True)
class PortMeter:
    """A meter: its number, and what it lets pass."""

    number: int
    limit: RateLimit

    def __str__(self) -> str:
        """As ``ovs-ofctl add-meter`` takes it."""
        band = f"type=drop rate={self.limit.pps} burst_size={self.limit.burst}"
        return f"meter={self.number} pktps burst stats bands={band}"


def port_meter(networks: Iterable[Network], ofport: int) -> PortMeter | None:
    """The meter of the port ``ofport``, which ``networks`` serve; None if none of them limits it.

    It is the widest of theirs: who has two interfaces behind one port may ask for both.
    """
    number = meter_id(ofport)
    return widest_of(
        PortMeter(number, network.rate_limit) for network in networks if network.rate_limit
    )


def widest_of(meters: Iterable[PortMeter]) -> PortMeter | None:
    """The one of ``meters`` that lets most pass; None if there is none."""
    return max(meters, key=lambda meter: (meter.limit.pps, meter.limit.burst), default=None)
