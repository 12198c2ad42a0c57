# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in the rows of the databases: nothing raises, and no port costs another."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st
from ovs_dhcpd.controller.bridges.bridge import Bridge
from ovs_dhcpd.controller.ovsdb import open_vswitch
from ovs_dhcpd.controller.ports.binder import Binder
from ovs_dhcpd.controller.ports.world import World
from ovs_dhcpd.controller.sources import northbound
from ovs_dhcpd.controller.wire.connection import Connected
from ovs_dhcpd.controller.wire.events import FlowDump

from tests.unit.ports.host import Source

Row = SimpleNamespace
UUIDS = [uuid.UUID(int=number) for number in range(1, 9)]
MAC = "02:00:00:00:00:02"
BRIDGES = ("br-int", "br-other")
FILE = """
networks:
  lab:
    dhcpv4: {cidr: 10.0.0.0/24}
    dhcpv6: {cidr: "fd00::/64"}
    pool: [10.0.0.100-10.0.0.103, "fd00::100-fd00::103"]
    ports: {vm1: {addresses: "02:00:00:00:00:01 10.0.0.7"}}
"""


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """A column with at most one value."""
    return st.lists(values, max_size=1)


def mostly(usual: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The one three times as often as the other."""
    return st.integers(0, 3).flatmap(lambda number: usual if number else other)


# Of what the columns mean, and of anything else that the schema allows.
ADDRESSES = st.sampled_from(
    ["10.0.0.100", "10.0.0.101", "10.0.0.8", "fd00::100", "fe80::1%eth0", "10.0.0.0/24"]
)
NAMES = st.sampled_from(["vm1", "vm2", "vm3"])
WORDS = ADDRESSES | st.sampled_from(
    ["02:00:00:00:00:01", "lab", "none", "unknown", "router", "dynamic", "tun", "", "\x1b[2J"]
)
TEXTS = st.one_of(
    WORDS,
    st.lists(WORDS, max_size=4).map(" ".join),
    st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(["x" * 70000, "\n" * 3, "10.0.0.100 " * 500]),
)
OFPORTS = mostly(
    st.integers(1, 9),
    st.integers(-(2**63), 2**63 - 1)
    | st.sampled_from([-1, 0, 65279, 65280, 65534, 65535, 4294967294, 4294967295, 4294967296]),
)
MAPS = st.dictionaries(TEXTS, TEXTS, max_size=3)
EXTERNAL_IDS = st.fixed_dictionaries(
    {"iface-id": mostly(NAMES, TEXTS)},
    optional={
        "attached-mac": mostly(st.just(MAC), TEXTS),
        "dhcp-network": mostly(st.just("lab"), TEXTS),
        "dhcp-ip": TEXTS,
        "dhcp-owner": TEXTS,
    },
)
INTERFACES = st.builds(
    Row,
    name=mostly(NAMES, TEXTS),
    type=mostly(st.just("internal"), TEXTS),
    ofport=mostly(OFPORTS.map(lambda number: [number]), st.just([])),
    status=MAPS,
    external_ids=mostly(EXTERNAL_IDS, MAPS),
)
PARKED = st.dictionaries(
    st.tuples(st.just("dhcp-parked:lab/"), ADDRESSES).map("".join)
    | TEXTS.map("dhcp-parked:".__add__),
    mostly(st.just("1800000000 vm1"), TEXTS),
    max_size=2,
)
DATAPATH_IDS = optional(mostly(st.just("00000000000000ab"), TEXTS))
TAGS = optional(st.integers(0, 4095))
MODES = optional(mostly(st.sampled_from(["trunk", "access", "native-tagged"]), TEXTS))


class Idl:
    """A replica of a database in dicts; all of it has changed at each turn."""

    monitoring = False  # so that nothing is written
    reread = False

    def __init__(self) -> None:
        self.tables: dict[str, Any] = {}
        self._before: set[tuple[str, uuid.UUID]] = set()

    def set(self, **tables: Mapping[uuid.UUID, Row]) -> None:
        """These are the rows of the tables from now on."""
        for name, rows in tables.items():
            for row, columns in rows.items():
                columns.uuid = row
            state = SimpleNamespace(new=None, requested=None)
            self.tables[name] = SimpleNamespace(rows=rows, condition_state=state)

    def run(self) -> bool:
        return True

    def take_changed(self) -> list[tuple[str, uuid.UUID]]:
        now = {(name, row) for name, table in self.tables.items() for row in table.rows}
        changed, self._before = now | self._before, now
        return sorted(changed)

    def cond_change(self, table: str, condition: object) -> None:
        pass

    def session_name(self) -> str:
        return "a database"


@st.composite
def switches(draw: st.DrawFn) -> dict[str, dict[uuid.UUID, Row]]:
    """The tables of an Open_vSwitch database in which every interface is plugged in somewhere."""
    interfaces = {row: draw(INTERFACES) for row in UUIDS[: draw(st.integers(1, 6))]}
    names = [*interfaces]
    ports: dict[uuid.UUID, Row] = {}
    bridges: dict[uuid.UUID, Row] = {}
    for number, name in enumerate(BRIDGES):
        mine = [Row(uuid=row) for row in names[number::2]]
        ports[UUIDS[number]] = Row(
            interfaces=mine, tag=draw(TAGS), trunks=draw(TAGS), vlan_mode=draw(MODES)
        )
        bridges[UUIDS[number]] = Row(
            name=name,
            datapath_id=draw(DATAPATH_IDS),
            ports=[Row(uuid=UUIDS[number])],
            protocols=[],
            external_ids=draw(mostly(PARKED, MAPS)),
        )
    hosts = {UUIDS[0]: Row(external_ids=draw(MAPS))}
    return {"Open_vSwitch": hosts, "Bridge": bridges, "Port": ports, "Interface": interfaces}


NAMES_OF_OPTIONS = st.sampled_from(
    ["server_id", "server_mac", "lease_time", "router", "mtu", "dns_server", "domain_name"]
) | st.sampled_from(["hostname", "classless_static_route", "dhcpv6_stateless", "bootfile_name"])
VALUES_OF_OPTIONS = st.sampled_from(["10.0.0.1", "0a:00:00:00:00:01", "3600", "{10.0.0.1}"])
OPTIONS = st.dictionaries(NAMES_OF_OPTIONS | TEXTS, VALUES_OF_OPTIONS | TEXTS, max_size=6)
COMPLETE = {"server_id": "10.0.0.1", "server_mac": "0a:00:00:00:00:01", "lease_time": "3600"}
CIDRS = mostly(st.sampled_from(["10.0.0.0/24", "fd00::/64", "10.0.0.0/32", "::/0"]), TEXTS)


@st.composite
def northbounds(draw: st.DrawFn) -> dict[str, dict[uuid.UUID, Row]]:
    """The tables of an OVN_Northbound database with the port vm1, or one of another name."""
    options = {row: Row(cidr=draw(CIDRS), options=COMPLETE | draw(OPTIONS)) for row in UUIDS[:2]}
    reference = st.sampled_from([[], *([Row(uuid=row)] for row in options)])
    ports = {}
    for number, name in enumerate(draw(st.lists(mostly(NAMES, TEXTS), max_size=3, unique=True))):
        ports[UUIDS[number]] = Row(
            name=name,
            type=draw(mostly(st.just(""), TEXTS)),
            enabled=draw(st.sampled_from([[], [True], [False]])),
            addresses=draw(st.lists(mostly(st.just(f"{MAC} 10.0.0.8 fd00::8"), TEXTS), max_size=3)),
            dynamic_addresses=draw(optional(TEXTS)),
            parent_name=draw(st.just([]) | optional(mostly(NAMES, TEXTS))),
            tag=draw(TAGS),
            tag_request=draw(TAGS),
            options=draw(OPTIONS),
            dhcpv4_options=draw(reference),
            dhcpv6_options=draw(reference),
        )
    lans = {UUIDS[0]: Row(ports=draw(st.lists(st.sampled_from(UUIDS), max_size=3)))}
    return {"Logical_Switch_Port": ports, "DHCP_Options": options, "Logical_Switch": lans}


@settings(max_examples=300)
@given(st.lists(st.tuples(switches(), northbounds()), min_size=1, max_size=3))
def test_no_row_is_a_fault(states: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    with mock.patch.object(open_vswitch, "Idl", return_value=Idl()):
        database = open_vswitch.OpenVSwitch("")
    with mock.patch.object(northbound, "Idl", return_value=Idl()):
        source = northbound.OvnNorthbound("", "")
    database.bridges = {"br-int"}
    binder = Binder()
    bridges = {name: Bridge(name, lambda low, high: low) for name in BRIDGES}
    world = World(database, [Source(FILE), source])
    for bridge in bridges.values():
        bridge.handle(Connected(6, 1), 0.0)
    for tables, northbound_tables in states:
        database._idl.set(**tables)
        source._idl.set(**northbound_tables)
        for touched in (database.run(), source.run(), database.hear_of("br-int", "vm1", 9)):
            decision = binder.decide(touched, world)
            assert decision.faults == []
            for name, where in decision.stop.items():
                bridges[where].serve(name, 0, (), 0.0)
            for name, served in decision.serve.items():
                bridges[served.bridge].serve(name, served.ofport, served.bindings, 0.0)
            for (row, tag), memory in decision.remember.items():
                database.remember(row, memory, tag)
        assert database.faults == []
        for bridge in bridges.values():
            bridge.handle(FlowDump(bridge._table._dump_xid, (), False), 0.0)
            bridge.tick(0.0, all_known=True)
