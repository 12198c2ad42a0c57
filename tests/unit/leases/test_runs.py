# SPDX-License-Identifier: Apache-2.0
"""What is said again and again is looked into once, and makes the same of the leases."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from ovs_dhcpd.controller.leases.leases import Leases, Row
from ovs_dhcpd.controller.leases.runs import Runs
from ovs_dhcpd.controller.responders.exchange import Exchange, Read

from tests.lab import packets6 as p6
from tests.lab.nd import router_solicitation
from tests.lab.packets import DISCOVER, INFORM, RELEASE, REQUEST, option
from tests.unit.leases.exchanges import ALL, BRIDGE, LAB, OFPORT, VM1, Switch
from tests.unit.requests6 import SERVER_ID

ANY = replace(VM1, name="any", mac=None)
BEHIND = replace(ANY, name="any-100", parent=ALL["vm1-100"][1].parent)
SWITCH, TAGGED = Switch(), Switch(LAB, BEHIND)
RELAYED = {"giaddr": "10.0.0.2", "chaddr": "02:00:00:00:00:09"}
OURS = option(50, "10.0.0.5")
# What may follow what.
ASKED = [
    SWITCH.ask(DISCOVER),
    SWITCH.ask(DISCOVER, OURS),
    SWITCH.ask(REQUEST, OURS),
    SWITCH.ask(REQUEST, option(50, "10.0.0.9")),
    SWITCH.ask(INFORM, ciaddr="10.0.0.5"),
    SWITCH.ask(RELEASE, ciaddr="10.0.0.5"),
    SWITCH.ask6(p6.SOLICIT, p6.ia_na(1)),
    SWITCH.ask6(p6.REQUEST, SERVER_ID, p6.ia_na(1, "fd00::5")),
    SWITCH.ask6(p6.REQUEST, SERVER_ID, p6.ia_na(1, "fd99::1")),
    SWITCH.ask6(p6.REQUEST, SERVER_ID, p6.ia_na(1, "fd00::5"), ip_dst="fe80::1"),
    SWITCH.ask6(p6.CONFIRM, p6.ia_na(1, "fd00::5")),
    TAGGED.ask(DISCOVER),
    TAGGED.ask(REQUEST, OURS),
    SWITCH.ask(REQUEST, OURS, mac="02:00:00:00:00:08"),
    SWITCH.ask(REQUEST, OURS, **RELAYED),
    SWITCH.send(router_solicitation("02:00:00:00:00:01", "fe80::1"), 6),
]


def leases() -> Leases:
    found = Leases()
    for port in (ANY, BEHIND):
        found.serve(port.name, BRIDGE, OFPORT, [(LAB, port)], 0.0)
    return found


def at(exchange: Exchange, now_s: float, bridge: str = BRIDGE) -> Exchange:
    return exchange._replace(read=Read(bridge, now_s, now_s))


def rows(found: Leases) -> list[Row]:
    return [*found.rows(1000.0)]


@pytest.mark.parametrize("pause", [None, 2, 4])
def test_leases_are_as_if_each_exchange_had_been_noted(pause: int | None) -> None:
    for one, other in itertools.product(ASKED, repeat=2):
        by_one, in_runs = leases(), leases()
        runs = Runs(in_runs)
        for now_s, exchange in enumerate((one, other, one, one, other, other)):
            by_one.note(at(exchange, now_s), now_s)
            runs.add(at(exchange, now_s))
            while now_s == pause and runs.oldest_s < math.inf:
                runs.settle()
        while runs.oldest_s < math.inf:
            runs.settle()
        assert rows(in_runs) == rows(by_one)


@pytest.mark.parametrize(
    "ask",
    [
        lambda n: SWITCH.ask(DISCOVER, option(12, b"%d" % n), xid=n),
        lambda n: SWITCH.ask6(p6.SOLICIT, p6.ia_na(n)),
    ],
)
def test_what_is_said_again_is_looked_into_once(
    ask: Callable[[int], Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = leases()
    noted: list[object] = []
    monkeypatch.setattr(found, "note", lambda *of: noted.append(of))
    runs = Runs(found)
    last = [at(ask(n), 10.0 + n) for n in range(5)]
    for exchange in last:
        runs.add(exchange)
    assert (noted, runs.oldest_s) == ([], 10.0)
    runs.settle()
    assert noted == [(last[-1], 14.0, 5, 10.0)]


def test_a_port_says_when_it_is_asked_something_else_and_each_port_has_its_own_run() -> None:
    found = leases()
    runs = Runs(found)
    assert runs.add(at(SWITCH.ask(REQUEST, OURS), 1)) is None
    assert runs.add(at(SWITCH.ask(REQUEST, OURS), 2, "br-ex")) is None
    assert runs.add(at(SWITCH.ask(RELEASE, ciaddr="10.0.0.5"), 3)) == "any"
    assert runs.oldest_s == 2
    assert runs.settle() is None  # nobody's there
    assert (runs.oldest_s, runs.settle()) == (3, "any")
    assert [row.state for row in rows(found)][:1] == ["released"]


def test_what_no_lease_is_concerned_by_does_not_wait() -> None:
    runs = Runs(leases())
    ask = Switch().send(router_solicitation("02:00:00:00:00:01", "fe80::1"), 6)
    runs.add(at(ask._replace(verdict=ask.verdict._replace(message="ND_RA")), 1))
    assert runs.oldest_s == math.inf
