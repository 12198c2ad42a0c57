# SPDX-License-Identifier: Apache-2.0
"""What `status` says, to a person and to a program, and when it is well."""

from __future__ import annotations

import json
import os
import re

from ovs_dhcpd.controller.texts.status import (
    BridgeStatus,
    SourceStatus,
    as_text,
    connection_status,
    show_coverage,
    show_memory,
    status,
    unanswered,
)
from ovs_dhcpd.controller.wire.connection import Connected
from ovs_dhcpd.controller.wire.openflow import OFP13

from ovs_dhcpd import __version__

PROGRAM = f"ovs-dhcpd {__version__}, pid {os.getpid()}"
A = BridgeStatus("br-a", True, ("active", "two"))
B = BridgeStatus("br-b", False, ())
FILE = SourceStatus("c.yaml", "in force")


def test_each_bridge_has_its_sentences_below_it_then_comes_all_else() -> None:
    found = status([B, A], [FILE], {"ports served": 3}, (86400.0, "files: wrong"))
    assert [*as_text(json.loads(json.dumps(found)))] == [
        PROGRAM,
        "br-a",
        "  active",
        "  two",
        "br-b",
        "sources",
        "  c.yaml: in force",
        "counts",
        "  ports served: 3",
        "last error",
        "  1970-01-02 00:00:00 UTC: files: wrong",
        "healthy",
    ]
    assert (found["version"], found["healthy"], found["troubles"]) == (1, True, [])
    assert found["bridges"][0] == {
        "name": "br-a",
        "active": True,
        "sentences": ("active", "two"),
        "trouble": "",
    }


def test_what_is_wrong_with_a_bridge_or_a_source_is_said_at_the_end() -> None:
    wrong = BridgeStatus("br-a", True, (), "bridge br-a: not connected")
    found = status([wrong, B], [FILE, SourceStatus("d.yaml", "old", "d.yaml:3: what")])
    assert not found["healthy"]
    last = [*as_text(found)][-1]
    assert last == "not healthy: bridge br-a: not connected; d.yaml:3: what"


def test_where_nobody_answers_it_is_not_well() -> None:
    found = unanswered("nobody to ask")
    assert not found["healthy"]
    assert [*as_text(found)][-1] == "not healthy: nobody to ask"


def test_a_connection_says_since_when_it_is_and_its_version() -> None:
    said = connection_status(Connected(OFP13, 1))
    assert re.fullmatch(r"connected since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, OpenFlow 1\.3", said)


def test_memory_is_as_open_vswitch_has_it() -> None:
    assert re.fullmatch(
        r"bridges:1 ports:3 rss-kB:[1-9][0-9]+", show_memory({"ports": 3, "bridges": 1})
    )


def test_coverage_has_what_has_happened() -> None:
    lines = show_coverage([("no answer: bad", 2), ("loop", 7), ("internal error", 0)]).splitlines()
    assert lines[1].split() == ["loop", "total:", "7"]
    assert lines[2].split() == ["no_answer:_bad", "total:", "2"]
    assert lines[3] == "1 events never hit"
