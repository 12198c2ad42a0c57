# SPDX-License-Identifier: Apache-2.0
"""What is distributed does what it is for: a guest gets its lease."""

from __future__ import annotations

from pathlib import Path

from tests.lab import reference
from tests.lab.clients import Udhcpc
from tests.lab.daemon import Dhcpd
from tests.lab.switch import PrivateOvs


class Installed(Dhcpd):
    """The daemon as it is installed: ``program``."""

    def __init__(self, switch: PrivateOvs, program: Path) -> None:
        super().__init__(switch, reference.configuration())
        self._program = program

    def start(self) -> None:
        self._process = self.switch.spawn(
            self.label, self._program, "run", "--ovs-rundir", self.switch.run_dir, *self.options()
        )


def serve_a_guest(environment: Path) -> None:
    """Start what is installed in this directory beside a switch, have a guest ask, and end it."""
    with PrivateOvs() as switch:
        guest = reference.guest(switch)
        dhcpd = Installed(switch, environment / "bin" / "ovs-dhcpd")
        with dhcpd:
            dhcpd.wait_for_flows(guest)
            with Udhcpc(switch, guest) as client:
                assert client.lease().address == reference.ADDRESS
        assert dhcpd.process.status == 0, dhcpd.log()
