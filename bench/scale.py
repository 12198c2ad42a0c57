# SPDX-License-Identifier: Apache-2.0
"""What it costs to have many ports: 10,000 bindings configured, some thousands plugged in."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from statistics import median

from bench.contenders import Contender, load
from tests.lab import reference
from tests.lab.daemon import Dhcpd
from tests.lab.guest import Guest
from tests.lab.process import Process, wait_until
from tests.lab.switch import PrivateOvs

BINDINGS = 10_000
FIGURES = {
    "cold start to all flows, s": 2,
    "restart to ready, flow-mods unsent, s": 2,
    "one more port, from its ofport in the database to its flow, ms": 0,
    "one option changed on all, s": 2,
    "p99 at 16 outstanding meanwhile, ms": 1,
    "replies/s at 64 outstanding": 0,
    "memory, MB": 0,
}


class ManyPorts(PrivateOvs):
    """The userspace datapath with many patch ports beside the guests' real ones.

    Interfaces of type dummy would do, but ovs-vswitchd polls each of them on every
    turn of its loop: with 2,000 of them even the floor falls to a fifth of its rate (10,000/s).
    """

    def add_patch_ports(self, iface_ids: Iterable[str]) -> None:
        """Add one port for each iface-id, in one transaction."""
        words: list[str] = []
        for number, iface_id in enumerate(iface_ids):
            name = f"patch{number}"
            words += ["--", *_plug(self.bridge, name, iface_id)]
        self.vsctl(*words[1:])


def _plug(bridge: str, name: str, iface_id: str) -> list[str]:
    """The words for ovs-vsctl that plug in a patch port without a peer."""
    return ["add-port", bridge, name, "--", "set", "interface", name, "type=patch",
            f"options:peer={name}-peer", f"external_ids:iface-id={iface_id}"]  # fmt: skip


def configuration(mtu: int = 1442) -> str:
    """The reference network's guest, and 10,000 others."""
    lines = [
        "networks:",
        "  bench:",
        f"    dhcpv4: {{cidr: 10.0.0.0/16, server_id: 10.0.0.1, router: 10.0.0.1, mtu: {mtu},",
        "      dns_server: [10.0.0.53]}",
        "    ports:",
        f'      {reference.PORT}: {{addresses: "{reference.MAC} 10.0.255.7"}}',
    ]
    for number in range(1, BINDINGS):
        high, low = divmod(number + 255, 256)
        lines += [
            f"      port-{number}:",
            f'        addresses: "0a:00:00:00:{high:02x}:{low:02x} 10.0.{high}.{low}"',
            f"        options: {{hostname: vm{number}}}",
        ]
    return "\n".join(lines) + "\n"


@contextmanager
def plugged(count: int) -> Iterator[tuple[ManyPorts, Guest]]:
    """A switch with ``count`` ports, one of them a guest's."""
    with ManyPorts() as switch:
        guest = reference.guest(switch)
        switch.add_patch_ports(f"port-{number}" for number in range(1, count))
        yield switch, guest


def measure(program: Path, count: int, seconds: float, more_ports: int) -> list[float]:
    """The figures at ``count`` ports, in the order of :data:`FIGURES`."""
    with plugged(count) as (switch, guest):
        dhcpd = Dhcpd(switch, configuration())
        cold_s = _start(dhcpd)
        assert len(_ours(switch)) == 2 * count + 2, "not all flows are there"
        dhcpd.stop()
        restart_s = _start(dhcpd)
        assert "flows added" not in dhcpd.log(), "a restart sent flow-mods"
        assert dhcpd.process
        contender = Contender("ovs-dhcpd", dhcpd.process.pid, guest)
        rate = load(program, contender, seconds, 64)["rate"]
        one_more_ms = median(_one_more(switch, count + n) for n in range(more_ports))
        change_s, p99_ms = _change(program, contender, dhcpd)
        return [cold_s, restart_s, one_more_ms, change_s, p99_ms, rate, contender.memory_mb()]


def table(columns: dict[int, list[float]]) -> list[str]:
    """One row a figure, one column a number of ports."""
    lines = [
        "| ports plugged in | " + " | ".join(f"{count:,}" for count in columns) + " |",
        "|---|" + "--:|" * len(columns),
    ]
    for at, (name, digits) in enumerate(FIGURES.items()):
        cells = " | ".join(f"{column[at]:,.{digits}f}" for column in columns.values())
        lines.append(f"| {name} | {cells} |")
    return lines


def _ours(switch: ManyPorts) -> list[str]:
    return [flow for flow in switch.flows() if flow.startswith("cookie=0x6468")]


def _start(dhcpd: Dhcpd) -> float:
    """Seconds from the start of the process until the switch has confirmed every flow."""
    started_s = time.monotonic()
    dhcpd.start()
    wait_until(lambda: "ready, " in dhcpd.log(), "the daemon to be ready", 60)
    return time.monotonic() - started_s


def _one_more(switch: ManyPorts, number: int) -> float:
    """Milliseconds from a new interface's ofport in the database to its flow on the bridge."""
    name = f"more{number}"
    database = switch.spawn(
        f"{name}-db", "ovsdb-client", "--timestamp", "--format=csv", "monitor", switch.database,
        "Open_vSwitch", "Interface", "name,ofport",
    )  # fmt: skip
    bridge = switch.spawn(
        f"{name}-of", "ovs-ofctl", "--timestamp", "monitor", switch.bridge, "watch:table=0,!initial"
    )
    try:
        wait_until(lambda: "row,action" in database.text(), "ovsdb-client")
        time.sleep(0.2)
        switch.vsctl(*_plug(switch.bridge, name, f"port-{number}"))
        wait_until(lambda: "event=ADDED" in bridge.text(), "the flow", 20)
        return (stamp(bridge, "event=ADDED") - stamp(database, f"{name},[0-9]+")) * 1000
    finally:
        database.stop()
        bridge.stop()


def stamp(process: Process, pattern: str) -> float:
    """When a tool printed what first matches ``pattern``: the last time stamp before it."""
    text = process.text()
    found = re.search(pattern, text)
    assert found, text
    stamp = re.findall(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d{3}", text[: found.start()])[-1]
    at = datetime.strptime(stamp.replace("T", " "), "%Y-%m-%d %H:%M:%S.%f")
    return at.replace(tzinfo=timezone.utc).timestamp()


def _change(program: Path, contender: Contender, dhcpd: Dhcpd) -> tuple[float, float]:
    """Seconds that a changed option takes to be on all ports, and p99 of the answers meanwhile."""
    figures: dict[str, float] = {}
    asking = threading.Thread(target=lambda: figures.update(load(program, contender, 2, 16)))
    before = dhcpd.log().count("ready, ")
    asking.start()
    time.sleep(0.3)
    started_s = time.monotonic()
    dhcpd.reconfigure(configuration(mtu=1400))
    wait_until(lambda: dhcpd.log().count("ready, ") > before, "the change", 60)
    change_s = time.monotonic() - started_s
    asking.join()
    return change_s, figures["p99_us"] / 1000


def run_all(program: Path, counts: list[int], seconds: float, more_ports: int) -> list[str]:
    """The table for these numbers of ports."""
    return table({count: measure(program, count, seconds, more_ports) for count in counts})
