# SPDX-License-Identifier: Apache-2.0
"""What examples/ has for guests, run as its first lines say.

The machines of libvirt are in test_libvirt.py, Incus's containers in test_incus.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.daemon import ROOT, Dhcpd
from tests.lab.process import LabError, run, wait_until
from tests.lab.requirements import require
from tests.lab.switch import PrivateOvs

EXAMPLES = ROOT / "examples"
CONFIGURATION = """
networks:
  lan:
    dhcpv4: {cidr: 192.168.1.0/24, router: 192.168.1.1}
    pool: 192.168.1.100-192.168.1.199
"""
OFFICE = """
  office:
    dhcpv4: {cidr: 192.168.2.0/24, router: 192.168.2.1}
    pool: 192.168.2.100-192.168.2.199
"""


@pytest.fixture
def dhcpd(switch: PrivateOvs) -> Iterator[Dhcpd]:
    with Dhcpd(switch, CONFIGURATION) as dhcpd:
        dhcpd.wait_for_flows()
        yield dhcpd


@pytest.fixture
def name(switch: PrivateOvs) -> str:
    """A guest's name that no other lab on this machine has."""
    return f"g-{switch.directory.name.rpartition('-')[2]}"


def type_in(switch: PrivateOvs, *argv: object) -> str:
    """Run a command in the switch's network, with the mounts of the host."""
    inside = ["nsenter", f"--net=/run/netns/{switch.namespace.name}"]
    return run([*inside, *argv], env=switch.environment)


def bindings(dhcpd: Dhcpd) -> dict[str, tuple[str, str]]:
    """The MAC and the address that each port is served, by its name."""
    lines = dhcpd.appctl("bindings/show").splitlines()
    return {
        port: (mac, address)
        for port, mac, address in (
            re.fullmatch(r"(\S+) +\S+ +\d+ +(any MAC|\S+) +\S+ (\S+)", line).groups()  # type: ignore[union-attr]
            for line in lines
        )
    }


def test_a_guest_of_veth_has_its_lease_and_goes_without_a_trace(
    switch: PrivateOvs, dhcpd: Dhcpd, name: str
) -> None:
    require("udhcpc", "nsenter")
    before = switch.vsctl("list-ports", switch.bridge)
    type_in(switch, EXAMPLES / "veth.sh", "add", name, switch.bridge)
    try:
        mac = run(["ip", "netns", "exec", name, "cat", "/sys/class/net/eth0/address"]).strip()
        served_mac, address = bindings(dhcpd)[name]
        assert served_mac == mac
        show = ["ip", "-n", name, "-4", "-br", "address", "show", "dev", "eth0"]
        wait_until(lambda: run(show).split()[2:] == [f"{address}/24"], "its address", 30)
        assert f"DHCPACK {mac} {address}" in dhcpd.messages()
    finally:
        type_in(switch, EXAMPLES / "veth.sh", "remove", name)
    assert switch.vsctl("list-ports", switch.bridge) == before
    assert name not in run(["ip", "netns", "list"])
    assert not Path("/etc/netns", name).exists()


# LXC looks for a bridge in sysfs, where only those of the namespace are that it was mounted in. Its
# newer versions want control groups of the second version only.
OWN_SYSFS = """
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec "$@"
"""
LXC_BY_ITSELF = """
lxc.net.0.type = veth
lxc.net.0.flags = up
lxc.net.0.name = eth0
lxc.net.0.link = {bridge}
lxc.net.0.veth.pair = {name}
"""


@pytest.mark.not_in_test_kernel("it has nothing to do with a datapath")
@pytest.mark.parametrize("way", ["the example", "by itself"])
def test_a_container_of_lxc_has_the_same_address_at_each_start(
    switch: PrivateOvs, dhcpd: Dhcpd, name: str, tmp_path: Path, way: str
) -> None:
    require("lxc-create", "busybox", "nsenter")
    run(["lxc-create", "-P", tmp_path, "-n", name, "-t", "busybox"])
    config = tmp_path / name / "config"
    others = [line for line in config.read_text().splitlines() if "lxc.net." not in line]
    if way == "the example":
        network = (EXAMPLES / "lxc.conf").read_text()
        network = network.replace(
            "/etc/lxc/lxc-port br0", f"{EXAMPLES / 'lxc-port'} {switch.bridge}"
        )
    else:
        network = LXC_BY_ITSELF.format(bridge=switch.bridge, name=name)
    config.write_text("\n".join([*others, network]))

    def lxc(verb: str, *arguments: object) -> str:
        command = [f"lxc-{verb}", "-P", tmp_path, "-n", name, *arguments]
        return type_in(switch, "unshare", "--mount", "sh", "-euc", OWN_SYSFS, "sh", *command)

    def addresses() -> list[str]:
        try:
            shown = lxc("attach", "--", "ip", "-4", "address", "show", "dev", "eth0")
        except LabError:  # it is starting
            return []
        return re.findall(r"inet (\S+)", shown)

    before = switch.vsctl("list-ports", switch.bridge)
    had = []
    for _ in range(2):
        lxc("start", "-l", "INFO", "-o", tmp_path / "log")
        try:
            wait_until(addresses, "the container's address", 30)
            had.append(addresses())
            assert had[-1] == [f"{bindings(dhcpd)[name][1]}/24"]
        finally:
            lxc("stop", "--kill")
        wait_until(lambda: switch.vsctl("list-ports", switch.bridge) == before, "its port to go")
    assert had[0] == had[1]


