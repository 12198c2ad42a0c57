# SPDX-License-Identifier: Apache-2.0
"""systemd-networkd: the strictest of the IPv6 clients."""

from __future__ import annotations

import re
from ipaddress import IPv6Interface

import pytest

from tests.clients.expected import SHORT, Serve, says, says6
from tests.lab import reference, reference6
from tests.lab.clients6 import NETWORKD, Networkd, global_addresses
from tests.lab.guest import Guest
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.needs(NETWORKD)

# "flags MANAGED" in the words of systemd 252, "flags=0x80(managed)" in those of 257.
MANAGED = re.compile(r"Received Router Advertisement.*flags[ =](MANAGED|0x80\(managed\))")
ADDRESS = IPv6Interface(f"{reference6.ADDRESS}/128")


def test_lease_is_had_and_renewed_at_t1(serve6: Serve, switch: PrivateOvs, guest: Guest) -> None:
    dhcpd = serve6(port={"delegated_prefix": str(reference6.PREFIX)}, **SHORT)
    with Networkd(switch, guest) as client:
        wait_until(lambda: "State changed: configuring -> configured" in client.log(), "networkd")
        assert global_addresses(guest) == [ADDRESS]
        assert MANAGED.search(client.log())
        assert f"received delegated prefix {reference6.PREFIX}" in client.log()
        wait_until(lambda: "State changed: renew -> bound" in client.log(), "the renewal")
        # The reply is logged after it is sent; and T1 comes again.
        dhcpd.wait_for_message(says6("REPLY"), 2)


def test_rapid_commit_takes_two_messages(serve6: Serve, switch: PrivateOvs, guest: Guest) -> None:
    dhcpd = serve6(rapid_commit=True, **SHORT)
    with Networkd(switch, guest):
        wait_until(lambda: global_addresses(guest) == [ADDRESS], "the address")
    assert says6("ADVERTISE") not in dhcpd.messages()


class Networkd4(Networkd):
    """The same, as a client of DHCPv4.  Its client identifier is RFC 4361's."""

    dhcp = "ipv4"


def test_dhcpv4_lease_is_had_and_renewed_at_t1(
    serve: Serve, switch: PrivateOvs, guest: Guest
) -> None:
    dhcpd = serve(arp_responder=True, T1=2, T2=60)
    with Networkd4(switch, guest) as client:
        wait_until(lambda: "DHCPv4 address and routes set" in client.log(), "networkd")
        assert guest.addresses() == [reference.ADDRESS]
        routes = guest.namespace.ip("-4", "route", "show", "proto", "dhcp")
        for network, router in reference.ROUTES:
            to = "default" if not network.prefixlen else network.network_address
            assert f"{to} via {router} " in routes
        dhcpd.wait_for_message(says("ACK"), 2)
    assert dhcpd.messages()[:2] == [says("OFFER"), says("ACK")]
