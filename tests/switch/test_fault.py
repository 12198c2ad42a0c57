# SPDX-License-Identifier: Apache-2.0
"""A fault of the daemon's own ends it, so that whoever watches it can start another one."""

from __future__ import annotations

import signal
import sys

from tests.lab import reference
from tests.lab.daemon import ROOT, Dhcpd
from tests.lab.process import wait_until

# The daemon as it is, but for a fault once its flows are on the bridge.
FAULTY = """
import sys
from controller import keeper
from controller.cli import main

def announce(self, *, all_known):
    if self.synchronized:
        raise KeyError("a fault")

keeper.Keeper.announce = announce
sys.exit(main())
"""


class FaultyDhcpd(Dhcpd):
    """`ovs-dhcpd run` with a fault."""

    def start(self) -> None:
        """Start it."""
        self.process = self.switch.spawn(
            self.name, "env", f"PYTHONPATH={ROOT}", sys.executable, "-c", FAULTY, "run",
            "--ovs-rundir", self.switch.run_dir, *self.options(),
        )  # fmt: skip


def test_a_fault_ends_the_process(switch):
    dhcpd = FaultyDhcpd(switch, reference.configuration())
    dhcpd.start()
    wait_until(lambda: dhcpd.process.status is not None, "the process to end")
    assert dhcpd.process.status == -signal.SIGABRT
    assert "giving up" in dhcpd.log()
    assert "KeyError: 'a fault'" in dhcpd.log()
