# SPDX-License-Identifier: Apache-2.0
"""The bindings of an OVN_Northbound database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import IPv4Network, ip_address
from pathlib import Path

import pytest
from ovs_dhcpd.controller.sources import northbound
from ovs_dhcpd.controller.sources.northbound import OvnNorthbound
from ovs_dhcpd.flows.bindings.network import Guarded, Parent
from ovs_dhcpd.flows.configuration.northbound import PortRow, claims

from tests.database.reading import until
from tests.lab.database import PROGRAMS, Database
from tests.lab.northbound import SCHEMA

pytestmark = pytest.mark.needs_programs(*PROGRAMS, "ovn-nbctl", SCHEMA)

MAC = "02:00:00:00:00:01"


def newer_schema(directory: Path) -> str:
    """OVN's schema with what a later one may have: a table more, and a column in each."""
    schema = json.loads(Path(SCHEMA).read_text(encoding="utf-8"))
    del schema["cksum"]
    schema["version"] = "7.99.0"
    for table in schema["tables"].values():
        table["columns"]["unheard_of"] = {"type": "string"}
    schema["tables"]["Unheard_Of"] = {"columns": {"name": {"type": "string"}}, "isRoot": True}
    file = directory / "schema"
    file.write_text(json.dumps(schema), encoding="utf-8")
    return str(file)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path, SCHEMA) as database:
        row = database.nbctl("create", "DHCP_Options", 'cidr="10.0.0.0/24"').strip()
        database.nbctl("dhcp-options-set-options", row, "server_id=10.0.0.1",
                       "server_mac=0a:00:00:00:00:01", "lease_time=3600")  # fmt: skip
        database.nbctl("ls-add", "lan")
        for number in (1, 2):
            database.nbctl(
                "lsp-add", "lan", f"vm{number}", "--",
                "lsp-set-addresses", f"vm{number}", f"02:00:00:00:00:0{number} 10.0.0.{number + 4}",
                "--", "lsp-set-dhcpv4-options", f"vm{number}", row,
            )  # fmt: skip
        yield database


@pytest.fixture
def source(database: Database) -> Iterator[OvnNorthbound]:
    source = OvnNorthbound(database.remote, "br-int")
    yield source
    source.close()


def addresses(source: OvnNorthbound, name: str) -> list[str]:
    """What the port is offered."""
    binding = source.binding(name)
    return [str(a) for _, port in binding.served for a in port.addresses] if binding else []


def test_only_what_is_watched_is_known(source: OvnNorthbound) -> None:
    source.watch("vm1", True)
    assert "vm1" in until(source, lambda: source.ready)
    assert (source.knows("vm1"), source.knows("vm2")) == (True, False)
    assert addresses(source, "vm1") == ["10.0.0.5"]
    source.watch("vm2", True)
    source.watch("vm1", False)
    until(source, lambda: source.knows("vm2") and not source.knows("vm1"))


def test_port_security_is_followed(database: Database, source: OvnNorthbound) -> None:
    def guards() -> list[tuple[Guarded, ...] | None]:
        binding = source.binding("vm1")
        return [port.guard for _, port in binding.served] if binding else []

    source.watch("vm1", True)
    until(source, lambda: source.ready)
    assert guards() == [None]
    database.nbctl("lsp-set-port-security", "vm1", f"{MAC} 10.0.0.5")
    held = Guarded(bytes.fromhex("020000000001"), (IPv4Network("10.0.0.5"),))
    assert until(source, lambda: guards() == [(held,)]) == {"vm1"}
    database.nbctl("lsp-set-port-security", "vm1")
    until(source, lambda: guards() == [None])


def test_a_switch_that_passes_vlans_has_its_held_ports_send_them(
    database: Database, source: OvnNorthbound
) -> None:
    def trunks() -> list[bool]:
        binding = source.binding("vm1")
        return [port.trunk for _, port in binding.served] if binding else []

    database.nbctl("lsp-set-port-security", "vm1", MAC)
    source.watch("vm1", True)
    until(source, lambda: source.ready)
    assert trunks() == [False]
    database.nbctl("set", "Logical_Switch", "lan", "other_config:vlan-passthru=true")
    assert until(source, lambda: trunks() == [True]) == {"vm1"}


