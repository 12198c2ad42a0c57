# SPDX-License-Identifier: Apache-2.0
"""Mininet: hosts get their addresses from ovs-dhcpd, with nothing else to type.

    mn --custom mininet_switch.py --topo tree,2

Or in a script, as in mininet_dhcp.py.  Each switch has 256 addresses of the subnet from which
Mininet would have numbered the hosts (--ipbase).  A host that is added with `dhcp=False` keeps
what it was given.  ovs-dhcpd and busybox must be in root's PATH; nothing of ours is imported.

Run on Debian 12 and 13 with Mininet 2.3, on the userspace datapath, by tests/mininet.
"""

from __future__ import annotations

import subprocess
import tempfile
from ipaddress import ip_network
from pathlib import Path

from mininet.link import Intf
from mininet.log import error, info
from mininet.moduledeps import pathCheck
from mininet.node import Controller, Node, OVSSwitch, Switch
from mininet.nodelib import NAT

NETWORK = """\
  {bridge}:
    bridge: {bridge}
    dhcpv4: {{cidr: {subnet}, lease_time: 4294967295{router}}}
    pool: {first}-{last}
"""
LEASE_SCRIPT = """\
#!/bin/sh
[ "$1" = bound ] || exit 0
ip address replace "$ip/$mask" dev "$interface"
[ -z "$router" ] || ip route replace default via "$router"
"""


class DhcpSwitch(OVSSwitch):
    """A switch whose hosts get leases: one ovs-dhcpd serves all switches of the net.

    It forwards by itself if there is no controller.
    """

    daemon: subprocess.Popen[bytes] | None = None

    @classmethod
    def setup(cls) -> None:
        """Look for the programs."""
        super().setup()
        pathCheck("ovs-dhcpd", "busybox", "setpriv", moduleName="ovs-dhcpd")

    def start(self, controllers: list[Controller]) -> None:
        """Add the bridge with its ports."""
        if not controllers:
            self.failMode = "standalone"
        super().start(controllers)

    def intfOpts(self, intf: Intf) -> str:
        """Name a host's port as the host does, and have no other one served."""
        host = [*filter(_is_served, _others(intf))]
        ids = f"iface-id={host[0]}" if host else "dhcp-network=none"
        return f"{super().intfOpts(intf)} external_ids:{ids}"

    @classmethod
    def batchStartup(cls, switches: tuple[DhcpSwitch, ...], **options: object) -> object:
        """Once all switches run, start the daemon and let all hosts ask."""
        started = super().batchStartup(switches, **options)
        ends = [end for switch in switches for intf in switch.intfList() for end in _others(intf)]
        hosts = [end for end in ends if _is_served(end)]
        cls.files = tempfile.TemporaryDirectory(prefix="mininet-")
        configuration, script = (Path(cls.files.name, name) for name in ("dhcp.yaml", "lease"))
        configuration.write_text(_configuration(switches, ends, hosts))
        script.write_text(LEASE_SCRIPT)
        script.chmod(0o755)
        # It ends when Mininet does, however that ends, but not by Ctrl-C at Mininet's prompt.
        command = f"setpriv --pdeathsig TERM ovs-dhcpd run -v console:err -c {configuration}"
        cls.daemon = subprocess.Popen(command.split(), start_new_session=True)
        info("\n*** Hosts ask for their addresses\n")
        ask: dict[Node, str] = {}
        for end in hosts:
            ask[end.node] = (
                f"{ask.get(end.node, '')} ip -4 address flush dev {end};"
                f" busybox udhcpc -fqn -t 30 -T 1 -i {end} -s {script};"
            )
        for node, command in ask.items():
            node.sendCmd(command)
        for node in ask:
            node.waitOutput()
        for end in hosts:
            if end.updateIP():
                info(f"{end}: {end.IP()} ")
            else:
                error(f"{end} has no lease; `sh ovs-dhcpd why {end}` says why\n")
        return started

    @classmethod
    def batchShutdown(cls, switches: tuple[DhcpSwitch, ...], **options: object) -> object:
        """End the daemon, then the switches."""
        if cls.daemon:
            cls.daemon.terminate()
            cls.daemon.wait()
            cls.files.cleanup()
        return super().batchShutdown(switches, **options)


def _others(intf: Intf) -> list[Intf]:
    """What is at the other end of a port's link."""
    return [end for end in (intf.link.intf1, intf.link.intf2) if end != intf] if intf.link else []


def _is_served(end: Intf) -> bool:
    node = end.node
    return node.inNamespace and not isinstance(node, Switch) and node.params.get("dhcp", True)


def _configuration(switches: tuple[DhcpSwitch, ...], ends: list[Intf], hosts: list[Intf]) -> str:
    """A network for each switch, with its part of the subnet; a NAT (--nat) is the router."""
    subnets = [f"{end.IP()}/{end.prefixLen}" for end in hosts if end.IP()]
    subnet = ip_network((subnets or ["10.0.0.0/8"])[0], strict=False)
    router = "".join(f", router: {end.IP()}" for end in ends if isinstance(end.node, NAT))
    size = min(256, (subnet.num_addresses - 2) // len(switches))
    return "networks:\n" + "".join(
        NETWORK.format(bridge=switch, subnet=subnet, router=router,
                       first=subnet[max(1, number * size)], last=subnet[(number + 1) * size - 1])
        for number, switch in enumerate(switches)
    )  # fmt: skip


switches = dict.fromkeys(("default", "ovsbr", "dhcp"), DhcpSwitch)  # for `mn`
