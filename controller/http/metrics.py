# SPDX-License-Identifier: Apache-2.0
"""The metrics, as values: what each is called, and what it reads of what has been measured.

No label has a value that a guest can choose: there are as many series as bridges, networks, and
the closed lists of messages, reasons and states make.  docs/metrics.md has FAMILIES for users.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ovs_dhcpd.controller.bridges.bridge import Amounts
from ovs_dhcpd.controller.ports.pool_use import PoolUse
from ovs_dhcpd.controller.responders.exchange import Exchange
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence

COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"

# Upper bounds of the times to answer, in seconds.  One that was held while another process answered
# is two seconds old at the most.
BOUNDS_S = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
    2.5,
)


class Times(NamedTuple):
    """How many answers took no longer than each of BOUNDS_S and math.inf, and all together."""

    counts: tuple[int, ...]  # each with those before it
    sum_s: float


class Traffic:
    """What has been asked and answered, since it is listened to."""

    def __init__(self) -> None:
        self.messages: Counter[tuple[str, str, str]] = Counter()  # by bridge, network, message
        self.silences: Counter[tuple[str, str]] = Counter()  # by bridge and reason
        self._times: dict[str, list[int]] = {}  # by bridge, for each bound
        self._sums_s: defaultdict[str, float] = defaultdict(float)

    def note(self, exchange: Exchange, network: str) -> None:
        """Count it; it is of a port of ``network``, empty if that is not known."""
        read, verdict = exchange.read, exchange.verdict
        if verdict.message:
            self.messages[read.bridge, network, verdict.message] += 1
        if isinstance(verdict, Silence):
            self.silences[read.bridge, verdict.reason.value] += 1
        elif isinstance(verdict, Answer):
            took_s = read.sent_s - read.read_s
            counts = self._times.setdefault(read.bridge, [0] * (len(BOUNDS_S) + 1))
            counts[bisect_left(BOUNDS_S, took_s)] += 1
            self._sums_s[read.bridge] += took_s

    def times(self) -> dict[str, Times]:
        """How long answers took, by bridge."""
        found = {}
        for bridge, counts in self._times.items():
            sums = tuple(sum(counts[: at + 1]) for at in range(len(counts)))
            found[bridge] = Times(sums, self._sums_s[bridge])
        return found


@dataclass(frozen=True)
class BridgeState:
    """One bridge."""

    active: bool
    connected: bool
    in_step: bool
    amounts: Amounts


@dataclass(frozen=True)
class Measured:
    """All that there is to say at one time.

    `leases` are numbers by bridge, network, family and state; `messages`, `silences` and `times`
    are those of :class:`Traffic`.
    """

    version: str
    bridges: Mapping[str, BridgeState]
    pools: Sequence[PoolUse]
    leases: Mapping[tuple[str, str, int, str], int]
    messages: Mapping[tuple[str, str, str], int]
    silences: Mapping[tuple[str, str], int]
    times: Mapping[str, Times]
    unsolicited: int
    malformed: int
    faults: int
    refused: int
    mistaken: bool


Labels = tuple[str, ...]
Samples = Iterable[tuple[Labels, Any]]  # a value is a number; of a histogram, its Times


class Family(NamedTuple):
    """A metric.  `name` is a counter's with the "_total" at its end."""

    name: str
    kind: str
    labels: Labels
    help: str
    read: Callable[[Measured], Samples]


def _of_bridges(read: Callable[[BridgeState], float | None]) -> Callable[[Measured], Samples]:
    """A value of each bridge; those that are not known are left out."""

    def samples(measured: Measured) -> Samples:
        for name, state in sorted(measured.bridges.items()):
            value = read(state)
            if value is not None:
                yield (name,), value

    return samples


def _of_pools(read: Callable[[PoolUse], int]) -> Callable[[Measured], Samples]:
    return lambda measured: [
        ((use.bridge, use.network, str(use.family)), read(use)) for use in measured.pools
    ]


def _alone(read: Callable[[Measured], float]) -> Callable[[Measured], Samples]:
    return lambda measured: [((), read(measured))]


def _silences(measured: Measured) -> Iterator[tuple[Labels, int]]:
    """Each reason on each bridge, also where nobody was not answered for it.

    A series that began with 1 would hide its first.
    """
    bridges = {*measured.bridges, *(bridge for bridge, _ in measured.silences)}
    for bridge in sorted(bridges):
        for reason in Reason:
            yield (bridge, reason.value), measured.silences.get((bridge, reason.value), 0)


_BRIDGE, _NETWORK = ("bridge",), ("bridge", "network")

