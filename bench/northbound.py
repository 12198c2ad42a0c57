# SPDX-License-Identifier: Apache-2.0
"""From a transaction in the Northbound database to the flow on the bridge, with us and with OVN.

The transaction is what ``lsp-add -- lsp-set-addresses -- lsp-set-dhcpv4-options`` commits.
It is sent straight to ovsdb-server, as ovn-nbctl would first read the whole database, and
timed from there to the stamp of ``ovs-ofctl monitor``: ovsdb-server's work is in it.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import results
from bench.results import Effort, Row
from bench.scale import stamp
from tests.lab.northbound import Northbound, NorthboundDhcpd
from tests.lab.ovn import PrivateOvn
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

OURS, QUICK_OURS = 10_000, 1_000
OVNS, QUICK_OVNS = (100, 1_000), (100,)  # at 10,000 OVN takes longer than a benchmark should
NBCTL_WORDS = 500  # ports made by one ovn-nbctl
OPTIONS = {
    "server_id": "10.0.0.1",
    "server_mac": "0a:00:00:00:00:01",
    "lease_time": "3600",
    "router": "10.0.0.1",
    "mtu": "1442",
}

Nbctl = Callable[..., str]


def name(number: int) -> str:
    """The iface-id of a port."""
    return f"port-{number}"


def _port(number: int, row: str) -> list[str]:
    high, low = divmod(number + 256, 256)
    return ["--", "lsp-add", "network", name(number), "--", "lsp-set-addresses", name(number),
            f"02:00:00:00:{high:02x}:{low:02x} 10.0.{high}.{low}", "--",
            "lsp-set-dhcpv4-options", name(number), row]  # fmt: skip


def _fill(nbctl: Nbctl, count: int) -> str:
    """Make a switch of this many ports with one DHCP_Options row; returns the row."""
    row = nbctl("create", "DHCP_Options", 'cidr="10.0.0.0/16"').strip()
    nbctl("dhcp-options-set-options", row, *(f"{key}={value}" for key, value in OPTIONS.items()))
    nbctl("ls-add", "network")
    for first in range(0, count, NBCTL_WORDS):
        words: list[str] = []
        for number in range(first, min(first + NBCTL_WORDS, count)):
            words += _port(number, row)
        nbctl(*words[1:])
    return row


def _plug(switch: PrivateOvs, numbers: Iterable[int]) -> None:
    """Plug these ports in."""
    for number in numbers:
        switch.vsctl("add-port", switch.bridge, name(number), "--", "set", "interface",
                     name(number), "type=internal",
                     f"external_ids:iface-id={name(number)}")  # fmt: skip


def _transact(socket_path: Path, number: int, row: str) -> float:
    """Commit one more port; returns when the request was sent, in seconds since the epoch."""
    high, low = divmod(number + 256, 256)
    port = {
        "name": name(number),
        "addresses": f"02:00:00:00:{high:02x}:{low:02x} 10.0.{high}.{low}",
        "dhcpv4_options": ["uuid", row],
    }
    operations: list[object] = [
        {"op": "insert", "table": "Logical_Switch_Port", "row": port, "uuid-name": "port"},
        {
            "op": "mutate",
            "table": "Logical_Switch",
            "where": [["name", "==", "network"]],
            "mutations": [["ports", "insert", ["named-uuid", "port"]]],
        },
    ]
    sent_s = time.time()
    transact(socket_path, operations)
    return sent_s


def transact(database: Path, operations: Sequence[object]) -> list[dict[str, object]]:
    """Commit these operations, by the server's Unix socket; returns the result of each."""
    params = ["OVN_Northbound", *operations]
    request = json.dumps({"method": "transact", "params": params, "id": 0}).encode()
    reply = b""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(database))
        connection.sendall(request)
        while not reply or reply.count(b"{") > reply.count(b"}"):
            reply += connection.recv(65536)
    found = json.loads(reply)
    assert not found["error"], found
    assert all("error" not in result for result in found["result"]), found
    results: list[dict[str, object]] = found["result"]
    return results


def _one_more(switch: PrivateOvs, database: Path, number: int, row: str) -> float:
    """Milliseconds from the transaction that makes a port, which is plugged in, to its flow."""
    bridge = switch.spawn(
        f"{number}-of", "ovs-ofctl", "--timestamp", "monitor", switch.bridge, "watch:!initial"
    )
    time.sleep(0.3)  # until it listens; it says nothing before the change
    try:
        sent_s = _transact(database, number, row)
        wait_until(lambda: "userdata=00.00.00.02" in bridge.text(), "the flow", 60)
        return (stamp(bridge, r"event=ADDED.*userdata=00\.00\.00\.02") - sent_s) * 1000
    finally:
        bridge.stop()


@contextmanager
def ours(count: int, more: int) -> Iterator[tuple[PrivateOvs, Path, str]]:
    """The daemon on a database of ``count`` ports, of which ten are plugged in."""
    with PrivateOvs() as switch:
        northbound = Northbound.on(switch)
        row = _fill(northbound.nbctl, count)
        _plug(switch, [*range(10), *range(count, count + more)])
        with NorthboundDhcpd(switch, northbound.remotes) as dhcpd:
            wait_until(lambda: "ready, " in dhcpd.log(), "ovs-dhcpd", 60)
            yield switch, Path(northbound.remotes.removeprefix("unix:")), row


@contextmanager
def ovns(count: int, more: int) -> Iterator[tuple[PrivateOvs, Path, str]]:
    """A whole OVN on one host, in the same way."""
    with PrivateOvn() as ovn:
        row = _fill(ovn.nbctl, count)
        _plug(ovn, [*range(10), *range(count, count + more)])
        ovn.sync()
        yield ovn, ovn.run_dir / "ovnnb_db.sock", row


def measure(effort: Effort) -> Iterator[Row]:
    """Ports made one after the other."""
    more = 3 if effort.quick else effort.rounds
    contenders = [
        ("ovs-dhcpd --nb", ours, QUICK_OURS if effort.quick else OURS),
        *(("OVN", ovns, count) for count in (QUICK_OVNS if effort.quick else OVNS)),
    ]
    for title, contender, count in contenders:
        with contender(count, more) as (switch, database, row):
            times = [
                _one_more(switch, database, number, row) for number in range(count, count + more)
            ]
        yield Row(
            {"one port made in a database of": title, "ports": f"{count:,}"},
            {"transaction to flow, ms": times, "slowest, ms": [max(times)]},
        )


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each database."""
    return results.table(rows)
