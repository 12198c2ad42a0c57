# SPDX-License-Identifier: Apache-2.0
"""What should be on one bridge and what is: the state machine that keeps them the same.

No I/O here: every method that has something to tell the switch returns the
OpenFlow messages.  After a connection the flows that are there are read; from then
on each difference goes out as one bundle, and the bridge is taken to hold it.  An
error of a bundle, or another number of flows than there should be, means that we no
longer know: the flows are read again.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator

from ovs.vlog import Vlog

from controller import openflow
from flows.flow import Flow
from flows.reconcile import changes, index

vlog = Vlog("bridge")


class Bridge:
    """The flows of one bridge, by owner: a port, a network, or the bridge itself."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._owned: dict[str, dict[int, Flow]] = {}
        self._owners: Counter[int] = Counter()  # how many, by cookie
        self._wanted: dict[int, Flow] = {}
        self._version = 0  # OpenFlow wire version; 0: not connected
        self._installed: set[int] | None = None  # None: not known
        self._differs = False  # whether it may be something else than what is wanted
        self._reading: set[int] = set()
        self._xids = itertools.count(1)
        self._dump_xid = self._count_xid = 0
        self._bundles: dict[int, str] = {}  # sent and not confirmed: what it does

    @property
    def synchronized(self) -> bool:
        """Whether the switch has confirmed all that is wanted."""
        return self._installed is not None and not self._differs and not self._bundles

    def __len__(self) -> int:
        """The number of flows that are wanted."""
        return len(self._wanted)

    def want_nothing(self) -> None:
        """From now on nobody wants any flow."""
        self._owned.clear()
        self._owners.clear()
        self._wanted.clear()
        self._differs = True

    def want(self, owner: str, flows: Iterable[Flow]) -> None:
        """From now on ``owner`` wants ``flows`` and nothing else."""
        before, after = self._owned.pop(owner, {}), index(flows)
        if after:
            self._owned[owner] = after
        for cookie in after.keys() - before.keys():
            self._owners[cookie] += 1
            self._wanted[cookie] = after[cookie]
        for cookie in before.keys() - after.keys():
            self._owners[cookie] -= 1
            if not self._owners[cookie]:
                del self._owners[cookie], self._wanted[cookie]
        self._differs = self._differs or before.keys() != after.keys()

    def connected(self, version: int) -> Iterator[bytes]:
        """The switch speaks OpenFlow ``version``: ask for packet-ins, and for our flows."""
        self.disconnected()  # whatever was under way before
        self._version = version
        yield openflow.ask_for_packet_ins(version)
        yield from self.read_again()

    def disconnected(self) -> None:
        """The connection is gone; its flows stay."""
        self._version = 0
        self._installed = None
        self._bundles.clear()

    def read_again(self) -> Iterator[bytes]:
        """Ask the switch which flows of ours it has."""
        if self._version:
            self._installed = None
            self._reading = set()
            self._dump_xid = next(self._xids)
            yield openflow.flow_dump_request(self._version, self._dump_xid)

    def count(self) -> Iterator[bytes]:
        """Ask the switch how many flows of ours it has, if it should have all that is wanted."""
        if self._version and self.synchronized:
            self._count_xid = next(self._xids)
            yield openflow.flow_count_request(self._version, self._count_xid)

    def flow_count(self, reply: bytes) -> Iterator[bytes]:
        """The answer to :meth:`count`: if somebody has taken flows away, look which there are."""
        if openflow.xid_of(reply) != self._count_xid or self._installed is None:
            return
        count = openflow.decode_flow_count(reply)
        if count != len(self._installed):
            expected = len(self._installed)
            vlog.warn(f"{self.name}: {count} flows of ours are there, expected {expected}")
            yield from self.read_again()

    def flow_dump(self, reply: bytes) -> None:
        """A part of the answer to :meth:`read_again`."""
        if openflow.xid_of(reply) != self._dump_xid:
            return
        cookies, more = openflow.decode_flow_dump(reply)
        self._reading.update(cookies)
        if not more:
            self._installed = self._reading
            self._differs = self._installed != self._wanted.keys()
            vlog.info(f"{self.name}: {len(self._installed)} flows of ours are there")

    def reconcile(self, *, deleting: bool = True) -> Iterator[bytes]:
        """The bundle that makes the bridge hold what is wanted; nothing if it does.

        Without ``deleting`` what is not wanted stays.
        """
        if self._installed is None or not self._differs:
            return
        keeping = set() if deleting else self._installed - self._wanted.keys()
        difference = changes(self._wanted, self._installed - keeping)
        self._differs = bool(keeping)
        if not difference:
            return
        xid = next(self._xids)
        self._count_xid = 0  # what was asked before is no longer to be expected
        self._bundles[xid] = f"{len(difference.add)} flows added, {len(difference.delete)} deleted"
        self._installed = self._wanted.keys() | keeping
        yield from openflow.encode_bundle(self._version, difference, xid)

    def bundle_committed(self, xid: int) -> None:
        """The switch has carried out a bundle."""
        if xid in self._bundles:
            vlog.info(f"{self.name}: {self._bundles.pop(xid)}")

    def failed(self, xid: int, error: str) -> bool:
        """The switch refused a message; True if it was ours and the flows must be read again."""
        if xid not in self._bundles:
            return False
        vlog.err(f"{self.name}: {error}: not done: {self._bundles.pop(xid)}")
        self._installed = None
        return True
