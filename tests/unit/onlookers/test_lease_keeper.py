# SPDX-License-Identifier: Apache-2.0
"""A fault of ours costs what one exchange says of a lease, and leases are counted cheaply."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ovs_dhcpd.controller.http.metrics_keeper import MetricsKeeper
from ovs_dhcpd.controller.leases import leases as leases_module
from ovs_dhcpd.controller.leases.leases import Leases
from ovs_dhcpd.controller.onlookers import lease_keeper
from ovs_dhcpd.controller.onlookers.lease_keeper import LeaseKeeper
from ovs_dhcpd.controller.ports.binder import Served
from ovs_dhcpd.controller.responders.exchange import Exchange, Read
from ovs_dhcpd.controller.responders.verdict import Answer, Verdict
from ovs_dhcpd.controller.switch.journal import Journal
from ovs_dhcpd.controller.wire.openflow import BODY

from tests.unit.leases.exchanges import LAB, VM1

OFFER: Verdict = Answer(b"", "DHCPOFFER", b"", b"")
MESSAGE = bytes(BODY + 8)


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def leases(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> LeaseKeeper:
    """Those with a fault."""

    def fail(*_: object) -> None:
        raise KeyError("a fault")

    monkeypatch.setattr(lease_keeper, "add_query", lambda *_: None)
    monkeypatch.setattr(Leases, "whose", fail)
    database: Any = None
    return LeaseKeeper(database, journal, {}, lambda: None, ())


@pytest.mark.parametrize("whose", [LeaseKeeper.whose, LeaseKeeper.names])
def test_a_fault_is_told_to_the_daemon(
    leases: LeaseKeeper, whose: Callable[[LeaseKeeper, Exchange], object]
) -> None:
    assert not whose(leases, Exchange(MESSAGE, OFFER, Read("br0", 0.0, 0.0)))
    (fault,) = leases.take_faults()
    assert fault.where == "whose it is, what a guest has asked"
    assert isinstance(fault.error, KeyError)
    assert not [*leases.take_faults()]


def test_the_metrics_have_it_without_a_network(leases: LeaseKeeper, journal: Journal) -> None:
    parking: Any = SimpleNamespace(uses=list)
    metrics = MetricsKeeper(journal, {}, leases, parking, lambda: 0, list, list)
    journal.names = leases.names
    journal.note("br0", 0.0, [MESSAGE], [OFFER])
    assert metrics.measure().messages == {("br0", "", "DHCPOFFER"): 1}
    assert [*leases.take_faults()]


def test_leases_are_counted_without_a_row_of_each(
    leases: LeaseKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon's thread does so every few seconds, and each row takes as long as an answer."""
    keepers: Any = {"br0": SimpleNamespace(is_active=True)}
    monkeypatch.setattr(leases, "_keepers", keepers)
    leases.serve("vm1", Served("br0", 1, ((LAB, VM1),)))
    monkeypatch.delattr(leases_module, "Row")
    assert leases.counts() == {"assigned": 2}
    assert leases.states() == {("br0", "lab", 4, "assigned"): 1, ("br0", "lab", 6, "assigned"): 1}
