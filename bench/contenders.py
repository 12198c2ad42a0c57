# SPDX-License-Identifier: Apache-2.0
"""Those who are compared, each on a private switch of its own with one guest.

All are up for the whole run, so that the measurements can alternate between them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab import reference
from tests.lab.daemon import Dhcpd
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
    """A controller at work: its process, and the guest that asks it."""

    name: str
    pid: int
    guest: Guest

    def cpu_us(self) -> float:
        """CPU time that its threads have used, in microseconds."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e3

    def memory_mb(self) -> float:
        """Its resident memory, in megabytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def ovs_dhcpd() -> Iterator[Contender]:
    """The daemon, with the reference network, logging at its default level."""
    with PrivateOvs() as switch:
        guest = reference.guest(switch)
        with Dhcpd(switch, reference.configuration()) as dhcpd:
            dhcpd.wait_for_flows(guest)
            assert dhcpd.process
            yield Contender("ovs-dhcpd", dhcpd.process.pid, guest)


@contextmanager
def floor() -> Iterator[Contender]:
    """The do-nothing controller, on the daemon's own flows."""
    program = build("floor")
    with PrivateOvs() as switch:
        guest = reference.guest(switch)
        with Dhcpd(switch, reference.configuration()) as dhcpd:
            dhcpd.wait_for_flows(guest)
        process = switch.spawn("floor", program, switch.run_dir / f"{switch.bridge}.mgmt")
        yield Contender("floor", process.pid, guest)


@contextmanager
def ovn_controller() -> Iterator[Contender]:
    """ovn-controller, with the reference network in a whole OVN."""
    with PrivateOvn() as ovn:
        ovn.nbctl("ls-add", "finance-network1")
        ovn.dhcp_port(
            "finance-network1",
            reference.PORT,
            f"{reference.MAC} {reference.ADDRESS}",
            str(reference.CIDR),
            reference.OVN_OPTIONS,
        )
        guest = reference.guest(ovn)
        wait_until(lambda: any("userdata=00.00.00.02" in flow for flow in ovn.flows()), "OVN")
        yield Contender("ovn-controller", ovn.processes["ovn-controller"].pid, guest)


@contextmanager
def all_there() -> Iterator[list[Contender]]:
    """Every contender whose programs are installed."""
    with ExitStack() as stack:
        contenders = [stack.enter_context(ovs_dhcpd()), stack.enter_context(floor())]
        absent = missing(*PrivateOvn.programs)
        if absent:
            print(f"SKIPPED: ovn-controller: not installed: {', '.join(absent)}")
        else:
            contenders.append(stack.enter_context(ovn_controller()))
        yield contenders


def load(program: Path, contender: Contender, seconds: float, *words: object) -> dict[str, float]:
    """One run of the load generator against ``contender``: its figures by name."""
    before_us = contender.cpu_us()
    line = run(contender.guest.namespace.command(program, "eth0", seconds, *words))
    figures = {name: float(value) for name, value in (word.split("=") for word in line.split())}
    figures["cpu_us"] = (contender.cpu_us() - before_us) / figures["replies"]
    return figures
