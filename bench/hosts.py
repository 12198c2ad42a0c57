# SPDX-License-Identifier: Apache-2.0
"""What many hosts cost the servers of one Northbound database, directly and through relays.

The hosts are as many sources (:class:`OvnNorthbound`), each with ports of its own plugged in, on
loopback; they are all in this process, whose work is in the times.  What their processes of
ovsdb-server take is asked of Linux.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory

import ovs.poller
from ovs_dhcpd.controller.ovsdb.spread import SPREAD_MS
from ovs_dhcpd.controller.sources.northbound import OvnNorthbound

from bench import results
from bench.northbound import OPTIONS, transact
from bench.results import Effort, Row
from tests.lab.database import Database, Relay
from tests.lab.northbound import SCHEMA
from tests.lab.process import LabError, Process

PORTS, QUICK_PORTS = 5000, 500
SWITCH = 50  # ports of a logical switch
PLUGGED = 20  # ports of a host
CHANGES, QUICK_CHANGES = 1000, 100  # elsewhere; Linux counts CPU time in 10 ms
ROUNDS = 20  # of what concerns a host
LONG_S = 300.0

Condition = Callable[[], object]


def name(number: int) -> str:
    """The iface-id of a port."""
    return f"port-{number}"


def addresses(number: int, prefix: int = 10) -> str:
    """What the row of a port has: its MAC, and its address in one /8 or another."""
    address = IPv4Address((prefix << 24) + number + 1)
    return f"02:00:{number.to_bytes(4, 'big').hex(':')} {address}"


def fill(database: Path, ports: int) -> None:
    """Make the switches and their ports, with one row of DHCP_Options."""
    row = {"cidr": "10.0.0.0/7", "options": ["map", [*OPTIONS.items()]]}
    (reply,) = transact(database, [{"op": "insert", "table": "DHCP_Options", "row": row}])
    for first in range(0, ports, SWITCH):
        numbers = range(first, min(first + SWITCH, ports))
        made: list[object] = [
            {
                "op": "insert",
                "table": "Logical_Switch_Port",
                "uuid-name": f"p{number}",
                "row": {
                    "name": name(number),
                    "addresses": addresses(number),
                    "dhcpv4_options": reply["uuid"],
                },
            }
            for number in numbers
        ]
        members = ["set", [["named-uuid", f"p{number}"] for number in numbers]]
        switch = {"name": f"switch-{first}", "ports": members}
        transact(database, [*made, {"op": "insert", "table": "Logical_Switch", "row": switch}])


def give(database: Path, numbers: Sequence[int], prefix: int) -> None:
    """Give these ports addresses of another /8, in one transaction."""
    transact(
        database,
        [
            {
                "op": "update",
                "table": "Logical_Switch_Port",
                "where": [["name", "==", name(number)]],
                "row": {"addresses": addresses(number, prefix)},
            }
            for number in numbers
        ],
    )


class Hosts:
    """Sources with their ports: host H has those from H * PLUGGED on."""

    def __init__(self, remotes: str, count: int) -> None:
        self.sources = [OvnNorthbound(remotes, "br-int") for _ in range(count)]
        for host, source in enumerate(self.sources):
            for number in range(host * PLUGGED, (host + 1) * PLUGGED):
                source.watch(name(number), True)

    def until(self, condition: Condition) -> float:
        """Have all of them read until this is so; returns when, in seconds."""
        end_s = time.monotonic() + LONG_S
        while True:
            for source in self.sources:
                source.run()
            if condition():
                return time.monotonic()
            if time.monotonic() > end_s:
                raise LabError(f"waited {LONG_S:g} s in vain for the hosts")
            poller = ovs.poller.Poller()
            poller.timer_wait(100)
            for source in self.sources:
                source.wait(poller)
            poller.block()

    @property
    def are_ready(self) -> bool:
        """Whether all know what is plugged in."""
        return all(source.ready for source in self.sources)

    def received(self) -> int:
        """How many bytes have come to all of them over the connections that they have."""
        sessions = [source._idl._session for source in self.sources]
        return sum(session.rpc.get_received_bytes() for session in sessions if session.rpc)

    def offered(self, host: int, number: int) -> str:
        """The address that a port of a host is offered; empty: none."""
        binding = self.sources[host].binding(name(number))
        found = [port.addresses for _, port in binding.served] if binding else []
        return str(found[0][0]) if found else ""

    def close(self) -> None:
        """Close all connections."""
        for source in self.sources:
            source.close()


@dataclass(frozen=True)
class Spent:
    """Bytes that came to the hosts, and CPU time of the server and of it and its relays."""

    received: int
    server_s: float
    servers_s: float

    def __sub__(self, other: Spent) -> Spent:
        return Spent(
            self.received - other.received,
            self.server_s - other.server_s,
            self.servers_s - other.servers_s,
        )


def measure(effort: Effort) -> Iterator[Row]:
    """The hosts on one server, and on its relays."""
    for relays in (0, effort.relays) if effort.relays else (0,):
        with ExitStack() as stack:
            yield _measure(stack, effort, relays)


def _measure(stack: ExitStack, effort: Effort, count: int) -> Row:
    directory = Path(stack.enter_context(TemporaryDirectory(prefix="ovsbench-", dir="/tmp")))
    ports = max(QUICK_PORTS if effort.quick else PORTS, (effort.hosts + 1) * PLUGGED)
    source, *remotes = (f"tcp:127.0.0.1:{port}" for port in _free_ports(count + 1))
    database = stack.enter_context(Database(directory, SCHEMA, f"--remote={_passive(source)}"))
    fill(database.socket, ports)
    relays = []
    for number, remote in enumerate(remotes):
        relay = Relay(directory, f"relay{number}", source, f"--remote={_passive(remote)}")
        stack.callback(relay.process.stop)
        relays.append(relay.process)
    servers = [database.process, *relays]

    def cpu_s() -> float:
        return sum(server.cpu_s() for server in servers)

    for remote in remotes:  # until it has the database
        first = Hosts(remote, 1)
        first.until(lambda: first.are_ready)  # noqa: B023
        first.close()
    before_s, begin_s = cpu_s(), time.monotonic()
    hosts = Hosts(",".join(remotes) or source, effort.hosts)
    stack.callback(hosts.close)
    ready_s = hosts.until(lambda: hosts.are_ready)
    figures = {"all ready, s": [ready_s - begin_s]}
    figures["the servers' CPU for it, ms a host"] = [(cpu_s() - before_s) * 1000 / effort.hosts]
    figures["bytes for it, a host"] = [hosts.received() / effort.hosts]
    figures["memory of the server, MB"] = [database.process.memory_mb()]
    figures["memory of who has the hosts, MB"] = [each.memory_mb() for each in relays or servers]

    def spent() -> Spent:
        return Spent(hosts.received(), database.process.cpu_s(), cpu_s())

    changes = QUICK_CHANGES if effort.quick else CHANGES
    nothing = _spent_on(hosts, database.socket, spent, 0, ports - 1)
    found = _spent_on(hosts, database.socket, spent, changes, ports - 1) - nothing
    figures["a change elsewhere, bytes a host"] = [found.received / changes / effort.hosts]
    figures["the server's CPU for it, ms"] = [found.server_s * 1000 / changes]
    figures["all servers' CPU for it, ms"] = [found.servers_s * 1000 / changes]

    figures["a port's row changed, to its binding, ms"] = [
        _change(hosts, database.socket, host) for host in _some(effort.hosts)
    ]
    figures["a port plugged in, to its binding, ms"] = [
        _plug(hosts, host, effort.hosts * PLUGGED + round_)
        for round_, host in enumerate(_some(effort.hosts))
    ]
    hosts.until(lambda: time.monotonic() > ready_s + SPREAD_MS / 1000)  # as in real life
    figures["a server killed, until all follow again, s"] = [_kill(hosts, database, relays)]
    through = f"{count} relays" if count else "1 server"
    what = f"{effort.hosts} hosts, {ports:,} ports"
    return Row({f"{what}, on": through}, figures)


def _some(hosts: int) -> list[int]:
    """Hosts, each in its turn."""
    return [round_ % hosts for round_ in range(ROUNDS)]


def _spent_on(
    hosts: Hosts, database: Path, spent: Callable[[], Spent], changes: int, number: int
) -> Spent:
    """What this many changes of a port cost that nobody has, and a change for each host then."""
    before = spent()
    for change in range(changes):
        give(database, [number], 10 + change % 2)
    for prefix in (11, 10):  # who hears of this has heard of all before
        _follow(hosts, database, prefix)
    return spent() - before


def _follow(hosts: Hosts, database: Path, prefix: int) -> float:
    """Give the first port of each host another address; returns when all know of it."""
    numbers = [host * PLUGGED for host in range(len(hosts.sources))]
    give(database, numbers, prefix)
    wanted = {number: addresses(number, prefix).split()[1] for number in numbers}
    return hosts.until(
        lambda: all(
            hosts.offered(host, number) == wanted[number] for host, number in enumerate(numbers)
        )
    )


def _change(hosts: Hosts, database: Path, host: int) -> float:
    """Milliseconds from a change of a port's row to what its host makes of it."""
    number = host * PLUGGED + 1
    prefix = 11 if hosts.offered(host, number).startswith("10.") else 10
    wanted = addresses(number, prefix).split()[1]
    begin_s = time.monotonic()
    give(database, [number], prefix)
    return (hosts.until(lambda: hosts.offered(host, number) == wanted) - begin_s) * 1000


def _plug(hosts: Hosts, host: int, number: int) -> float:
    """Milliseconds from a port that is plugged in to its binding."""
    begin_s = time.monotonic()
    hosts.sources[host].watch(name(number), True)
    return (hosts.until(lambda: hosts.offered(host, number)) - begin_s) * 1000


def _kill(hosts: Hosts, database: Database, relays: list[Process]) -> float:
    """Seconds until all follow what changes after a relay has been killed for good.

    Where there are none, it is the server, which is started again at once.
    """
    begin_s = time.monotonic()
    if relays:
        relays[0].stop(signal.SIGKILL)
    else:
        database.stop(signal.SIGKILL)
        database.start()
    return _follow(hosts, database.socket, 11) - begin_s


def _free_ports(count: int) -> list[int]:
    """TCP ports that nobody listens on."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [server.getsockname()[1] for server in servers]


def _passive(remote: str) -> str:
    """How an ovsdb-server is told to listen where it is called by this."""
    _, address, port = remote.split(":")
    return f"ptcp:{port}:{address}"


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each figure."""
    return results.across(rows)
