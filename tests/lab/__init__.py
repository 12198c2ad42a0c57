# SPDX-License-Identifier: Apache-2.0
"""Private Open vSwitch and OVN labs, up in about a second, several side by side.

The daemons of a lab run in a network namespace of their own, with sockets,
databases and logs in a directory of their own, on the userspace datapath; guests
are network namespaces joined by veth.  A system Open vSwitch is never touched.
Needs root and the Debian packages that `tests/install-packages test` installs.

    __main__.py   a lab by hand: python -m tests.lab
    process.py    commands, child processes, waiting
    namespace.py  network namespaces, raw sockets inside them
    switch.py     PrivateOvs: ovsdb-server, ovs-vswitchd, one bridge, its ports
    ovn.py        PrivateOvn: the same with ovn-northd and ovn-controller
    guest.py      Guest: a namespace with eth0 plugged into the bridge
    database.py   Database: one ovsdb-server without a switch or root
    daemon.py     Dhcpd: the daemon under test
    northbound.py Northbound: a database without the rest of OVN; raft.py: a cluster of it
    underlay.py   Underlay: hosts joined by tunnels
    clients.py    udhcpc, dhclient, dhcpcd: each reports its leases; clients6.py: of DHCPv6
    machine.py    PCs that boot from the network
    libvirt.py    Libvirt: a libvirtd, and machines that it plugs in
    packets.py    DHCPv4 requests as bytes, replies as fields; packets6.py, nd.py: of IPv6
    reference.py  the network of the reference document; reference6.py: with IPv6
"""
