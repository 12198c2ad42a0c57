# SPDX-License-Identifier: Apache-2.0
"""`ovs-dhcpd init` on a real switch: what it prints is accepted, and served."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from ovs_dhcpd.controller.commands import cli

from tests.lab.clients import Udhcpc
from tests.lab.daemon import ROOT, Dhcpd
from tests.lab.guest import Guest
from tests.lab.process import environment
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

VLAN = 42
ROUTERS = {0: "192.168.7.1/24", VLAN: "10.42.0.254/24"}


def init(switch: PrivateOvs, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it where the switch is."""
    command = [sys.executable, "-m", "ovs_dhcpd", "init", "--ovs-rundir", switch.run_dir]
    inside = switch.namespace.command("env", f"PYTHONPATH={ROOT}", *command, *arguments)
    return subprocess.run([*map(str, inside)], env=environment(), capture_output=True, text=True,
                          timeout=300)  # fmt: skip


@pytest.fixture(scope="module")
def guests(switch: PrivateOvs) -> dict[int, Guest]:
    """A guest without a VLAN and one in VLAN 42, each with a router at this host's end."""
    one = switch.guest("one", "02:00:00:00:00:01")
    two = switch.guest("two", "02:00:00:00:00:02")
    switch.vsctl("set", "interface", one.port, f'external_ids:attached-mac="{one.mac}"')
    switch.vsctl("set", "port", two.port, f"tag={VLAN}")
    switch.vsctl("add-port", switch.bridge, "vlan42", f"tag={VLAN}", "--",
                 "set", "interface", "vlan42", "type=internal")  # fmt: skip
    for device, address in zip((switch.bridge, "vlan42"), ROUTERS.values(), strict=True):
        switch.namespace.ip("address", "add", address, "dev", device)
        switch.namespace.ip("link", "set", device, "up")
    switch.namespace.ip("address", "add", "fd00:7::1/64", "dev", switch.bridge, "nodad")
    return {0: one, VLAN: two}


@pytest.fixture
def empty(switch: PrivateOvs) -> Iterator[str]:
    """Another bridge, on which nothing is, for as long as the test takes."""
    switch.add_bridge("br-empty")
    yield "br-empty"
    switch.vsctl("del-br", "br-empty")


@pytest.mark.needs("udhcpc")
def test_what_it_prints_is_accepted_and_served(
    switch: PrivateOvs, guests: dict[int, Guest], empty: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    done = init(switch)
    assert (done.returncode, done.stderr) == (0, "")
    path = tmp_path / "c.yaml"
    path.write_text(done.stdout)
    assert cli.main(["check", str(path)]) == 0
    assert "networks: 2, ports: 0, pools: 2" in capsys.readouterr()[0]
    assert "one (tap1): MAC 02:00:00:00:00:01" in done.stdout
    assert f"# {empty}: this host has no address there." in done.stdout
    with Dhcpd(switch, done.stdout) as dhcpd:
        dhcpd.wait_for_flows(*guests.values())
        for tag, guest in guests.items():
            router, _, length = ROUTERS[tag].partition("/")
            with Udhcpc(switch, guest) as client:
                lease = client.lease()
            assert lease.routers == (IPv4Address(router),)
            assert lease.address in IPv4Network(ROUTERS[tag], strict=False)
            assert lease.prefix_length == int(length)


def test_one_bridge_or_none_of_that_name(switch: PrivateOvs, guests: dict[int, Guest]) -> None:
    assert init(switch, "--bridge", switch.bridge).returncode == 0
    done = init(switch, "--bridge", "br-no")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (f"ovs-dhcpd: --bridge br-no: no such bridge, expected {switch.bridge}\n")


def test_names_in_rows_that_are_meant_to_do_harm(
    switch: PrivateOvs, guests: dict[int, Guest], tmp_path: Path
) -> None:
    """An iface-id may be any text; the name of an interface may not, says the kernel."""
    port = guests[0].port
    before = switch.vsctl("get", "interface", port, "external_ids:iface-id").strip()
    hostile = '"a\\nnetworks: {x: 1}\\n\\033[1m # "'.replace("\\033", "\\u001b")
    switch.vsctl("set", "interface", port, f"external_ids:iface-id={hostile}")
    done = init(switch)
    switch.vsctl("set", "interface", port, f"external_ids:iface-id={before}")
    assert done.returncode == 0
    assert "a\\nnetworks: {x: 1}\\n\\x1b[1m # " in done.stdout
    assert all(line.isprintable() for line in done.stdout.splitlines())
    path = tmp_path / "c.yaml"
    path.write_text(done.stdout)
    assert cli.main(["check", str(path)]) == 0


def test_without_a_switch_it_says_what_to_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["init", "--ovs-rundir", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"ovs-dhcpd: {tmp_path}/db.sock: No such file or directory, expected")
    assert "systemctl start openvswitch-switch" in err


def test_another_user_is_told_what_to_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uid = os.getuid()
    with socket.socket(socket.AF_UNIX) as nobodys:
        nobodys.bind(str(tmp_path / "db.sock"))
        nobodys.listen()
        tmp_path.chmod(0o711)
        (tmp_path / "db.sock").chmod(0o700)
        os.seteuid(65534)
        try:
            assert cli.main(["init", "--db", f"unix:{tmp_path}/db.sock"]) == 1
        finally:
            os.seteuid(uid)
    assert capsys.readouterr().err.endswith(
        "db.sock: Permission denied, expected root, or a user that may open it; type: sudo "
        "ovs-dhcpd init\n"
    )


def test_without_a_bridge_it_says_what_to_type() -> None:
    with PrivateOvs() as switch:
        switch.vsctl("del-br", switch.bridge)
        done = init(switch)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ovs-dhcpd: no bridge in Open vSwitch, expected one; type: " + (
        "ovs-vsctl add-br br0\n"
    )
