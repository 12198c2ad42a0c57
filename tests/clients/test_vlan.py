# SPDX-License-Identifier: Apache-2.0
"""Real clients on a guest's VLAN interfaces, which all have its MAC: each is of its own network."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Interface

import pytest

from tests.lab.clients import Udhcpc
from tests.lab.clients6 import Dhcp6c, global_addresses, wait_for_link_local
from tests.lab.daemon import Dhcpd, wait_ready
from tests.lab.guest import Guest
from tests.lab.packets import ACK, DISCOVER, REQUEST, request
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs
from tests.lab.vlan_guest import VlanGuest

MAC = "fa:16:3e:00:00:01"
SERVER_MAC = "0a:00:00:00:01:00"
UNTAGGED, TAGGED = IPv4Address("10.0.0.5"), IPv4Address("10.1.0.5")
CONFIGURATION = f"""
networks:
  plain:
    dhcpv4: {{cidr: 10.0.0.0/24}}
    ports:
      vm1: {{addresses: "{MAC} {UNTAGGED}"}}
  vlan100:
    arp_responder: true
    rate_limit: {{pps: 1000, burst: 1000}}
    dhcpv4: {{cidr: 10.1.0.0/24, server_mac: "{SERVER_MAC}"}}
    dhcpv6: {{cidr: "fd01::/64"}}
    ra: {{addr_mode: slaac, prefix: "fd01::/64", interval: [4, 8]}}
    ports:
      vm1-100: {{addresses: "{MAC} {TAGGED} fd01::5", parent: vm1, tag: 100}}
"""


@pytest.fixture(scope="module")
def guest(switch: PrivateOvs) -> Guest:
    return switch.guest("vm1", MAC)


@pytest.fixture(scope="module")
def inner(switch: PrivateOvs, guest: Guest) -> Guest:
    """What is behind the guest's eth0.100."""
    return VlanGuest(switch, guest, 100)


