# SPDX-License-Identifier: Apache-2.0
"""How soon a guest is answered after a restart: of the daemon, and of ovs-vswitchd.

The guest asks every few milliseconds meanwhile.  Beside the daemon's start is what it takes to
import os-ken alone, in turns: a process that does nothing else, and the same as it sees it itself.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench import results
from bench.results import WHO, Effort, Row
from tests.lab import reference
from tests.lab.daemon import Dhcpd
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, parse_reply, request
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

AWAY_S, QUICK_AWAY_S = (0.5, 12.0), (0.5,)
ASK_S = 0.003
LOOK_S = 0.0005
PATIENCE_S = 60.0
IMPORT = """
import os, time
os.environ["OSKEN_HUB_TYPE"] = "native"
began_s = time.perf_counter()
from os_ken.base.app_manager import AppManager
import os_ken.ofproto.ofproto_v1_5_parser
print(time.perf_counter() - began_s)
"""


class Asking(threading.Thread):
    """A guest that asks every ASK_S; `answered_s` is when the first answer came."""

    def __init__(self, guest: Guest) -> None:
        super().__init__(daemon=True)
        self._guest = guest
        self._stopped = threading.Event()
        self.answered_s = 0.0

    def run(self) -> None:
        """The thread."""
        with self._guest.raw() as raw:
            while not self._stopped.is_set() and not self.answered_s:
                raw.send(request(DISCOVER, self._guest.mac))
                if raw.receive(ASK_S, parse_reply):
                    self.answered_s = time.perf_counter()

    def wait(self) -> float:
        """When the first answer came, once it has."""
        self.join(PATIENCE_S)
        self._stopped.set()
        assert self.answered_s, "no answer"
        return self.answered_s


@contextmanager
def asking(guest: Guest) -> Iterator[Asking]:
    """The guest asks until it is answered."""
    thread = Asking(guest)
    thread.start()
    yield thread


def _import(switch: PrivateOvs) -> tuple[float, float]:
    """Importing os-ken: from the start of the process to its end, and inside, in seconds.

    The process is started as the daemon is, in the switch's namespace.
    """
    began_s = time.perf_counter()
    process = switch.spawn("import", "env", sys.executable, "-c", IMPORT)
    process.wait(PATIENCE_S)
    return time.perf_counter() - began_s, float(process.text())


def _restart_daemon(dhcpd: Dhcpd, guest: Guest) -> float:
    """From exec to the first answer, in seconds."""
    dhcpd.stop()
    with asking(guest) as asked:
        began_s = time.perf_counter()
        dhcpd.start()
        answered_s = asked.wait()
    dhcpd.wait_for_flows(guest)
    return answered_s - began_s


def _restart_switch(switch: PrivateOvs, dhcpd: Dhcpd, guest: Guest, away_s: float) -> float:
    """From the bridge's socket to the first answer, in seconds, after `away_s` without it."""
    socket = switch.run_dir / f"{switch.bridge}.mgmt"
    switch.processes["ovs-vswitchd"].stop()
    wait_until(lambda: not socket.exists(), "ovs-vswitchd to end")
    time.sleep(away_s)
    control = switch.run_dir / "ovs-vswitchd.ctl"
    with asking(guest) as asked:
        switch.spawn("ovs-vswitchd", "ovs-vswitchd", switch.database, f"--unixctl={control}")
        end_s = time.perf_counter() + PATIENCE_S
        while not socket.exists() and time.perf_counter() < end_s:
            time.sleep(LOOK_S)
        there_s = time.perf_counter()
        answered_s = asked.wait()
    dhcpd.wait_for_flows(guest)
    return answered_s - there_s


def measure(effort: Effort) -> Iterator[Row]:
    """The daemon's start beside the import, in pairs, and then ovs-vswitchd's."""
    # pip compiles what it installs: who has this set would measure that, at each start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with PrivateOvs() as switch:
        guest = reference.guest(switch)
        with Dhcpd(switch, reference.configuration(rate_limit="none")) as dhcpd:
            dhcpd.wait_for_flows(guest)
            imports, answers = [], []
            for _ in range(effort.rounds):
                imports.append(_import(switch))
                answers.append(_restart_daemon(dhcpd, guest))
            processes, insides = ([each[n] for each in imports] for n in (0, 1))
            for who, found in (
                ("ovs-dhcpd, from exec to its first answer", answers),
                ("a process that imports os-ken and ends", processes),
                ("that import by itself", insides),
            ):
                yield _row("ovs-dhcpd is started", who, found)
            for away_s in QUICK_AWAY_S if effort.quick else AWAY_S:
                rounds = range(effort.rounds)
                found = [_restart_switch(switch, dhcpd, guest, away_s) for _ in rounds]
                what = f"ovs-vswitchd is back after {away_s:g} s"
                yield _row(what, "from the bridge's socket to the first answer", found)


def _row(what: str, who: str, found_s: list[float]) -> Row:
    return Row({"": what, WHO: who}, {"ms": [found * 1000 for found in found_s]})


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each way; behind the imports our start divided by them."""
    return results.table(rows)
