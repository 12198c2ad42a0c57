# SPDX-License-Identifier: Apache-2.0
"""The network of the reference document: finance-network1 with one port."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import yaml

from tests.lab.guest import Guest
from tests.lab.switch import PrivateOvs

PORT = "0029ead2-8124-439b-9ec0-9579d9f601ea"
MAC = "fa:16:3e:8b:ea:fd"
ADDRESS = IPv4Address("192.168.1.7")
CIDR = IPv4Network("192.168.1.0/24")
SERVER_ID = IPv4Address("192.168.1.1")
SERVER_MAC = "fa:16:3e:9f:1a:b5"
LEASE_TIME_S = 43200
DNS_SERVER = IPv4Address("172.25.250.254")
MTU = 1442
ROUTES = (
    (IPv4Network("169.254.169.254/32"), IPv4Address("192.168.1.2")),
    (IPv4Network("0.0.0.0/0"), SERVER_ID),
)
# The same as ovn-nbctl takes it.
OVN_OPTIONS = {
    "server_id": str(SERVER_ID),
    "server_mac": SERVER_MAC,
    "lease_time": str(LEASE_TIME_S),
    "router": str(SERVER_ID),
    "dns_server": f"{{{DNS_SERVER}}}",
    "mtu": str(MTU),
    "classless_static_route": "{"
    + ",".join(f"{network},{router}" for network, router in ROUTES)
    + "}",
}
# put_dhcp_opts for the port above, as Open vSwitch prints it.
USERDATA = (
    "00.00.00.02.00.00.00.00.00.01.de.10.00.00.00.63.c0.a8.01.07."
    "79.0e.20.a9.fe.a9.fe.c0.a8.01.02.00.c0.a8.01.01."
    "06.04.ac.19.fa.fe.33.04.00.00.a8.c0.1a.02.05.a2.01.04.ff.ff.ff.00."
    "03.04.c0.a8.01.01.36.04.c0.a8.01.01"
)


def configuration(
    address: IPv4Address = ADDRESS,
    *,
    arp_responder: bool = False,
    rate_limit: object = None,
    **options: object,
) -> str:
    """The configuration file, the port with another address, dhcpv4 with further options.

    Who asks more than 50 times a second from the port needs the `rate_limit` "none".
    """
    dhcpv4 = {
        "cidr": str(CIDR),
        "server_id": str(SERVER_ID),
        "server_mac": SERVER_MAC,
        "lease_time": LEASE_TIME_S,
        "router": str(SERVER_ID),
        "dns_server": [str(DNS_SERVER)],
        "mtu": MTU,
        "classless_static_route": [f"{network},{router}" for network, router in ROUTES],
        **options,
    }
    network = {
        **({"arp_responder": True} if arp_responder else {}),
        **({"rate_limit": rate_limit} if rate_limit else {}),
        "dhcpv4": dhcpv4,
        "ports": {PORT: {"addresses": f"{MAC} {address}"}},
    }
    networks = {"networks": {"finance-network1": network}}
    return yaml.safe_dump(networks, sort_keys=False)


def guest(switch: PrivateOvs) -> Guest:
    """The port's virtual machine."""
    return switch.guest("vm1", MAC, PORT)
