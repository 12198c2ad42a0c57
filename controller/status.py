# SPDX-License-Identifier: Apache-2.0
"""What ``ovs-appctl -t ovs-dhcpd status`` answers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping

from ovs_dhcpd.controller.wire.connection import Connected
from ovs_dhcpd.flows.options.wording import escape

from ovs_dhcpd import PROGRAM, __version__


def program() -> str:
    """Who we are."""
    return f"{PROGRAM} {__version__}, pid {os.getpid()}"


def status(bridges: Mapping[str, Iterable[str]]) -> str:
    """The program, then each bridge with its sentences below it, a line each."""
    lines = [program()]
    for name, sentences in sorted(bridges.items()):
        lines += [escape(name), *(f"  {sentence}" for sentence in sentences)]
    return "\n".join(lines)


def connection_status(connected: Connected) -> str:
    """The sentence about a connection whose handshake is done now."""
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    return f"connected since {since} UTC, OpenFlow 1.{connected.version - 1}"
