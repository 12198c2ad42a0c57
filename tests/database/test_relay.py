# SPDX-License-Identifier: Apache-2.0
"""The Northbound database through OVSDB relays: what a host is told is the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from ovs_dhcpd.controller.sources.northbound import OvnNorthbound

from tests.database.reading import until
from tests.lab.database import PROGRAMS, Database
from tests.lab.northbound import SCHEMA
from tests.lab.process import Process, wait_until

pytestmark = pytest.mark.needs_programs(*PROGRAMS, "ovn-nbctl", SCHEMA)

BACK_S = 60.0  # a source may have to find another server


class Relay:
    """An ovsdb-server that has nothing of its own and passes on what `database` has."""

    def __init__(self, directory: Path, name: str, database: Database) -> None:
        socket, control = directory / f"{name}.sock", directory / f"{name}.ctl"
        self.remote = f"unix:{socket}"
        self.process = Process(
            ["ovsdb-server", f"relay:OVN_Northbound:{database.remote}",
             f"--remote=p{self.remote}", f"--unixctl={control}"],
            directory / f"{name}.log",
        )  # fmt: skip
        wait_until(socket.exists, str(socket))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path, SCHEMA) as database:
        row = database.nbctl("create", "DHCP_Options", 'cidr="10.0.0.0/24"').strip()
        database.nbctl("dhcp-options-set-options", row, "server_id=10.0.0.1",
                       "server_mac=0a:00:00:00:00:01", "lease_time=3600")  # fmt: skip
        database.nbctl("ls-add", "lan", "--", "lsp-add", "lan", "vm1", "--",
                       "lsp-set-dhcpv4-options", "vm1", row)  # fmt: skip
        give(database, "10.0.0.5")
        yield database


@pytest.fixture
def relays(tmp_path: Path, database: Database) -> Iterator[dict[str, Relay]]:
    """Two of them, by their remotes."""
    with ExitStack() as stack:
        found = [Relay(tmp_path, name, database) for name in ("relay1", "relay2")]
        for relay in found:
            stack.callback(relay.process.stop)
        yield {relay.remote: relay for relay in found}


@pytest.fixture
def source(relays: dict[str, Relay]) -> Iterator[OvnNorthbound]:
    source = OvnNorthbound(",".join(relays), "br-int")
    source.watch("vm1", True)
    until(source, lambda: source.ready, BACK_S)
    yield source
    source.close()


def give(database: Database, address: str) -> None:
    """Have the port another address."""
    database.nbctl("lsp-set-addresses", "vm1", f"02:00:00:00:00:01 {address}")


def offered(source: OvnNorthbound) -> list[str]:
    binding = source.binding("vm1")
    return [str(a) for _, port in binding.served for a in port.addresses] if binding else []


def test_a_change_comes_through_a_relay(database: Database, source: OvnNorthbound) -> None:
    assert offered(source) == ["10.0.0.5"]
    give(database, "10.0.0.6")
    assert until(source, lambda: offered(source) == ["10.0.0.6"], BACK_S) == {"vm1"}


def test_who_loses_its_relay_goes_on_with_the_other(
    database: Database, relays: dict[str, Relay], source: OvnNorthbound
) -> None:
    lost = relays[source._idl.session_name()]
    lost.process.stop()
    give(database, "10.0.0.7")
    until(source, lambda: offered(source) == ["10.0.0.7"], BACK_S)
    assert source._idl.session_name() != lost.remote


def test_a_relay_that_loses_the_database_keeps_what_is_known_and_catches_up(
    database: Database, source: OvnNorthbound
) -> None:
    database.stop()
    for _ in range(5):
        source.run()
        assert offered(source) == ["10.0.0.5"]
    database.start()
    give(database, "10.0.0.8")
    until(source, lambda: offered(source) == ["10.0.0.8"], BACK_S)
