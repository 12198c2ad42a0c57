# SPDX-License-Identifier: Apache-2.0
"""Kea's configuration in our words."""

from __future__ import annotations

import json
from ipaddress import ip_interface
from typing import Any

import pytest
from ovs_dhcpd.controller.drafting.draft import Draft, DraftError
from ovs_dhcpd.controller.drafting.kea import read_kea

from tests.unit.drafting.reading import dhcpv6, left, network, options, reserved

MAC, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"
POOLS = [{"pool": "10.0.0.10 - 10.0.0.99"}, {"pool": "10.0.0.128/28"}]
POOLS6 = [{"pool": "fd00::100-fd00::1ff"}]


def subnet4(**more: Any) -> dict[str, Any]:
    return {"id": 1, "subnet": "10.0.0.0/24", "pools": POOLS} | _named(more)


def subnet6(**more: Any) -> dict[str, Any]:
    return {"id": 1, "subnet": "fd00::/64", "pools": POOLS6} | _named(more)


def _named(settings: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "-"): value for name, value in settings.items()}


def drafted(*subnets: dict[str, Any], **more: Any) -> Draft:
    return read(Dhcp4={"subnet4": [*subnets]} | _named(more))


def read(*own: str, **parts: Any) -> Draft:
    texts = [(f"{name}.json", json.dumps({name: part})) for name, part in parts.items()]
    return read_kea(texts, [ip_interface(each) for each in own])


def option(name: str, data: str) -> dict[str, str]:
    return {"name": name, "data": data}


def test_a_subnet_is_a_network() -> None:
    draft = drafted(
        subnet4(option_data=[option("routers", "10.0.0.1")]),
        option_data=[option("domain-name-servers", "10.0.0.53, 9.9.9.9"), option("routers", "x")],
        valid_lifetime=4000, renew_timer=1000, rebind_timer=2000, decline_probation_period=60,
        next_server="10.0.0.3", boot_file_name="pxelinux.0",
    )  # fmt: skip
    found = network(draft, "subnet-1")
    assert str(found.pool) == "10.0.0.10-10.0.0.99, 10.0.0.128-10.0.0.143"
    assert found.pool
    assert found.pool.decline_probation_period_s == 60
    assert options(found) == {
        "netmask": "255.255.255.0",
        "server_id": "10.0.0.1",
        "lease_time": "4000",
        "T1": "1000",
        "T2": "2000",
        "router": "10.0.0.1",
        "dns_server": "{10.0.0.53, 9.9.9.9}",
        "next_server": "10.0.0.3",
        "bootfile_name": '"pxelinux.0"',
    }
    (line,) = left(draft)
    assert line.startswith("Dhcp4.json: Dhcp4.subnet4[0].option-data[1]: routers: router: 'x'")


def test_its_defaults_are_kept() -> None:
    assert options(network(drafted(subnet4())))["lease_time"] == "7200"
    found = network(read(Dhcp6={"subnet6": [subnet6()]}))
    assert found.dhcpv6
    extension = found.dhcpv6.extension
    assert (extension.valid_lifetime_s, extension.preferred_lifetime_s) == (7200, 4500)
    assert (extension.t1_s, extension.t2_s) == (2250, 3600)


@pytest.mark.parametrize(
    ("setting", "t1", "t2"),
    [
        ({}, None, None),
        ({"calculate-tee-times": True}, 500, 875),
        ({"calculate-tee-times": True, "t1-percent": 0.25, "t2-percent": 0.75}, 250, 750),
        ({"calculate-tee-times": True, "renew-timer": 300}, 300, 875),
        ({"calculate-tee-times": False, "t1-percent": 0.25}, None, None),
        ({"renew-timer": 0, "rebind-timer": 800}, None, 800),
    ],
)
def test_when_to_renew(setting: dict[str, Any], t1: int | None, t2: int | None) -> None:
    draft = read(Dhcp4={"subnet4": [subnet4(valid_lifetime=1000)]} | setting)
    found = options(network(draft))
    assert (found.get("T1"), found.get("T2")) == (t1 and str(t1), t2 and str(t2))
    assert left(draft) == []


@pytest.mark.parametrize(
    ("setting", "times"),
    [
        ({"calculate-tee-times": True, "t1-percent": 0.25}, (250, 800)),
        ({"t2-percent": 0.75}, (500, 750)),
        ({"calculate-tee-times": False}, (0, 0)),
        ({"calculate-tee-times": False, "renew-timer": 300, "rebind-timer": 600}, (300, 600)),
    ],
)
def test_when_to_renew_in_dhcpv6(setting: dict[str, Any], times: tuple[int, int]) -> None:
    subnet = subnet6(preferred_lifetime=1000, **{"valid-lifetime": 2000})
    draft = read(Dhcp6={"subnet6": [subnet]} | setting)
    extension = dhcpv6(network(draft)).extension
    assert (extension.t1_s, extension.t2_s) == times
    assert left(draft) == []