@pytest.fixture(scope="module")
def dhcpd(switch: PrivateOvs, guest: Guest, inner: Guest) -> Iterator[Dhcpd]:
    with Dhcpd(switch, CONFIGURATION, "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(guest)
        wait_ready(dhcpd)
        yield dhcpd


def paused(switch: PrivateOvs) -> int:
    """How many packets of DHCPv4 have been."""
    switch.appctl("revalidator/purge")  # what is counted in the datapath alone, too
    return switch.packet_ins("tp_dst=67")


def with_tags(frame: bytes, *tags: str) -> bytes:
    return frame[:12] + bytes.fromhex("".join(tags)) + frame[12:]


@pytest.mark.needs("udhcpc")
def test_udhcpc_has_another_address_in_the_vlan(
    switch: PrivateOvs, guest: Guest, inner: Guest, dhcpd: Dhcpd
) -> None:
    with Udhcpc(switch, guest) as plain:
        assert plain.lease().address == UNTAGGED
    with Udhcpc(switch, inner) as tagged:
        assert tagged.lease().address == TAGGED
        tagged.renew()
        assert tagged.lease(2).address == TAGGED
    assert dhcpd.appctl("bindings/refused") == ""
    shown = dhcpd.appctl("bindings/show").splitlines()
    assert [line.split()[0] for line in shown] == ["vm1", "vm1-100"]
    assert "vlan100 (tag 100): 10.1.0.5" in shown[1]


def test_the_server_is_found_and_renews_by_unicast_in_the_vlan(inner: Guest, dhcpd: Dhcpd) -> None:
    inner.namespace.ip("address", "replace", f"{TAGGED}/24", "dev", "eth0")
    # The kernel asks for the server's MAC; what it asks with is lost.
    inner.namespace.run("sh", "-c", "echo > /dev/udp/10.1.0.1/9 || ping -c1 -W1 10.1.0.1 || true")
    wait_until(
        lambda: SERVER_MAC in inner.namespace.ip("neighbour", "show", "10.1.0.1"),
        "the server's MAC",
    )
    ack = inner.reply(
        request(REQUEST, MAC, ciaddr=str(TAGGED), ip_src=str(TAGGED), ip_dst="10.1.0.1",
                eth_dst=SERVER_MAC)
    )  # fmt: skip
    assert (ack.message, ack.yiaddr, ack.eth_src) == (ACK, str(TAGGED), SERVER_MAC)
    inner.namespace.ip("-4", "address", "flush", "dev", "eth0")


@pytest.mark.needs("dhcp6c")
def test_ipv6_is_served_in_the_vlan(switch: PrivateOvs, inner: Guest, dhcpd: Dhcpd) -> None:
    """The kernel's own address from an advertisement, and dhcp6c's."""
    own = IPv6Interface("fd01::f816:3eff:fe00:1/64")
    wait_for_link_local(inner)
    wait_until(lambda: own in global_addresses(inner), "an advertisement")
    with Dhcp6c(switch, inner):
        address = IPv6Interface(f"{IPv6Address('fd01::5')}/128")
        wait_until(lambda: address in global_addresses(inner), "the address")


def test_what_has_no_tag_or_that_of_vlan_0_is_the_parents(guest: Guest, dhcpd: Dhcpd) -> None:
    assert guest.reply(request(DISCOVER, MAC)).yiaddr == str(UNTAGGED)
    frame = request(DISCOVER, MAC, xid=0x5050)
    with guest.raw() as raw:
        raw.send(with_tags(frame, "8100a000"))  # priority 5
        answer = raw.receive(5, lambda found: b"\0\0\x50\x50" in found and b"\x35\x01\x02" in found)
    assert answer
    assert UNTAGGED.packed in answer


@pytest.mark.parametrize(
    "tags",
    [("8100012c",), ("81000064", "8100000a"), ("88a80064", "81000064"), ("81000000", "81000064")],
    ids=["another", "QinQ", "802.1ad", "behind priority"],
)
def test_what_is_of_no_network_goes_on_unanswered(
    switch: PrivateOvs, guest: Guest, inner: Guest, dhcpd: Dhcpd, tags: tuple[str, ...]
) -> None:
    frame = request(DISCOVER, MAC, xid=0x6060)
    before = paused(switch)
    with guest.raw() as raw, inner.raw() as inside:
        raw.send(with_tags(frame, *tags))
        # The answer to what is sent then would come after one to that.
        assert inner.reply(request(DISCOVER, MAC)).yiaddr == str(TAGGED)
        for socket in (raw, inside):
            assert not socket.receive(0.1, lambda found: b"\0\0\x60\x60" in found)
    assert paused(switch) == before + 1, "the one that was answered"


def test_a_port_and_its_vlans_have_one_meter(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    ofport = switch.ofport(guest.port)
    lines = dhcpd.appctl("meters/show").splitlines()
    meter = f"meter {0x64680000 + ofport} 1000/s burst 1000"
    assert [meter in line for line in lines] == [True, True]


def test_an_access_port_carries_no_tag(switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd) -> None:
    switch.vsctl("set", "port", guest.port, "tag=5")
    line = (
        f"port vm1-100: tag: 100 is not carried with its tag by access port {guest.port}, "
        "expected one that is"
    )
    wait_until(lambda: dhcpd.appctl("bindings/refused") == line, "the refusal")
    assert not any("dl_vlan" in flow for flow in switch.flows())
    assert guest.reply(request(DISCOVER, MAC)).yiaddr == str(UNTAGGED)
    switch.vsctl(
        "clear", "port", guest.port, "tag", "--", "set", "port", guest.port, "trunks=0,100"
    )
    wait_until(lambda: any("dl_vlan=100" in flow for flow in switch.flows()), "the VLAN again")
    assert dhcpd.appctl("bindings/refused") == ""
    switch.vsctl("clear", "port", guest.port, "trunks")


POOLS = """
networks:
  lab: {dhcpv4: {cidr: 10.0.0.0/24}, pool: 10.0.0.100-10.0.0.109}
  vlan100: {dhcpv4: {cidr: 10.1.0.0/24}, pool: 10.1.0.100-10.1.0.109, tag: 100}
"""


@pytest.mark.needs("udhcpc")
def test_a_trunks_guests_get_addresses_of_their_vlans_pool(
    switch: PrivateOvs, guest: Guest, inner: Guest, dhcpd: Dhcpd
) -> None:
    """Those that nobody names: the same after a restart, from what stands in the row."""

    def both_are_served() -> bool:
        shown = dhcpd.appctl("bindings/show").splitlines()
        return [line.split()[0] for line in shown] == ["vm1", "vm1.100"]

    switch.vsctl("set", "port", guest.port, "trunks=0,100")
    dhcpd.reconfigure(POOLS)
    wait_until(both_are_served, "both networks")
    with Udhcpc(switch, inner) as client:
        address = client.lease().address
    assert str(address).startswith("10.1.0.10")
    ids = switch.vsctl("get", "interface", guest.port, "external_ids")
    assert f'dhcp-ip-100="{address}"' in ids
    dhcpd.stop()
    dhcpd.start()
    dhcpd.wait_for_flows(guest)
    wait_until(both_are_served, "both networks")
    assert inner.reply(request(DISCOVER, MAC)).yiaddr == str(address)
    assert guest.reply(request(DISCOVER, MAC)).yiaddr.startswith("10.0.0.")
    assert dhcpd.appctl("bindings/refused") == ""
