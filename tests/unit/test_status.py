# SPDX-License-Identifier: Apache-2.0
"""The text that `ovs-appctl status` prints."""

from __future__ import annotations

import os
import re

from ovs_dhcpd.controller.status import connection_status, status
from ovs_dhcpd.controller.wire.connection import Connected
from ovs_dhcpd.controller.wire.openflow import OFP13

from ovs_dhcpd import __version__


def test_each_bridge_has_its_sentences_below_it() -> None:
    lines = status({"br-b": [], "br-a": iter(["one", "two"])}).splitlines()
    assert lines == [
        f"ovs-dhcpd {__version__}, pid {os.getpid()}",
        "br-a",
        "  one",
        "  two",
        "br-b",
    ]


def test_a_connection_says_since_when_it_is_and_its_version() -> None:
    said = connection_status(Connected(OFP13, 1))
    assert re.fullmatch(r"connected since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, OpenFlow 1\.3", said)