# As in qm.conf(5) and pct.conf(5); behind the first section is a snapshot.
PROXMOX = {
    "qemu-server/100.conf": """
name: web
net0: virtio=BC:24:11:00:00:01,bridge=br0
net1: virtio=BC:24:11:00:00:02,bridge=br0,firewall=1
tags: dhcp-office;web

[before]
net0: virtio=BC:24:11:99:99:99,bridge=br0
tags: dhcp-lan
""",
    "lxc/101.conf": """
net0: name=eth0,bridge=br0,hwaddr=BC:24:11:00:00:03,ip=dhcp,type=veth
tags: dhcp-lan
""",
    "lxc/102.conf": "net0: name=eth0,bridge=br0,hwaddr=BC:24:11:00:00:04,ip=dhcp,type=veth\n",
}
# Not on the host itself: what is mounted in the switch's namespace is gone with the command.
WITH_PROXMOX = 'mount --bind "$0" /etc; exec "$@"'


def test_proxmoxs_hook_says_whose_a_port_is_and_of_which_network(
    switch: PrivateOvs, tmp_path: Path
) -> None:
    run(["cp", "-a", "/etc", tmp_path])
    for file, text in PROXMOX.items():
        path = tmp_path / "etc" / "pve" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    switch.namespace.ip("tuntap", "add", "tap100i0", "mode", "tap")
    for port in ("veth101i0", "veth102i0"):
        switch.namespace.ip("link", "add", port, "type", "veth", "peer", f"{port}p")
    for port in ("tap100i0", "veth101i0", "veth102i0"):
        switch.vsctl("add-port", switch.bridge, port)
    switch.vsctl(
        "add-port", switch.bridge, "fwln100o1", "--", "set", "interface", "fwln100o1",
        "type=internal",
    )  # fmt: skip

    def hook(vmid: int, phase: str) -> None:
        command = switch.namespace.command(
            "sh", "-euc", WITH_PROXMOX, tmp_path / "etc", EXAMPLES / "proxmox-hook", vmid, phase
        )
        run(command, env=switch.environment)

    try:
        with Dhcpd(switch, CONFIGURATION + OFFICE) as dhcpd:
            dhcpd.wait_for_flows()
            assert bindings(dhcpd) == {}
            for phase in ("pre-start", "post-start", "pre-stop", "post-stop"):
                for vmid in (100, 101, 102):
                    hook(vmid, phase)
                if phase == "pre-start":
                    assert bindings(dhcpd) == {}
            wait_until(lambda: len(bindings(dhcpd)) == 3, "three that are served")
            served = bindings(dhcpd)
            networks = {port: address.rpartition(".")[0] for port, (_, address) in served.items()}
            assert networks == {
                "tap100i0": "192.168.2", "fwln100o1": "192.168.2", "veth101i0": "192.168.1",
            }  # fmt: skip
            assert {port: mac for port, (mac, _) in served.items()} == {
                "tap100i0": "bc:24:11:00:00:01",
                "fwln100o1": "bc:24:11:00:00:02",
                "veth101i0": "bc:24:11:00:00:03",
            }
            mac = switch.vsctl("get", "interface", "veth102i0", "external_ids:attached-mac")
            assert mac == '"bc:24:11:00:00:04"\n'  # it says no network, of two
    finally:
        for port in ("fwln100o1", "tap100i0", "veth101i0", "veth102i0"):
            switch.vsctl("del-port", port)
        for port in ("tap100i0", "veth101i0", "veth102i0"):
            switch.namespace.ip("link", "delete", port)
