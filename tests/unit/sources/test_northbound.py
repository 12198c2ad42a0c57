# SPDX-License-Identifier: Apache-2.0
"""The Northbound source without a database; with one, see tests/ovn/test_northbound.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ovs.poller
import pytest
from ovs_dhcpd.controller.sources.northbound import OPTIONS, PORTS, SCHEMA, OvnNorthbound

OVN_SCHEMA = Path("/usr/share/ovn/ovn-nb.ovsschema")


@pytest.fixture
def source(tmp_path: Path) -> OvnNorthbound:
    return OvnNorthbound(f"unix:{tmp_path}/none.sock", "")


def timeout_ms(source: OvnNorthbound) -> int:
    """How long the daemon would sleep; -1: for ever."""
    poller = ovs.poller.Poller()
    source.wait(poller)
    timeout_ms: int = poller.timeout
    return timeout_ms


def test_only_what_is_plugged_in_is_asked_for(source: OvnNorthbound) -> None:
    for name in ("b", "a", "gone"):
        source.watch(name, True)
    source.watch("gone", False)
    source.run()
    assert source._idl.tables[PORTS].condition == [
        [column, "==", name] for column in ("name", "parent_name") for name in ("a", "b")
    ]
    assert source._idl.tables[OPTIONS].condition == [True]


def test_nothing_plugged_in_asks_for_no_port(source: OvnNorthbound) -> None:
    source.run()
    assert source._idl.tables[PORTS].condition == [False]


def test_without_a_database_nothing_is_served_and_the_daemon_sleeps(source: OvnNorthbound) -> None:
    source.watch("p", True)
    assert timeout_ms(source) == 0  # it is to be asked for
    for _ in range(5):
        assert source.run() == set()
    assert timeout_ms(source) >= 100
    assert not source.ready
    assert source.binding("p") is None


@pytest.mark.skipif(not OVN_SCHEMA.exists(), reason="no OVN schema is installed")
def test_the_columns_are_those_of_ovn() -> None:
    theirs = json.loads(OVN_SCHEMA.read_text())["tables"]
    tables: Any = SCHEMA["tables"]
    for table, definition in tables.items():
        for column, ours in definition["columns"].items():
            given = theirs[table]["columns"][column]["type"]
            if isinstance(given, dict) and isinstance(given["key"], dict):
                given = {**given, "key": {k: v for k, v in given["key"].items() if k != "refType"}}
            if column == "ports":  # the ports are wanted as they are, held here or not
                given = {**given, "key": given["key"]["type"]}
            if column == "networks":  # none are allowed from OVN 25.03 on
                given = {**given, "min": 0}
            assert given == ours["type"], column
