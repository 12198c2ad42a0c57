# SPDX-License-Identifier: Apache-2.0
"""A packet and what became of it, as a line."""

from __future__ import annotations

import re

import pytest
from ovs_dhcpd.controller.texts.transaction_line import show_line

from tests.unit.transaction import OFFER

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