FAMILIES = (
    Family(
        "ovs_dhcpd_build_info",
        GAUGE,
        ("version",),
        "1, with the version of ovs-dhcpd",
        lambda measured: [((measured.version,), 1)],
    ),
    Family(
        "ovs_dhcpd_configuration_error",
        GAUGE,
        (),
        "1 while a file or database that says who is served cannot be used as it is now",
        _alone(lambda measured: int(measured.mistaken)),
    ),
    Family(
        "ovs_dhcpd_refused",
        GAUGE,
        (),
        "Lines of bindings/refused: what is configured and not served",
        _alone(lambda measured: measured.refused),
    ),
    Family(
        "ovs_dhcpd_internal_errors_total",
        COUNTER,
        (),
        "Faults of ovs-dhcpd itself that were caught",
        _alone(lambda measured: measured.faults),
    ),
    Family(
        "ovs_dhcpd_bridge_active",
        GAUGE,
        _BRIDGE,
        "1 where this process answers, 0 where it stands by for another",
        _of_bridges(lambda state: int(state.active)),
    ),
    Family(
        "ovs_dhcpd_bridge_connected",
        GAUGE,
        _BRIDGE,
        "1 while there is a connection to the switch",
        _of_bridges(lambda state: int(state.connected)),
    ),
    Family(
        "ovs_dhcpd_bridge_in_step",
        GAUGE,
        _BRIDGE,
        "1 while the switch has confirmed all that is wanted; 0 where this process stands by",
        _of_bridges(lambda state: int(state.in_step)),
    ),
    Family(
        "ovs_dhcpd_flows_wanted",
        GAUGE,
        _BRIDGE,
        "Flows that are to be on the bridge",
        _of_bridges(lambda state: state.amounts.flows),
    ),
    Family(
        "ovs_dhcpd_flows_installed",
        GAUGE,
        _BRIDGE,
        "Flows of ours that the bridge has; absent while that is not known",
        _of_bridges(lambda state: state.amounts.flows_installed),
    ),
    Family(
        "ovs_dhcpd_meters_wanted",
        GAUGE,
        _BRIDGE,
        "Meters that are to be on the bridge",
        _of_bridges(lambda state: state.amounts.meters),
    ),
    Family(
        "ovs_dhcpd_meters_installed",
        GAUGE,
        _BRIDGE,
        "Meters of ours that the bridge has; absent while that is not known",
        _of_bridges(lambda state: state.amounts.meters_installed),
    ),
    Family(
        "ovs_dhcpd_meter_dropped_packets_total",
        COUNTER,
        _BRIDGE,
        "Packets that the meters have dropped, as counted every 5 seconds",
        _of_bridges(lambda state: state.amounts.dropped),
    ),
    Family(
        "ovs_dhcpd_messages_total",
        COUNTER,
        (*_NETWORK, "message"),
        "Replies by kind, and what clients decline and release; the network is empty if not known",
        lambda measured: sorted(measured.messages.items()),
    ),
    Family(
        "ovs_dhcpd_silences_total",
        COUNTER,
        (*_BRIDGE, "reason"),
        "Packets that were not answered",
        _silences,
    ),
    Family(
        "ovs_dhcpd_answer_seconds",
        HISTOGRAM,
        _BRIDGE,
        "Time from reading a request to having handed its answer to the switch",
        lambda measured: [((bridge,), times) for bridge, times in sorted(measured.times.items())],
    ),
    Family(
        "ovs_dhcpd_unsolicited_advertisements_total",
        COUNTER,
        (),
        "Router advertisements that nobody asked for",
        _alone(lambda measured: measured.unsolicited),
    ),
    Family(
        "ovs_dhcpd_malformed_packet_ins_total",
        COUNTER,
        (),
        "Packet-ins of switches that are none",
        _alone(lambda measured: measured.malformed),
    ),
    Family(
        "ovs_dhcpd_leases",
        GAUGE,
        (*_NETWORK, "family", "state"),
        "Leases in each state of `leases`; unknown where that is not known",
        lambda measured: [
            ((bridge, network, str(family), state), number)
            for (bridge, network, family, state), number in sorted(measured.leases.items())
        ],
    ),
    Family(
        "ovs_dhcpd_pool_size",
        GAUGE,
        (*_NETWORK, "family"),
        "Addresses that a pool has, without those that are excluded",
        _of_pools(lambda use: use.size),
    ),
    Family(
        "ovs_dhcpd_pool_used",
        GAUGE,
        (*_NETWORK, "family"),
        "Addresses of a pool that are given out",
        _of_pools(lambda use: use.used),
    ),
    Family(
        "ovs_dhcpd_pool_parked",
        GAUGE,
        (*_NETWORK, "family"),
        "Addresses of a pool that somebody else uses",
        _of_pools(lambda use: use.parked),
    ),
    Family(
        "ovs_dhcpd_pool_free",
        GAUGE,
        (*_NETWORK, "family"),
        "Addresses of a pool that can be given to anybody: neither used, parked nor reserved",
        _of_pools(lambda use: use.free),
    ),
)


def buckets(times: Times) -> list[tuple[str, float]]:
    """Each bound as Prometheus writes it, and how many took no longer."""
    bounds = ["+Inf" if bound == math.inf else str(bound) for bound in (*BOUNDS_S, math.inf)]
    return [*zip(bounds, times.counts, strict=True)]
