# SPDX-License-Identifier: Apache-2.0
"""What should be on one bridge and what is: the state machine that keeps them the same.

No I/O here: every method that has something to tell the switch returns the OpenFlow messages
that do, and what there is to say goes to ``notes``.  After a connection the flows that are
there are read, and compared with what is wanted, byte for byte; from then on each difference
goes out as one bundle, and the bridge is taken to hold it.  An error of a bundle, or another
number of flows than there should be, means that we no longer know: the flows are read again.

What somebody else does to our flows the switch tells (:mod:`controller.wire.flow_monitor`), and
it is repaired (:mod:`controller.bridges.fights` has how often).  One without a flow monitor is
read again and again instead.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Set

from ovs_dhcpd.controller.bridges.fights import Fights
from ovs_dhcpd.controller.bridges.note import Note
from ovs_dhcpd.controller.wire import flow_messages
from ovs_dhcpd.controller.wire.events import FlowCount, FlowDump, FlowsChanged
from ovs_dhcpd.controller.wire.flow_entry import FlowEntry, Place, entry_of
from ovs_dhcpd.controller.wire.flow_monitor import What, encode_flow_monitor
from ovs_dhcpd.controller.wire.instructions import do_the_same
from ovs_dhcpd.flows.pipeline.flow import Flow
from ovs_dhcpd.flows.pipeline.reconcile import changes, index
from ovs_dhcpd.flows.pipeline.tables import OPTIONS, TABLES

MONITORED = tuple((table.number, table is OPTIONS) for table in TABLES)
NAMED = 3  # flows in one line


class FlowTable:
    """The flows of one bridge, by owner: a port, a network, or the bridge itself."""

    def __init__(self) -> None:
        self.notes: list[Note] = []  # what to say, for others to take away
        self._owned: dict[str, dict[int, Flow]] = {}
        self._owners: Counter[int] = Counter()  # how many, by cookie
        self._wanted: dict[int, Flow] = {}
        self._version = 0  # OpenFlow wire version; 0: not connected
        self._installed: set[int] | None = None  # None: not known
        self._differs = False  # whether it may be something else than what is wanted
        self._reading: list[FlowEntry] = []  # the parts of a dump that have come
        self._before: set[int] = set()  # what was installed before it was asked for
        self._unverified: list[FlowEntry] = []  # read, and not compared with what is wanted
        # Others of which the switch has told, and that nobody wants.
        self._unwanted: dict[Place, FlowEntry] = {}
        self._places: dict[Place, int] | None = None  # cookies of what is wanted, once needed
        # Flows of somebody else that have the cookie of another flow, which is wanted.
        self._strays: dict[Place, FlowEntry] = {}
        # What somebody else has done and is to be repaired: to the flow with this cookie, or the
        # stray at this place.
        self._damage: dict[int | Place, str] = {}
        self._fights: Fights[int | Place] = Fights()
        self._next_s: float | None = None  # when to look at them again
        self._xids = itertools.count(1)
        self._dump_xid = self._count_xid = self._monitor_xid = 0
        self._is_monitored = True
        self._bundles: dict[int, str] = {}  # sent and not confirmed: what it does

    @property
    def is_known(self) -> bool:
        """Whether it is known which flows there are."""
        return self._installed is not None

    @property
    def synchronized(self) -> bool:
        """Whether the switch has confirmed all that is wanted."""
        return self._installed is not None and not self._differs and not self._bundles

    @property
    def installed(self) -> int | None:
        """How many of ours there are; None: not known."""
        return None if self._installed is None else len(self._installed)

    def __len__(self) -> int:
        """The number of flows that are wanted."""
        return len(self._wanted)

    @property
    def state(self) -> str:
        """How far the switch is from what is wanted, in a few words."""
        if not self._version:
            return "not connected"
        if self._installed is None:
            return "being read from the bridge"
        if self._bundles:
            return f"not confirmed yet: {', '.join(self._bundles.values())}"
        return "to be changed" if self._differs else "in step"

    def problems(self) -> Iterator[str]:
        """What users should look after, a line each."""
        for fight in self._fights.going_on():
            yield (
                f"somebody else keeps changing {fight.name}, expected nobody to; "
                f"put back {fight.times} times, now every {fight.delay_s:g} s at the most"
            )

    def want_nothing(self) -> None:
        """From now on nobody wants any flow."""
        self._fights = Fights()
        self._damage.clear()
        self._places = None
        self._owned.clear()
        self._owners.clear()
        self._wanted.clear()
        self._differs = True

    def owned(self) -> Iterator[tuple[str, Iterable[Flow]]]:
        """Each owner, and the flows that it wants."""
        return ((owner, flows.values()) for owner, flows in self._owned.items())

    def flows_of(self, owner: str) -> tuple[Flow, ...]:
        """What ``owner`` wants."""
        return tuple(self._owned.get(owner, {}).values())

    def want(self, owner: str, flows: Iterable[Flow]) -> bool:
        """From now on ``owner`` wants ``flows`` and nothing else; whether that is new."""
        before, after = self._owned.pop(owner, {}), index(flows)
        if after:
            self._owned[owner] = after
        for cookie in after.keys() - before.keys():
            self._owners[cookie] += 1
            if cookie not in self._wanted:
                self._wanted[cookie] = after[cookie]
                if self._places is not None:
                    self._places[entry_of(self._version, after[cookie]).place] = cookie
        for cookie in before.keys() - after.keys():
            self._owners[cookie] -= 1
            if not self._owners[cookie]:
                del self._owners[cookie]
                self._damage.pop(cookie, None)
                flow = self._wanted.pop(cookie)
                if self._places is not None:
                    place = entry_of(self._version, flow).place
                    if self._places.get(place) == cookie:  # of two it has the later one
                        del self._places[place]
        if before.keys() == after.keys():
            return False
        self._differs = True
        return True

    def connected(self, version: int) -> list[bytes]:
        """The switch speaks OpenFlow ``version``: ask for our flows, and what others do there."""
        self.disconnected()  # whatever was under way before
        self._version = version
        self._is_monitored = True
        self._monitor_xid = next(self._xids)
        monitor = encode_flow_monitor(version, self._monitor_xid, MONITORED)
        return [monitor, *self.reread()]

    def disconnected(self) -> None:
        """The connection is gone; its flows stay."""
        self._version = 0
        self._installed = None
        self._reading = []
        self._places = None
        self._damage.clear()
        self._bundles.clear()

    def reread(self) -> list[bytes]:
        """Ask the switch which flows of ours it has."""
        if not self._version:
            return []
        self._before = self._installed or set()
        self._installed = None
        self._reading = []
        self._strays.clear()
        self._damage.clear()
        self._unwanted.clear()
        self._dump_xid = next(self._xids)
        return [flow_messages.flow_dump_request(self._version, self._dump_xid)]

    def take_over(self) -> list[bytes]:
        """As :meth:`reread`; what was done until now was not done against us."""
        self._installed = None
        self._damage.clear()
        return self.reread()

    def count(self) -> list[bytes]:
        """Ask the switch how many flows of ours it has, if it should have all that is wanted.

        Which they are, if it does not tell when they change.
        """
        if not (self._version and self.synchronized):
            return []
        if not self._is_monitored:
            return self.reread()
        self._count_xid = next(self._xids)
        return [flow_messages.flow_count_request(self._version, self._count_xid)]

    def counted(self, reply: FlowCount) -> list[bytes]:
        """The answer to :meth:`count`: if somebody has taken flows away, look which there are."""
        if reply.xid != self._count_xid or self._installed is None:
            return []
        expected = len(self._installed)
        if reply.count == expected:
            return []
        self.notes.append(Note.warn(f"{reply.count} flows of ours are there, expected {expected}"))
        return self.reread()

    def dumped(self, reply: FlowDump) -> None:
        """A part of the answer to :meth:`reread`."""
        if reply.xid != self._dump_xid:
            return
        self._reading += reply.flows
        if reply.more:
            return
        self._unverified, self._reading = self._reading, []
        self._installed = {flow.cookie for flow in self._unverified}
        self._differs = True  # until it is compared
        for cookie in (self._before - self._installed) & self._wanted.keys():
            self._damaged(cookie, "deleted")
        if not self._before or self._is_monitored:
            self.notes.append(Note.info(f"{len(self._installed)} flows of ours are there"))

    def committed(self, xid: int) -> None:
        """The switch has carried out a bundle."""
        if xid in self._bundles:
            self.notes.append(Note.info(self._bundles.pop(xid)))

    def unmonitored(self, xid: int) -> bool:
        """Whether what was refused is our wish to be told of changes."""
        if xid != self._monitor_xid:
            return False
        self._is_monitored = False
        self.notes.append(Note.info("the switch does not tell of changes: flows are compared"))
        return True

    def refused(self, xid: int, error: str) -> bool:
        """The switch refused a message; True if it was ours and the flows must be read again."""
        if xid not in self._bundles:
            return False
        self.notes.append(Note.err(f"{error}: not done: {self._bundles.pop(xid)}"))
        self._installed = None
        return True

    def changed(self, event: FlowsChanged) -> None:
        """Somebody else has changed flows, ours or others."""
        if self._installed is None or event.xid:
            return  # what is read next has it
        for what, flow in event.updates:
            if what is not What.REMOVED:
                self._replaced(flow)
                if flow.is_ours:
                    self._appeared(flow)
            elif flow.is_ours:
                self._removed(flow)

    def reconcile(self, now_s: float, *, deleting: bool = True) -> list[bytes]:
        """The bundle that makes the bridge hold what is wanted; nothing if it does.

        Without ``deleting`` what is not wanted stays.
        """
        self._next_s = None
        if self._installed is None:
            return []
        self._fights.end(now_s, self._damage)
        messages = self._bundle(now_s, deleting=deleting) if self._differs else []
        self._next_s = self._fights.next_s(now_s)
        return messages

    def _bundle(self, now_s: float, *, deleting: bool) -> list[bytes]:
        assert self._installed is not None
        self._verify()
        held = {thing for thing in self._damage if not self._fights.may_repair(thing, now_s)}
        kept = self._installed - self._wanted.keys()
        keeping = {cookie for cookie in kept if cookie in held} if deleting else kept
        # These are left as somebody else has them.
        untouched = {cookie for cookie in self._wanted if cookie in held} if held else set()
        difference = changes(self._wanted, self._installed - keeping | untouched)
        strays = [flow for place, flow in self._strays.items() if place not in held]
        self._differs = bool(keeping or held)
        if not (difference or strays):
            return []
        xid = next(self._xids)
        self._count_xid = 0  # what was asked before is no longer to be expected
        deleted = len(difference.delete) + len(strays)
        self._bundles[xid] = f"{len(difference.add)} flows added, {deleted} deleted"
        self._installed = self._wanted.keys() - untouched | keeping
        self._unverified = [flow for flow in self._unverified if flow.cookie in keeping]
        self._repaired(self._damage.keys() - held - keeping, now_s)
        for flow in strays:
            del self._strays[flow.place]
        others = [
            flow_messages.encode_delete_strict(self._version, *stray[:4], xid) for stray in strays
        ]
        return list(flow_messages.encode_bundle(self._version, difference, xid, others))

    def next_s(self) -> float | None:
        """When :meth:`reconcile` has something to do of itself; None: never."""
        return self._next_s

    # What somebody else does.

    def _verify(self) -> None:
        """Compare what was read with what is wanted."""
        assert self._installed is not None
        rest, seen, good = [], set(), set()
        for flow in [*self._unverified, *self._unwanted.values()]:
            wanted = self._wanted.get(flow.cookie)
            if wanted is None:
                rest.append(flow)
                continue
            seen.add(flow.cookie)
            if self._is_as_wanted(flow, wanted):
                good.add(flow.cookie)
        self._installed -= seen - good
        self._unverified = rest
        self._unwanted.clear()

    def _is_as_wanted(self, flow: FlowEntry, wanted: Flow) -> bool:
        """Whether ``flow``, whose cookie it has, is the ``wanted`` one; if not, it is noted."""
        expected = entry_of(self._version, wanted)
        if flow == expected:
            return True
        if flow.place == expected.place:
            if do_the_same(flow.instructions, expected.instructions):
                return True
            self._damaged(flow.cookie, "given other actions")
        else:
            self._strays[flow.place] = flow
            self._added(flow.place, flow)
        return False

    def _removed(self, flow: FlowEntry) -> None:
        assert self._installed is not None
        if self._strays.pop(flow.place, None):
            self._damage.pop(flow.place, None)
            return
        wanted = self._wanted.get(flow.cookie)
        if wanted is None:
            self._installed.discard(flow.cookie)
            self._damage.pop(flow.cookie, None)
            self._unwanted.pop(flow.place, None)
        elif flow.cookie in self._installed and flow.place == entry_of(self._version, wanted).place:
            self._installed.remove(flow.cookie)
            self._damaged(flow.cookie, "deleted")

    def _replaced(self, flow: FlowEntry) -> None:
        """If the place of ``flow`` was that of one of ours, that is gone."""
        assert self._installed is not None
        if self._places is None:
            entries = [entry_of(self._version, wanted) for wanted in self._wanted.values()]
            self._places = {entry.place: entry.cookie for entry in entries}
        cookie = self._places.get(flow.place)
        if cookie is not None and cookie != flow.cookie and cookie in self._installed:
            self._installed.remove(cookie)
            self._damaged(cookie, "replaced")

    def _appeared(self, flow: FlowEntry) -> None:
        """A flow with our prefix is there now, or is another one than before."""
        assert self._installed is not None
        wanted = self._wanted.get(flow.cookie)
        if wanted is None:
            if flow.cookie not in self._installed:
                self._installed.add(flow.cookie)
                self._unwanted[flow.place] = flow
                self._added(flow.cookie, flow)
        elif self._is_as_wanted(flow, wanted):
            self._installed.add(flow.cookie)
            self._damage.pop(flow.cookie, None)
        elif flow.cookie in self._damage:
            self._installed.discard(flow.cookie)

    def _damaged(self, cookie: int, what: str) -> None:
        """The flow that is wanted with ``cookie`` is to be repaired; ``what`` was done to it."""
        self._differs = True
        if cookie not in self._damage:
            self._damage[cookie] = f"{_name(self._wanted[cookie])} ({what})"

    def _added(self, thing: int | Place, flow: FlowEntry) -> None:
        """``flow``, which nobody wants, is to be deleted; its cookie or place is ``thing``."""
        self._differs = True
        if thing not in self._damage:
            self._damage[thing] = f"{flow} (added)"

    def _repaired(self, things: Set[int | Place], now_s: float) -> None:
        """Say what is repaired now."""
        if not things:
            return
        names = [self._damage.pop(thing) for thing in things]
        fights = [self._fights.repaired(*thing, now_s) for thing in zip(things, names, strict=True)]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        text = f"repaired what somebody else did to our flows: {', '.join(names[:NAMED])}{more}"
        fight = max(fights, key=lambda each: each.times)
        if fight.times > 1:
            text += f"; this is time {fight.times}, the next one is in {fight.delay_s:g} s at best"
        self.notes.append(Note.warn(text))


def _name(flow: Flow) -> str:
    """A flow of ours in a log line: all but its actions."""
    match = flow.content.partition(" actions=")[0]
    return match if flow.table else f"table=0, {match}"
