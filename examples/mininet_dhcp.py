#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Mininet: four hosts on two switches get their addresses by DHCP, and ping each other.

Run on Debian 12 and 13 with Mininet 2.3, on the userspace datapath, by tests/mininet.
"""

from mininet.cli import CLI
from mininet.log import setLogLevel
from mininet.net import Mininet
from mininet.topo import LinearTopo
from mininet_switch import DhcpSwitch

if __name__ == "__main__":
    setLogLevel("info")
    net = Mininet(topo=LinearTopo(k=2, n=2), switch=DhcpSwitch, controller=None)
    net.start()
    net.pingAll()
    CLI(net)
    net.stop()
