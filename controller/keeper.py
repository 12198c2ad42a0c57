# SPDX-License-Identifier: Apache-2.0
"""What a :class:`~controller.bridges.bridge.Bridge` decides, done: sent, counted and logged.

Here a bridge meets its connection, the clock and the log.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ovs.vlog import Vlog
from ovs_dhcpd.controller.bridges.bridge import Bridge
from ovs_dhcpd.controller.bridges.patience import Patience
from ovs_dhcpd.controller.faults import Faults
from ovs_dhcpd.controller.ports.fault import INTERNAL_ERROR, Fault
from ovs_dhcpd.controller.sayings import Sayings
from ovs_dhcpd.controller.switch.channel import Channel
from ovs_dhcpd.controller.switch.journal import Journal
from ovs_dhcpd.controller.switch.turn import Turn
from ovs_dhcpd.controller.texts.status import connection_status
from ovs_dhcpd.controller.wire.connection import Connected, Disconnected
from ovs_dhcpd.controller.wire.events import Event, FlowDump, FlowsChanged
from ovs_dhcpd.controller.wire.probe import Heard
from ovs_dhcpd.flows.bindings.network import Bindings
from ovs_dhcpd.flows.bindings.probe import Probe
from ovs_dhcpd.flows.options.wording import escape

vlog = Vlog("bridge")

AGAIN_S = 5.0  # after a fault of ours


class Keeper:
    """Has the bridge ``name`` be as its ports want it; all in the daemon's thread.

    While it is not our ``turn`` nothing is changed there, and nothing is sent but questions.

    A fault of ours leaves the bridge as it is for AGAIN_S: what is on it is answered meanwhile.
    """

    def __init__(self, name: str, journal: Journal, turn: Turn, faults: Faults) -> None:
        self.name = name
        self.turn = turn
        self.is_active = turn.ours  # so far as this thread has heard of the turn
        self.bridge = Bridge(name, random.uniform)
        self._journal = journal
        self._faults = faults
        self._again_s: float | None = None  # when it is tried again, after a fault
        self._channel: Channel | None = None
        self._patience = Patience()  # with the channel
        self._sayings = Sayings()
        self._said = False  # whose turn it is
        self._connection = ""  # what there is to say of it

    def plug(self, name: str, ofport: int, served: Bindings, probes: Sequence[Probe] = ()) -> None:
        """Serve the port ``name``, which is the bridge's port ``ofport``, just this.

        ``probes`` are to be asked for it.
        """
        self.bridge.serve(name, ofport, served, time.monotonic(), probes)

    def unplug(self, name: str) -> None:
        """Serve the port ``name`` nothing."""
        self.plug(name, 0, ())

    def hear(self, channel: Channel, event: Event) -> bool:
        """``channel`` has heard ``event``; False if that is no longer the bridge's connection.

        The last one whose handshake is done is, and the one before it is closed.
        """
        if isinstance(event, Connected):
            if self._channel:
                self._channel.close()
            self._channel = channel
            self._patience = Patience()
            self._connection = connection_status(event)
        elif channel is not self._channel:
            return False
        now_s = time.monotonic()
        self._patience.heard(event, now_s)
        if isinstance(event, Disconnected):
            self._channel = None
        if self._patience.exhausted:
            channel.end(self._patience.exhausted)
        if not self.is_active:
            if isinstance(event, FlowsChanged):
                self.bridge.watch(event, now_s)
                return True
            if isinstance(event, FlowDump) and not event.more:
                self._is_ready(channel)  # there is no more to be done while we stand by
        with self._at_its_own_cost():
            self._do(self.bridge.handle(event, now_s))
        if isinstance(event, Disconnected) and not channel.ready and self._sayings.failed():
            vlog.info(f"{self.name}: never got ready; trying again, which is said no more")
        return True

    def status(self, trouble: str) -> Iterator[str]:
        """What is to be known of the bridge now, a sentence each, for ``ovs-appctl status``.

        ``trouble`` says why there is no connection, where there is none.
        """
        yield self.turn.status
        yield self.connection or f"not connected: {trouble}"
        if self.is_active:
            yield from self.bridge.status()
        else:
            yield f"{self.bridge.flows} flows wanted"

    @property
    def connection(self) -> str:
        """The sentence about the connection; empty if there is none."""
        return self._connection if self._channel else ""

    def ask_for_counts(self, ofport: int | None = None) -> int:
        """As :meth:`Bridge.ask_for_counts`, sent; 0: there is nobody to ask."""
        with self._at_its_own_cost():
            number, messages = self.bridge.ask_for_counts(ofport)
            self._do(messages)
            return number
        return 0

    def trouble(self, unreachable: str, trouble: str) -> str:
        """What is wrong with the whole bridge; empty: nothing.

        ``unreachable`` is what the database says against it, ``trouble`` as in :meth:`status`.
        """
        if unreachable:
            return unreachable
        if not self.connection:
            return f"bridge {escape(self.name)}: not connected: {trouble}"
        if self._again_s is not None or (self.is_active and not self.bridge.in_step):
            return f"bridge {escape(self.name)}: {self.bridge.state}"
        return ""

    def problems(self) -> Iterator[str]:
        """What users should look after, a line each."""
        if self._again_s is not None:
            yield f"bridge {self.name}: {INTERNAL_ERROR}; it is left as it is"
        for problem in self.bridge.problems():
            yield f"bridge {self.name}: {problem}"

    def take_turn(self) -> bool:
        """Hear whose turn it is; True if it has become ours since the last time."""
        self.turn.look()
        was, self.is_active = self.is_active, self.turn.ours
        if self.is_active != was or not self._said:
            self._said = True
            vlog.info(f"{self.name}: {self.turn.status}")
        if was or not self.is_active:
            return False
        with self._at_its_own_cost():
            self._do(self.bridge.take_over())
        return True

    def answer(self, heard: Heard, mac: bytes) -> None:
        """Tell who asks for an address, from ``mac``, that it is somebody's."""
        with self._at_its_own_cost():
            self._do(self.bridge.answer(heard, mac))

    def let_go(self) -> None:
        """The bridge is no longer ours: its connection is about to be closed."""
        self.turn.end(for_good=True)
        if self._channel:
            self._channel = None
            self._do(self.bridge.handle(Disconnected(), time.monotonic()))

    def reread(self) -> None:
        """Look at what is on the bridge."""
        with self._at_its_own_cost():
            self._do(self.bridge.reread())

    def run(self, *, all_known: bool) -> None:
        """Do what is to be done now (:meth:`Bridge.tick`)."""
        now_s = time.monotonic()
        if self._again_s is not None:
            if now_s < self._again_s:
                return
            self._again_s = None
            self.reread()
        with self._at_its_own_cost():
            before = self.bridge.advertised
            self._do(self.bridge.tick(now_s, all_known=all_known))
            if self._channel:
                self._channel.expect(self.bridge.flows)
                self._channel.limit(self.bridge.buckets)
                if self.bridge.synchronized:
                    self._is_ready(self._channel)
                self._patience.wait(now_s)
                if self._patience.exhausted:
                    self._channel.end(self._patience.exhausted)
            self._journal.advertised(self.bridge.advertised - before)

    @contextmanager
    def _at_its_own_cost(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._faults.note(Fault(f"bridge {self.name}", error))
            self._again_s = time.monotonic() + AGAIN_S
            self.bridge.in_step = False

    def _is_ready(self, channel: Channel) -> None:
        channel.ready = True
        self._sayings.ready()

    def next_s(self) -> float:
        """When :meth:`run` has something to do at the latest."""
        if self._again_s is not None:
            return self._again_s
        answer_s = self._patience.next_s() if self._channel else None
        next_s = self.bridge.next_s()
        return next_s if answer_s is None else min(next_s, answer_s)

    def _do(self, messages: list[bytes]) -> None:
        now_s = time.monotonic()
        for note in self.bridge.take_notes():
            if line := self._sayings.admit(note.level, note.text, now_s):
                getattr(vlog, note.level)(f"{self.name}: {line}")
        if self._channel:
            self._patience.sent(messages, now_s)
            self._channel.send_all(messages)
