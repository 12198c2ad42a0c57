# SPDX-License-Identifier: Apache-2.0
"""Libvirt: a libvirtd of one's own, and the machines that it plugs into the switch."""

from __future__ import annotations

import re
from pathlib import Path

from tests.lab.process import LabError, Process, run, wait_until
from tests.lab.switch import PrivateOvs

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROGRAMS = ("libvirtd", "virsh", "qemu-system-x86_64")

# No option says where it keeps its files, so it gets empty directories in the mount namespace that
# it is started in.  There it also finds the user that its QEMU driver looks up, which not every
# host has.  The system's bus stays out of it: machines would be registered with systemd.
_START = """
set -e
for directory in /etc/libvirt /run/libvirt /var/cache/libvirt /var/lib/libvirt /var/log/libvirt; do
    mkdir -p $directory
    mount -t tmpfs libvirt $directory
done
{ cat /etc/passwd; echo libvirt-qemu:x:64055:64055::/:/bin/false; } > /run/libvirt/passwd
{ cat /etc/group; echo libvirt-qemu:x:64055:; } > /run/libvirt/group
mount --bind /run/libvirt/passwd /etc/passwd
mount --bind /run/libvirt/group /etc/group
cat > /etc/libvirt/qemu.conf <<END
user = "root"
group = "root"
security_driver = "none"
stdio_handler = "file"
namespaces = []
cgroup_controllers = []
END
# With nftables it has checksums filled in by a module of the kernel that not every host has.
echo 'firewall_backend = "iptables"' > /etc/libvirt/network.conf
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/libvirt/no-bus
exec libvirtd --pid-file /run/libvirt/libvirtd.pid
"""

_NETWORK = EXAMPLES / "libvirt-network.xml"
_MACHINE = EXAMPLES / "libvirt-domain.xml"

# What a machine of the network has in place of the example's <interface>.
_ON_NETWORK = """<interface type='network'>
      <source network='{}'/>
      <model type='virtio'/>
    </interface>"""


def example(file: Path, **other: str) -> str:
    """One of the examples, with other words where it has those of ``other``'s keys in quotes.

    It is QEMU's emulation, not KVM: not every host that runs tests has it.
    """
    xml = file.read_text(encoding="utf-8").replace("<domain type='kvm'>", "<domain type='qemu'>")
    for word, instead in other.items():
        assert word in xml, f"no {word} in {file}"
        xml = xml.replace(f"'{word}'", f"'{instead}'").replace(f">{word}<", f">{instead}<")
    return xml


class Libvirt:
    """libvirtd in the switch's network namespace; a context manager."""

    def __init__(self, switch: PrivateOvs) -> None:
        self.switch = switch
        self.process: Process | None = None

    def __enter__(self) -> Libvirt:
        self.process = self.switch.spawn("libvirtd", "sh", "-c", _START)
        wait_until(self._answers, "libvirtd", 60)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process, "not started"
        self.process.stop()

    def virsh(self, *arguments: object) -> str:
        """Run a virsh command."""
        return self.run("virsh", "--quiet", "--connect", "qemu:///system", *arguments)

    def run(self, *argv: object) -> str:
        """Run a command where libvirtd is, with its files."""
        assert self.process, "not started"
        return run(["nsenter", "--target", self.process.pid, "--mount", "--net", *argv])

    def add_network(self, name: str) -> None:
        """Make and start a network that forwards to the switch's bridge."""
        self._load("net-define", name, example(_NETWORK, ovs=name, br0=self.switch.bridge))
        self.virsh("net-start", name)

    def define(self, name: str, network: str | None = None) -> LibvirtMachine:
        """Make a machine that is not started yet, on the switch's bridge or on a network.

        It has no disk and boots by iPXE.
        """
        machine = example(_MACHINE, vm1=name, br0=self.switch.bridge)
        if network:
            interface = re.compile("<interface type='bridge'>.*</interface>", re.DOTALL)
            machine = interface.sub(_ON_NETWORK.format(network), machine)
        self._load("define", name, machine)
        return LibvirtMachine(self, name)

    def _load(self, command: str, name: str, xml: str) -> None:
        file = self.switch.directory / f"{name}.xml"
        file.write_text(xml)
        self.virsh(command, file)

    def _answers(self) -> bool:
        assert self.process, "not started"
        assert self.process.status is None, f"libvirtd ended:\n{self.process.text()}"
        try:
            self.virsh("list")
        except LabError:
            return False
        return True


class LibvirtMachine:
    """A machine that libvirt knows; a context manager that starts and destroys it."""

    def __init__(self, libvirt: Libvirt, name: str) -> None:
        self._libvirt = libvirt
        self.name = name
        self.mac = self._attribute("mac address")

    def __enter__(self) -> LibvirtMachine:
        self._libvirt.virsh("start", self.name)
        return self

    def __exit__(self, *_: object) -> None:
        self._libvirt.virsh("destroy", self.name)

    @property
    def port(self) -> str:
        """The name of its interface, another one at each start."""
        return self._attribute("target dev")

    @property
    def iface_id(self) -> str:
        """What it is plugged in as."""
        return self._attribute("parameters interfaceid")

    def _attribute(self, name: str) -> str:
        xml = self._libvirt.virsh("dumpxml", self.name)
        found = re.search(f"<{name}='([^']*)'", xml)
        assert found, f"no {name} in {xml}"
        return found[1]
