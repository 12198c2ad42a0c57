# SPDX-License-Identifier: Apache-2.0
"""Leases as JSON: all fields, null for what is not known, and those alone that were asked for."""

from __future__ import annotations

from typing import Any

import pytest
from ovs_dhcpd.controller.leases.document import NoSuchLease, document
from ovs_dhcpd.controller.leases.fields import FIELDS, VERSION
from ovs_dhcpd.controller.leases.leases import Leases

from tests.lab import packets6 as p6
from tests.lab.packets import REQUEST, option
from tests.unit.leases.exchanges import ALL, BRIDGE, OFPORT, Switch
from tests.unit.requests6 import SERVER_ID

NOON = 1_800_000_000  # 2027-01-15T08:00:00Z, at 1000 s of our clock


def noted() -> Leases:
    found = Leases()
    found.serve("vm1", BRIDGE, OFPORT, [ALL["vm1"]], 900.0)
    found.serve("vm1-100", BRIDGE, OFPORT, [ALL["vm1-100"]], 900.0)
    found.serve("vm3", "br-ex", 9, [ALL["vm3"]], None)
    who = (option(12, b"vm\xff\x1b1\0"), option(60, b"udhcp 1.36"))
    found.note(Switch().ask(REQUEST, option(50, "10.0.0.5"), *who), 940.5)
    return found


def shown(*words: str, found: Leases | None = None) -> list[dict[str, Any]]:
    leases = (found or noted()).rows(1000.0)
    made: Any = document(leases, lambda name: (f"tap-{name}", 7), 1000.0, NOON, words)
    assert (made["version"], made["time"]) == (VERSION, "2027-01-15T08:00:00Z")
    return list(made["leases"])


def test_a_lease_has_all_its_fields() -> None:
    lease, *_ = shown()
    assert [*lease] == [*FIELDS]
    assert lease == {
        "port": "vm1",
        "interface": "tap-vm1",
        "bridge": "br-int",
        "ofport": 1,
        "vlan": 7,
        "network": "lab",
        "family": 4,
        "mac": "02:00:00:00:00:01",
        "address": "10.0.0.5",
        "addresses": ["10.0.0.5"],
        "prefixes": [],
        "state": "bound",
        "since": "2027-01-15T07:59:00Z",
        "expires": "2027-01-15T08:59:00Z",
        "last_message": "DHCPREQUEST",
        "last_answer": "DHCPACK",
        "last_at": "2027-01-15T07:59:00Z",
        "requests": 1,
        "requests_since": "2027-01-15T07:58:20Z",
        "host_name": "vm\\xff\x1b1",
        "vendor_class": "udhcp 1.36",
    }


def test_what_is_not_known_is_null() -> None:
    _, never_asked, of_vlan, unknown = shown()
    for field in ("since", "expires", "last_message", "last_answer", "last_at", "host_name"):
        assert {never_asked[field], unknown[field]} == {None}
    assert (never_asked["state"], never_asked["requests"]) == ("assigned", 0)
    assert (never_asked["address"], never_asked["prefixes"]) == ("fd00::5", ["fd01:0:0:5::/64"])
    assert (of_vlan["vlan"], of_vlan["interface"]) == (100, "tap-vm1")
    assert {unknown[field] for field in ("state", "requests", "requests_since")} == {None}
    assert unknown["address"] == "10.1.0.5"


def test_a_prefix_alone_and_a_lease_without_an_end() -> None:
    found = Leases()
    found.serve("vm1", BRIDGE, OFPORT, [ALL["vm1"]], 900.0)
    found.serve("vm3", BRIDGE, OFPORT, [ALL["vm3"]], 900.0)
    found.note(Switch().ask6(p6.REQUEST, SERVER_ID, p6.ia_pd(1)), 950.0)
    found.note(Switch(*ALL["vm3"]).ask(REQUEST, option(50, "10.1.0.5")), 950.0)
    _, prefix, forever = shown(found=found)
    assert (prefix["state"], prefix["address"]) == ("bound", "fd01:0:0:5::")
    assert (forever["state"], forever["expires"]) == ("bound", "never")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("vm1", [("vm1", 4), ("vm1", 6)]),
        ("tap-vm3", [("vm3", 4)]),
        ("tap-vm1", [("vm1", 4), ("vm1", 6), ("vm1-100", 4)]),
        ("10.0.0.7", [("vm1-100", 4)]),
        ("FD00:0::5", [("vm1", 6)]),
        ("fd01:0:0:5::/64", [("vm1", 6)]),
        ("02-00-00-00-00-03", [("vm3", 4)]),
        ("forever", [("vm3", 4)]),
        ("br-int", [("vm1", 4), ("vm1", 6), ("vm1-100", 4)]),
    ],
)
def test_a_word_names_leases(word: str, expected: list[tuple[str, int]]) -> None:
    assert [(lease["port"], lease["family"]) for lease in shown(word)] == expected


def test_several_words_name_all_of_theirs_once() -> None:
    assert [lease["port"] for lease in shown("vm3", "br-ex", "10.0.0.7")] == ["vm1-100", "vm3"]


def test_a_word_that_names_nobody_is_refused_with_what_was_meant() -> None:
    with pytest.raises(NoSuchLease) as error:
        shown("vm3", "vm1-10")
    expected = "a port, MAC, address or network that is served (did you mean vm1-100?)"
    assert str(error.value) == f"'vm1-10': nobody's, expected {expected}"
    with pytest.raises(NoSuchLease, match=r"'\\x1b': nobody's"):
        shown("\x1b")
