# SPDX-License-Identifier: Apache-2.0
"""The interfaces of the Open_vSwitch database, and what is remembered there."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from ovs_dhcpd.controller.ovsdb.open_vswitch import OpenVSwitch
from ovs_dhcpd.controller.ports.interface import NO_MEMORY, Interface, Memory
from ovs_dhcpd.controller.ports.parked import Parked
from ovs_dhcpd.controller.ports.vlans import vlans_of

from tests.lab.database import PROGRAMS, Database
from tests.lab.process import wait_until
from tests.lab.switch import SCHEMA

pytestmark = pytest.mark.needs_programs(*PROGRAMS, "ovs-vsctl", SCHEMA)

MEMORY = Memory((ip_address("10.0.0.100"), ip_address("fd00::100")), "vm1")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path, SCHEMA) as database:
        database.vsctl("init", "--", "add-br", "br0", "--", "add-br", "br1")
        yield database


@pytest.fixture
def switch(database: Database) -> Iterator[OpenVSwitch]:
    switch = OpenVSwitch(database.remote)
    switch.bridges = frozenset({"br0"})
    until(switch, lambda: switch.ready)
    yield switch
    switch.close()


def until(switch: OpenVSwitch, condition: Callable[[], object]) -> set[str]:
    """Have it read and write until this is so; the names that were touched meanwhile."""
    touched: set[str] = set()

    def turn() -> object:
        touched.update(switch.run())
        switch.flush()
        return condition()

    wait_until(turn, "the database", 30)
    return touched


def plug(database: Database, name: str) -> None:
    database.vsctl("add-port", "br0", name, "--", "set", "interface", name, "ofport=7")


def plugged(switch: OpenVSwitch, name: str) -> Interface:
    """The interface, once it is there."""
    until(switch, lambda: switch.plugged(name))
    interface = switch.plugged(name)
    assert interface
    return interface


def test_a_row_is_an_interface(database: Database, switch: OpenVSwitch) -> None:
    database.vsctl("add-port", "br0", "tap1", "tag=10", "--", "set", "interface", "tap1",
                   "ofport=7", "external_ids:iface-id=vm1",
                   'external_ids:attached-mac="02:00:00:00:00:01"',
                   "external_ids:dhcp-network=lab",
                   "external_ids:iface-id-ver=3")  # fmt: skip
    interface = plugged(switch, "vm1")
    assert interface == Interface(
        row=interface.row, bridge="br0", name="tap1", iface_id="vm1", ofport=7,
        vlans=vlans_of("", 10, frozenset()),
        attached_mac="02:00:00:00:00:01", network="lab", version="3",
    )  # fmt: skip
    assert switch.plugged("nobody") is None
    database.vsctl("set", "port", "tap1", "vlan_mode=native-tagged", "trunks=20,30")
    until(switch, lambda: plugged(switch, "vm1") != interface)
    assert plugged(switch, "vm1").vlans == vlans_of("native-tagged", 10, frozenset({20, 30}))


def test_the_host_has_its_names_of_external_ids(database: Database, switch: OpenVSwitch) -> None:
    assert switch.host == {socket.gethostname()}
    plug(database, "tap1")
    plugged(switch, "tap1")
    database.vsctl("set", "open", ".", "external_ids:system-id=hv1", "external_ids:hostname=host1")
    assert "tap1" in until(switch, lambda: switch.host == {"hv1", "host1"})


def test_a_row_that_changes_touches_its_names(database: Database, switch: OpenVSwitch) -> None:
    database.vsctl("add-port", "br0", "tap1", "--", "set", "interface", "tap1", "ofport=7")
    plugged(switch, "tap1")
    database.vsctl("set", "interface", "tap1", "external_ids:iface-id=vm1")
    assert {"tap1", "vm1"} <= until(switch, lambda: switch.plugged("vm1"))
    database.vsctl("del-port", "tap1")
    assert "vm1" in until(switch, lambda: not switch.plugged("vm1"))


def test_of_two_with_one_iface_id_ours_comes_first(database: Database, switch: OpenVSwitch) -> None:
    for bridge, name in (("br1", "a1"), ("br0", "b1"), ("br0", "c1")):
        database.vsctl("add-port", bridge, name, "--", "set", "interface", name,
                       "external_ids:iface-id=vm1", "ofport=7")  # fmt: skip
    plugged(switch, "c1")
    first = plugged(switch, "vm1")
    assert (first.name, switch.twins(first)) == ("b1", ["c1"])


def test_what_is_remembered_is_in_the_row(database: Database, switch: OpenVSwitch) -> None:
    plug(database, "tap1")
    interface = plugged(switch, "tap1")
    assert interface.memory == NO_MEMORY
    switch.remember(interface.row, MEMORY)
    pending = plugged(switch, "tap1")
    until(switch, lambda: plugged(switch, "tap1").written)
    assert (pending.memory, pending.written) == (MEMORY, False)
    assert plugged(switch, "tap1").memory == MEMORY
    ids = database.vsctl("get", "interface", "tap1", "external_ids")
    assert 'dhcp-ip="10.0.0.100 fd00::100"' in ids
    assert "dhcp-owner=vm1" in ids
    assert [each.name for each in switch.holders("br0", ip_address("10.0.0.100"))] == ["tap1"]
    switch.remember(interface.row, NO_MEMORY)
    until(switch, lambda: plugged(switch, "tap1").written)
    assert database.vsctl("get", "interface", "tap1", "external_ids").strip() == "{}"


def test_what_is_parked_is_in_the_bridges_row(database: Database, switch: OpenVSwitch) -> None:
    place, key = ("lab", ip_address("10.0.0.5")), "dhcp-parked:lab/10.0.0.5"
    parked = Parked(1800000000, "vm1")
    switch.park("br0", place, parked)
    assert (switch.parked("br0"), switch.parked("br1")) == ({place: parked}, {})

    def ids() -> str:
        return database.vsctl("get", "bridge", "br0", "external_ids")

    until(switch, lambda: f'"{key}"="1800000000 vm1"' in ids())
    another = OpenVSwitch(database.remote)
    until(another, lambda: another.ready)
    assert another.parked("br0") == {place: parked}
    another.close()

    database.vsctl("remove", "bridge", "br0", "external_ids", f'"{key}"')
    until(switch, lambda: switch.unparked == [place])
    switch.park("br0", place, parked)
    until(switch, lambda: key in ids())
    switch.park("br0", place, None)
    assert (switch.parked("br0"), switch.unparked) == ({}, [place, place])
    until(switch, lambda: key not in ids())
    assert switch.parked("br0") == {}


def test_what_is_remembered_for_a_vlan_is_beside_it(
    database: Database, switch: OpenVSwitch
) -> None:
    plug(database, "tap1")
    row = plugged(switch, "tap1").row
    switch.remember(row, MEMORY, 100)
    assert plugged(switch, "tap1").unwritten_vlans == {100}
    until(switch, lambda: not plugged(switch, "tap1").unwritten_vlans)
    assert plugged(switch, "tap1").of_vlans == {100: MEMORY}
    assert plugged(switch, "tap1").memory == NO_MEMORY
    ids = database.vsctl("get", "interface", "tap1", "external_ids")
    assert 'dhcp-ip-100="10.0.0.100 fd00::100"' in ids
    assert "dhcp-owner-100=vm1" in ids
    (holder,) = switch.holders("br0", ip_address("10.0.0.100"))
    assert (holder.key, holder.memory) == ("tap1.100", MEMORY)
    switch.remember(row, NO_MEMORY, 100)
    until(switch, lambda: not plugged(switch, "tap1").unwritten_vlans)
    assert database.vsctl("get", "interface", "tap1", "external_ids").strip() == "{}"


def test_a_transaction_that_is_refused_is_sent_again(
    database: Database, switch: OpenVSwitch
) -> None:
    plug(database, "tap1")
    interface = plugged(switch, "tap1")
    database.refuse_changes()
    switch.remember(interface.row, MEMORY)
    for _ in range(10):
        switch.run()
        switch.flush()
    assert not plugged(switch, "tap1").written
    database.accept_changes()
    until(switch, lambda: plugged(switch, "tap1").written)
    assert "dhcp-owner=vm1" in database.vsctl("get", "interface", "tap1", "external_ids")


def test_what_goes_while_the_server_is_away_is_gone_afterwards(
    database: Database, switch: OpenVSwitch
) -> None:
    for name in ("tap1", "tap2"):
        plug(database, name)
        plugged(switch, name)
    database.stop()
    switch.run()
    assert switch.plugged("tap1")  # it stays while nobody says otherwise
    database.start()
    database.vsctl("del-port", "tap1")
    assert "tap1" in until(switch, lambda: not switch.plugged("tap1"))
    assert switch.plugged("tap2")


def mistakes(switch: OpenVSwitch) -> list[str]:
    """What has changed of the mistakes of rows, once something has."""
    found: list[tuple[str, ...]] = []

    def turn() -> object:
        switch.run()
        found.extend(switch.mistakes.take().values())
        return found

    wait_until(turn, "mistakes", 30)
    return [line for lines in found for line in lines]


@pytest.mark.parametrize("number", ["4294967296", "65280", "0", "-9223372036854775808"])
def test_an_ofport_that_no_port_has_is_left_out_and_named(
    database: Database, switch: OpenVSwitch, number: str
) -> None:
    for name in ("tap1", "tap2"):
        plug(database, name)
        plugged(switch, name)
    database.vsctl("set", "interface", "tap1", f"ofport={number}")
    assert mistakes(switch) == [f"interface tap1: ofport: {number}, expected 1 to 65279"]
    assert not switch.plugged("tap1")
    assert switch.plugged("tap2")
    database.vsctl("set", "interface", "tap1", "ofport=7")
    assert mistakes(switch) == []
    assert plugged(switch, "tap1").ofport == 7


def test_a_switch_says_which_port_of_its_own_bridge_an_interface_is(
    database: Database, switch: OpenVSwitch
) -> None:
    database.vsctl("add-port", "br0", "tap1")
    until(switch, lambda: "tap1" in {each.name for each in switch.interfaces})
    assert switch.hear_of("br1", "tap1", 7) == set()
    assert switch.hear_of("br0", "tap1", 0) == set()
    assert switch.plugged("tap1") is None
    assert switch.hear_of("br0", "tap1", 7) == {"tap1"}
    assert plugged(switch, "tap1").ofport == 7


def test_an_interface_that_two_ports_have_is_there_as_long_as_one_has_it(
    database: Database, switch: OpenVSwitch
) -> None:
    def tap1() -> list[str]:
        return [each.bridge for each in switch.interfaces if each.name == "tap1"]

    database.vsctl("add-port", "br0", "tap1", "--", "add-port", "br1", "tap2")
    until(switch, lambda: len([*switch.interfaces]) == 4)
    this = ("--", "--id=@tap1", "get", "interface", "tap1", "--")
    database.vsctl(*this, "add", "port", "tap2", "interfaces", "@tap1")
    database.vsctl("add-port", "br0", "tap3")
    until(switch, lambda: len([*switch.interfaces]) == 5)
    assert tap1() == ["br0"]
    database.vsctl(*this, "remove", "port", "tap2", "interfaces", "@tap1")
    database.vsctl("del-port", "tap3")
    until(switch, lambda: len([*switch.interfaces]) == 4)
    assert tap1() == ["br0"]
    database.vsctl(*this, "add", "port", "tap2", "interfaces", "@tap1", "--", "del-port", "tap1")
    until(switch, lambda: tap1() == ["br1"])
    database.vsctl("del-port", "tap2")
    until(switch, lambda: len([*switch.interfaces]) == 2)


def test_a_datapath_id_that_is_none_is_left_out_and_named(
    database: Database, switch: OpenVSwitch
) -> None:
    plug(database, "tap1")
    database.vsctl("set", "bridge", "br0", 'datapath_id="00000000000000ab"')
    database.vsctl("set", "bridge", "br1", 'datapath_id="00:00:00:00:00:00:00:01"')
    assert mistakes(switch) == [
        "bridge br1: datapath_id: '00:00:00:00:00:00:00:01', expected 16 hexadecimal digits"
    ]
    assert switch.datapath_ids == {"br0": 0xAB}
    assert plugged(switch, "tap1")
    database.vsctl("del-br", "br1")
    assert mistakes(switch) == []


def test_an_address_twice_is_one_and_a_word_that_is_none_is_named(
    database: Database, switch: OpenVSwitch
) -> None:
    plug(database, "tap1")
    address = ip_address("192.168.1.150")
    database.vsctl("set", "interface", "tap1", 'external_ids:dhcp-ip="192.168.1.150 x"')
    line = "interface tap1: dhcp-ip: 'x' is no address, expected addresses only"
    assert mistakes(switch) == [line]
    twice = f'external_ids:dhcp-ip="{address} {address}"'
    database.vsctl("set", "interface", "tap1", twice)
    assert mistakes(switch) == []
    assert plugged(switch, "tap1").memory == Memory((address,))
    database.vsctl("remove", "interface", "tap1", "external_ids", "dhcp-ip")
    until(switch, lambda: plugged(switch, "tap1").memory == NO_MEMORY)


def test_a_server_that_comes_back_is_connected_to_however_long_it_was_away(
    database: Database, switch: OpenVSwitch
) -> None:
    idl = switch._idl
    database.stop()
    until(switch, lambda: idl._is_backing_off)
    idl._session.reconnect.backoff = 3_600_000
    database.start()
    plug(database, "tap1")
    plugged(switch, "tap1")
