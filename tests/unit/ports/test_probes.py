# SPDX-License-Identifier: Apache-2.0
"""What is asked before an address is given, what an answer means, and two hosts on one link."""

from __future__ import annotations

import random
import uuid
from dataclasses import replace
from ipaddress import ip_address

import pytest
from ovs_dhcpd.controller.ports.binder import Ours
from ovs_dhcpd.controller.ports.declines import Decline
from ovs_dhcpd.controller.ports.interface import Interface
from ovs_dhcpd.controller.ports.parked import MAX_OF_PORT
from ovs_dhcpd.controller.ports.probes import Meaning, Said, meaning
from ovs_dhcpd.controller.ports.vlans import vlans_of
from ovs_dhcpd.flows.bindings.probe import Probe

from tests.unit.ports.host import BRIDGE, Host
from tests.unit.ports.pooled import MACS, lab, remembers, reserved

ADDRESS = ip_address("10.0.0.100")
LOW, MIDDLE, HIGH = (bytes.fromhex(f"02646800000{n}") for n in (1, 2, 3))
GUEST, OTHER = (bytes.fromhex(mac.replace(":", "")) for mac in MACS[:2])
OFPORT = 5
PROBE = Probe("lab", ADDRESS, 0, 0, MIDDLE, GUEST)
PROBE_100 = replace(PROBE, vlan=100)
HAS = Said(7, 0, OTHER, ADDRESS)


def port(mode: str = "", tag: int | None = None) -> Interface:
    vlans = vlans_of(mode, tag, frozenset())
    return Interface(row=uuid.uuid4(), bridge=BRIDGE, name="tap7", ofport=7, vlans=vlans)


TRUNK, ACCESS = port(), port(tag=100)
NOTHING, OURS, TAKEN = Meaning.NOTHING, Meaning.OURS, Meaning.TAKEN


@pytest.mark.parametrize(
    ("probe", "said", "at", "is_given", "expected"),
    [
        (PROBE, HAS, TRUNK, False, TAKEN),
        (PROBE, HAS, None, False, TAKEN),
        (PROBE, HAS, TRUNK, True, TAKEN),  # late, but before the port is served
        (PROBE, replace(HAS, address=ADDRESS + 1), TRUNK, False, NOTHING),
        # The guest itself, on its port or elsewhere; and our own question, if it comes back.
        (PROBE, replace(HAS, ofport=OFPORT), TRUNK, False, NOTHING),
        (PROBE, replace(HAS, mac=GUEST), TRUNK, False, NOTHING),
        (PROBE, replace(HAS, mac=MIDDLE, asks=True), TRUNK, False, NOTHING),
        # The VLAN is that of the packet's tag, or that of its port.
        (PROBE, HAS, ACCESS, False, NOTHING),
        (PROBE, replace(HAS, tag=100), TRUNK, False, NOTHING),
        (PROBE, HAS, port("dot1q-tunnel", 100), False, NOTHING),
        (PROBE_100, HAS, ACCESS, False, TAKEN),
        (PROBE_100, replace(HAS, tag=100), TRUNK, False, TAKEN),
        (PROBE_100, HAS, TRUNK, False, NOTHING),
        # Another daemon asks: who has given it, or has the lower MAC, keeps it.
        (PROBE, replace(HAS, mac=HIGH, asks=True), TRUNK, False, OURS),
        (PROBE, replace(HAS, mac=LOW, asks=True), TRUNK, False, TAKEN),
        (PROBE, replace(HAS, mac=LOW, asks=True), TRUNK, True, OURS),
        (PROBE, replace(HAS, mac=HIGH), TRUNK, False, TAKEN),  # it has given it
        # A host is about to take it, and no daemon.
        (PROBE, replace(HAS, asks=True), TRUNK, False, TAKEN),
        (PROBE, replace(HAS, asks=True), TRUNK, True, TAKEN),
    ],
)
def test_what_is_said_means(
    probe: Probe, said: Said, at: Interface | None, is_given: bool, expected: Meaning
) -> None:
    assert meaning(probe, OFPORT, said, at, is_given=is_given) is expected


