# SPDX-License-Identifier: Apache-2.0
"""What it costs to have many ports: 10,000 bindings configured, some thousands plugged in."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from bench import results
from bench.contenders import Contender, build
from bench.results import Effort, Row
from bench.served import PatchPort, Served, patch_ports
from tests.lab.daemon import ROOT, Dhcpd, our_flows
from tests.lab.guest import Guest
from tests.lab.process import Process, run, wait_until
from tests.lab.switch import PrivateOvs

COUNTS, MORE_PORTS = (500, 1000, 2000), 15
QUICK_COUNTS, QUICK_MORE_PORTS = (100, 500), 3


SERVED = Served(10_000, hostnames=True, rate_limit={"pps": 1_000_000, "burst": 1_000_000})
# Each port has its meter, which drops nothing.  Interfaces of type dummy would do for ports, but
# ovs-vswitchd polls each of them on every turn of its loop: with 2,000 of them even the floor falls
# to a fifth of its rate (10,000/s).


@contextmanager
def plugged(count: int) -> Iterator[tuple[PrivateOvs, Guest]]:
    """A switch with ``count`` ports, one of them a guest's."""
    with PrivateOvs() as switch:
        guest = SERVED.plug_in_one(switch)
        patch_ports(switch, [_port(switch, number) for number in range(1, count)])
        yield switch, guest


def _port(switch: PrivateOvs, number: int) -> PatchPort:
    return PatchPort(switch.bridge, f"patch{number}", f"peer{number}", SERVED.iface_id(number))


def measure(effort: Effort) -> Iterator[Row]:
    """One row for each number of ports."""
    program = build("load")
    for count in QUICK_COUNTS if effort.quick else COUNTS:
        yield _row(program, count, effort)


def _row(program: Path, count: int, effort: Effort) -> Row:
    with plugged(count) as (switch, guest):
        dhcpd = Dhcpd(switch, SERVED.configuration())
        cold_s = _start(dhcpd)
        assert len(our_flows(switch)) == 3 * count + 2, "not all flows are there"
        dhcpd.stop()
        restart_s = _start(dhcpd)
        assert "flows added" not in dhcpd.log(), "a restart sent flow-mods"
        contender = Contender("ovs-dhcpd", switch, guest, dhcpd.start)
        rate = contender.ask(program, effort.seconds, "discover", 64)["rate"]
        more_ports = QUICK_MORE_PORTS if effort.quick else MORE_PORTS
        one_more_ms = [_one_more(switch, count + n) for n in range(more_ports)]
        change_s, p99_ms = _change(program, contender, dhcpd)
        leases_s = [_list_leases(switch) for _ in range(effort.rounds)]
        return Row(
            {"ports plugged in": f"{count:,}"},
            {
                "cold start to all flows, s": [cold_s],
                "restart to ready, flow-mods unsent, s": [restart_s],
                "one more port, from its ofport in the database to its flow, ms": one_more_ms,
                "one option changed on all, s": [change_s],
                "p99 at 16 outstanding meanwhile, ms": [p99_ms],
                "`leases` as a table, s": leases_s,
                "replies/s at 64 outstanding": [rate],
                "memory, MB": [contender.memory_mb()],
            },
        )


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One line a figure, one column a number of ports."""
    return results.across(rows)


def _start(dhcpd: Dhcpd) -> float:
    """Seconds from the start of the process until the switch has confirmed every flow."""
    started_s = time.monotonic()
    dhcpd.start()
    wait_until(lambda: "ready, " in dhcpd.log(), "the daemon to be ready", 60)
    return time.monotonic() - started_s


def _one_more(switch: PrivateOvs, number: int) -> float:
    """Milliseconds from a new interface's ofport in the database to its flow on the bridge."""
    name = f"patch{number}"
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
        patch_ports(switch, [_port(switch, number)])
        wait_until(lambda: "event=ADDED" in bridge.text(), "the flow", 20)
        return (stamp(bridge, "event=ADDED") - stamp(database, f"{name},[0-9]+")) * 1000
    finally:
        database.stop()
        bridge.stop()


def _list_leases(switch: PrivateOvs) -> float:
    """Seconds that the command takes."""
    started_s = time.monotonic()
    command = [sys.executable, "-m", "ovs_dhcpd", "leases", "--ovs-rundir", switch.run_dir]
    run(command, env={"PYTHONPATH": str(ROOT)})
    return time.monotonic() - started_s


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
    asking = threading.Thread(
        target=lambda: figures.update(contender.ask(program, 2, "discover", 16))
    )
    changed = SERVED.configuration(mtu=1400)
    before = dhcpd.log().count("ready, ")
    asking.start()
    time.sleep(0.3)
    started_s = time.monotonic()
    dhcpd.reconfigure(changed)
    wait_until(lambda: dhcpd.log().count("ready, ") > before, "the change", 60)
    change_s = time.monotonic() - started_s
    asking.join()
    return change_s, figures["p99_us"] / 1000
