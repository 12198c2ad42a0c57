# SPDX-License-Identifier: Apache-2.0
"""docs/stability.md keeps its promise: names that others rely on are those in stability.golden.

A line there is `WHAT: NAME`.  Who changes a name edits the line by hand, and says so in
CHANGELOG.md; a new name is a new line.
"""

from __future__ import annotations

import ast
import fcntl
import os
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from ovs_dhcpd.controller.http import metrics
from ovs_dhcpd.controller.leases import fields, lease, state_keys
from ovs_dhcpd.controller.log import LATE_MODULES
from ovs_dhcpd.controller.ovsdb import rows
from ovs_dhcpd.controller.ports import interface
from ovs_dhcpd.controller.ports.parked import Parked
from ovs_dhcpd.controller.responders.verdict import Answer, Reason
from ovs_dhcpd.controller.switch import journal
from ovs_dhcpd.controller.switch.lock import Lock, lock_path
from ovs_dhcpd.controller.texts import bindings_list, status
from ovs_dhcpd.controller.watching.document import FIELDS as EXCHANGE
from ovs_dhcpd.controller.why.chain import chain_of
from ovs_dhcpd.controller.why.document import document
from ovs_dhcpd.flows.configuration import networks, services
from ovs_dhcpd.flows.options.table import DHCPV4, DHCPV6, ROUTER_ADVERTISEMENT
from ovs_dhcpd.flows.pipeline import flow, logical_flow, meter, tables

from tests.lab.process import wait_until
from tests.unit.why.served import SERVED

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("stability.golden").read_text(encoding="utf-8").splitlines()
PROMISED = [line for line in GOLDEN if line and not line.startswith("#")]


def promised(what: str) -> list[str]:
    """The names that are promised under these words, in order."""
    return [line.removeprefix(f"{what}: ") for line in PROMISED if line.startswith(f"{what}: ")]


def names_in(value: Any, before: str = "") -> Iterator[str]:
    """The names of an object of JSON, `links[].text` for those of a list of objects."""
    if isinstance(value, dict):
        for name, inside in value.items():
            yield f"{before}{name}"
            yield from names_in(inside, f"{before}{name}.")
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for inside in names_in(value[0]):
            yield f"{before.removesuffix('.')}[].{inside}"


def written() -> Iterator[str]:
    """The texts of the source, {} for what varies; of the log, with the level before it."""
    for path in (ROOT / "controller").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield _text(node)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                yield f"{node.func.attr} {_text(node.args[0])}"


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_text, node.values))
    return "{}"


STATUS = status.status(
    [status.BridgeStatus("br-int", True, ("active",))],
    [status.SourceStatus("lab.yaml", "in force")],
    {},
    (0.0, "a line"),
)
LEASES = {"version": fields.VERSION, "time": "", "leases": [dict.fromkeys(fields.FIELDS)]}
BINDINGS = {
    "version": bindings_list.VERSION,
    "bindings": [dict.fromkeys(bindings_list.Bound._fields)],
}
JSON = {
    "leases -f json": LEASES,
    "why -f json": document(chain_of(SERVED)),
    "status -f json": STATUS,
    "bindings/show -f json": BINDINGS,
    "watch -f json": dict.fromkeys(EXCHANGE),
}
IN_THE_ROW = (
    *(interface.IFACE_ID, interface.IFACE_ID_VER, interface.ATTACHED_MAC, interface.NETWORK),
    *(interface.ADDRESSES, interface.OWNER),
    *(f"dhcp{family}-{key}" for family in ("", "6") for key in state_keys.KEYS),
)


@pytest.mark.parametrize("command", JSON)
def test_the_names_of_json(command: str) -> None:
    assert promised(command) == [*names_in(JSON[command])]


def test_the_versions_of_json() -> None:
    versions = {command: found["version"] for command, found in JSON.items() if "version" in found}
    assert promised("version of json") == [
        f"{version} {command}" for command, version in versions.items()
    ]


def test_the_states_of_a_lease() -> None:
    assert promised("state") == [*lease.STATES]


def test_the_keys_of_external_ids() -> None:
    assert promised("external_ids of an interface") == [*IN_THE_ROW]
    assert promised("external_ids of a bridge") == [f"{rows.PARKED}NETWORK/ADDRESS"]


def test_the_values_of_external_ids() -> None:
    """What one version has written another one reads, and writes the same."""
    addresses, owner = promised("value of dhcp-ip"), promised("value of dhcp-owner")
    remembered = {interface.ADDRESSES: addresses[0], interface.OWNER: owner[0]}
    memory = interface.Memory((ip_address("10.0.0.7"), ip_address("fd00::7")), "02:00:00:00:00:07")
    assert rows.read_memory(remembered) == (memory, [])
    key = rows.parked_key(("lab", ip_address("10.0.0.7")))
    assert key == f"{rows.PARKED}lab/10.0.0.7"
    until_s, other = 1_800_000_000, bytes.fromhex("020000000008")
    for value, parked in zip(
        promised(f"value of {rows.PARKED}NETWORK/ADDRESS"),
        (Parked(until_s, owner[0]), Parked(until_s, owner[0], other)),
        strict=True,
    ):
        assert rows.read_parked({key: value}) == ({("lab", ip_address("10.0.0.7")): parked}, [])
        assert rows.format_parked(parked) == value


