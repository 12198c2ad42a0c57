# SPDX-License-Identifier: Apache-2.0
"""Where leases meet the clock, the switches, the journal and who asks for them.

The journal tells of exchanges in the connections' threads, when there is time for it; all else is
in the daemon's thread, which does not keep them waiting for more than one port.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence

from ovs_dhcpd.controller.control import CommandError, add_query
from ovs_dhcpd.controller.keeper import Keeper
from ovs_dhcpd.controller.leases.document import Clock, NoSuchLease, document
from ovs_dhcpd.controller.leases.lease import STATES
from ovs_dhcpd.controller.leases.leases import Leases, Row, State
from ovs_dhcpd.controller.leases.runs import Runs
from ovs_dhcpd.controller.ovsdb.open_vswitch import OpenVSwitch
from ovs_dhcpd.controller.ports.binder import Served
from ovs_dhcpd.controller.ports.fault import Fault
from ovs_dhcpd.controller.responders.exchange import Exchange
from ovs_dhcpd.controller.switch.journal import Journal
from ovs_dhcpd.controller.texts.lease_list import as_table
from ovs_dhcpd.flows.bindings.network import Network
from ovs_dhcpd.flows.options.wording import escape

MAX_WORDS = 256  # of one command
LATE_S = 3.0  # what a guest has said waits no longer for a pause until its lease is known
NO_STATE = "unknown"  # of a lease of which none is known

Publish = Callable[[str, Sequence[Row], Clock], None]  # a port, and what is known of it now


class LeaseKeeper:
    """The leases of the bridges that ``keepers`` keep.

    What has changed of a port's leases is told to each of ``publish``, in the daemon's thread:
    ``wake`` has :meth:`run` called soon, from any thread.
    """

    def __init__(
        self,
        database: OpenVSwitch,
        journal: Journal,
        keepers: Mapping[str, Keeper],
        wake: Callable[[], None],
        publish: Sequence[Publish],
    ) -> None:
        self._database = database
        self._journal = journal
        self._keepers = keepers
        self._wake = wake
        self._publish = publish
        self._leases = Leases()
        self._runs = Runs(self._leases)
        self._guard = threading.Lock()
        self._changed: set[str] = set()  # ports
        self._expiry_s = math.inf  # no lease expires before
        self._listens = False
        self._faults: deque[Fault] = deque(maxlen=1)
        self._ours: set[str] = set()  # bridges
        # By bridge: the question what the switch has counted; None once it is answered.
        self._questions: dict[str, int | None] = {}
        usage = "[PORT|MAC|ADDRESS|NETWORK]..."
        add_query("leases/show", usage, MAX_WORDS, self._document, self._table)

    def serve(self, name: str, served: Served) -> None:
        """The port ``name`` is served just this."""
        keeper = self._keepers[served.bridge]
        since_s = time.monotonic() if keeper.is_active else None
        with self._guard:
            self._leases.serve(name, served.bridge, served.ofport, served.bindings, since_s)
            self._changed.add(name)

    def stop(self, name: str) -> None:
        """The port is served no more."""
        with self._guard:
            self._leases.stop(name)
            self._changed.add(name)

    def whose(self, exchange: Exchange) -> tuple[str, Network] | None:
        """As :meth:`Leases.whose`, nobody's if we have a fault there; any thread."""
        try:
            with self._guard:
                return self._leases.whose(exchange)
        except Exception as error:  # a fault of ours
            self._faults.append(Fault("whose it is, what a guest has asked", error))
            return None

    def names(self, exchange: Exchange) -> str:
        """Port and network of an exchange, "vm1 of lab", "" if it is nobody's; any thread."""
        found = self.whose(exchange)
        return f"{escape(found[0])} of {escape(found[1].name)}" if found else ""

    def states(self) -> Counter[tuple[str, str, int, str]]:
        """How many leases are in which state, by bridge, network and family."""
        return Counter(
            {
                (bridge, network, family, state or NO_STATE): count
                for (bridge, network, family, state), count in self._count().items()
            }
        )

    def take_faults(self) -> Iterator[Fault]:
        """Faults of ours in making out an exchange; that costs what it said."""
        while self._faults:
            yield self._faults.popleft()

    def run(self) -> None:
        """Say what has changed, and hear what there is to be known of bridges that are ours now.

        Each is asked once, when it is in step, what it has counted; from then on it is heard what
        becomes of packets there.
        """
        self._tell()
        for name, keeper in self._keepers.items():
            if not keeper.is_active:
                if name in self._ours:
                    self._hand_over(name)
                continue
            self._ours.add(name)
            if not keeper.bridge.in_step:
                if self._questions.get(name):  # with the connection it has gone
                    del self._questions[name]
            elif name not in self._questions:
                if question := keeper.ask_for_counts():
                    self._questions[name] = question
            elif number := self._questions[name]:
                self._recall(name, keeper, number)
        for name in self._ours - self._keepers.keys():
            self._hand_over(name)

    def _hand_over(self, bridge: str) -> None:
        """It is another's turn on ``bridge``: what is known of its leases is about to be untrue."""
        self._ours.remove(bridge)
        self._questions.pop(bridge, None)
        self._journal.write()
        with self._guard:
            self._leases.hand_over(bridge)
            self._changed.update(self._leases.names(bridge))

    def wait_s(self) -> float | None:
        """How long until :meth:`run` has something to do of itself."""
        if self._expiry_s == math.inf:
            return None
        return max(0.0, self._expiry_s - time.monotonic())

    def _tell(self) -> None:
        """Tell of the ports whose leases have changed, or have expired."""
        now_s = time.monotonic()
        with self._guard:
            if now_s >= self._expiry_s:
                expired, self._expiry_s = self._leases.expired(now_s)
                self._changed |= expired
            changed, self._changed = self._changed, set()
        clock = Clock(time.time() - now_s)
        for name in changed if self._publish else ():
            rows = [*self._leases.rows(now_s, [name])]
            for publish in self._publish:
                publish(name, rows, clock)

    def ports_of(self, mac: bytes) -> list[str]:
        """The ports behind which a client with this MAC has asked."""
        self._journal.write()
        return [row.port for row in self._leases.rows(time.monotonic()) if row.mac == mac]

    def rows_of(self, port: str) -> Iterator[Row]:
        """What is known now of each client of this port."""
        self._journal.write()
        return self._leases.rows(time.monotonic(), [port])

    @property
    def ports(self) -> list[str]:
        """The names of those that have leases; in any thread."""
        with self._guard:
            return self._leases.ports

    def document(self, ports: Sequence[str]) -> Mapping[str, object]:
        """What ``leases/show -f json`` answers of these ports, so far as they are served."""
        self._journal.write()
        now_s = time.monotonic()
        rows = self._leases.rows(now_s, ports)
        return document(rows, self._database.place, now_s, time.time(), ())

    def counts(self) -> dict[str, int]:
        """How many leases are in each state that is known, the first that there is first."""
        found = Counter[str | None]()
        for (*_, state), count in self._count().items():
            found[state] += count
        return {state: found[state] for state in STATES if found[state]}

    def _count(self) -> Counter[State]:
        self._journal.write()
        return self._leases.count(time.monotonic())

    def _recall(self, bridge: str, keeper: Keeper, number: int) -> None:
        counts = keeper.bridge.counts(number)
        if counts is None:
            return
        self._questions[bridge] = None
        now_s = time.monotonic()
        for name in self._leases.names(bridge):
            flows = keeper.bridge.flows_of(name)
            found = [(flow, counts[flow.cookie]) for flow in flows if flow.cookie in counts]
            with self._guard:
                self._leases.recall(name, found, now_s)
        if not self._listens:
            self._listens = True
            self._journal.listen(self._hear, self._settle, early=True)

    def _hear(self, exchanges: Sequence[Exchange]) -> None:
        """In any thread, but in one at a time."""
        late_s = exchanges[-1].read.sent_s - LATE_S
        with self._guard:
            for exchange in exchanges:
                try:
                    if changed := self._runs.add(exchange):
                        self._note_change(changed)
                except Exception as error:  # a fault of ours
                    self._faults.append(Fault("what a guest has asked, of its lease", error))
            for _ in exchanges:
                if self._runs.oldest_s > late_s:
                    break
                self._look_into_oldest()

    def _settle(self) -> bool:
        """Look into what was said of one port, if there is time; whether there is more to do."""
        with self._guard:
            if self._runs.oldest_s < math.inf:
                self._look_into_oldest()
            return self._runs.oldest_s < math.inf

    def _look_into_oldest(self) -> None:
        try:
            if changed := self._runs.settle():
                self._note_change(changed)
        except Exception as error:  # a fault of ours
            self._faults.append(Fault("what a guest has asked, of its lease", error))

    def _note_change(self, name: str) -> None:
        """A lease of this port is another one now; with the guard."""
        if self._publish:
            self._expiry_s = min(self._expiry_s, self._leases.expiry_s(name))
            if not self._changed:
                self._wake()
            self._changed.add(name)

    def _document(self, words: list[str]) -> Mapping[str, object]:
        self._journal.write()
        now_s = time.monotonic()
        rows = self._leases.rows(now_s)
        try:
            return document(rows, self._database.place, now_s, time.time(), words)
        except NoSuchLease as error:
            raise CommandError(str(error)) from None

    @staticmethod
    def _table(found: Mapping[str, object]) -> str:
        return "\n".join(as_table(found))
