# SPDX-License-Identifier: Apache-2.0
"""A guarded guest on a real bridge: it is served, and what is not its own goes nowhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest
import yaml
from ovs_dhcpd.controller.wire.frames import tag_of, with_tag

from tests.lab import packets, reference
from tests.lab.daemon import ROOT, Dhcpd, our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER
from tests.lab.process import run, wait_until
from tests.lab.switch import PrivateOvs

PEER = "192.168.1.99"


def configuration(*, guard: bool = True) -> str:
    """The reference network with DHCPv6 and a prefix for its port."""
    text = yaml.safe_load(reference.configuration(rate_limit="none"))
    (network,) = text["networks"].values()
    network |= {"guard": guard, "dhcpv6": {"cidr": "fd00:1::/64"}}
    (port,) = network["ports"].values()
    port["addresses"] += " fd00:1::7"
    port["delegated_prefix"] = "fd00:2::/56"
    return yaml.safe_dump(text)


@pytest.fixture
def dhcpd(switch: PrivateOvs, guest: Guest) -> Iterator[Dhcpd]:
    with Dhcpd(switch, configuration(), "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(guest)
        wait_ready(dhcpd)
        yield dhcpd


def datagram(guest: Guest, to: Guest, source: str, sport: int = 4000) -> bytes:
    return packets.udp_frame(guest.mac, to.mac, source, PEER, sport, 5000, b"x" * 20)


def as_received(frame: bytes) -> bytes:
    """Without its VLAN tag, which Linux takes off."""
    return frame[:12] + frame[16:] if tag_of(frame) else frame


def arrive(guest: Guest, to: Guest, *frames: bytes) -> list[bool]:
    """Which of the frames do, of which the last one must."""
    arrived: set[bytes] = set()

    def note(frame: bytes) -> bool:
        arrived.add(frame)
        return frame == frames[-1]

    with guest.raw() as sending, to.raw() as receiving:
        for frame in frames:
            sending.send(frame)
        assert receiving.receive(5.0, note)
    return [as_received(frame) in arrived for frame in frames]


def count(switch: PrivateOvs, match: str) -> int:
    """The packets that the flow with this match has dropped."""
    dump = switch.ofctl("dump-flows", switch.bridge)
    found = re.findall(rf"n_packets=(\d+),.* {re.escape(match)} actions=drop", dump)
    assert len(found) == 1, dump
    return int(found[0])


def test_it_is_served_and_what_is_not_its_own_is_dropped_and_counted(
    switch: PrivateOvs, guest: Guest, neighbour: Guest, dhcpd: Dhcpd
) -> None:
    reply = guest.reply(packets.request(DISCOVER, guest.mac))
    assert reply.yiaddr == str(reference.ADDRESS)
    stray = datagram(guest, neighbour, "192.168.1.66")
    server = datagram(guest, neighbour, str(reference.ADDRESS), sport=67)
    own = datagram(guest, neighbour, str(reference.ADDRESS))
    assert arrive(guest, neighbour, stray, server, own) == [False, False, True]
    port = f"in_port={switch.ofport(guest.port)},vlan_tci=0x0000/0x0fff"
    reasons = (f"priority=30,ip,{port},dl_src={guest.mac}", f"priority=60,udp,{port},tp_src=67")
    for reason in reasons:
        wait_until(lambda match=reason: count(switch, match) == 1, reason)  # type: ignore[misc]


def test_it_is_looked_at_before_the_flows_of_others(
    switch: PrivateOvs, guest: Guest, neighbour: Guest, dhcpd: Dhcpd
) -> None:
    match = f"priority=60000,udp,in_port={switch.ofport(guest.port)}"
    switch.ofctl("add-flow", switch.bridge, f"{match},actions=output:{neighbour.port}")
    stray = datagram(guest, neighbour, "192.168.1.66")
    own = datagram(guest, neighbour, str(reference.ADDRESS))
    assert arrive(guest, neighbour, stray, own) == [False, True]
    switch.ofctl("--strict", "del-flows", switch.bridge, match)


def test_who_is_not_guarded_is_not_looked_at(
    switch: PrivateOvs, guest: Guest, neighbour: Guest, dhcpd: Dhcpd
) -> None:
    strange = packets.udp_frame(neighbour.mac, guest.mac, "10.1.2.3", PEER, 67, 68, b"x" * 20)
    assert arrive(neighbour, guest, strange) == [True]
    dhcpd.reconfigure(configuration(guard=False))
    wait_until(lambda: not any("table=202" in flow for flow in our_flows(switch)), "no guard")
    stray = datagram(guest, neighbour, "192.168.1.66")
    assert arrive(guest, neighbour, stray) == [True]


@pytest.mark.not_in_test_kernel("flow tables are no datapath's")
def test_what_flows_prints_is_what_the_bridge_shows(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    where = f"{guest.iface_id}={switch.ofport(guest.port)}"
    words = [
        sys.executable,
        "-m",
        "ovs_dhcpd",
        "flows",
        dhcpd.configuration_file,
        "--ofport",
        where,
    ]
    printed = run(words, env={"PYTHONPATH": str(ROOT)}).splitlines()
    shown = run(["ovs-ofctl", "--no-stats", "--no-names", "dump-flows", switch.bridge],
                env=switch.environment)  # fmt: skip
    ours = [line.strip() for line in shown.splitlines() if "cookie=0x6468" in line]
    assert sorted(printed) == sorted(ours)


@pytest.mark.not_in_test_kernel("flow tables are no datapath's")
def test_a_restart_finds_its_flows_as_they_should_be(
    switch: PrivateOvs, guest: Guest, openflow: str
) -> None:
    with Dhcpd(switch, configuration(), "--openflow", openflow) as dhcpd:
        wait_ready(dhcpd)
        before = our_flows(switch)
    with Dhcpd(switch, configuration(), "--openflow", openflow, "--cleanup") as dhcpd:
        wait_ready(dhcpd)
        assert "flows added" not in dhcpd.log()
        assert our_flows(switch) == before


@pytest.mark.not_in_test_kernel("flow tables are no datapath's")
def test_a_guard_that_somebody_takes_away_comes_again(switch: PrivateOvs, dhcpd: Dhcpd) -> None:
    before = our_flows(switch)
    for match in ("table=202", "table=203,icmp6"):
        switch.ofctl("del-flows", switch.bridge, match)
        wait_until(lambda: our_flows(switch) == before, "the flows to come again")


def test_packets_with_a_tag_go_nowhere_but_those_of_its_sub_ports(
    switch: PrivateOvs, guest: Guest, neighbour: Guest, dhcpd: Dhcpd
) -> None:
    own = datagram(guest, neighbour, str(reference.ADDRESS))
    tagged = [
        with_tag(datagram(guest, neighbour, str(reference.ADDRESS), sport=tag), tag)
        for tag in (30, 40)
    ]
    assert arrive(guest, neighbour, *tagged, own) == [False, False, True]
    text = yaml.safe_load(configuration())
    sub_port = {"addresses": f"{guest.mac} 10.3.0.5", "parent": guest.iface_id, "tag": 30}
    text["networks"]["vlan"] = {"dhcpv4": {"cidr": "10.3.0.0/24"}, "ports": {"sub": sub_port}}
    dhcpd.reconfigure(yaml.safe_dump(text))
    passes = re.compile(r"table=202, .*priority=5,.*dl_vlan=30 ")
    wait_until(lambda: any(map(passes.search, our_flows(switch))), "the VLAN to pass", 20)
    # What the datapath has kept of the old flow goes in its own time.
    passed = [True, False, True]
    wait_until(lambda: arrive(guest, neighbour, *tagged, own) == passed, "VLAN 30 to pass", 20)