def test_a_database_of_a_later_schema_is_read(tmp_path: Path) -> None:
    with Database(tmp_path, newer_schema(tmp_path)) as database:
        database.nbctl("ls-add", "lan", "--", "lsp-add", "lan", "vm1")
        source = OvnNorthbound(database.remote, "br-int")
        source.watch("vm1", True)
        until(source, lambda: source.ready and source.knows("vm1"))
        source.close()


def test_a_change_of_the_port_or_its_options_touches_it(
    database: Database, source: OvnNorthbound
) -> None:
    source.watch("vm1", True)
    until(source, lambda: source.ready)
    database.nbctl("lsp-set-addresses", "vm1", f"{MAC} 10.0.0.77")
    assert until(source, lambda: addresses(source, "vm1") == ["10.0.0.77"]) == {"vm1"}
    database.nbctl("--all", "destroy", "DHCP_Options")
    assert until(source, lambda: not addresses(source, "vm1")) == {"vm1"}


def test_an_address_twice_on_a_switch_is_refused_by_name(
    database: Database, source: OvnNorthbound
) -> None:
    for name in ("vm1", "vm2"):
        source.watch(name, True)
    database.nbctl("set", "Logical_Switch_Port", "vm2", 'addresses="02:00:00:00:00:02 10.0.0.5"')
    until(source, lambda: source.ready and not addresses(source, "vm2"))
    binding = source.binding("vm2")
    assert binding
    assert any("10.0.0.5" in line and "vm1" in line for line in binding.refused)


def test_text_of_a_row_is_refused_escaped(database: Database, source: OvnNorthbound) -> None:
    source.watch("vm1", True)
    evil = json.dumps(f"{MAC} büro\x1b[2J\u202e{'x' * 1000}")
    database.nbctl("set", "Logical_Switch_Port", "vm1", f"addresses={evil}")
    until(source, lambda: source.ready and not addresses(source, "vm1"))
    binding = source.binding("vm1")
    assert binding
    shown = r"büro\x1b[2J\u202e" + "x" * 63 + "…"
    line = f"addresses: {shown} is no address, expected one MAC, then addresses"
    assert line in binding.refused


def test_what_goes_while_the_server_is_away_is_gone_afterwards(
    database: Database, source: OvnNorthbound
) -> None:
    for name in ("vm1", "vm2"):
        source.watch(name, True)
    until(source, lambda: source.ready)
    database.stop()
    source.run()
    assert addresses(source, "vm1") == [str(ip_address("10.0.0.5"))]
    database.start()
    database.nbctl("lsp-del", "vm1")
    assert "vm1" in until(source, lambda: not source.knows("vm1"))
    assert addresses(source, "vm2") == ["10.0.0.6"]