def waiting(text: str, **fields: object) -> Host:
    """A host with one port, of whose address nothing is known yet."""
    host = Host(text)
    host.waits = True
    host.plug("tap1", **fields)
    return host


def test_an_address_is_asked_for_before_it_is_remembered_and_served() -> None:
    host = waiting(lab(), attached_mac=MACS[0])
    ((name, probe),) = host.probes
    assert (name, probe.network, probe.vlan, probe.tag, probe.mac) == ("tap1", "lab", 0, 0, GUEST)
    assert (host.served, host.memory("tap1")) == ({}, remembers())
    host.unanswered()
    assert host.served == {"tap1": [str(probe.address)]}
    assert host.memory("tap1") == remembers(str(probe.address), owner=MACS[0])
    assert host.probes == []


def test_both_families_are_asked_and_wait_for_each_other() -> None:
    text = lab().replace("'10.0.0.100-10.0.0.103'", "[10.0.0.100-10.0.0.103, 'fd00::/64']")
    host = waiting(text.replace("    pool", "    dhcpv6: {cidr: 'fd00::/64'}\n    pool"))
    (_, four), (_, six) = host.probes
    assert (four.address.version, six.address.version) == (4, 6)
    assert host._binder.unanswered("tap1", four)
    host.settle({"tap1"})
    assert host.served == {}
    host.unanswered()
    assert host.served == {"tap1": [str(four.address), str(six.address)]}


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (lab(beside="probe: false"), {}),
        (lab(), {"memory": remembers("10.0.0.101", owner="tap1")}),
        (lab(), {"memory": remembers("10.0.0.7")}),  # by hand
        (lab(beside=reserved(_0="10.0.0.7")), {"attached_mac": MACS[0]}),
        (lab(tap1="dynamic").replace("dynamic", f"{MACS[0]} 10.0.0.7"), {}),
    ],
)
def test_what_is_not_chosen_anew_is_not_asked_for(text: str, fields: dict[str, object]) -> None:
    host = waiting(text, **fields)
    assert host.probes == []
    assert len(host.served["tap1"]) == 1


def test_a_daemon_that_starts_anew_asks_nothing_about_what_is_remembered() -> None:
    host = Host(lab())
    host.plug("tap1")
    before = host.served
    host.waits = True
    host.restart()
    assert (host.probes, host.served) == ([], before)


def test_who_leaves_a_file_for_a_moment_finds_its_address_without_a_question() -> None:
    host = waiting(lab(tap1=f"{MACS[0]} 10.0.0.7"))
    host.configure(lab())
    assert (host.probes, host.served) == ([], {"tap1": ["10.0.0.7"]})


def test_an_address_that_somebody_has_is_parked_and_another_asked_for() -> None:
    host = waiting(lab())
    ((_, probe),) = host.probes
    host.plug("eth0", is_guest=False)
    said = Said(host._interfaces["eth0"].ofport or 0, 0, OTHER, probe.address)
    heard = host.hear(said, now_s=1000.5)
    assert isinstance(heard, Decline)
    assert heard.parked
    parked = heard.parked
    assert (parked.until_s, parked.owner, parked.answered_by) == (1000 + 86400, "eth0", OTHER)
    ((_, next_probe),) = host.probes
    assert next_probe.address != probe.address
    assert host.hear(said) is None  # it may be said again and again
    host.unanswered()
    assert host.served == {"tap1": [str(next_probe.address)]}


def test_an_answer_that_comes_before_the_row_is_written_counts() -> None:
    host = waiting(lab())
    host.writes = False
    ((_, probe),) = host.probes
    host.unanswered()
    assert [asked for _, asked in host.probes] == [probe]
    host.hear(Said(9, 0, OTHER, probe.address))
    host.writes, host.waits = True, False
    host.settle({"tap1"})
    host.write()
    assert host.served["tap1"] != [str(probe.address)]


