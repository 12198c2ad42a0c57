# SPDX-License-Identifier: Apache-2.0
"""Which meters should be on one bridge and which are: as the flow table, for meters.

No I/O here: who has something to tell the switch gets the OpenFlow messages that do.  A meter has
to be there before the flows that use it (:meth:`MeterTable.missing`), and deleting it deletes them,
so that comes when they are gone (:meth:`MeterTable.excess`).  A switch answers in order: what it
has not refused before it answers a later question, it has done.

A switch may have no meters, or too few.  Then ``lacking`` says so, and nothing is to be metered
until it says otherwise.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

from ovs_dhcpd.controller.bridges.note import Note
from ovs_dhcpd.controller.wire import meters as wire
from ovs_dhcpd.controller.wire.events import MeterCounts, MeterDump, MeterFeatures
from ovs_dhcpd.controller.wire.meters import MeterCount
from ovs_dhcpd.flows.bindings.rate_limit import RateLimit
from ovs_dhcpd.flows.options.wording import escape
from ovs_dhcpd.flows.pipeline.flow import show_port
from ovs_dhcpd.flows.pipeline.meter import PortMeter, ofport_of, widest_of

FIRST_XID = 1 << 31  # the flow table counts from 1
CHANGED = " changed"


class MeterTable:
    """The meters of one bridge; each is wanted by a port, and by its sub-ports.

    It is then the widest of theirs.
    """

    def __init__(self) -> None:
        self.notes: list[Note] = []  # what to say, for others to take away
        self.lacking = ""  # why nothing can be metered; empty: it can
        self._meters: dict[str, PortMeter] = {}  # by owner, what it wants
        self._asked: dict[int, Counter[PortMeter]] = {}  # by number, how many want each
        self._wanted: dict[int, PortMeter] = {}
        self._installed: dict[int, RateLimit | None] | None = None  # None: not known
        self._reading: dict[int, RateLimit | None] = {}  # the parts of a dump that have come
        self._different: set[int] = set()  # numbers for which these may not be the same
        self._max: int | None = None  # how many there can be
        self._version = 0  # OpenFlow wire version; 0: not connected
        self._xids = itertools.count(FIRST_XID)
        self._dump_xid = self._features_xid = self._count_xid = -1  # what is asked for these
        self._counts: dict[int, MeterCount] = {}  # what they had counted when last asked
        self.dropped = 0  # packets, by all there have been
        self._tallied: dict[int, int] = {}  # what of that is whose, of those that are the last
        self._sent: dict[int, str] = {}  # by xid: what the messages do, not confirmed yet
        self._refused: set[int] = set()  # those of them of which some have been refused
        self._modify_refused = False

    @property
    def known(self) -> bool:
        """Whether it is known which meters there are."""
        return self._installed is not None

    @property
    def synchronized(self) -> bool:
        """Whether the switch has confirmed all that is wanted."""
        return self.known and not self._different and not self._sent

    @property
    def installed(self) -> int | None:
        """How many of ours there are; None: not known."""
        return None if self._installed is None else len(self._installed)

    def __len__(self) -> int:
        """The number of meters that are wanted."""
        return len(self._wanted)

    # What is wanted.

    def want(self, owner: str, meter: PortMeter | None) -> None:
        """From now on ``owner`` wants ``meter``, or none."""
        before = self._meters.pop(owner, None)
        if before:
            self._asked[before.number][before] -= 1
        if meter:
            self._meters[owner] = meter
            self._asked.setdefault(meter.number, Counter())[meter] += 1
        for number in {each.number for each in (before, meter) if each}:
            self._settle(number)

    def _settle(self, number: int) -> None:
        """Want what the owners of the meter want now."""
        asked = self._asked[number] = +self._asked[number]
        widest = widest_of(asked)
        if widest is None:
            del self._asked[number]
        if self._wanted.get(number) == widest:
            return
        self._different.add(number)
        if widest is None:
            del self._wanted[number]
        else:
            self._wanted[number] = widest
            self._check_number()

    def want_nothing(self) -> None:
        """From now on nobody wants any meter."""
        self._different.update(self._wanted)
        self._meters.clear()
        self._asked.clear()
        self._wanted.clear()

    # What the switch says.

    def connected(self, version: int) -> list[bytes]:
        """The switch speaks OpenFlow ``version``: ask what meters it can have, and has."""
        self.disconnected()
        self._version = version
        return self.ask_again()

    def disconnected(self) -> None:
        """The connection is gone; its meters stay."""
        self._version = 0
        self._installed = None
        self._max = None
        self._counts = {}
        self._sent.clear()
        self._refused.clear()
        self._modify_refused = False

    def ask_again(self) -> list[bytes]:
        """As :meth:`reread`, and try anew if something was lacking."""
        if not self._version:
            return []
        self._max = None
        return [self._confirm(), *self.reread()]

    def reread(self) -> list[bytes]:
        """Ask the switch which meters of ours it has."""
        if not self._version:
            return []
        self._installed = None
        self._reading = {}
        self._dump_xid = next(self._xids)
        return [wire.config_request(self._version, self._dump_xid)]

    def told(self, reply: MeterFeatures) -> None:
        """How many meters there can be; what was sent before has been done."""
        if reply.xid != self._features_xid:
            return
        self._sent.clear()
        self._refused.clear()
        if self._max is None and reply.max_meters:
            self.lacking = ""  # what was refused may now be done
        self._max = reply.max_meters
        self._check_number()

    def count(self) -> list[bytes]:
        """Ask the switch what the meters have counted."""
        if not (self.known and self._wanted):
            return []
        self._count_xid = next(self._xids)
        return [wire.stats_request(self._version, self._count_xid)]

    def counted(self, reply: MeterCounts) -> None:
        """A part of the answer to :meth:`count`."""
        if reply.xid == self._count_xid:
            self._counts.update(reply.counts)
            for number, count in reply.counts.items():
                before = self._tallied.get(number, 0)
                is_new = count.dropped < before  # a meter in the place of another
                self.dropped += count.dropped if is_new else count.dropped - before
                self._tallied[number] = count.dropped

    def of(self, owner: str) -> tuple[RateLimit, MeterCount | None] | None:
        """What the meter of ``owner`` lets pass, and had counted when last asked; None: no meter.

        None in place of the count: it has not been asked, or is new.
        """
        meter = self._meters.get(owner)
        if meter is None:
            return None
        return self._wanted[meter.number].limit, self._counts.get(meter.number)

    def lines(self) -> Iterator[str]:
        """Each port with its meter, for ``ovs-appctl meters/show``."""
        for owner, meter in sorted(self._meters.items()):
            number = meter.number
            limit = self._wanted[number].limit
            count = self._counts.get(number, MeterCount(0, 0))
            yield (
                f"{escape(owner):<36} {show_port(ofport_of(number)):>5}  meter {number} "
                f"{limit.pps}/s burst {limit.burst}: {count.seen} seen, {count.dropped} dropped"
            )

    def dumped(self, reply: MeterDump) -> None:
        """A part of the answer to :meth:`reread`."""
        if reply.xid != self._dump_xid:
            return
        self._reading.update(reply.meters)
        if not reply.more:
            self._installed = self._reading
            wanted = {number: meter.limit for number, meter in self._wanted.items()}
            self._different = {number for number, _ in wanted.items() ^ self._installed.items()}

    def refused(self, xid: int, error: str) -> list[bytes] | None:
        """The switch refused a message: what to ask it then; None if it was not of ours.

        A change may fail once, because somebody has deleted the meter; it is then added again.
        """
        if xid == self._count_xid:
            return []
        if xid in (self._dump_xid, self._features_xid):
            if xid == self._dump_xid:
                self._installed = {}
            self._lack(f"the switch reports {error}")
            return []
        if xid not in self._sent:
            return None
        if xid in self._refused:
            return []
        self._refused.add(xid)
        what = self._sent[xid]
        self.notes.append(Note.err(f"{error}: not done: {what}"))
        if self._modify_refused or not what.endswith(CHANGED):
            self._lack(f"the switch reports {error}")
        self._modify_refused = True
        return self.reread()

    def unanswered(self) -> None:
        """The switch has answered what it was asked later."""
        if self._installed is None or self._max is None:
            self._installed = self._installed or {}
            self._lack("the switch does not say which it has")

    def _check_number(self) -> None:
        if self._max is None or len(self._wanted) <= self._max:
            return
        self._lack(f"the switch can have {self._max}, {len(self._wanted)} are needed")

    def _lack(self, why: str) -> None:
        self.lacking = self.lacking or why
        self._max = self._max or 0

    # What to tell it.

    def missing(self) -> list[bytes]:
        """The messages that add the meters that are missing, and change those that differ."""
        if self._installed is None or not self._different:
            return []
        new, other = [], []
        for number in sorted(self._different & self._wanted.keys()):
            meter = self._wanted[number]
            if number not in self._installed:
                new.append(meter)
            elif self._installed[number] != meter.limit:
                other.append(meter)
            self._installed[number] = meter.limit
            self._different.discard(number)
        messages: list[bytes] = []
        if new:
            xid = self._send(f"{len(new)} meters added")
            messages += [wire.encode_add(self._version, meter, xid) for meter in new]
        if other:
            xid = self._send(f"{len(other)} meters{CHANGED}")
            messages += [wire.encode_modify(self._version, meter, xid) for meter in other]
        return [*messages, self._confirm()] if messages else []

    def excess(self) -> list[bytes]:
        """The messages that delete the meters that are not wanted: no flow may use them now."""
        if self._installed is None or not self._different:
            return []
        gone = sorted((self._different & self._installed.keys()) - self._wanted.keys())
        self._different &= self._wanted.keys()
        if not gone:
            return []
        for number in gone:
            del self._installed[number]
            self._counts.pop(number, None)
        xid = self._send(f"{len(gone)} meters deleted")
        deletes = [wire.encode_delete(self._version, number, xid) for number in gone]
        return [*deletes, self._confirm()]

    def _send(self, what: str) -> int:
        xid = next(self._xids)
        self._sent[xid] = what
        self.notes.append(Note.info(what))
        return xid

    def _confirm(self) -> bytes:
        """A question: its answer comes when what was sent before is done."""
        self._features_xid = next(self._xids)
        return wire.features_request(self._version, self._features_xid)
