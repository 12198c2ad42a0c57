# SPDX-License-Identifier: Apache-2.0
"""Where the metrics meet those who know them, and Prometheus's client, which writes them.

The journal tells of exchanges in the connections' threads, when there is time for it; all else is
measured in the daemon's thread, when somebody asks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from ovs_dhcpd.controller.http.messages import Request, Response
from ovs_dhcpd.controller.http.metrics import (
    COUNTER,
    FAMILIES,
    HISTOGRAM,
    BridgeState,
    Family,
    Measured,
    Traffic,
    buckets,
)
from ovs_dhcpd.controller.keeper import Keeper
from ovs_dhcpd.controller.onlookers.lease_keeper import LeaseKeeper
from ovs_dhcpd.controller.parking import Parking
from ovs_dhcpd.controller.responders.exchange import Exchange
from ovs_dhcpd.controller.switch.journal import MALFORMED, UNSOLICITED, Journal
from ovs_dhcpd.flows.options.wording import escape
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from ovs_dhcpd import __version__


class MetricsKeeper:
    """Measures what these know; ``faults``, ``refused`` and ``mistakes`` say what there is of it.

    It must be made before somebody else takes what the journal has of earlier exchanges.
    """

    def __init__(
        self,
        journal: Journal,
        keepers: Mapping[str, Keeper],
        leases: LeaseKeeper,
        parking: Parking,
        faults: Callable[[], int],
        refused: Callable[[], Sequence[str]],
        mistakes: Callable[[], Sequence[str]],
    ) -> None:
        self._journal, self._keepers = journal, keepers
        self._leases, self._parking = leases, parking
        self._faults, self._refused, self._mistakes = faults, refused, mistakes
        self._traffic = Traffic()
        self._guard = threading.Lock()
        journal.listen(self._hear, early=True, alone=False)

    def _hear(self, exchanges: Sequence[Exchange]) -> None:
        """In any thread."""
        for exchange in exchanges:
            found = self._leases.whose(exchange)
            with self._guard:
                self._traffic.note(exchange, found[1].name if found else "")

    def measure(self) -> Measured:
        """All that there is to measure, now; in the daemon's thread."""
        self._journal.write()
        with self._guard:
            traffic = self._traffic
            messages, silences = traffic.messages.copy(), traffic.silences.copy()
            times = traffic.times()
        return Measured(
            version=__version__,
            bridges={name: _state(keeper) for name, keeper in self._keepers.items()},
            pools=[*self._parking.uses()],
            leases=self._leases.states(),
            messages=messages,
            silences=silences,
            times=times,
            unsolicited=self._journal.messages[UNSOLICITED],
            malformed=self._journal.reasons[MALFORMED],
            faults=self._faults(),
            refused=len(self._refused()),
            mistaken=bool(self._mistakes()),
        )


def _state(keeper: Keeper) -> BridgeState:
    return BridgeState(
        active=keeper.is_active,
        connected=keeper.bridge.is_connected,
        in_step=keeper.is_active and keeper.bridge.synchronized,
        amounts=keeper.bridge.amounts(),
    )


def expose(measured: Measured, request: Request) -> Response:
    """The metrics, as who asks can read them."""
    registry = CollectorRegistry()
    registry.register(_Ours(measured))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(200, content_type, encode(registry))


class _Ours(Collector):
    """What has been measured, as Prometheus's client has it."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured

    def collect(self) -> Iterator[Metric]:
        """All FAMILIES."""
        for family in FAMILIES:
            yield _metric(family, self._measured)


def _metric(family: Family, measured: Measured) -> Metric:
    samples = [
        ([escape(label) for label in labels], value) for labels, value in family.read(measured)
    ]
    if family.kind == HISTOGRAM:
        histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for labels, times in samples:
            histogram.add_metric(labels, buckets(times), times.sum_s)
        return histogram
    make = CounterMetricFamily if family.kind == COUNTER else GaugeMetricFamily
    metric = make(family.name, family.help, labels=family.labels)
    for labels, value in samples:
        metric.add_metric(labels, value)
    return metric
