# SPDX-License-Identifier: Apache-2.0
"""Each key of Kea's is read, means nothing here, or is named: none gets lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ovs_dhcpd.controller.drafting.kea import read_kea
from ovs_dhcpd.controller.drafting.kea_keys import NEEDLESS, READ, SO_HERE, WHY, unsaid

from tests.unit.drafting.reading import accepted_text

# All that Kea 2.2 to 3.3 take, by where it stands: the tables of simple_parser4.cc and
# simple_parser6.cc, and of host_reservation_parser.cc, with what older ones had besides.
_NOTES = "comment metadata user-context"
_CLASSES = "client-class client-classes evaluate-additional-classes require-client-classes"
_DDNS = """
    ddns-conflict-resolution-mode ddns-generated-prefix ddns-override-client-update
    ddns-override-no-update ddns-qualifying-suffix ddns-replace-client-name ddns-send-updates
    ddns-ttl ddns-ttl-max ddns-ttl-min ddns-ttl-percent ddns-update-on-renew
    ddns-use-conflict-resolution hostname-char-replacement hostname-char-set
"""
_ANYWHERE = f"""
    {_NOTES} {_DDNS} adaptive-lease-time-threshold allocator cache-max-age cache-threshold
    calculate-tee-times max-valid-lifetime min-valid-lifetime offer-lifetime option-data
    rebind-timer renew-timer reservation-mode reservations-global reservations-in-subnet
    reservations-out-of-pool store-extended-info t1-percent t2-percent valid-lifetime
"""
_ANYWHERE4 = f"""
    {_ANYWHERE} authoritative boot-file-name match-client-id next-server server-hostname
"""
_ANYWHERE6 = f"""
    {_ANYWHERE} max-preferred-lifetime min-preferred-lifetime pd-allocator preferred-lifetime
"""
_SERVER = """
    client-classes compatibility config-control control-socket control-sockets
    decline-probation-period dhcp-ddns dhcp-queue-control dhcp4o6-port
    early-global-reservations-lookup expired-leases-processing hooks-libraries
    host-reservation-identifiers hosts-database hosts-databases interfaces-config
    ip-reservations-unique lease-database loggers multi-threading option-def parked-packet-limit
    reservations reservations-lookup-first sanity-checks server-tag shared-networks
    statistic-default-sample-age statistic-default-sample-count
"""
_POOL = f"{_NOTES} {_CLASSES} {_DDNS} option-data pool pool-id"
_OPTION = f"""
    {_NOTES} always-send client-classes code csv-format data name never-send space
"""
_DEFINITION = f"{_NOTES} array code encapsulate name record-types space type"
_HOST = """
    client-classes comment duid flex-id hostname hw-address option-data user-context auth-key
