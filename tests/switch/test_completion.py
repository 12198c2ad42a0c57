# SPDX-License-Identifier: Apache-2.0
"""Shell completion in the shells themselves, at a terminal: Tab makes the line, Enter runs it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator

import pytest

from tests.lab import reference
from tests.lab.daemon import ROOT, Dhcpd
from tests.lab.guest import Guest
from tests.lab.process import PATH
from tests.lab.switch import PrivateOvs
from tests.lab.terminal import Terminal

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

READ_SCRIPT = {
    "bash --norc --noprofile -i": "source <(ovs-dhcpd completion bash)",
    "zsh -f -i": "autoload -U compinit; compinit -u -D; source <(ovs-dhcpd completion zsh)",
    "fish --no-config -i": "ovs-dhcpd completion fish | source",
}


@pytest.fixture(scope="module", autouse=True)
def dhcpd(switch: PrivateOvs, guest: Guest) -> Iterator[Dhcpd]:
    with Dhcpd(switch, reference.configuration()) as dhcpd:
        dhcpd.wait_for_flows()
        yield dhcpd


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(shell, marks=pytest.mark.needs(shell.split()[0]), id=shell.split()[0])
        for shell in READ_SCRIPT
    ],
)
def shell(
    request: pytest.FixtureRequest, switch: PrivateOvs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    """A shell that has read its script, in a folder with one configuration."""
    folder = tmp_path_factory.mktemp("shell")
    program = folder / "bin" / "ovs-dhcpd"
    program.parent.mkdir()
    words = shlex.join(["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "ovs_dhcpd"])
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    program.chmod(0o755)
    (folder / "network.yaml").write_text(reference.configuration())
    env = {
        "HOME": str(folder),
        "OVS_RUNDIR": str(switch.run_dir),
        "PATH": f"{program.parent}:{PATH}",
        "TERM": "dumb",
    }
    argv = ["env", "-C", str(folder), *request.param.split()]
    with Terminal(argv, env) as terminal:
        terminal.type(f"{READ_SCRIPT[request.param]}; echo script' is 'read\n", "script is read")
        yield terminal


def test_commands_options_and_their_values(shell: Terminal) -> None:
    shell.type("ovs-dhcpd stat\t--format=j\t\n", '"healthy": true')


def test_ports_that_the_daemon_serves(shell: Terminal) -> None:
    shell.type(f"ovs-dhcpd wh\t{reference.PORT[:5]}\t--form\tj\t\n", f'"port": "{reference.PORT}"')


def test_files(shell: Terminal) -> None:
    shell.type("ovs-dhcpd che\tnet\t\n", "network.yaml: valid")


def test_files_behind_an_equals_sign(shell: Terminal) -> None:
    shell.type(f"ovs-dhcpd trace {reference.PORT} --config=net\t\n", "verdict: DHCPOFFER")


def test_nothing_where_nothing_fits(shell: Terminal) -> None:
    shell.type("ovs-dhcpd status net\tx\n", "unknown: netx")
