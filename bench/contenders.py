# SPDX-License-Identifier: Apache-2.0
"""Those who are compared, each on a private switch of its own.

All are up for the whole of a measurement, so that it can take them in turn.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.served import CHASSIS, Served
from tests.lab.daemon import Dhcpd, our_flows
from tests.lab.guest import Guest
from tests.lab.ovn import PrivateOvn
from tests.lab.process import missing, run, wait_until
from tests.lab.switch import PrivateOvs

BENCH = Path(__file__).parent
BUILD = BENCH.parent / "build"


def build(name: str) -> Path:
    """Compile ``bench/NAME.c``; returns the program."""
    BUILD.mkdir(exist_ok=True)
    program = BUILD / name
    subprocess.run(["cc", "-O2", "-o", program, BENCH / f"{name}.c"], check=True)
    return program


@dataclass(frozen=True)
class Contender:
    """A controller at work, where its guests are heard, and what starts it anew."""

    name: str
    switch: PrivateOvs
    guest: Guest
    restart: Callable[[], None]

    @property
    def pid(self) -> int:
        """Its process: of the same name in the lab."""
        return self.switch.processes[self.name].pid

    def cpu_us(self) -> float:
        """CPU time that its threads have used, in microseconds."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e3

    def memory_mb(self) -> float:
        """Its resident memory, in megabytes."""
        return self.switch.processes[self.name].memory_mb()

    def ask(
        self, program: Path, *words: object, for_s: float = 0, then_s: float = 0
    ) -> dict[str, float]:
        """Run a program of ours on the guest's interface: its figures by name, and `cpu_us`.

        What the contender has put off, its log for instance, it has `then_s` for, and that counts.
        """
        before_us = self.cpu_us()
        line = run(self.guest.namespace.command(program, "eth0", *words), timeout_s=for_s + 60)
        figures = {name: float(value) for name, value in (word.split("=") for word in line.split())}
        time.sleep(then_s)
        figures["cpu_us"] = (self.cpu_us() - before_us) / figures["replies"]
        return figures


Plug = Callable[[PrivateOvs], Guest]


@contextmanager
def _dhcpd(served: Served, plug: Plug) -> Iterator[tuple[Dhcpd, Guest, Callable[[], None]]]:
    with PrivateOvs() as switch:
        guest = plug(switch)
        with Dhcpd(switch, served.configuration()) as dhcpd:

            def in_step() -> bool:
                if "ready, " not in dhcpd.log():
                    return False
                flows = our_flows(switch)
                pauses = sum("pause)" in flow for flow in flows)
                return pauses >= served.pauses() and f"ready, {len(flows)} flows" in dhcpd.log()

            def restart() -> None:
                dhcpd.stop()
                dhcpd.start()
                wait_until(in_step, "ovs-dhcpd to be ready", 120)

            wait_until(in_step, "ovs-dhcpd to be ready", 120)
            yield dhcpd, guest, restart


@contextmanager
def ovs_dhcpd(served: Served, plug: Plug) -> Iterator[Contender]:
    """The daemon, logging at its default level."""
    with _dhcpd(served, plug) as (dhcpd, guest, restart):
        yield Contender("ovs-dhcpd", dhcpd.switch, guest, restart)


@contextmanager
def floor(served: Served, plug: Plug) -> Iterator[Contender]:
    """The do-nothing controller, on the daemon's own flows."""
    program = build("floor")
    with _dhcpd(served, plug) as (dhcpd, guest, _):
        dhcpd.stop()
        switch = dhcpd.switch

        def start() -> None:
            if "floor" in switch.processes:
                switch.processes["floor"].stop()
            switch.spawn("floor", program, switch.run_dir / f"{switch.bridge}.mgmt")

        start()
        yield Contender("floor", switch, guest, start)


@contextmanager
def ovn_controller(served: Served, plug: Plug) -> Iterator[Contender]:
    """ovn-controller, in a whole OVN."""
    with PrivateOvn() as ovn:
        wait_until(lambda: CHASSIS in ovn.sbctl("list", "Chassis"), "ovn-controller")
        ovn.stop_ovn_controller()
        guest = plug(ovn)
        served.tell(ovn)
        ovn.nbctl("--wait=sb", "sync")
        if served.guests > 1:
            served.claim(ovn)

        def start() -> None:
            ovn.start_ovn_controller()
            ovn.sync()

        def restart() -> None:
            ovn.stop_ovn_controller()
            start()

        start()
        pauses = [flow for flow in ovn.flows() if "pause)" in flow]
        assert len(pauses) >= served.ovn_pauses(), "OVN has not all flows"
        yield Contender("ovn-controller", ovn, guest, restart)


@contextmanager
def all_there(served: Served, plug: Plug) -> Iterator[list[Contender]]:
    """Every contender whose programs are installed; ours is the first."""
    with ExitStack() as stack:
        contenders = [
            stack.enter_context(ovs_dhcpd(served, plug)),
            stack.enter_context(floor(served, plug)),
        ]
        absent = missing(*PrivateOvn.programs)
        if absent:
            print(f"SKIPPED: ovn-controller: not installed: {', '.join(absent)}")
        else:
            contenders.append(stack.enter_context(ovn_controller(served, plug)))
        yield contenders
