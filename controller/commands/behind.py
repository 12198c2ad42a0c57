# SPDX-License-Identifier: Apache-2.0
"""Behind which interface a MAC is, so far as the bridges of the switch have learned it.

So a guest is found by its MAC that has never asked, where any MAC is served, or that is served
nothing.  It is the command line that looks (:mod:`controller.why.learned`).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ovs_dhcpd.controller.commands.ask import AskError, ask_switch
from ovs_dhcpd.controller.why.find import mac_or_address
from ovs_dhcpd.controller.why.learned import port_with, ports_of


def interface_with(text: str, rundir: Path) -> str:
    """The interface's name; empty: ``text`` is no MAC, or nobody has learned it."""
    mac, _ = mac_or_address(text)
    if mac is None:
        return ""
    with suppress(AskError):
        for bridge, ports in ports_of(ask_switch(rundir, "dpif/show")).items():
            number = port_with(mac, ask_switch(rundir, "fdb/show", bridge))
            if number in ports:
                return ports[number]
    return ""
