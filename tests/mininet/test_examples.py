# SPDX-License-Identifier: Apache-2.0
"""What examples/ has for Mininet, typed as it says there."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.daemon import ROOT
from tests.lab.process import environment, wait_until
from tests.lab.requirements import require
from tests.lab.switch import PrivateOvs

SWITCH = ROOT / "examples" / "mininet_switch.py"
SCRIPT = ROOT / "examples" / "mininet_dhcp.py"
NO_CONTROLLER = ["--switch", "dhcp", "--controller", "none"]
SYSTEM_PYTHON = "/usr/bin/python3"  # the one that Debian's Mininet is installed for

TOPOLOGY = """
from mininet.topo import Topo

class OneKeepsItsAddress(Topo):
    def build(self):
        switch = self.addSwitch("s1")
        self.addLink(self.addHost("h1"), switch)
        self.addLink(self.addHost("h2", ip="10.0.0.250/8", dhcp=False), switch)

topos = {"mine": OneKeepsItsAddress}
"""

# What `datapath=user` of a switch does, for all: without the kernel's module there is no other.
USER_DATAPATH = """
import contextlib
with contextlib.suppress(ImportError):  # it is ovs-dhcpd's Python that starts
    from mininet.node import OVSSwitch
    fail_mode, _, *others = OVSSwitch.__init__.__defaults__
    OVSSwitch.__init__.__defaults__ = (fail_mode, "user", *others)
"""


class Shell:
    """Where a user of Mininet types: in the lab's namespace, with ovs-dhcpd in the PATH."""

    def __init__(self, switch: PrivateOvs, directory: Path) -> None:
        self.switch = switch
        self.environment = environment(switch.environment)
        self.environment["PATH"] += f":{Path(sys.executable).parent}"
        if switch.datapath_type == "netdev":
            (directory / "sitecustomize.py").write_text(USER_DATAPATH)
            self.environment["PYTHONPATH"] = str(directory)

    def type(self, *words: object) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [str(word) for word in self.switch.namespace.command(*words)],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )

    def run(self, *words: object, stdin: str = "") -> str:
        """All that a command says, once it has ended."""
        with self.type(*words) as process:
            return process.communicate(stdin, timeout=400)[0]


@pytest.fixture
def shell(switch: PrivateOvs, tmp_path: Path) -> Iterator[Shell]:
    require("mn", "mnexec", "busybox", "setpriv", "ovs-testcontroller", "ping", SYSTEM_PYTHON)
    yield Shell(switch, tmp_path)
    assert daemons(switch) == []
    assert switch.vsctl("list-br").split() == [switch.bridge]


def daemons(switch: PrivateOvs) -> list[str]:
    """The control sockets of the daemons that run."""
    return [path.name for path in switch.run_dir.glob("ovs-dhcpd.*.ctl")]


def leases(said: str) -> dict[str, tuple[str, str, str]]:
    """Where each host is, its address and its state, by what `ovs-dhcpd leases -f json` said."""
    found = re.search(r'\{\s*"version": 1,', said)
    assert found, said
    answer, _ = json.JSONDecoder().raw_decode(said, found.start())
    return {
        lease["port"]: (lease["bridge"], lease["address"], lease["state"])
        for lease in answer["leases"]
    }


@pytest.mark.parametrize(
    ("command", "controller", "subnet"),
    [
        pytest.param(
            "mn --custom examples/mininet_switch.py --topo tree,2",
            "c0",
            "10.0",
            id="as_it_is_shown",
        ),
        pytest.param(
            "mn --custom examples/mininet_switch.py --topo tree,2 --ipbase 10.7.0.0/16 "
            "--switch dhcp --controller none",
            "",
            "10.7",
            id="without_a_controller",
        ),
    ],
)
def test_hosts_of_mn_have_leases_and_reach_each_other(
    shell: Shell, command: str, controller: str, subnet: str
) -> None:
    said = shell.run(
        *command.split(), stdin="pingall\nsh ovs-dhcpd leases -f json\nsh ovs-dhcpd status\n"
    )
    assert f"*** Starting controller\n{controller}" in said
    assert "*** Results: 0% dropped (12/12 received)" in said
    found = leases(said)
    assert {host: (bridge, state) for host, (bridge, _, state) in found.items()} == {
        "h1-eth0": ("s2", "bound"),
        "h2-eth0": ("s2", "bound"),
        "h3-eth0": ("s3", "bound"),
        "h4-eth0": ("s3", "bound"),
    }
    for host, (bridge, address, _) in found.items():
        assert address.startswith({"s2": f"{subnet}.1.", "s3": f"{subnet}.2."}[bridge])
        assert f"{host}: {address} " in said
    assert "lines in bindings/refused: 0" in said
    assert said.splitlines()[-1].startswith("completed in ")


def test_a_host_without_dhcp_keeps_its_address(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "topology.py").write_text(TOPOLOGY)
    said = shell.run(
        "mn", "--custom", f"{SWITCH},{tmp_path}/topology.py", "--topo", "mine", *NO_CONTROLLER,
        stdin="dump\npingall\nsh ovs-dhcpd leases -f json\n",
    )  # fmt: skip
    assert leases(said).keys() == {"h1-eth0"}
    assert "h2-eth0:10.0.0.250 " in said
    assert "*** Results: 0% dropped (2/2 received)" in said


def test_the_script_says_that_all_hosts_reach_each_other(shell: Shell) -> None:
    said = shell.run(SYSTEM_PYTHON, SCRIPT)
    assert "*** Results: 0% dropped (12/12 received)" in said
    assert said.splitlines()[-1] == "*** Done"


def test_the_daemon_ends_with_mininet_also_if_that_is_killed(shell: Shell) -> None:
    with shell.type(
        "mn", "--custom", SWITCH, "--controller", "none", "--switch", "dhcp"
    ) as mininet:
        assert mininet.stdout
        said = ""
        while "*** Starting CLI:" not in said:
            line = mininet.stdout.readline()
            assert line, said
            said += line
        assert len(daemons(shell.switch)) == 1
        mininet.send_signal(signal.SIGKILL)
    wait_until(lambda: not daemons(shell.switch), "the end of the daemon")
    shell.switch.vsctl("del-br", "s1")  # `mn --clean` would end more than what this has started


def test_without_ovs_dhcpd_mn_says_so(shell: Shell) -> None:
    shell.environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    said = shell.run("mn", "--custom", SWITCH)
    assert "Please make sure that ovs-dhcpd is installed and available in your $PATH" in said
    assert "Traceback" not in said
