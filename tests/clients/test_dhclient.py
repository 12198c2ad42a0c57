# SPDX-License-Identifier: Apache-2.0
"""ISC's dhclient."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ovs_dhcpd.flows.options.table import DHCPV4

from tests.clients.expected import OTHER_ADDRESS, REFERENCE_LEASE, GiveAddress, Serve, says, told
from tests.lab import reference
from tests.lab.clients import Dhclient
from tests.lab.guest import Guest
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.needs("dhclient")


@pytest.fixture
def client(switch: PrivateOvs, guest: Guest) -> Iterator[Dhclient]:
    """A client that remembers no lease, to be started when it is served."""
    (guest.directory / "dhclient.leases").unlink(missing_ok=True)
    client = Dhclient(switch, guest)
    yield client
    client.stop()


def test_lease_has_the_configured_options(serve: Serve, client: Dhclient, guest: Guest) -> None:
    serve()
    client.start()
    assert told(client.lease()) == REFERENCE_LEASE
    assert guest.addresses() == [REFERENCE_LEASE["address"]]


# By the name of our option: what is configured, dhclient's name for it, and what that reads.
OTHERS: dict[str, tuple[object, str, str]] = {
    "log_server": ("10.0.0.21", "log-servers", "10.0.0.21"),
    "lpr_server": ("10.0.0.22", "lpr-servers", "10.0.0.22"),
    "hostname": ("vm1", "host-name", "vm1"),
    "domain_name": ("example.org", "domain-name", "example.org"),
    "swap_server": ("10.0.0.23", "swap-server", "10.0.0.23"),
    "ip_forward_enable": (True, "ip-forwarding", "true"),
    "policy_filter": (["10.1.0.0", "255.255.0.0"], "policy-filter", "10.1.0.0 255.255.0.0"),
    "default_ttl": (63, "default-ip-ttl", "63"),
    "broadcast_address": ("192.168.1.255", "broadcast-address", "192.168.1.255"),
    "router_discovery": (True, "router-discovery", "true"),
    "router_solicitation": ("10.0.0.24", "router-solicitation-address", "10.0.0.24"),
    "arp_cache_timeout": (60, "arp-cache-timeout", "60"),
    "ethernet_encap": (False, "ieee802-3-encapsulation", "false"),
    "tcp_ttl": (62, "default-tcp-ttl", "62"),
    "tcp_keepalive_interval": (61, "tcp-keepalive-interval", "61"),
    "nis_server": ("10.0.0.25", "nis-servers", "10.0.0.25"),
    "ntp_server": (["10.0.0.26", "10.0.0.27"], "ntp-servers", "10.0.0.26 10.0.0.27"),
    "netbios_name_server": ("10.0.0.28", "netbios-name-servers", "10.0.0.28"),
    "netbios_node_type": (8, "netbios-node-type", "8"),
    "T1": (100, "dhcp-renewal-time", "100"),
    "T2": (200, "dhcp-rebinding-time", "200"),
    "tftp_server": ("10.0.0.29", "tftp-server-name", "10.0.0.29"),
    "bootfile_name": ("pxe.0", "bootfile-name", "pxe.0"),
    "captive_portal": ("https://p/", "portal", "https://p/"),
    "domain_search_list": (["a.b.org", "b.org"], "domain-search", "a.b.org. b.org."),
    "tftp_server_address": ("10.0.0.30", "tftp-addresses", "10.0.0.30"),
    "path_prefix": ("/p", "path-prefix", "/p"),
    "ms_classless_static_route": ("10.2.0.0/16,10.0.0.2", "ms-routes", "16 10 2 10 0 0 2"),
    "wpad": ("http://w/", "wpad", "http://w/"),
    "next_server": ("10.0.0.31", "", "10.0.0.31"),  # a field
}
TOLD_BY_THE_LEASE = {"offerip", "netmask", "router", "dns_server", "mtu", "lease_time", "server_id",
                     "classless_static_route"}  # fmt: skip
NOT_HERE = {"bootfile_name_alt", "ipv6_only_preferred"}  # with the latter it takes no lease
NOT_DHCLIENTS = """
    option portal code 114 = text;
    option tftp-addresses code 150 = array of ip-address;
    option path-prefix code 210 = text;
    option ms-routes code 249 = array of unsigned integer 8;
    option wpad code 252 = text;
"""


def test_every_option_reads_as_it_was_configured(
    serve: Serve, switch: PrivateOvs, client: Dhclient
) -> None:
    assert OTHERS.keys() | NOT_HERE | TOLD_BY_THE_LEASE == DHCPV4.by_name.keys()
    serve(**{name: value for name, (value, _, _) in OTHERS.items()})
    names = "".join(f", {name}" for _, name, _ in OTHERS.values() if name)
    asked = client.configuration.replace("interface-mtu;", f"interface-mtu{names};")
    client.configuration = NOT_DHCLIENTS + asked
    client.start()
    client.lease()
    variables = {
        f"new_{(name or 'next-server').replace('-', '_')}": told
        for _, name, told in OTHERS.values()
    }
    event = client.events()[-1]
    assert {name: event.get(name) for name in variables} == variables


def test_lease_is_renewed_by_unicast_at_t1(serve: Serve, client: Dhclient) -> None:
    serve(arp_responder=True, T1=2, T2=30)
    client.start()
    client.lease()
    renewed = client.lease(2)
    assert renewed.event == "RENEW"
    assert told(renewed) == REFERENCE_LEASE
    assert "DHCPREQUEST for 192.168.1.7 on eth0 to 192.168.1.1 port 67" in client.log()


def test_init_reboot_with_the_right_address_is_acknowledged(serve: Serve, client: Dhclient) -> None:
    dhcpd = serve()
    client.start()
    client.lease()
    client.stop()
    before = len(dhcpd.messages())
    client.start()
    assert client.lease().event == "REBOOT"
    # It may send its request twice.
    assert set(dhcpd.messages()[before:]) == {says("ACK")}


def test_init_reboot_with_a_wrong_address_is_refused(
    serve: Serve, client: Dhclient, give_address: GiveAddress
) -> None:
    dhcpd = serve()
    client.start()
    client.lease()
    client.stop()
    give_address(dhcpd, OTHER_ADDRESS)
    client.start()
    assert client.lease().address == OTHER_ADDRESS
    assert "DHCPNAK from 192.168.1.1" in client.log()


def test_release_is_logged(serve: Serve, client: Dhclient, guest: Guest) -> None:
    dhcpd = serve()
    client.start()
    client.lease()
    # A client may drop its address while it still asks for the server's MAC.
    guest.learn(reference.SERVER_ID, reference.SERVER_MAC)
    client.release()
    dhcpd.wait_for_message(says("RELEASE"))