def test_the_address_of_its_interface_is_the_servers() -> None:
    found = network(read("10.0.0.7/24", Dhcp4={"subnet4": [subnet4()]}))
    assert options(found)["server_id"] == "10.0.0.7"


def test_both_families_are_one_network_where_that_is_plain() -> None:
    draft = read(Dhcp4={"subnet4": [subnet4()]}, Dhcp6={"subnet6": [subnet6(rapid_commit=True)]})
    found = network(draft)
    assert str(found.pool).endswith("fd00::100-fd00::1ff")
    assert dhcpv6(found).extension.rapid_commit
    other = {"id": 2, "subnet": "10.1.0.0/24", "interface": "b", "pools": []}
    draft = read(
        Dhcp4={"subnet4": [subnet4(interface="a"), other]},
        Dhcp6={"subnet6": [subnet6(interface="a"), {"subnet": "fd01::/64"}]},
    )
    assert network(draft, "subnet-1").dhcpv6
    assert network(draft, "subnet-2").dhcpv6 is None
    assert network(draft, "fd01::/64").dhcpv4 is None
    assert any(line.startswith("several networks: ") for line in left(draft))


def test_reservations() -> None:
    draft = drafted(
        subnet4(reservations=[
            {"hw-address": MAC, "ip-address": "10.0.0.5"},
            {"hw-address": OTHER.upper(), "ip-address": "10.0.0.6", "hostname": "web",
             "option-data": [option("routers", "10.0.0.2")], "next-server": "10.0.0.4"},
            {"hw-address": "02-00-00-00-00-03", "hostname": "db"},
        ]),
        reservations=[{"hw-address": "02:00:00:00:00:04", "ip-address": "10.0.0.7"},
                      {"hw-address": "02:00:00:00:00:05", "hostname": "any"}],
        reservations_global=True,
    )  # fmt: skip
    found = network(draft)
    assert reserved(found) == {
        MAC: ["10.0.0.5"],
        OTHER: ["10.0.0.6"],
        "02:00:00:00:00:03": [],
        "02:00:00:00:00:04": ["10.0.0.7"],
        "02:00:00:00:00:05": [],
    }
    web = next(port for port in found.ports if port.name == "web")
    assert {name: value.hex() for name, value in web.options.items()} == {
        "hostname": b"web".hex(),
        "router": "0a000002",
        "next_server": "0a000004",
    }
    assert left(draft) == []


def test_reservations_of_ipv6() -> None:
    host = {
        "duid": f"00:03:00:01:{MAC}",
        "ip-addresses": ["fd00::5"],
        "prefixes": ["fd00:5::/56"],
        "option-data": [option("dns-servers", "fd00::53")],
        "hostname": "web.example.org",
    }
    draft = read(
        Dhcp4={"subnet4": [subnet4(reservations=[{"hw-address": MAC, "ip-address": "10.0.0.5"}])]},
        Dhcp6={"subnet6": [subnet6(reservations=[host])]},
    )
    found = network(draft)
    (port,) = found.ports
    assert [*map(str, port.addresses)] == ["10.0.0.5", "fd00::5"]
    assert [*map(str, port.delegated_prefixes)] == ["fd00:5::/56"]
    assert port.options6.keys() == {"dns_server", "fqdn"}
    assert left(draft) == []


def test_shared_networks_give_their_subnets_what_these_do_not_say() -> None:
    shared = {
        "name": "campus",
        "option-data": [option("routers", "10.0.0.9")],
        "valid-lifetime": 600,
        "subnet4": [
            subnet4(option_data=[option("routers", "10.0.0.1")]),
            {"id": 2, "subnet": "10.1.0.0/24", "pools": []},
        ],
    }
    draft = drafted(shared_networks=[shared])
    assert options(network(draft, "campus"))["router"] == "10.0.0.1"
    assert options(network(draft, "campus-2"))["router"] == "10.0.0.9"
    assert options(network(draft, "campus-2"))["lease_time"] == "600"
    assert any("its subnets are networks of their own here" in line for line in left(draft))


