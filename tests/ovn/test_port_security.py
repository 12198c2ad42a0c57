# SPDX-License-Identifier: Apache-2.0
"""The same packets through OVN's port security and through a guard, with the same verdicts.

Each packet is sent for real, from a port of OVN's bridge and from one of a bridge that has the
guard's flows and NORMAL; what comes out at the other port of that bridge has passed.  In what they
differ, and why, is in the table.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

import pytest
from ovs_dhcpd.controller.wire.frames import tag_of, with_tag
from ovs_dhcpd.flows.bindings.network import DEFAULT_BRIDGE, Guarded, Network, Port
from ovs_dhcpd.flows.pipeline.guard import GuardService

from tests.lab.guest import Guest
from tests.lab.ovn import Change, PrivateOvn, has, version
from tests.lab.switch import PrivateOvs

MAC, OTHER_MAC, SINK_MAC = "02:00:00:00:00:05", "02:00:00:00:00:66", "02:00:00:00:00:77"
OWN, SECOND, STRAY = "10.0.0.5", "10.0.0.6", "10.0.0.66"
OWN6, STRAY6, PEER6 = "fd00::5", "fd00::66", "fd00::77"
LLA, STRAY_LLA = "fe80::ff:fe00:5", "fe80::ff:fe00:66"
PEER, ANY, ALL = "10.0.0.77", "0.0.0.0", "255.255.255.255"
TO_ALL = "ff:ff:ff:ff:ff:ff"


def mac_of(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def packed(text: str) -> bytes:
    return IPv6Address(text).packed if ":" in text else IPv4Address(text).packed


def ethernet(kind: int, payload: bytes, *, to: str = SINK_MAC, source: str = MAC) -> bytes:
    return (mac_of(to) + mac_of(source) + struct.pack("!H", kind) + payload).ljust(60, b"\0")


def checksum(data: bytes) -> bytes:
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


def arp(spa: str, *, sha: str = MAC, op: int = 1, tpa: str = PEER, source: str = MAC) -> bytes:
    head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, op)
    body = head + mac_of(sha) + packed(spa) + bytes(6) + packed(tpa)
    return ethernet(0x0806, body, to=TO_ALL, source=source)


def ipv4(
    source_ip: str, payload: bytes = b"", *, protocol: int = 253, ip_dst: str = PEER,
    to: str = SINK_MAC, source: str = MAC,
) -> bytes:  # fmt: skip
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0)
    head += packed(source_ip) + packed(ip_dst)
    head = head[:10] + checksum(head) + head[12:]
    return ethernet(0x0800, head + payload, to=to, source=source)


def udp(sport: int, dport: int) -> bytes:
    return struct.pack("!HHHH", sport, dport, 12, 0) + b"ping"


def ipv6(
    source_ip: str, payload: bytes = b"", *, protocol: int = 253, ip_dst: str = PEER6,
    to: str = SINK_MAC, source: str = MAC, hop_limit: int = 255,
) -> bytes:  # fmt: skip
    head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, hop_limit)
    return ethernet(
        0x86DD, head + packed(source_ip) + packed(ip_dst) + payload, to=to, source=source
    )


def icmp6(
    source_ip: str, kind: int, body: bytes = bytes(4), *, code: int = 0, ip_dst: str = PEER6,
    to: str = SINK_MAC, source: str = MAC, hop_limit: int = 255,
) -> bytes:  # fmt: skip
    message = struct.pack("!BBH", kind, code, 0) + body
    pseudo_header = packed(source_ip) + packed(ip_dst) + struct.pack("!II", len(message), 58)
    message = message[:2] + checksum(pseudo_header + message) + message[4:]
    return ipv6(source_ip, message, protocol=58, ip_dst=ip_dst, to=to, source=source,
                hop_limit=hop_limit)  # fmt: skip


def multicast(ip_dst: str) -> dict[str, Any]:
    """Where a packet to this group goes."""
    return {"ip_dst": ip_dst, "to": (b"\x33\x33" + packed(ip_dst)[12:]).hex(":")}


NODES, ROUTERS, REPORTS = map(multicast, ("ff02::1", "ff02::2", "ff02::16"))
SOLICITED = multicast("ff02::1:ff00:88")


def ns(source_ip: str, sll: str | None, *, target: str = "fd00::88", **fields: Any) -> bytes:
    option = b"\1\1" + mac_of(sll) if sll else b""
    where = {**SOLICITED, **fields}
    return icmp6(source_ip, 135, bytes(4) + packed(target) + option, **where)


def na(target: str, tll: str | None, *, source_ip: str = OWN6, **fields: Any) -> bytes:
    option = b"\2\1" + mac_of(tll) if tll else b""
    body = b"\x20\0\0\0" + packed(target) + option
    return icmp6(source_ip, 136, body, **fields)


def mld(source_ip: str, kind: int = 143) -> bytes:
    return icmp6(source_ip, kind, bytes(4), **REPORTS)


@dataclass(frozen=True)
class Case:
    """A packet, and whether OVN lets it pass; `ours` is why the guard does otherwise.

    An OVN without the change `since` does otherwise, too.
    """

    name: str
    frame: bytes
    passes: bool
    ours: str = ""
    since: Change | None = None


NS_IS_CHECKED: Change = ((24, 3, 8), (25, 3, 3), (25, 9, 3), (26, 3, 0))  # OVN 35144aba9
HOP_LIMIT_IS_255: Change = (  # OVN bb7157467; it was 225
    (22, 9, 3), (22, 12, 2), (23, 3, 2), (23, 6, 2), (23, 9, 0),
)  # fmt: skip
DHCP_SERVER = "a guest is no DHCP server"
CASES = [
    # Ethernet
    Case("IPv4", ipv4(OWN), True),
    Case("of another MAC", ipv4(OWN, source=OTHER_MAC), False),
    Case("another EtherType", ethernet(0x88B5, b"x"), False),
    Case("another EtherType of another MAC", ethernet(0x88B5, b"x", source=OTHER_MAC), False),
    Case("IPv4 in a VLAN", with_tag(ipv4(OWN, b"in a VLAN"), 30), False),
    # ARP
    Case("ARP request", arp(OWN), True),
    Case("ARP request of the second address", arp(SECOND), True),
    Case("ARP reply", arp(OWN, op=2), True),
    Case("gratuitous ARP", arp(OWN, tpa=OWN), True),
    Case("ARP probe", arp(ANY, tpa=OWN), False, "RFC 5227 §2.1.1: all zeroes"),
    Case("ARP reply of no address", arp(ANY, op=2), False),
    Case("ARP of another address", arp(STRAY), False),
    Case("ARP reply of another address", arp(STRAY, op=2), False),
    Case("ARP that says another MAC", arp(OWN, sha=OTHER_MAC), False),
    Case("ARP probe that says another MAC", arp(ANY, sha=OTHER_MAC), False),
    Case("ARP of another MAC", arp(OWN, source=OTHER_MAC), False),
    Case("ARP of another MAC that says so", arp(OWN, sha=OTHER_MAC, source=OTHER_MAC), False),
    # IPv4
    Case("IPv4 of the second address", ipv4(SECOND), True),
    Case("UDP", ipv4(OWN, udp(4000, 5000), protocol=17), True),
    Case("IPv4 to all", ipv4(OWN, ip_dst=ALL, to=TO_ALL), True),
    Case("IPv4 of another address", ipv4(STRAY), False),
    Case("UDP of another address", ipv4(STRAY, udp(4000, 5000), protocol=17), False),
    Case("IPv4 of no address", ipv4(ANY), False),
    Case("IPv4 of the network's broadcast address", ipv4("10.0.0.255"), False),
    Case("IPv4 of a group", ipv4("224.0.0.1"), False),
    Case("DHCP of who has no address", ipv4(ANY, udp(68, 67), protocol=17, ip_dst=ALL, to=TO_ALL),
         True),
    Case("DHCP of no address to one host", ipv4(ANY, udp(68, 67), protocol=17), False),
    Case("DHCP that renews", ipv4(OWN, udp(68, 67), protocol=17), True),
    Case("DHCP of another address", ipv4(STRAY, udp(68, 67), protocol=17), False),
    Case("DHCP as servers send it", ipv4(OWN, udp(67, 68), protocol=17), True, DHCP_SERVER),
    Case("DHCP as servers send it, to all",
         ipv4(OWN, udp(67, 68), protocol=17, ip_dst=ALL, to=TO_ALL), True, DHCP_SERVER),
    Case("DHCP as servers send it, of another address", ipv4(STRAY, udp(67, 68), protocol=17),
         False),
    # IPv6
    Case("IPv6", ipv6(OWN6), True),
    Case("IPv6 of the link-local address", ipv6(LLA), True),
    Case("IPv6 to a group", ipv6(OWN6, **NODES), True),
    Case("IPv6 of another address", ipv6(STRAY6), False),
    Case("IPv6 of another link-local address", ipv6(STRAY_LLA), False),
    Case("IPv6 of no address", ipv6("::"), False),
    Case("IPv6 of another MAC", ipv6(OWN6, source=OTHER_MAC), False),
    Case("DHCPv6", ipv6(LLA, udp(546, 547), protocol=17, **multicast("ff02::1:2")), True),
    Case("DHCPv6 of another address", ipv6(STRAY_LLA, udp(546, 547), protocol=17), False),
    Case("DHCPv6 as servers send it", ipv6(LLA, udp(547, 546), protocol=17), True, DHCP_SERVER),
    Case("echo", icmp6(OWN6, 128), True),
    Case("echo of another address", icmp6(STRAY6, 128), False),
    Case("multicast report", mld(LLA), True),
    Case("multicast report of no address", mld("::"), True),
    Case("multicast report of MLDv1 of no address", mld("::", 131), True),
    Case("done, of no address", mld("::", 132), False),
    Case("multicast report of another address", mld(STRAY_LLA), False),
    Case("router solicitation", icmp6(LLA, 133, **ROUTERS), True),
    Case("router solicitation of no address", icmp6("::", 133, **ROUTERS), False),
    Case("router advertisement", icmp6(LLA, 134, bytes(12), **NODES), True,
         "a guest is no router"),
    Case("router advertisement of another address", icmp6(STRAY_LLA, 134, bytes(12)), False),
    # Neighbor Discovery
    Case("NS", ns(OWN6, MAC), True),
    Case("NS of the link-local address", ns(LLA, MAC), True),
    Case("NS without its MAC", ns(OWN6, None), True),
    Case("NS that says another MAC", ns(OWN6, OTHER_MAC), False, since=NS_IS_CHECKED),
    Case("NS of another address", ns(STRAY6, MAC), False),
    Case("NS whether an address is free", ns("::", None, target=OWN6), True),
    Case("NS whether an address is free, to one host",
         ns("::", None, ip_dst=PEER6, to=SINK_MAC), False),
    Case("NS whether it is free, with another MAC",
         ns("::", OTHER_MAC), False, since=NS_IS_CHECKED),
    Case("NS with a code", ns(OWN6, MAC, code=1), False, since=NS_IS_CHECKED),
    Case("NS from afar that says another MAC", ns(OWN6, OTHER_MAC, hop_limit=64), True,
         "it is none, and is looked at like one"),
    Case("NA", na(OWN6, MAC), True),
    Case("NA of the link-local address", na(LLA, MAC, source_ip=LLA), True,
         since=HOP_LIMIT_IS_255),
    Case("NA without its MAC", na(OWN6, None), True),
    Case("NA that says another MAC", na(OWN6, OTHER_MAC), False),
    Case("NA of another address", na(STRAY6, MAC), False),
    Case("NA from another address", na(OWN6, MAC, source_ip=STRAY6), False),
    Case("NA of another MAC", na(OWN6, MAC, source=OTHER_MAC), False),
]  # fmt: skip


def passed(guest: Guest, sink: Guest) -> set[str]:
    """The names of the cases whose packets come out."""
    # Linux takes the tag off what is received.
    names = {
        case.frame[:12] + case.frame[16:] if tag_of(case.frame) else case.frame: case.name
        for case in CASES
    }
    last = ethernet(0x0800, ipv4(OWN, b"the last one")[14:])
    found = set()

    def note(frame: bytes) -> bool:
        found.add(names.get(frame, ""))
        return frame == last

    with guest.raw() as sending, sink.raw() as receiving:
        for case in CASES:
            sending.send(case.frame)
        sending.send(last)
        assert receiving.receive(10.0, note)
    return found - {""}


def by_ovn() -> set[str]:
    installed = version()
    return {
        case.name
        for case in CASES
        if case.passes == (case.since is None or has(installed, case.since))
    }


def by_the_guard() -> set[str]:
    return {case.name for case in CASES if case.passes != bool(case.ours)}


@pytest.fixture(scope="module")
def on_ovn(ovn: PrivateOvn) -> tuple[Guest, Guest]:
    guest, sink = ovn.guest("guest", MAC), ovn.guest("sink", SINK_MAC)
    addresses = f"{MAC} {OWN} {SECOND} {OWN6}"
    ovn.nbctl("ls-add", "lan", "--", "lsp-add", "lan", "guest", "--", "lsp-add", "lan", "sink")
    ovn.nbctl("lsp-set-addresses", "guest", addresses, "--",
              "lsp-set-port-security", "guest", addresses, "--",
              "lsp-set-addresses", "sink", "unknown")  # fmt: skip
    ovn.sync()
    return guest, sink


@pytest.fixture(scope="module")
def on_ours(switch: PrivateOvs) -> Iterator[tuple[Guest, Guest]]:
    """The guard's flows alone, of a guest with these addresses."""
    guest, sink = switch.guest("guest", MAC), switch.guest("sink", SINK_MAC)
    own = (IPv4Network(OWN), IPv4Network(SECOND), IPv6Network(OWN6), IPv6Network(LLA))
    held = (Guarded(mac_of(MAC), own),)
    port = Port("guest", mac_of(MAC), (), {}, guard=held, vlans=frozenset())
    network = Network("lan", None, (port,), False, bridge=DEFAULT_BRIDGE, guard=True)
    ofport = switch.ofport(guest.port)
    flows = [
        str(flow)
        for lflow in GuardService().port_lflows(network, port)
        for flow in lflow.flows(ofport)
    ]
    switch.ofctl("add-flows", switch.bridge, "-", stdin="\n".join(flows))
    yield guest, sink
    switch.ofctl("del-flows", switch.bridge, "cookie=0x6468000000000000/0xffff000000000000")


def test_the_names_of_the_cases_and_their_packets_are_different() -> None:
    assert len({case.name for case in CASES}) == len({case.frame for case in CASES}) == len(CASES)


def test_port_security_of_ovn(on_ovn: tuple[Guest, Guest]) -> None:
    assert passed(*on_ovn) == by_ovn()


def test_the_guard_does_the_same_but_for_what_is_listed(on_ours: tuple[Guest, Guest]) -> None:
    assert passed(*on_ours) == by_the_guard()


def test_a_switch_of_ovn_that_passes_vlans_lets_a_tag_pass(
    ovn: PrivateOvn, on_ovn: tuple[Guest, Guest]
) -> None:
    """And so does ours: a port of it is a trunk."""
    ovn.nbctl("set", "Logical_Switch", "lan", "other_config:vlan-passthru=true")
    ovn.sync()
    assert passed(*on_ovn) == {*by_ovn(), "IPv4 in a VLAN"}
    ovn.nbctl("remove", "Logical_Switch", "lan", "other_config", "vlan-passthru")
    ovn.sync()
