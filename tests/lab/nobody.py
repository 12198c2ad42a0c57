# SPDX-License-Identifier: Apache-2.0
"""The commands as a user who may write to nothing of Open vSwitch's."""

from __future__ import annotations

import sys

UID = 65534

# The interpreter may be where nobody else may read: all is imported first.
_PROGRAM = f"""
import datetime, json, locale, os, shlex, shutil, socket, sys
from ovs_dhcpd.controller.commands import cli
import ovs.daemon, ovs.vlog
from ovs_dhcpd.controller import connections, daemon, serve_only
from ovs_dhcpd.controller.commands import run_command, trace_command, watch_command
from ovs_dhcpd.controller.texts import lease_list, status, table, transaction_line, why_text
from ovs_dhcpd.controller.sources import files, northbound
from ovs_dhcpd.controller.switch import lock, os_ken_app
from ovs_dhcpd.controller.why import document
os.setgroups([])
os.setresgid({UID}, {UID}, {UID})
os.setresuid({UID}, {UID}, {UID})
sys.exit(cli.main(sys.argv[1:]))
"""


def as_nobody(*words: object) -> list[str]:
    """The command line of `ovs-dhcpd` with these words."""
    return [sys.executable, "-c", _PROGRAM, *map(str, words)]
