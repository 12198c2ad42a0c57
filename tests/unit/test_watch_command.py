# SPDX-License-Identifier: Apache-2.0
"""A transaction as a line, and which ones are chosen."""

from __future__ import annotations

import re

import pytest
from ovs_dhcpd.controller import cli
from ovs_dhcpd.controller.watch_command import is_of, show_line

OFFER = {
    "time": "2023-11-14T22:15:00.123Z",
    "bridge": "br-int",
    "ofport": 5,
    "vlan": None,
    "port": "vm1",
    "network": "lab",
    "mac": "02:00:00:00:00:01",
    "asked": "DHCPDISCOVER",
    "xid": "3903f326",
    "answer": "DHCPOFFER",
    "address": "10.0.0.5",
    "reason": None,
    "took_us": 85,
}
SILENCE = {**OFFER, "answer": None, "address": None, "reason": "malformed options"}


@pytest.mark.parametrize(
    ("transaction", "expected"),
    [
        (OFFER, "br-int vm1 (lab) 02:00:00:00:00:01: DHCPDISCOVER xid 3903f326: "
                "DHCPOFFER 10.0.0.5, 85 µs"),
        ({**OFFER, "vlan": 100},
         "br-int vm1 (lab) VLAN 100 02:00:00:00:00:01: DHCPDISCOVER xid 3903f326: "
         "DHCPOFFER 10.0.0.5, 85 µs"),
        (SILENCE, "br-int vm1 (lab) 02:00:00:00:00:01: DHCPDISCOVER xid 3903f326: "
                  "no answer: malformed options, 85 µs"),
        ({**SILENCE, "port": None, "network": None, "asked": None, "xid": None},
         "br-int port 5 02:00:00:00:00:01: another packet: no answer: malformed options, 85 µs"),
        ({**OFFER, "port": "vm\n1"},
         r"br-int vm\n1 (lab) 02:00:00:00:00:01: DHCPDISCOVER xid 3903f326: "
         "DHCPOFFER 10.0.0.5, 85 µs"),
    ],
)  # fmt: skip
def test_a_transaction_is_a_line(transaction: dict[str, object], expected: str) -> None:
    when, rest = show_line(transaction).split(" ", 1)
    assert re.fullmatch(r"\d\d:15:00\.123", when)
    assert rest == expected


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([], True),
        (["vm1"], True),
        (["lab"], True),
        (["br-int"], True),
        (["02:00:00:00:00:01"], True),
        (["10.0.0.5"], True),
        (["vm2", "vm1"], True),
        (["vm2"], False),
    ],
)
def test_what_is_asked_for_is_chosen(names: list[str], chosen: bool) -> None:
    assert is_of(OFFER, names) == chosen


@pytest.mark.parametrize("count", ["0", "-1", "x", "1.5", ""])
def test_it_ends_after_one_at_least(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["watch", f"--count={count}"])
    said = f"ovs-dhcpd watch: -n/--count: {count!r}, expected a number from 1 on; type: "
    assert capsys.readouterr()[1].startswith(said)