"""
KEYS = {
    (4, "server"): f"{_ANYWHERE4} {_SERVER} echo-client-id stash-agent-options subnet4",
    (4, "shared-network"): f"{_ANYWHERE4} {_CLASSES} interface name relay subnet4",
    (4, "subnet"): f"""{_ANYWHERE4} {_CLASSES} 4o6-interface 4o6-interface-id 4o6-subnet id
                       interface pools relay reservations subnet""",
    (4, "pool"): _POOL,
    (4, "reservation"): f"""{_HOST} boot-file-name circuit-id client-id ip-address next-server
                            server-hostname""",
    (4, "option"): _OPTION,
    (4, "definition"): _DEFINITION,
    (6, "server"): f"""{_ANYWHERE6} {_SERVER} allow-address-registration data-directory mac-sources
                       relay-supplied-options server-id subnet6""",
    (6, "shared-network"): f"""{_ANYWHERE6} {_CLASSES} interface interface-id name rapid-commit
                               relay subnet6""",
    (6, "subnet"): f"""{_ANYWHERE6} {_CLASSES} id interface interface-id pd-pools pools
                       rapid-commit relay reservations subnet""",
    (6, "pool"): _POOL,
    (6, "reservation"): f"{_HOST} excluded-prefixes ip-addresses prefixes",
    (6, "option"): _OPTION,
    (6, "definition"): _DEFINITION,
}
MAC, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"
# Values that mean something, other than those of `files`.
VALUES: dict[str, Any] = {
    "always-send": True,
    "array": True,
    "authoritative": False,
    "boot-file-name": "pxelinux.0",
    "cache-threshold": 0.5,
    "code": 230,
    "compatibility": {"exclude-first-last-24": True},
    "csv-format": False,
    "dhcp-ddns": {"enable-updates": True},
    "echo-client-id": False,
    "host-reservation-identifiers": ["duid"],
    "hostname": "web",
    "hw-address": OTHER,
    "id": 9,
    "ip-address": "10.0.0.6",
    "ip-addresses": ["fd00::6"],
    "match-client-id": True,
    "name": "other",
    "never-send": True,
    "next-server": "10.0.0.3",
    "option-def": [],
    "pools": [],
    "option-data": [{"name": "domain-search", "data": "a.example"}],
    "prefixes": ["fd00:9::/56"],
    "rapid-commit": True,
    "rebind-timer": 3900,
    "renew-timer": 300,
    "reservation-mode": "global",
    "reservations": [],
    "reservations-global": True,
    "reservations-in-subnet": False,
    "server-hostname": "boot",
    "shared-networks": [],
    "space": "y",
    "stash-agent-options": True,
    "t1-percent": 0.25,
    "t2-percent": 0.75,
    "type": "string",
}
# What else is to be there: one identifier alone, and what a key is for.
_ALONE = {"hw-address": ""}
ALONG: dict[str, dict[str, Any]] = {
    "circuit-id": _ALONE, "client-id": _ALONE, "duid": _ALONE, "flex-id": _ALONE,
    "t1-percent": {"calculate-tee-times": True}, "t2-percent": {"calculate-tee-times": True},
}  # fmt: skip
# Its test is elsewhere: it says which subnets of both versions are one network.
ELSEWHERE = {"interface"}


def files(version: int) -> dict[str, Any]:
    """A configuration with one of each."""
    v4 = version == 4
    host = {
        "hw-address": MAC,
        "option-data": [{"name": "foo", "data": "1"}],
        **({"ip-address": "10.0.0.5"} if v4 else {"ip-addresses": ["fd00::5"]}),
    }
    subnet = {
        "id": 1,
        "subnet": "10.0.0.0/24" if v4 else "fd00::/64",
        "pools": [{"pool": "10.0.0.10-10.0.0.99" if v4 else "fd00::10-fd00::99"}],
        "reservations": [host],
    }
    other = {
        "id": 2,
        "subnet": "10.1.0.0/24" if v4 else "fd01::/64",
        "reservations": [{"hw-address": MAC}],
    }
    return {
        "calculate-tee-times": not v4,
        "option-def": [{"name": "foo", "code": 222, "type": "uint16"}],
        "reservations": [{"hw-address": OTHER, "hostname": "x"}],
        "shared-networks": [{"name": "campus", f"subnet{version}": [other]}],
        f"subnet{version}": [subnet],
        "valid-lifetime": 4000,
    }


def part(server: dict[str, Any], version: int, level: str) -> dict[str, Any]:
    """Where the keys of this level stand."""
    subnet: list[str | int] = [f"subnet{version}", 0]
    ways: dict[str, list[str | int]] = {
        "server": [],
        "shared-network": ["shared-networks", 0],
        "subnet": subnet,
        "pool": [*subnet, "pools", 0],
        "reservation": [*subnet, "reservations", 0],
        "option": [*subnet, "reservations", 0, "option-data", 0],
        "definition": ["option-def", 0],
    }
    found: Any = server
    for step in ways[level]:
        found = found[step]
    assert isinstance(found, dict)
    return found


def said(version: int, server: dict[str, Any]) -> str:
    """What is printed: the configuration, and what could not be said."""
    text = read_kea([("f", json.dumps({f"Dhcp{version}": server}))]).text(["t"])
    accepted_text(text)
    return text


@pytest.mark.parametrize(
    ("version", "level", "key"),
    [(*place, key) for place, keys in KEYS.items() for key in keys.split()],
)
def test_no_key_is_lost(version: int, level: str, key: str) -> None:
    server = files(version)
    here = part(server, version, level)
    here.update(ALONG.get(key, {}))
    before = said(version, server)
    value = (
        not here.get(key, version == 6) if key == "calculate-tee-times" else VALUES.get(key, 600)
    )
    assert here.get(key) != value
    here[key] = value
    assert (said(version, server) == before) == (key in NEEDLESS or key in ELSEWHERE)


@pytest.mark.parametrize("key", sorted(SO_HERE))
def test_what_is_so_here_is_not_named(key: str) -> None:
    for value in SO_HERE[key]:
        assert [*unsaid(4, "server", {key: value})] == []
    assert len([*unsaid(4, "server", {key: "another"})]) == 1


@pytest.mark.parametrize(
    "part",
    [
        {"compatibility": {"lenient-option-parsing": False}},
        {"dhcp-ddns": {"enable-updates": False, "server-port": 53001}},
        {"host-reservation-identifiers": ["circuit-id", "hw-address"]},
        {"4o6-subnet": "", "hooks-libraries": []},
    ],
)
def test_what_is_not_asked_for_is_not_named(part: dict[str, Any]) -> None:
    assert [*unsaid(4, "server", part)] == []


def test_each_row_is_of_a_key_of_keas() -> None:
    """No reason, and no key that is read, is of something that Kea has not."""
    every = {key for keys in KEYS.values() for key in keys.split()}
    assert {*WHY, *SO_HERE, *NEEDLESS} <= every
    for (version, level), keys in KEYS.items():
        assert READ[version][level] <= {*keys.split()}
        assert not READ[version][level] & NEEDLESS
