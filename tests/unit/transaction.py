# SPDX-License-Identifier: Apache-2.0
"""A transaction, as the daemon tells ``ovs-dhcpd watch`` of it."""

OFFER = {
    "time": "2023-11-14T22:15:00.123Z",
    "bridge": "br-int",
    "ofport": 5,
    "vlan": None,
    "port": "vm1",
    "network": "lab",
    "mac": "02:00:00:00:00:01",
    "asked": "DHCPDISCOVER",
    "xid": "3903f326",
    "answer": "DHCPOFFER",
    "address": "10.0.0.5",
    "reason": None,
    "took_us": 85,
}
