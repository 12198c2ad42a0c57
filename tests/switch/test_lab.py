# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.lab`: the commands that it prints work, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import reference
from tests.lab.clients import Udhcpc
from tests.lab.daemon import ROOT
from tests.lab.process import LabError, Process, run, wait_until
from tests.lab.requirements import require
from tests.lab.switch import PrivateOvs


@pytest.mark.not_in_test_kernel("what it prints is the same on any datapath")
@pytest.mark.needs("udhcpc")
def test_a_lab_by_hand(tmp_path: Path) -> None:
    require(*PrivateOvs.programs)
    lab = Process([sys.executable, "-m", "tests.lab"], tmp_path / "log", {"PYTHONPATH": str(ROOT)})
    try:
        wait_until(lambda: "Ctrl-C" in lab.text() or lab.status is not None, "the lab", 60)
        assert lab.status is None, lab.text()
        commands = [line for line in lab.text().splitlines() if not line.startswith("#")]
        unasked = ("tail -f", "-vm2 udhcpc")  # the one does not end, the other gets nothing
        printed = [
            run(["sh", "-c", command])
            for command in commands
            if not any(part in command for part in unasked)
        ]
    finally:
        lab.kill(signal.SIGINT)
        status = lab.wait(60)
    assert status == 0, lab.text()
    shown = "\n".join(printed)
    assert reference.USERDATA in shown
    assert f"{reference.MAC} {reference.ADDRESS}" in shown
    namespace = commands[0].split()[3].removesuffix("-vm1")
    directory = Path("/tmp") / namespace
    assert str(directory) in lab.text()
    assert not directory.exists()
    assert namespace not in run(["ip", "netns", "list"])
    assert subprocess.run(["pgrep", "-f", str(directory)], check=False).returncode == 1


class NotInstalled(Udhcpc):
    """A client that nobody has."""

    def argv(self) -> list[object]:
        """What cannot be run."""
        return ["no-such-client"]


def test_a_client_that_has_ended_is_not_waited_for(switch: PrivateOvs) -> None:
    client = NotInstalled(switch, switch.guest("vm1", "02:00:00:00:00:01"))
    with client, pytest.raises(LabError, match=r'has ended: .*"no-such-client" failed'):
        client.lease()
