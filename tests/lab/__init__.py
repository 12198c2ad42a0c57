# SPDX-License-Identifier: Apache-2.0
"""Private Open vSwitch and OVN labs, up in about a second, several side by side.

The daemons of a lab run in a network namespace of their own, with sockets,
databases and logs in a directory of their own, on the userspace datapath; guests
are network namespaces joined by veth.  A system Open vSwitch is never touched.
Needs root and the Debian packages that `tests/install-packages test` installs.

    process.py    commands, child processes, waiting
    namespace.py  network namespaces, raw sockets inside them
    switch.py     PrivateOvs: ovsdb-server, ovs-vswitchd, one bridge, its ports
    ovn.py        PrivateOvn: the same with ovn-northd and ovn-controller
    guest.py      Guest: a namespace with eth0 plugged into the bridge
    daemon.py     Dhcpd: the daemon under test
    clients.py    udhcpc, dhclient, dhcpcd: each reports its leases
    packets.py    DHCPv4 requests as bytes, replies as fields
"""
