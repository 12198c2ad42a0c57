#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A Mininet topology: one userspace switch, two hosts without addresses.

Runs under the system's Python, which has Debian's Mininet, inside a lab's namespace
with OVS_RUNDIR set: so Mininet's `ovs-vsctl` reaches the lab's switch and no other.
Prints "ready", waits for a line on its standard input, lets every host run udhcpc,
and prints what came of it as JSON.
"""

from __future__ import annotations

import json
import sys

from mininet.net import Mininet
from mininet.node import OVSSwitch
from mininet.topo import Topo

MACS = {"h1": "02:00:00:00:00:01", "h2": "02:00:00:00:00:02"}
LEASE_SCRIPT = sys.argv[1]  # what udhcpc runs
# A host's commands run on a terminal, where some releases of ip write in colours.
SHOW = "ip -color=never -4 -o address show scope global"


class TwoHosts(Topo):
    """h1 and h2 on s1; s1-eth1 and s1-eth2 are their ports."""

    def build(self) -> None:
        """Called by Mininet."""
        switch = self.addSwitch("s1", datapath="user", failMode="standalone")
        for name, mac in MACS.items():
            self.addLink(self.addHost(name, ip=None, mac=mac), switch)


def main() -> None:
    """Build the network, let the hosts get their leases, take it down."""
    Mininet.inited = True  # it would raise limits of the whole machine
    net = Mininet(topo=TwoHosts(), switch=OVSSwitch, controller=None, waitConnected=False)
    net.start()
    try:
        for link in net.links:
            for interface in (link.intf1, link.intf2):
                interface.node.cmd(f"ethtool -K {interface.name} tx off")
        print("ready", flush=True)
        sys.stdin.readline()
        results = {}
        for host in net.hosts:
            command = f"udhcpc -f -q -n -t 30 -T 1 -i {host.defaultIntf()} -s {LEASE_SCRIPT}"
            results[host.name] = {
                "client": host.cmd(command),
                "addresses": host.cmd(SHOW).split()[3::100],
            }
        results["ping"] = net.get("h1").cmd("ping -c 1 -W 2 10.0.0.12")
        print(json.dumps(results), flush=True)
    finally:
        net.stop()


if __name__ == "__main__":
    main()