def test_without_pools_only_who_is_reserved_is_served() -> None:
    reservations = [{"hw-address": MAC, "ip-address": "10.0.0.5"}]
    found = network(drafted(subnet4(pools=[], reservations=reservations)))
    assert found.pool
    assert found.pool.choose(4, "x", lambda _: True) is None
    assert reserved(found) == {MAC: ["10.0.0.5"]}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"client-classes": [{"name": "x"}]}, "client-classes: what a client says"),
        ({"hooks-libraries": [{"library": "x"}]}, "hooks-libraries: libraries cannot"),
        ({"hosts-database": {"type": "mysql"}}, "hosts-database: what stands there"),
        ({"ddns-send-updates": True}, "ddns: DNS is not updated"),
        ({"min-valid-lifetime": 5}, "min-valid-lifetime: the lifetime is the same"),
        ({"frobnicate": 1}, "frobnicate: cannot be said"),
        ({"valid-lifetime": "x"}, "valid-lifetime: 'x', expected seconds"),
        ({"option-data": [{"name": "x", "data": "1"}]}, "x: 'x' is not known"),
        ({"option-data": [option("routers", "10.0.0.1") | {"always-send": True}]}, "always-send"),
        ({"option-data": [option("routers", "1") | {"client-classes": ["x"]}]}, "client-classes"),
        ({"option-data": 7}, "option-data: 7, expected a list"),
        ({"option-data": [7]}, "7, expected a mapping"),
        ({"option-def": [{"name": "x"}]}, "expected a name and a code"),
        ({"reservations": [{"hw-address": MAC, "ip-address": "10.0.0.5"}]}, "not in force"),
        ({"reservations": [{"hw-address": MAC, "ip-address": "10.9.0.5"}],
          "reservations-global": True}, "its subnet is not"),
        ({"subnet4": [subnet4(reservations=[{"client-id": "01", "ip-address": "10.0.0.5"}])]},
         "by client-id nobody"),
        ({"subnet4": [subnet4(reservations=[{"hw-address": MAC, "ip-address": "x"}])]},
         f"{MAC}: 'x', expected an address of IPv4"),
        ({"subnet4": [subnet4(reservations=[{}])], "reservations-in-subnet": False},
         "reservations: not in force by reservations-in-subnet"),
        ({"boot-file-name": 7}, "boot-file-name: 7, expected text"),
        ({"t1-percent": 5, "calculate-tee-times": True}, "t1-percent: 5, expected a number"),
        ({"subnet4": [subnet4(), {"subnet": "x"}]}, "subnet: 'x', expected a subnet"),
        ({"shared-networks": [{"name": "x", "subnet4": 7}]}, "subnet4: 7, expected a list"),
        ({"subnet4": [subnet4(), {"subnet": "fd00::/64"}]}, "expected a subnet of IPv4"),
        ({"subnet4": [subnet4(relay={"ip-addresses": ["10.0.0.1"]})]}, "relay: a port is on"),
        ({"subnet4": [subnet4(pools=[{"pool": "10.0.0.9"}, {"pool": "10.9.0.1"}])]},
         "pool: '10.9.0.1', expected addresses in"),
        ({"subnet4": [subnet4(pools=[{"pool": "10.0.0.9", "option-data": [{}]}])]},
         "options are of a network or a port"),
        ({"subnet4": [subnet4(pools=[{"pool": "10.0.0.9", "client-class": "x"}])]},
         "client-class: what a client says"),
        ({"subnet4": [subnet4(reservations=[{"hw-address": "x"}])]}, "hw-address: "),
        ({"subnet4": [subnet4(reservations=[{"hw-address": MAC, "ip-address": "10.9.0.5"}])]},
         "not all of its addresses are in"),
        ({"subnet4": [subnet4(reservations=[
            {"hw-address": MAC, "ip-address": "10.0.0.5", "client-classes": ["x"]}])]},
         "client-classes: what"),
        ({"renew-timer": 9000}, "T1 is 9000"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_named(setting: dict[str, Any], said: str) -> None:
    draft = read(Dhcp4={"subnet4": [subnet4()]} | setting)
    assert network(draft).pool
    assert any(said in line for line in left(draft)), left(draft)
    assert all(line.startswith("Dhcp4.json: Dhcp4") for line in left(draft))


def test_of_several_addresses_the_first_is_reserved() -> None:
    host = {"hw-address": MAC, "ip-addresses": ["fd00::5", "fd00::6"]}
    draft = read(Dhcp6={"subnet6": [subnet6(reservations=[host], **{"pd-pools": [{}]})]})
    assert reserved(network(draft)) == {MAC: ["fd00::5"]}
    found = left(draft)
    assert any("one address of IPv6 is reserved, the first" in line for line in found)
    assert any("pd-pools: a prefix is a port's" in line for line in found)


def test_what_changes_nothing_is_not_named() -> None:
    draft = drafted(
        subnet4(interface="eth0", user_context={"a": 1}),
        interfaces_config={"interfaces": ["eth0"]}, lease_database={"type": "memfile"},
        loggers=[{}], control_socket={}, authoritative=True, ddns_qualifying_suffix="",
    )  # fmt: skip
    assert left(draft) == []


def test_includes_and_other_servers_are_named() -> None:
    text = '{"Dhcp4": {"subnet4": [{"subnet": "10.0.0.0/24"}], <?include "x"?>}, "Control": {}}'
    draft = read_kea([("k", text)])
    assert sorted(line[:40] for line in left(draft)) == [
        "k: Control: cannot be said",
        'k:1: include "x": is another file, which',
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "k: has neither Dhcp4 nor Dhcp6"),
        ("[]", "k: has neither Dhcp4 nor Dhcp6"),
        ('{"Dhcp4": []}', "k: has neither Dhcp4 nor Dhcp6"),
        ('{"Dhcp4": {}}', "k: no subnet4 and no subnet6"),
        ("{", "k:1: is not JSON"),
    ],
)
def test_what_is_nothing_of_kea(text: str, said: str) -> None:
    with pytest.raises(DraftError, match=said):
        read_kea([("k", text)])