def test_a_row_that_we_fail_to_read_costs_itself(
    database: Database, source: OvnNorthbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(row: PortRow) -> object:
        return 1 // 0 if row.name == "vm1" else claims(row)

    for name in ("vm1", "vm2"):
        source.watch(name, True)
    with monkeypatch.context() as broken:
        broken.setattr(northbound, "claims", faulty)
        until(source, lambda: source.ready)
    assert (source.knows("vm1"), addresses(source, "vm2")) == (False, ["10.0.0.6"])
    (line,) = source.mistakes
    assert line.startswith("OVN_Northbound: Logical_Switch_Port ")
    assert line.endswith(": internal error (the log has more)")
    assert [type(fault.error) for fault in source.faults] == [ZeroDivisionError]
    database.nbctl("lsp-set-addresses", "vm1", f"{MAC} 10.0.0.77")
    until(source, lambda: addresses(source, "vm1") == ["10.0.0.77"])
    assert source.mistakes == []


def router_port(database: Database, name: str, network: str, **configs: str) -> None:
    """Make a router port that says so, and join the switch "lan" to it."""
    number = int(name[-1])
    database.nbctl(
        "--may-exist", "lr-add", "router", "--",
        "lrp-add", "router", name, f"0a:00:00:00:00:0{number}", network, "--",
        "set", "Logical_Router_Port", name,
        *(f"ipv6_ra_configs:{key}={value}" for key, value in configs.items()), "--",
        "lsp-add", "lan", f"to-{name}", "--", "lsp-set-type", f"to-{name}", "router", "--",
        "lsp-set-options", f"to-{name}", f"router-port={name}",
    )  # fmt: skip


def routers(source: OvnNorthbound, name: str) -> list[str]:
    """The MACs of the routers that are advertised to the port."""
    binding = source.binding(name)
    return (
        [network.ra.slla.hex(":") for network, _ in binding.served if network.ra] if binding else []
    )


def test_the_router_of_a_ports_switch_is_advertised_to_it(
    database: Database, source: OvnNorthbound
) -> None:
    database.nbctl("ls-add", "another", "--", "lsp-add", "another", "stranger")
    router_port(database, "lrp1", "fd00:1::1/64", address_mode="slaac")
    for name in ("vm1", "stranger"):
        source.watch(name, True)
    until(source, lambda: source.ready)
    assert (routers(source, "vm1"), routers(source, "stranger")) == (["0a:00:00:00:00:01"], [])


def test_a_router_that_comes_later_changes_or_goes_touches_the_ports_of_its_switch(
    database: Database, source: OvnNorthbound
) -> None:
    database.nbctl("ls-add", "another", "--", "lsp-add", "another", "stranger")
    for name in ("vm1", "stranger"):
        source.watch(name, True)
    until(source, lambda: source.ready)
    assert routers(source, "vm1") == []

    router_port(database, "lrp1", "fd00:1::1/64", address_mode="slaac")
    assert until(source, lambda: routers(source, "vm1")) == {"vm1"}
    database.nbctl("set", "Logical_Router_Port", "lrp1", 'mac="0a:00:00:00:00:11"')
    assert until(source, lambda: routers(source, "vm1") == ["0a:00:00:00:00:11"]) == {"vm1"}
    database.nbctl("lsp-set-enabled", "to-lrp1", "disabled")
    assert until(source, lambda: not routers(source, "vm1")) == {"vm1"}
    database.nbctl("lsp-set-enabled", "to-lrp1", "enabled")
    until(source, lambda: routers(source, "vm1"))
    database.nbctl("lrp-set-enabled", "lrp1", "disabled")
    assert until(source, lambda: not routers(source, "vm1")) == {"vm1"}
    database.nbctl("lrp-set-enabled", "lrp1", "enabled")
    until(source, lambda: routers(source, "vm1"))
    database.nbctl("remove", "Logical_Router_Port", "lrp1", "ipv6_ra_configs", "address_mode")
    assert until(source, lambda: not routers(source, "vm1")) == {"vm1"}


def test_a_port_that_comes_to_a_switch_that_is_known_is_advertised_to(
    database: Database, source: OvnNorthbound
) -> None:
    router_port(database, "lrp1", "fd00:1::1/64", address_mode="slaac")
    source.watch("vm1", True)
    until(source, lambda: source.ready)
    source.watch("vm2", True)
    until(source, lambda: routers(source, "vm2"))


def test_a_port_of_another_host_touches_nobody(database: Database, source: OvnNorthbound) -> None:
    router_port(database, "lrp1", "fd00:1::1/64", address_mode="slaac")
    for name in ("vm1", "vm2"):
        source.watch(name, True)
    until(source, lambda: source.ready)
    database.nbctl("lsp-add", "lan", "elsewhere")
    database.nbctl("lsp-set-enabled", "vm1", "disabled")
    assert until(source, lambda: not routers(source, "vm1")) == {"vm1"}


def test_of_two_routers_of_a_switch_one_is_followed_and_the_other_named(
    database: Database, source: OvnNorthbound
) -> None:
    router_port(database, "lrp1", "fd00:1::1/64", address_mode="slaac")
    router_port(database, "lrp2", "fd00:2::1/64", address_mode="slaac")
    source.watch("vm1", True)
    until(source, lambda: source.ready)
    assert routers(source, "vm1") == ["0a:00:00:00:00:01"]
    binding = source.binding("vm1")
    assert binding
    line = "router port lrp2: advertises, as lrp1 does, expected one; lrp1 is followed"
    assert line in binding.refused


def test_a_router_that_goes_while_the_server_is_away_is_gone_afterwards(
    database: Database, source: OvnNorthbound
) -> None:
    router_port(database, "lrp1", "fd00:1::1/64", address_mode="slaac")
    source.watch("vm1", True)
    until(source, lambda: source.ready)
    database.stop()
    source.run()
    assert routers(source, "vm1")
    database.start()
    database.nbctl("lrp-del", "lrp1")
    until(source, lambda: not routers(source, "vm1"))


def test_the_sub_ports_of_what_is_watched_are_known(
    database: Database, source: OvnNorthbound
) -> None:
    database.nbctl("lsp-add", "lan", "vm1-10", "vm1", "10", "--", "lsp-set-addresses", "vm1-10",
                   f"{MAC} 10.0.0.10", "--", "lsp-add", "lan", "vm2-10", "vm2", "10")  # fmt: skip
    source.watch("vm1", True)
    assert {"vm1", "vm1-10"} <= until(source, lambda: source.ready)
    assert not source.knows("vm2-10")
    assert source.parent("vm1") is None
    # ovn-nbctl writes tag_request, and ovn-northd, which does not run here, the tag.
    assert source.parent("vm1-10") == Parent("vm1", 10)
    assert source.sub_ports("vm1") == {"vm1-10"}
    assert [*source.sub_ports("vm2")] == []
    database.nbctl("set", "Logical_Switch_Port", "vm1-10", "tag=20")
    assert "vm1-10" in until(source, lambda: source.parent("vm1-10") == Parent("vm1", 20))
    database.nbctl("lsp-del", "vm1-10")
    until(source, lambda: not source.knows("vm1-10"))
    assert [*source.sub_ports("vm1")] == []


def test_a_port_and_its_sub_port_may_have_one_mac(
    database: Database, source: OvnNorthbound
) -> None:
    row = database.nbctl("--bare", "--columns=_uuid", "find", "DHCP_Options").strip()
    database.nbctl("lsp-add", "lan", "vm1-10", "vm1", "10", "--", "lsp-set-addresses", "vm1-10",
                   f"{MAC} 10.0.0.10", "--", "lsp-set-dhcpv4-options", "vm1-10", row)  # fmt: skip
    source.watch("vm1", True)
    source.watch("vm1-10", True)
    until(source, lambda: source.ready and source.knows("vm1-10"))
    assert addresses(source, "vm1-10") == ["10.0.0.10"]
    assert addresses(source, "vm1") == ["10.0.0.5"]


def test_a_switch_that_relays_has_its_ports_served_no_dhcp(
    database: Database, source: OvnNorthbound
) -> None:
    router_port(database, "lrp1", "fd00:1::1/64", address_mode="slaac")
    source.watch("vm1", True)
    until(source, lambda: source.ready)
    database.nbctl("set", "Logical_Switch", "lan", "other_config:dhcp_relay_port=to-lrp1")
    until(source, lambda: not addresses(source, "vm1"))
    binding = source.binding("vm1")
    assert binding
    assert len(binding.refused) == 1
    assert binding.refused[0].startswith("dhcp_relay_port of its switch: to-lrp1, ")
    assert routers(source, "vm1")
    database.nbctl("remove", "Logical_Switch", "lan", "other_config", "dhcp_relay_port")
    assert until(source, lambda: addresses(source, "vm1")) == {"vm1"}


# External ports


@pytest.fixture
def bridged(database: Database) -> Iterator[OvnNorthbound]:
    """A source with an uplink; the switch lan has the external ports a and b, in VLAN 100."""
    row = database.nbctl("--bare", "--columns=_uuid", "find", "DHCP_Options").strip()
    database.nbctl("lsp-add", "lan", "ln", "", "100", "--", "lsp-set-type", "ln", "localnet")
    for number, name in enumerate("ab"):
        database.nbctl("lsp-add", "lan", name, "--", "lsp-set-type", name, "external", "--",
                       "lsp-set-addresses", name, f"02:00:00:00:01:0{number} 10.0.0.9{number}",
                       "--", "lsp-set-dhcpv4-options", name, row)  # fmt: skip
    source = OvnNorthbound(database.remote, "br-int", uplink="eth1")
    yield source
    source.close()


def external(tag: int) -> Parent:
    return Parent("eth1", tag, shared=True)


def test_with_an_uplink_all_external_ports_are_followed_there(
    database: Database, bridged: OvnNorthbound
) -> None:
    bridged.watch("eth1", True)
    assert until(bridged, lambda: bridged.ready) == {"a", "b"}
    assert bridged.sub_ports("eth1") == {"a", "b"}
    assert addresses(bridged, "a") == ["10.0.0.90"]
    assert bridged.parent("a") == external(100)
    database.nbctl("lsp-set-addresses", "a", "02:00:00:00:01:00 10.0.0.95")
    assert until(bridged, lambda: addresses(bridged, "a") == ["10.0.0.95"]) == {"a"}
    database.nbctl("set", "Logical_Switch_Port", "ln", "tag=200")
    assert {"a", "b"} == until(bridged, lambda: bridged.parent("a") == external(200))
    database.nbctl("lsp-del", "ln")
    assert {"a", "b"} == until(bridged, lambda: not addresses(bridged, "a"))
    database.nbctl("lsp-del", "a")
    until(bridged, lambda: not bridged.knows("a"))
    assert bridged.sub_ports("eth1") == {"b"}


def test_without_an_uplink_none_is_asked_for(database: Database, bridged: OvnNorthbound) -> None:
    source = OvnNorthbound(database.remote, "br-int")
    source.watch("vm1", True)
    until(source, lambda: source.ready)
    assert [source.knows(name) for name in ("vm1", "a", "ln")] == [True, False, False]
    assert source.mistakes == []
    source.close()


def test_an_uplink_that_is_not_there_is_named(bridged: OvnNorthbound) -> None:
    until(bridged, lambda: bridged.ready)
    what = "eth1 is not on br-int, expected the port that external ports come in by"
    assert bridged.mistakes == [f"--external: {what}"]
    bridged.watch("eth1", True)
    assert bridged.mistakes == []


def test_the_hosts_of_a_group_come_in_the_order_of_their_priorities(
    database: Database, bridged: OvnNorthbound
) -> None:
    def group() -> tuple[str, ...] | None:
        binding = bridged.binding("a")
        return binding.placement.group if binding else None

    bridged.watch("eth1", True)
    until(bridged, lambda: bridged.ready)
    assert group() is None
    database.nbctl("ha-chassis-group-add", "g", "--",
                   "ha-chassis-group-add-chassis", "g", "hv1", "10")  # fmt: skip
    row = database.nbctl("--bare", "--columns=_uuid", "find", "HA_Chassis_Group").strip()
    database.nbctl("set", "Logical_Switch_Port", "a", f"ha_chassis_group={row}")
    assert "a" in until(bridged, lambda: group() == ("hv1",))
    database.nbctl("ha-chassis-group-add-chassis", "g", "hv2", "20")
    assert "a" in until(bridged, lambda: group() == ("hv2", "hv1"))
    database.nbctl("ha-chassis-group-add-chassis", "g", "hv1", "30")
    assert "a" in until(bridged, lambda: group() == ("hv1", "hv2"))
    database.nbctl("ha-chassis-group-remove-chassis", "g", "hv1")
    assert "a" in until(bridged, lambda: group() == ("hv2",))


def test_of_two_external_ports_with_one_mac_in_one_vlan_the_first_is_served(
    database: Database, bridged: OvnNorthbound
) -> None:
    """On whatever switches: their flows would match the same."""
    row = database.nbctl("--bare", "--columns=_uuid", "find", "DHCP_Options").strip()
    database.nbctl("ls-add", "other", "--",
                   "lsp-add", "other", "ln2", "", "100", "--", "lsp-set-type", "ln2", "localnet",
                   "--", "lsp-add", "other", "c", "--", "lsp-set-type", "c", "external", "--",
                   "lsp-set-addresses", "c", "02:00:00:00:01:00 10.0.0.95", "--",
                   "lsp-set-dhcpv4-options", "c", row)  # fmt: skip
    bridged.watch("eth1", True)
    until(bridged, lambda: bridged.ready)
    assert (addresses(bridged, "a"), addresses(bridged, "c")) == (["10.0.0.90"], [])
    binding = bridged.binding("c")
    assert binding
    what = "02:00:00:00:01:00 is that of a too, expected another"
    assert binding.refused == (f"addresses: {what}",)
    database.nbctl("set", "Logical_Switch_Port", "ln2", "tag=200")
    assert "c" in until(bridged, lambda: addresses(bridged, "c") == ["10.0.0.95"])


def test_an_external_port_may_become_one_that_is_plugged_in(
    database: Database, bridged: OvnNorthbound
) -> None:
    bridged.watch("eth1", True)
    until(bridged, lambda: bridged.ready)
    for name in ("vm1", "a"):
        bridged.watch(name, True)
    until(bridged, lambda: bridged.knows("vm1"))
    assert ["name", "==", "a"] not in bridged._idl.tables["Logical_Switch_Port"].condition
    assert bridged.parent("a") == external(100)
    database.nbctl("lsp-set-type", "a", "")
    assert "a" in until(bridged, lambda: bridged.knows("a") and bridged.parent("a") is None)
    assert addresses(bridged, "a") == ["10.0.0.90"]
    database.nbctl("lsp-set-type", "a", "external")
    assert "a" in until(bridged, lambda: bridged.parent("a") == external(100))
