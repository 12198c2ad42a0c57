# SPDX-License-Identifier: Apache-2.0
"""One bridge: what is to be on it, and what to tell its switch about that.

No I/O and no clock here.  A bridge is told what its switch says (:meth:`Bridge.handle`), what
its ports are served (:meth:`Bridge.serve`) and that time goes by (:meth:`Bridge.tick`), and
answers with the OpenFlow messages to send, whole and in order; what there is to say is taken away
with :meth:`Bridge.take_notes`.  The rules:

* A connection begins with reading the flows that are there (:mod:`controller.bridges.flow_table`),
  and the meters (:mod:`controller.bridges.meter_table`).
* Meters are added before the flows that use them, and deleted once these are gone.  If the switch
  has none, or too few, no port has one.
* What then differs from what is wanted goes out at the next tick.
* Every COUNT_S it is looked whether all flows are still there; if not, they are read again.
* What somebody else does to our flows is undone, at once the first time.
* When the switch refuses a bundle, they are read again REREAD_S later, and so it is tried again.
* Before an address is probed (:mod:`controller.bridges.prober`) its answers can be heard.
* Router advertisements go out when they are due; while there is no connection they are lost.

Times are seconds of one clock that only goes forward (:func:`time.monotonic`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from ovs_dhcpd.controller.bridges.buckets import Buckets
from ovs_dhcpd.controller.bridges.counting import Counting
from ovs_dhcpd.controller.bridges.flow_table import FlowTable
from ovs_dhcpd.controller.bridges.foreign import Foreign
from ovs_dhcpd.controller.bridges.meter_table import MeterTable
from ovs_dhcpd.controller.bridges.note import Note
from ovs_dhcpd.controller.bridges.prober import Prober
from ovs_dhcpd.controller.bridges.ra_schedule import Advertisement, RaSchedule
from ovs_dhcpd.controller.bridges.shadow import Ask, asks_of
from ovs_dhcpd.controller.responders.token_bucket import TokenBucket
from ovs_dhcpd.controller.wire.connection import Connected, Disconnected
from ovs_dhcpd.controller.wire.declined import Declined
from ovs_dhcpd.controller.wire.events import (
    Committed,
    Event,
    FlowCount,
    FlowDump,
    FlowsChanged,
    FlowStats,
    MeterCounts,
    MeterDump,
    MeterFeatures,
    PortAdded,
    Refused,
)
from ovs_dhcpd.controller.wire.flow_entry import FlowEntry
from ovs_dhcpd.controller.wire.flow_messages import encode_as_if_from, encode_packet_out
from ovs_dhcpd.controller.wire.flow_monitor import What
from ovs_dhcpd.controller.wire.flow_stats import FlowCounts
from ovs_dhcpd.controller.wire.meters import MeterCount
from ovs_dhcpd.controller.wire.probe import Heard, encode_answer, encode_question
from ovs_dhcpd.flows.bindings.network import Bindings, Network
from ovs_dhcpd.flows.bindings.probe import Probe
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit
from ovs_dhcpd.flows.pipeline import build as pipeline
from ovs_dhcpd.flows.pipeline.flow import Flow
from ovs_dhcpd.flows.pipeline.meter import PROBES, PROBES_LIMIT, PortMeter, port_meter
from ovs_dhcpd.flows.pipeline.probe import PASSES_OURS, daemon_flow, probe_flows

REREAD_S = 5.0  # after the switch refused a bundle
COUNT_S = 5.0  # between two looks whether all flows are still there

_PORT = "port "  # begins the name of an owner of flows


class Amounts(NamedTuple):
    """How much there is on a bridge.  What is installed is None where that is not known.

    `dropped` are packets, by all meters that there have been.
    """

    flows: int
    flows_installed: int | None
    meters: int
    meters_installed: int | None
    dropped: int


class Bridge:
    """Keeps the bridge ``name`` as its ports want it; ``uniform`` is as in :class:`RaSchedule`.

    `in_step`: at the last tick the switch had confirmed all that is wanted, and that was all
    there is to want: no port waited for an answer to a probe.  `advertised` counts the router
    advertisements that were sent.  `foreign` are the flows of somebody else.
    """

    def __init__(self, name: str, uniform: Callable[[float, float], float]) -> None:
        self.in_step = False
        self.advertised = 0
        self._table = FlowTable()
        self.foreign = Foreign(name)
        self._counting = Counting()
        self._meters = MeterTable()
        self._notes = self._meters.notes = self._table.notes  # in the order in which they come
        self._metered = True  # whether ports have meters
        self._buckets = Buckets()  # of ports that have none
        self._served: dict[str, tuple[int, Bindings]] = {}  # ofport and what is served, by port
        self._prober = Prober()
        self._listening: dict[str, Set[int]] = {}  # the IP versions of their pools, by port
        self._networks = Networks()
        self._advertisements = RaSchedule(uniform)
        self._version = 0  # OpenFlow wire version; 0: not connected
        self._reread_s: float | None = None
        self._count_s = 0.0

    @property
    def flows(self) -> int:
        """How many flows are wanted."""
        return len(self._table)

    @property
    def buckets(self) -> Mapping[int, TokenBucket]:
        """What limits the flows with these cookies, as no meter does."""
        self._buckets.settle()
        return self._buckets.by_cookie

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return bool(self._version)

    @property
    def synchronized(self) -> bool:
        """Whether the switch has confirmed all that is wanted."""
        return self._table.synchronized and self._meters.synchronized

    @property
    def state(self) -> str:
        """How far the switch is from what is wanted, in a few words."""
        return self._table.state

    @property
    def fights(self) -> Iterator[str]:
        """What somebody else keeps doing to our flows, a line each."""
        return self._table.problems()

    def status(self) -> Iterator[str]:
        """What is to be known of the bridge now, a sentence each, for ``ovs-appctl status``."""
        yield f"{len(self._table)} flows, {self.state}"
        if not self._metered:
            yield f"without meters: {self._meters.lacking}"

    def amounts(self) -> Amounts:
        """How much there is on the bridge."""
        table, meters = self._table, self._meters
        return Amounts(len(table), table.installed, len(meters), meters.installed, meters.dropped)

    def meters(self) -> Iterator[str]:
        """Each port that has a meter, and what that has counted at the last count."""
        return self._meters.lines()

    def problems(self) -> Iterator[str]:
        """What users should look after, a line each."""
        yield from self.fights
        yield from self.foreign.problems

    # What somebody asks of one port.

    def ask_for_counts(self, ofport: int | None = None) -> tuple[int, list[bytes]]:
        """Ask the switch what the flows about this port, or all of ours, and the meters counted.

        :meth:`counts` has the answer by the number that is returned.
        """
        if not self._version:
            return 0, []
        xid, request = self._counting.ask(self._version, ofport)
        return xid, [*self._meters.count(), request]

    def counts(self, number: int) -> Mapping[int, FlowCounts] | None:
        """What the flows have counted, by cookie; None: there is no answer, or not yet."""
        return self._counting.answer(number)

    def flows_of(self, port: str) -> tuple[Flow, ...]:
        """The flows that are wanted for this port."""
        return self._table.flows_of(f"{_PORT}{port}")

    def shadows_of(self, port: str) -> Iterator[tuple[str, FlowEntry]]:
        """As :meth:`Foreign.taking`, for this port."""
        return self.foreign.taking([*asks_of(port, self.flows_of(port))])

    def meter_of(self, port: str) -> tuple[RateLimit, MeterCount | None] | None:
        """As :meth:`MeterTable.of`."""
        return self._meters.of(port)

    def take_notes(self) -> list[Note]:
        """What there is to log that has come since the last call."""
        notes = self._notes.copy()
        self._notes.clear()
        return notes

    # What is wanted.

    def want(self, wanted: bool) -> None:
        """Have the flows that every bridge has which is served, or no longer."""
        self._table.want("bridge", pipeline.bridge_flows() if wanted else ())

    def serve(
        self, name: str, ofport: int, served: Bindings, now_s: float, probes: Sequence[Probe] = ()
    ) -> None:
        """Serve the port ``name``, which is the bridge's port ``ofport``, just this.

        ``probes`` are to be asked for it; those that nobody answers :meth:`unanswered` has.
        """
        if served:
            self._served[name] = ofport, served
        else:
            self._served.pop(name, None)
        if self._want_flows(name, ofport, served):
            self.foreign.look_soon(now_s)
        advertisement = None
        for network, port in served:
            advertisement = advertisement or Advertisement.of(network, ofport, port.tag)
        for owner, shared in self._networks.use(name, [network for network, _ in served]):
            self._table.want(f"network {owner}", shared)
        self._advertisements.want(name, advertisement, now_s)
        pools = [network.pool for network, _ in served if network.pool and network.pool.probe]
        versions = {version for pool in pools for version in (4, 6) if pool.has(version)}
        if versions or probes or name in self._listening:
            self._listening[name] = versions
            self._prober.want(name, ofport, probes)
            self._listen(name)

    def _listen(self, port: str) -> None:
        """Want the flows by which is heard what is said of probes, for ``port``, and their meter.

        Those of answers to our own, and as long as it has addresses of pools, other daemons'.
        """
        flows = [daemon_flow(each, metered=self._metered) for each in self._listening[port]]
        for address in self._prober.addresses(port):
            flows += probe_flows(address, metered=self._metered)
        self._table.want(f"probes of {port}", flows)
        if not flows:
            del self._listening[port]
        meter = PortMeter(PROBES, PROBES_LIMIT) if self._metered and self._listening else None
        self._meters.want("probes", meter)

    def _want_flows(self, name: str, ofport: int, served: Bindings) -> bool:
        """Want what this takes; whether the flows are other ones than before."""
        flows: list[Flow] = []
        for network, port in served:
            flows += pipeline.port_flows(network, port, ofport, metered=self._metered)
        meter = port_meter([network for network, _ in served], ofport)
        self._meters.want(name, meter if self._metered else None)
        limit = meter.limit if meter and not self._metered else None
        self._buckets.want(name, limit, [flow.cookie for flow in flows] if limit else ())
        return self._table.want(f"{_PORT}{name}", flows)

    def _follow_meters(self) -> None:
        """Have ports use meters, or no longer, as the switch can."""
        while self._metered == bool(self._meters.lacking):
            self._metered = not self._metered
            if not self._metered:
                self._say(Note.warn(f"served without meters: {self._meters.lacking}"))
            for name, (ofport, served) in self._served.items():
                self._want_flows(name, ofport, served)
            for name in self._listening:
                self._listen(name)

    def leave(self) -> None:
        """Have the bridge as it was before us."""
        self._served.clear()
        self._prober = Prober()
        self._listening.clear()
        self._table.want_nothing()
        self._meters.want_nothing()

    # What happens.

    def handle(self, event: Event, now_s: float) -> list[bytes]:
        """What to answer to what the switch says.

        Events are those of the present connection; a :class:`Connected` begins another one.
        """
        match event:
            case Connected(version):
                self._version = version
                self._reread_s = None
                self._say(Note.info(f"connected, OpenFlow 1.{version - 1}"))
                self.foreign.connected()
                self._counting.forget()
                return [*self._meters.connected(version), *self._table.connected(version)]
            case Disconnected(why):
                self._version = 0
                self._say(Note.info(f"connection ended{why and f': {why}'}"))
                self._table.disconnected()
                self._prober.disconnected()
                self._meters.disconnected()
                self._counting.forget()
            case FlowDump():
                self._table.dumped(event)
                if self._table.is_known:
                    self._meters.unanswered()  # it was asked for them before
            case FlowCount():
                # Flows are also gone if their meter is.
                reread = self._table.counted(event)
                return [*self._meters.reread(), *reread] if reread else []
            case FlowStats():
                self._counting.heard(event)
            case MeterFeatures():
                self._meters.told(event)
            case MeterDump():
                self._meters.dumped(event)
            case MeterCounts():
                self._meters.counted(event)
            case Committed(xid):
                self._table.committed(xid)
            case FlowsChanged():
                self._table.changed(event)
                self.foreign.changed(event, now_s)
                if self._meters.known and any(what is What.REMOVED for what, _ in event.updates):
                    return self._meters.reread()  # with a meter its flows go
            case Refused(xid, error):
                if self._table.unmonitored(xid):
                    return []
                messages = self._meters.refused(xid, error)
                if messages is not None:
                    return [*messages, *self._table.reread()] if messages else []
                if self._table.refused(xid, error):
                    self._reread_s = now_s + REREAD_S
                else:
                    self._say(Note.warn(f"the switch reports {error} (xid {xid})"))
            case PortAdded() | Declined() | Heard():
                pass  # who knows what it is to be served will call serve()
        return []

    def reread(self) -> list[bytes]:
        """Look at what is on the bridge, now."""
        return [*self._meters.ask_again(), *self._table.reread()]

    def watch(self, event: FlowsChanged, now_s: float) -> None:
        """Hear of flows while the bridge is another's, who alone sees to ours."""
        self.foreign.changed(event, now_s)

    def take_over(self) -> list[bytes]:
        """Look at what is on the bridge, which was another's until now."""
        return [*self._meters.ask_again(), *self._table.take_over()]

    def tick(self, now_s: float, *, all_known: bool) -> list[bytes]:
        """Tell the switch what is missing there, and with ``all_known`` what is too much.

        Says once, after each connection, that the bridge is in step.
        """
        messages: list[bytes] = []
        if self._reread_s is not None and now_s >= self._reread_s:
            self._reread_s = None
            messages += [*self._meters.reread(), *self._table.reread()]
        if now_s >= self._count_s:
            self._count_s = now_s + COUNT_S
            count = self._table.count()
            if count and not self._table.is_known:  # they are read, not counted
                messages += self._meters.reread()
            messages += [*count, *self._meters.count()]
        if self._is_known:
            self._follow_meters()
            messages += self._meters.missing()
            messages += self._table.reconcile(now_s, deleting=all_known)
            if all_known and self._table.synchronized:
                messages += self._meters.excess()
            messages += self._probe(now_s)
        messages += self._advertise(now_s)
        self._look(now_s)
        in_step = all_known and self.synchronized and not len(self._prober)
        if in_step and not self.in_step:
            self._say(Note.info(f"ready, {len(self._table)} flows"))
        self.in_step = in_step
        return messages

    def next_s(self) -> float:
        """When :meth:`tick` has something to do at the latest."""
        times = (
            self._prober.next_s() if self._is_known else None,
            self._advertisements.next_s(),
            self._reread_s,
            self._count_s,
            self._table.next_s(),
            self.foreign.next_s(),
        )
        return min(each for each in times if each is not None)

    @property
    def _is_known(self) -> bool:
        """Whether it is known what is on the bridge."""
        return self._table.is_known and self._meters.known

    def unanswered(self, now_s: float) -> list[tuple[str, Probe]]:
        """The probes that nobody has answered until now, each once, with the port's name."""
        return self._prober.ended(now_s)

    def answer(self, heard: Heard, mac: bytes) -> list[bytes]:
        """Tell who asks for an address, from ``mac``, that it is somebody's."""
        if not self._version:
            return []
        return [encode_packet_out(self._version, heard.ofport, encode_answer(mac, heard))]

    def _probe(self, now_s: float) -> Iterator[bytes]:
        for ofport, probe in self._prober.due(now_s):
            frame = encode_question(probe.source, probe.address, probe.tag)
            yield encode_as_if_from(self._version, ofport, PASSES_OURS, frame)

    def _look(self, now_s: float) -> None:
        """Say what flows of somebody else are in the way, or missed, and what are no longer."""
        new, over = self.foreign.look(now_s, self._asks)
        for problem in new:
            self._say(Note.warn(problem))
        for problem in over:
            self._say(Note.info(f"over: {problem}"))

    def _asks(self) -> Iterator[Ask]:
        for owner, flows in self._table.owned():
            if owner.startswith(_PORT):
                yield from asks_of(owner.removeprefix(_PORT), flows)

    def _advertise(self, now_s: float) -> Iterator[bytes]:
        for advertisement in self._advertisements.due(now_s):
            if self._version:
                self.advertised += 1
                yield encode_packet_out(self._version, advertisement.ofport, advertisement.frame)

    def _say(self, note: Note) -> None:
        self._notes.append(note)


class Networks:
    """The networks that have a port plugged in, and so flows on the bridge."""

    def __init__(self) -> None:
        self._used: dict[str, tuple[str, ...]] = {}  # names of networks, by port
        self._users: dict[str, set[str]] = {}
        self._known: dict[str, Network] = {}

    def use(self, port: str, networks: list[Network]) -> Iterator[tuple[str, Iterable[Flow]]]:
        """``port`` uses these from now on, and no others.

        Yields the name and the flows of each network whose flows are other ones by this.
        """
        new = {
            network.name: list(pipeline.network_flows(network))  # before anything is changed
            for network in networks
            if (known := self._known.get(network.name)) is not network and known != network
        }
        before = self._used.pop(port, ())
        if networks:
            self._used[port] = tuple(network.name for network in networks)
        for network in networks:
            self._users.setdefault(network.name, set()).add(port)
            self._known[network.name] = network  # even if equal: the same is compared at once
        yield from new.items()
        for name in {*before} - {network.name for network in networks}:
            self._users[name].remove(port)
            if not self._users[name]:
                del self._users[name], self._known[name]
                yield name, ()
