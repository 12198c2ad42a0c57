# SPDX-License-Identifier: Apache-2.0
"""The Northbound database through OVSDB relays: what a host is told is the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from ovs_dhcpd.controller.sources.northbound import OvnNorthbound, Tls

from tests.database.reading import until
from tests.lab.database import PROGRAMS, Database, Relay, listening_port
from tests.lab.keys import make_keys
from tests.lab.northbound import SCHEMA

pytestmark = pytest.mark.needs_programs(*PROGRAMS, "ovn-nbctl", SCHEMA)

BACK_S = 60.0  # a source may have to find another server


def fill(database: Database) -> None:
    """One port, vm1, with an address."""
    row = database.nbctl("create", "DHCP_Options", 'cidr="10.0.0.0/24"').strip()
    database.nbctl("dhcp-options-set-options", row, "server_id=10.0.0.1",
                   "server_mac=0a:00:00:00:00:01", "lease_time=3600")  # fmt: skip
    database.nbctl("ls-add", "lan", "--", "lsp-add", "lan", "vm1", "--",
                   "lsp-set-dhcpv4-options", "vm1", row)  # fmt: skip
    give(database, "10.0.0.5")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path, SCHEMA) as database:
        fill(database)
        yield database


@pytest.fixture
def relays(tmp_path: Path, database: Database) -> Iterator[dict[str, Relay]]:
    """Two of them, by their remotes."""
    with ExitStack() as stack:
        found = [Relay(tmp_path, name, database.remote) for name in ("relay1", "relay2")]
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


# TLS, from a relay to the server and from us to the relay

LISTEN = "--remote=pssl:0:127.0.0.1"


@pytest.fixture
def tls_relay(tmp_path: Path, keys: dict[str, str]) -> Iterator[tuple[Database, str]]:
    """A database with such a relay, and the relay's remote."""
    options = [LISTEN, *(f"{option}={file}" for option, file in keys.items())]
    with Database(tmp_path, SCHEMA, *options) as database:
        fill(database)
        relay = Relay(tmp_path, "relay", f"ssl:127.0.0.1:{database.port}", *options)
        yield database, f"ssl:127.0.0.1:{listening_port(relay.process)}"
        relay.process.stop()


def tls_of(keys: dict[str, str]) -> Tls:
    return Tls(keys["--private-key"], keys["--certificate"], keys["--ca-cert"])


@pytest.mark.needs_programs("openssl")
def test_a_change_comes_through_a_relay_over_tls(
    tls_relay: tuple[Database, str], keys: dict[str, str]
) -> None:
    database, remote = tls_relay
    source = OvnNorthbound(remote, "br-int", tls_of(keys))
    source.watch("vm1", True)
    until(source, lambda: source.ready, BACK_S)
    give(database, "10.0.0.6")
    until(source, lambda: offered(source) == ["10.0.0.6"], BACK_S)
    source.close()


@pytest.mark.needs_programs("openssl")
def test_who_has_another_authoritys_certificate_is_told_nothing(
    tls_relay: tuple[Database, str], keys: dict[str, str], tmp_path: Path
) -> None:
    _, remote = tls_relay
    strangers = make_keys(tmp_path)
    ours = OvnNorthbound(remote, "br-int", tls_of({**strangers, "--ca-cert": keys["--ca-cert"]}))
    ours.watch("vm1", True)
    reconnect = ours._idl._session.reconnect
    until(ours, lambda: reconnect.n_attempted_connections > 1 or ours.ready, BACK_S)
    assert not ours.ready
    ours.close()
