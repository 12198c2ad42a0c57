# SPDX-License-Identifier: Apache-2.0
"""What cannot be read of rows, told when it changes."""

from __future__ import annotations

import uuid

from ovs_dhcpd.controller.ovsdb.mistakes import Mistakes

ROW, OTHER = uuid.uuid4(), uuid.uuid4()


def test_each_change_is_told_once() -> None:
    mistakes = Mistakes()
    mistakes.set(ROW, "interface tap1", ["ofport: 0, expected 1", "dhcp-ip: 'x'"])
    assert mistakes.take() == {
        ROW: ("interface tap1: ofport: 0, expected 1", "interface tap1: dhcp-ip: 'x'")
    }
    mistakes.set(ROW, "interface tap1", ["ofport: 0, expected 1", "dhcp-ip: 'x'"])
    mistakes.set(OTHER, "interface tap2", [])
    assert mistakes.take() == {}
    mistakes.set(ROW, "interface tap1", [])
    assert mistakes.take() == {ROW: ()}
    assert mistakes.take() == {}


def test_a_row_that_goes_has_no_mistakes() -> None:
    mistakes = Mistakes()
    for row in (ROW, OTHER):
        mistakes.set(row, "bridge", ["datapath_id"])
    mistakes.take()
    mistakes.keep(lambda row: row == OTHER)
    assert mistakes.take() == {ROW: ()}