def test_once_it_is_served_nobody_takes_it_away_by_an_answer() -> None:
    host = Host(lab())
    host.plug("tap1")
    (address,) = host.served["tap1"]
    assert host.hear(Said(9, 0, OTHER, ip_address(address))) is None
    assert host.hear(Said(9, 0, OTHER, ip_address(address), asks=True)) is None
    assert isinstance(host.hear(Said(9, 0, LOW, ip_address(address), asks=True)), Ours)
    assert host.served == {"tap1": [address]}


def test_a_guest_that_answers_everything_takes_no_pool_away() -> None:
    host = waiting(lab("10.0.0.100-10.0.0.139"))
    host.plug("tap2", network="nowhere")
    ofport = host._interfaces["tap2"].ofport or 0
    for number in range(MAX_OF_PORT + 1):
        host.waits = number < MAX_OF_PORT
        ((_, probe),) = host.probes
        host.hear(Said(ofport, 0, OTHER, probe.address))
    assert len(host.parked(BRIDGE)) == MAX_OF_PORT
    (address,) = host.served["tap1"]
    line = f"{address} is answered for by {MACS[1]} and offered all the same: 4 of tap2 are parked"
    assert host.refused[0] == f"port tap1: {line}"
    host.unplug("tap1")
    assert len(host.refused) == 1  # tap2 is in no network


@pytest.mark.parametrize("fields", [{"is_guest": False}, {"network": "none"}])
def test_an_uplink_may_have_more_than_a_quarter_of_the_pool(fields: dict[str, object]) -> None:
    host = waiting(lab("10.0.0.100-10.0.0.109"))
    host.plug("eth0", **fields)
    ofport = host._interfaces["eth0"].ofport or 0
    for _ in range(9):
        ((_, probe),) = host.probes
        host.hear(Said(ofport, 0, OTHER, probe.address))
    host.unanswered()
    assert len(host.parked(BRIDGE)) == 9
    assert len(host.given_out) == 1


def test_behind_a_trunk_it_is_asked_with_the_tag() -> None:
    text = lab(beside="tag: 100")
    host = Host(text)
    host.waits = True
    host.plug("tap1", vlans=vlans_of("trunk", None, frozenset({0, 100})))
    ((name, probe),) = host.probes
    assert (name, probe.tag, probe.vlan) == ("tap1.100", 100, 100)
    host.unplug("tap1")
    assert host.probes == []


def test_of_an_access_port_it_is_asked_without_one() -> None:
    host = waiting(lab(beside="tag: 100"), vlans=vlans_of("", 100, frozenset()))
    ((_, probe),) = host.probes
    assert (probe.tag, probe.vlan) == (0, 100)


@pytest.mark.parametrize("seed", range(5))
def test_two_hosts_on_one_link_give_no_address_twice(seed: int) -> None:
    """With the same file and names of ports, both at once, each hearing the other sooner or later.

    Each question is heard by the other host at some time while that listens.
    """
    chance = random.Random(seed)
    hosts = {salt: Host(lab("10.0.0.100-10.0.0.199")) for salt in (b"one", b"two")}
    for salt, host in hosts.items():
        host.restart(salt)
        host.waits = True
        for number in range(40):
            host.plug(f"tap{number}")
        host.plug("eth0", is_guest=False)
    while any(host.probes for host in hosts.values()):
        asking = [salt for salt, host in hosts.items() if host.probes]
        salt = chance.choice(asking)
        here, there = hosts[salt], hosts[b"two" if salt == b"one" else b"one"]
        name, probe = chance.choice(here.probes)
        uplink = there._interfaces["eth0"].ofport or 0
        heard = there.hear(Said(uplink, 0, probe.source, probe.address, asks=True))
        if isinstance(heard, Ours):
            uplink = here._interfaces["eth0"].ofport or 0
            here.hear(Said(uplink, 0, heard.mac, probe.address))
        elif here._binder.unanswered(name, probe):
            here.settle({name})
    one, two = (host.given_out for host in hosts.values())
    assert (len(one), len(two), {*one} & {*two}) == (40, 40, set())
