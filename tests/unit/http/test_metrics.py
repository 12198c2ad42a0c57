# SPDX-License-Identifier: Apache-2.0
"""What the metrics say of what has been measured."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ovs_dhcpd.controller.bridges.bridge import Amounts
from ovs_dhcpd.controller.http.metrics import (
    BOUNDS_S,
    COUNTER,
    FAMILIES,
    HISTOGRAM,
    BridgeState,
    Measured,
    Times,
    Traffic,
    buckets,
)
from ovs_dhcpd.controller.ports.pool_use import PoolUse
from ovs_dhcpd.controller.responders.exchange import Exchange, Read
from ovs_dhcpd.controller.responders.verdict import Answer, Reason, Silence, Verdict

DOCS = Path(__file__).parents[3] / "docs"
OFFER = Answer(b"", "DHCPOFFER", b"", b"")
RELEASE = Silence(Reason.RELEASED, message="DHCPRELEASE")
OTHER = Silence(Reason.OTHER_SERVER)

TRAFFIC: Sequence[tuple[str, str, Verdict, float]] = (
    ("br0", "lab", OFFER, 0.0001),
    ("br0", "lab", OFFER, 0.0002),
    ("br0", "office", OFFER, 9.0),
    ("br0", "", OTHER, 0.5),
    ("br1", "lab", RELEASE, 0.5),
)


@pytest.fixture
def traffic() -> Traffic:
    found = Traffic()
    for bridge, network, verdict, took_s in TRAFFIC:
        found.note(Exchange(b"", verdict, Read(bridge, 10.0, 10.0 + took_s)), network)
    return found


def measured(**others: Any) -> Measured:
    """Nothing at all, but for these."""
    nothing: dict[str, Any] = {
        **{"version": "1.2", "bridges": {}, "pools": [], "leases": {}, "messages": {}},
        **{"silences": {}, "times": {}, "unsolicited": 0, "malformed": 0, "faults": 0},
        **{"refused": 0, "mistaken": False},
    }
    return Measured(**{**nothing, **others})


def read(name: str, of: Measured) -> dict[tuple[str, ...], Any]:
    (family,) = (family for family in FAMILIES if family.name == name)
    found = [*family.read(of)]
    assert all(len(labels) == len(family.labels) for labels, _ in found)
    assert len({labels for labels, _ in found}) == len(found)
    return dict(found)


def test_messages_are_counted_by_bridge_network_and_kind(traffic: Traffic) -> None:
    found = read("ovs_dhcpd_messages_total", measured(messages=traffic.messages))
    assert found == {
        ("br0", "lab", "DHCPOFFER"): 2,
        ("br0", "office", "DHCPOFFER"): 1,
        ("br1", "lab", "DHCPRELEASE"): 1,
    }


def test_each_reason_is_there_before_its_first(traffic: Traffic) -> None:
    state = BridgeState(True, True, True, Amounts(0, 0, 0, 0, 0))
    now = measured(silences=traffic.silences, bridges={"br2": state})
    found = read("ovs_dhcpd_silences_total", now)
    assert len(found) == 3 * len(Reason)
    assert {labels: count for labels, count in found.items() if count} == {
        ("br0", "meant for another server"): 1,
        ("br1", "address released"): 1,
    }


def test_the_time_to_answer_is_that_of_answers(traffic: Traffic) -> None:
    found = read("ovs_dhcpd_answer_seconds", measured(times=traffic.times()))
    assert found.keys() == {("br0",)}
    times = found["br0",]
    assert math.isclose(times.sum_s, 9.0003)
    counts = dict(buckets(times))
    assert len(counts) == len(BOUNDS_S) + 1
    assert (counts["0.0001"], counts["0.00025"], counts["2.5"], counts["+Inf"]) == (1, 2, 2, 3)


def test_buckets_are_as_prometheus_wants_them() -> None:
    found = buckets(Times(tuple(range(len(BOUNDS_S) + 1)), 1.0))
    assert [float(bound) for bound, _ in found] == sorted({*BOUNDS_S, math.inf})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ovs_dhcpd_bridge_active", 1),
        ("ovs_dhcpd_bridge_connected", 0),
        ("ovs_dhcpd_bridge_in_step", 0),
        ("ovs_dhcpd_flows_wanted", 7),
        ("ovs_dhcpd_flows_installed", None),
        ("ovs_dhcpd_meters_wanted", 3),
        ("ovs_dhcpd_meters_installed", 2),
        ("ovs_dhcpd_meter_dropped_packets_total", 99),
    ],
)
def test_what_there_is_on_a_bridge(name: str, value: int | None) -> None:
    state = BridgeState(True, False, False, Amounts(7, None, 3, 2, 99))
    found = read(name, measured(bridges={"br0": state}))
    assert found == ({} if value is None else {("br0",): value})


@pytest.mark.parametrize(
    ("name", "value"), [("size", 100), ("used", 40), ("parked", 2), ("free", 50)]
)
def test_how_full_a_pool_is(name: str, value: int) -> None:
    now = measured(pools=[PoolUse("br0", "lab", 4, 100, 40, 2, 50)])
    assert read(f"ovs_dhcpd_pool_{name}", now) == {("br0", "lab", "4"): value}


def test_leases_are_counted_by_state() -> None:
    now = measured(leases={("br0", "lab", 4, "bound"): 5, ("br0", "lab", 6, "unknown"): 1})
    assert read("ovs_dhcpd_leases", now) == {
        ("br0", "lab", "4", "bound"): 5,
        ("br0", "lab", "6", "unknown"): 1,
    }


@pytest.mark.parametrize(
    ("name", "field", "value", "shown"),
    [
        ("build_info", "version", "1.3", {("1.3",): 1}),
        ("configuration_error", "mistaken", True, {(): 1}),
        ("refused", "refused", 3, {(): 3}),
        ("internal_errors_total", "faults", 4, {(): 4}),
        ("unsolicited_advertisements_total", "unsolicited", 5, {(): 5}),
        ("malformed_packet_ins_total", "malformed", 6, {(): 6}),
    ],
)
def test_what_is_of_the_whole_process(name: str, field: str, value: Any, shown: object) -> None:
    assert read(f"ovs_dhcpd_{name}", measured(**{field: value})) == shown


def test_names_are_as_prometheus_has_them() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    for family in FAMILIES:
        assert re.fullmatch("ovs_dhcpd_[a-z_]+[a-z]", family.name)
        assert family.name.endswith("_total") == (family.kind == COUNTER)
        assert family.name.endswith("_seconds") == (family.kind == HISTOGRAM)


def names_in(expression: str) -> set[str]:
    """The metrics of ours that are read by an expression, by the names of their families."""
    found = re.findall(r"\bovs_dhcpd_\w+", expression)
    return {re.sub("(?<=_seconds)_(bucket|sum|count)$", "", name) for name in found}


def test_alerts_and_dashboard_read_what_there_is() -> None:
    rules = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))
    dashboard = json.loads((DOCS / "grafana-dashboard.json").read_text(encoding="utf-8"))
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    expressions += [each["expr"] for panel in dashboard["panels"] for each in panel["targets"]]
    names = set[str]().union(*map(names_in, expressions))
    assert len(names) > 10
    assert names <= {family.name for family in FAMILIES}