def lock_on(path: Path, kind: int, start: int) -> tuple[int, int, int] | None:
    """The lock that keeps another process from one of this kind on a byte: kind, start, length."""
    flock = struct.Struct("hhqqi4x")
    with path.open("r+b") as file:
        asked = flock.pack(kind, os.SEEK_SET, start, 1, 0)
        found, _, start, length, _ = flock.unpack(fcntl.fcntl(file, fcntl.F_OFD_GETLK, asked))
    return None if found == fcntl.F_UNLCK else (found, start, length)


def test_what_who_answers_leaves_to_who_stands_by(tmp_path: Path) -> None:
    """Taken apart by what is promised, as another version would."""
    path = lock_path(tmp_path, "br-int")
    name, layout, answers, waits = promised("lock")
    assert name == f"{path.name} of br-int"
    lock, other = Lock(path, owner=0x01020304), Lock(path)
    assert lock.take(wait=False)
    before_s = time.monotonic()
    lock.note(b"a header" + b"and the rest of a packet-in")
    pid, time_s, checksum, owner = struct.unpack(layout.split()[0], path.read_bytes())
    assert pid == b"%-15d\n" % os.getpid()
    assert before_s <= time_s <= time.monotonic()
    assert checksum == zlib.crc32(b"and the rest of a packet-in")
    assert owner == 0x01020304
    assert answers == "byte 0 for writing by who answers"
    assert lock_on(path, fcntl.F_RDLCK, 0) == (fcntl.F_WRLCK, 0, 1)
    assert waits == "byte 1 for reading by who waits"
    assert lock_on(path, fcntl.F_WRLCK, 1) is None
    waiting = threading.Thread(target=other.take, kwargs={"wait": True})
    waiting.start()
    wait_until(lambda: lock_on(path, fcntl.F_WRLCK, 1), "the other to wait")
    assert lock_on(path, fcntl.F_WRLCK, 1) == (fcntl.F_RDLCK, 1, 1)
    lock.close()
    waiting.join()
    other.close()


def test_a_request_that_was_paused_before_is_known_after() -> None:
    """It comes back to the table of answers with the number that its flow has loaded."""
    key = logical_flow.key_of("finance-network1")
    assert promised("metadata") == [f"{key:#x} of finance-network1"]


def test_cookies_meters_and_tables() -> None:
    bits = 64 - flow.COOKIE_SHIFT
    assert promised("cookie") == [f"{flow.COOKIE_PREFIX:#x} in the top {bits} bits"]
    numbers = [f"{meter.meter_id(5):#x} of port 5", f"{meter.PROBES:#x} of probes"]
    assert promised("meter") == numbers
    assert promised("table") == [str(table.number) for table in tables.TABLES]


def test_the_metrics() -> None:
    assert promised("metric") == [
        f"{each.kind} {each.name}{{{','.join(each.labels)}}}" for each in metrics.FAMILIES
    ]


def test_the_words_of_the_log() -> None:
    assert promised("message") == [*journal.MESSAGES]
    assert promised("reason") == [reason.value for reason in Reason]
    assert promised("module") == [*LATE_MODULES]
    ack = Answer(b"", "DHCPACK", bytes.fromhex("020000000001"), bytes([10, 0, 0, 5]))
    assert journal._line(ack) == "DHCPACK 02:00:00:00:00:01 10.0.0.5"
    assert {*promised("log"), *promised("turn")} - {*written()} == set()


def test_the_keys_of_a_file() -> None:
    assert promised("file") == [*networks.FILE_SETTINGS]
    assert promised("network") == [*networks.NETWORK_SETTINGS]
    assert promised("port") == [*networks.PORT_SETTINGS]
    assert promised("dhcpv4") == sorted(services.DHCPV4_SETTINGS)
    assert promised("dhcpv6") == sorted(services.DHCPV6_SETTINGS)
    tables_of = {"dhcpv4": DHCPV4, "dhcpv6": DHCPV6, "ra": ROUTER_ADVERTISEMENT}
    for service, table in tables_of.items():
        assert promised(f"option of {service}") == [*table.by_name]


@pytest.mark.parametrize(
    ("status_of", "argv"),
    [
        ("0 done", ["check", "tests/examples/finance-network1.yaml"]),
        ("1 a mistake in what was given, or no", ["check", "no-such.yaml"]),
        ("2 wrong usage", ["no-such-command"]),
    ],
)
def test_exit_statuses(status_of: str, argv: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ovs_dhcpd", *argv], cwd=ROOT, capture_output=True, check=False
    )
    assert status_of in promised("exit status")
    assert status_of.startswith(f"{done.returncode} ")


def test_nothing_else_is_promised() -> None:
    known = {
        *JSON, "version of json", "state", "external_ids of an interface",
        "external_ids of a bridge", "cookie", "meter", "table", "metric", "message", "reason",
        "module", "log", "turn", "file", "network", "port", "dhcpv4", "dhcpv6", "option of dhcpv4",
        "option of dhcpv6", "option of ra", "exit status", "value of dhcp-ip",
        "value of dhcp-owner", f"value of {rows.PARKED}NETWORK/ADDRESS", "lock", "metadata",
    }  # fmt: skip
    assert {line.partition(": ")[0] for line in PROMISED} == known
