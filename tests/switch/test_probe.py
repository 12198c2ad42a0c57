# SPDX-License-Identifier: Apache-2.0
"""An address of a pool is asked for before a port is given it first, and parked if it is used."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from ipaddress import IPv4Address
from threading import Event, Thread

import pytest
import yaml

from tests.lab import nd
from tests.lab.daemon import Dhcpd, listening, our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, request
from tests.lab.packets6 import mac_bytes
from tests.lab.process import wait_until
from tests.lab.requirements import require
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

MAC, SQUATTER, THIRD = (f"02:00:00:00:00:0{number}" for number in (1, 2, 3))
POOL = ["10.0.0.100-10.0.0.109", "fd00::100-fd00::109"]


def configuration(**beside: object) -> str:
    network = {
        "dhcpv4": {"cidr": "10.0.0.0/24"},
        "dhcpv6": {"cidr": "fd00::/64"},
        "pool": POOL,
        **beside,
    }
    return yaml.safe_dump({"networks": {"lab": network}}, sort_keys=False)


@pytest.fixture(scope="module")
def guest(switch: PrivateOvs) -> Guest:
    guest = switch.guest("vm1", MAC)
    switch.unplug(guest.port)
    return guest


@pytest.fixture(scope="module")
def squatter(switch: PrivateOvs) -> Guest:
    """A host that uses addresses which nobody has given it."""
    return alien(switch, "squatter", SQUATTER)


@pytest.fixture(scope="module")
def third(switch: PrivateOvs) -> Guest:
    """A host that sees what is sent to all."""
    return alien(switch, "third", THIRD)


def alien(switch: PrivateOvs, name: str, mac: str) -> Guest:
    guest = switch.guest(name, mac)
    switch.vsctl("set", "interface", guest.port, "external_ids:dhcp-network=none")
    return guest


@contextmanager
def serving(switch: PrivateOvs, guest: Guest, text: str) -> Iterator[Dhcpd]:
    """A daemon, and a guest that is not plugged in yet; afterwards all is as it was."""
    with Dhcpd(switch, text, "--cleanup") as dhcpd:
        wait_ready(dhcpd)
        yield dhcpd
        switch.vsctl("--if-exists", "del-port", guest.port)
        for address in parked(dhcpd):
            dhcpd.appctl("pools/free", address)
        wait_until(lambda: parked(dhcpd) == [], "nothing to be parked")
    assert our_flows(switch) == []


def parked(dhcpd: Dhcpd) -> list[str]:
    return re.findall(r"lab: (\S+) parked until", dhcpd.appctl("pools/show"))


def remembered(switch: PrivateOvs, port: str) -> list[str]:
    found = switch.vsctl("--if-exists", "get", "interface", port, "external_ids:dhcp-ip")
    return found.strip('"\n').split()


def plug(switch: PrivateOvs, guest: Guest, *settings: str) -> list[str]:
    """Plug the guest in, and wait until it is served; returns its addresses."""
    began_s = time.monotonic()
    options = ["--", "set", "port", guest.port, *settings] if settings else []
    switch.vsctl("add-port", switch.bridge, guest.port, "--", "set", "interface", guest.port,
                 f"external_ids:iface-id={guest.iface_id}", *options)  # fmt: skip
    wait_until(lambda: remembered(switch, guest.port), "addresses", 20)
    wait_until(lambda: guest.ask(request(DISCOVER, guest.mac), 0.1), "an answer", 20)
    print(f"served {time.monotonic() - began_s:.3f} s after it was plugged in")
    return remembered(switch, guest.port)


def first_choice(switch: PrivateOvs, guest: Guest) -> list[str]:
    """What the guest gets if nobody has anything: the same each time."""
    with serving(switch, guest, configuration()):
        return plug(switch, guest)


@contextmanager
def using(guest: Guest, *addresses: str) -> Iterator[None]:
    for address in addresses:
        guest.namespace.ip("address", "add", address, "dev", "eth0", *["nodad"] * (":" in address))
    try:
        yield
    finally:
        guest.namespace.ip("address", "flush", "dev", "eth0", "scope", "global")


def arp_from(mac: str, source: str, target: str) -> bytes:
    """A question for the target's MAC."""
    addresses = [IPv4Address(each).packed for each in (source, target)]
    head = b"\xff" * 6 + mac_bytes(mac) + bytes.fromhex("08060001080006040001")
    return head + mac_bytes(mac) + addresses[0] + bytes(6) + addresses[1]


@contextmanager
def talking(guest: Guest, address: str) -> Iterator[None]:
    """The guest uses its address again and again meanwhile."""
    over = Event()

    def talk() -> None:
        with guest.raw() as raw:
            while not over.wait(0.02):
                raw.send(arp_from(guest.mac, address, "10.0.0.7"))

    thread = Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def questions(frames: list[bytes]) -> list[str]:
    """The addresses that are asked for from no address."""
    found = []
    for frame in frames:
        if frame[12:14] == b"\x08\x06" and not any(frame[28:32]):
            found.append(str(IPv4Address(frame[38:42])))
        if nd.is_nd(frame, nd.NS) and not any(frame[22:38]):
            found.append(frame[62:78].hex())
    return found


@contextmanager
def watching(guest: Guest) -> Iterator[list[bytes]]:
    """What comes to the guest from others meanwhile."""
    found: list[bytes] = []
    with guest.raw() as raw:
        yield found
        while frame := raw.receive(0.2):
            found.append(frame)


def test_what_somebody_uses_is_parked_and_another_address_served(
    switch: PrivateOvs, guest: Guest, squatter: Guest, third: Guest
) -> None:
    four, six = first_choice(switch, guest)
    with (
        serving(switch, guest, configuration()) as dhcpd,
        using(squatter, f"{four}/24", f"{six}/64"),
    ):
        assert not {four, six} & {*plug(switch, guest)}
        assert parked(dhcpd) == [four, six]
        shown = dhcpd.appctl("pools/show")
        assert shown.count(f", answered for by {SQUATTER} at squatter") == 2
        assert f"lab: {four}: answered for by {SQUATTER}, parked until" in dhcpd.log()
        assert dhcpd.appctl("bindings/refused") == ""
        assert listening(switch) == []
        after = remembered(switch, guest.port)

        # It is not asked about again, nor is what was found forgotten.
        with watching(third) as seen:
            dhcpd.stop()
            dhcpd.start()
            wait_ready(dhcpd)
        assert questions(seen) == []
        assert (remembered(switch, guest.port), parked(dhcpd)) == (after, [four, six])


def test_who_has_it_in_another_vlan_has_another_address(
    switch: PrivateOvs, guest: Guest, squatter: Guest
) -> None:
    four, six = first_choice(switch, guest)
    try:
        with (
            serving(switch, guest, configuration(tag=10)) as dhcpd,
            using(squatter, f"{four}/24", f"{six}/64"),
        ):
            switch.vsctl("set", "port", squatter.port, "tag=10")
            plug(switch, guest, "tag=10")
            assert parked(dhcpd) == [four, six]
            for address in parked(dhcpd):
                dhcpd.appctl("pools/free", address)
            switch.vsctl("del-port", guest.port, "--", "set", "port", squatter.port, "tag=20")
            with talking(squatter, four):
                assert plug(switch, guest, "tag=10") == [four, six]
            assert parked(dhcpd) == []
    finally:
        switch.vsctl("clear", "port", squatter.port, "tag")


def test_behind_a_trunk_it_is_asked_with_the_tag(
    switch: PrivateOvs, guest: Guest, squatter: Guest
) -> None:
    try:
        with serving(switch, guest, configuration(tag=10)) as dhcpd:
            switch.vsctl("set", "port", squatter.port, "tag=10")

            def behind() -> list[str]:
                found = switch.vsctl("--if-exists", "get", "interface", guest.port,
                                     "external_ids:dhcp-ip-10")  # fmt: skip
                return found.strip('"\n').split()

            def plug_trunk() -> list[str]:
                switch.plug(guest.port, guest.iface_id)
                switch.vsctl("set", "port", guest.port, "trunks=0,10")
                wait_until(behind, "addresses", 20)
                return behind()

            four, six = plug_trunk()
            switch.unplug(guest.port)
            with using(squatter, f"{four}/24", f"{six}/64"):
                assert not {four, six} & {*plug_trunk()}
                assert parked(dhcpd) == [four, six]
    finally:
        switch.vsctl("clear", "port", squatter.port, "tag")


def test_the_guest_that_has_it_still_gets_it(switch: PrivateOvs, guest: Guest) -> None:
    """As when its row has gone, and the guest goes on: who answers is behind its own port."""
    four, six = first_choice(switch, guest)
    with (
        serving(switch, guest, configuration()) as dhcpd,
        using(guest, f"{four}/24", f"{six}/64"),
        talking(guest, four),
    ):
        assert plug(switch, guest) == [four, six]
        assert parked(dhcpd) == []


DAEMON = "02:64:68:00:00:01"  # another one, on another host


def test_another_daemon_is_told_what_is_somebodys(
    switch: PrivateOvs, guest: Guest, third: Guest
) -> None:
    """Whether or not the guest has taken it already."""
    with serving(switch, guest, configuration()) as dhcpd, third.raw() as raw:
        four, six = plug(switch, guest)
        assert listening(switch) == []
        raw.send(arp_from(DAEMON, "0.0.0.0", four))
        packed = IPv4Address(four).packed
        reply = raw.receive(10, lambda frame: is_arp_from(frame, packed))
        assert reply
        assert (reply[:6], reply[6:9]) == (mac_bytes(DAEMON), mac_bytes(DAEMON)[:3])
        assert reply[6:12] != mac_bytes(DAEMON)
        raw.send(nd.neighbour_solicitation(DAEMON, "::", six))
        assert raw.receive(10, lambda frame: nd.is_nd(frame, nd.NA))
        assert parked(dhcpd) == []


def is_arp_from(frame: bytes, address: bytes) -> bool:
    return frame[12:14] == b"\x08\x06" and frame[28:32] == address


def test_what_is_heard_goes_on_as_if_nobody_had_heard_it(
    switch: PrivateOvs, guest: Guest, squatter: Guest, third: Guest
) -> None:
    with (
        serving(switch, guest, configuration()),
        using(squatter, "10.0.0.7/24", "fd00::7/64"),
        third.raw() as raw,
    ):
        plug(switch, guest)
        raw.send(arp_from(DAEMON, "0.0.0.0", "10.0.0.7"))
        packed = IPv4Address("10.0.0.7").packed
        assert raw.receive(10, lambda frame: is_arp_from(frame, packed))
        raw.send(nd.neighbour_solicitation(DAEMON, "::", "fd00::7"))
        assert raw.receive(10, lambda frame: nd.is_nd(frame, nd.NA))
        heard = [flow for flow in switch.flows(stats=True) if "dl_src=02:64:68" in flow]
        assert len(heard) == 2
        assert not any("n_packets=0," in flow for flow in heard)


def test_probe_false_asks_nothing(
    switch: PrivateOvs, guest: Guest, squatter: Guest, third: Guest
) -> None:
    four, six = first_choice(switch, guest)
    with (
        serving(switch, guest, configuration(probe=False)) as dhcpd,
        using(squatter, f"{four}/24", f"{six}/64"),
        watching(third) as seen,
    ):
        assert plug(switch, guest) == [four, six]
        assert (listening(switch), parked(dhcpd)) == ([], [])
    assert not {four, IPv4Address(four).packed.hex()} & {*questions(seen)}


def test_nobody_answers_for_an_uplink_that_is_down(switch: PrivateOvs, guest: Guest) -> None:
    space = switch.namespace
    space.ip("link", "add", "eth9", "type", "veth", "peer", "name", "far9")
    switch.vsctl("add-port", switch.bridge, "eth9", "--", "add-port", switch.bridge, "nothing",
                 "--", "set", "interface", "eth9", "external_ids:dhcp-network=none", "--",
                 "set", "interface", "nothing", "type=internal",
                 "external_ids:dhcp-network=none")  # fmt: skip
    try:
        with serving(switch, guest, configuration()) as dhcpd:
            plug(switch, guest)
            assert parked(dhcpd) == []
    finally:
        switch.vsctl("del-port", "eth9", "--", "del-port", "nothing")
        space.ip("link", "delete", "eth9")


# -- two hosts on one link

PORTS = 40


@pytest.fixture
def hosts() -> Iterator[list[PrivateOvs]]:
    """Two switches whose bridges a cable joins."""
    require(*PrivateOvs.programs)
    with PrivateOvs() as one, PrivateOvs() as other:
        one.namespace.ip("link", "add", "uplink", "type", "veth", "peer", "uplink",
                         "netns", other.namespace.name)  # fmt: skip
        for host in (one, other):
            host.namespace.ip("link", "set", "uplink", "up")
            host.vsctl("add-port", host.bridge, "uplink", "--",
                       "set", "interface", "uplink", "external_ids:dhcp-network=none")  # fmt: skip
        yield [one, other]


def plug_many(host: PrivateOvs, names: list[str]) -> None:
    commands: list[str] = []
    for name in names:
        commands += ["--", "add-port", host.bridge, name, "--",
                     "set", "interface", name, "type=internal"]  # fmt: skip
    host.vsctl(*commands[1:])


def all_remembered(host: PrivateOvs) -> list[str]:
    ids = host.vsctl("--bare", "--columns=external_ids", "list", "interface")
    return re.findall(r"dhcp-ip=\"?([0-9.]+)", ids)


@pytest.mark.parametrize("mac", [MAC, ""])
def test_a_guest_that_moves_to_the_other_host_keeps_its_address_if_its_mac_is_told(
    hosts: list[PrivateOvs], mac: str
) -> None:
    """As in a live migration: it is plugged in there while it still is here."""
    ids = [f'external_ids:attached-mac="{mac}"'] if mac else []
    with Dhcpd(hosts[0], configuration()) as one, Dhcpd(hosts[1], configuration()) as other:
        found = []
        for host, dhcpd in zip(hosts, (one, other), strict=True):
            wait_ready(dhcpd)
            host.vsctl("add-port", host.bridge, "vnet0", "--", "set", "interface", "vnet0",
                       "type=internal", *ids)  # fmt: skip
            wait_until(partial(remembered, host, "vnet0"), "addresses")
            found.append(remembered(host, "vnet0"))
        assert (found[0] == found[1]) is bool(mac)
        assert parked(other) == ([] if mac else found[0])


@pytest.mark.parametrize("prefixes", [("vm", "vm"), ("one", "two")])
@pytest.mark.parametrize("at_once", [True, False])
def test_two_hosts_with_the_same_file_give_no_address_twice(
    hosts: list[PrivateOvs], prefixes: tuple[str, str], at_once: bool
) -> None:
    """Whose ports have the same names choose the same addresses; no guest has taken any yet."""
    text = configuration(pool="10.0.0.100-10.0.0.199")
    with Dhcpd(hosts[0], text) as one, Dhcpd(hosts[1], text) as other:
        wait_ready(one)
        wait_ready(other)
        names = [[f"{prefix}{number}" for number in range(PORTS)] for prefix in prefixes]
        with ThreadPoolExecutor(2 if at_once else 1) as pool:
            [*pool.map(serve_many, hosts, names)]
        given = [all_remembered(host) for host in hosts]
        found = [len(parked(dhcpd)) for dhcpd in (one, other)]
        print(f"given twice: {len({*given[0]} & {*given[1]})}, parked: {found}")
        assert [len({*each}) for each in given] == [PORTS, PORTS]
        assert {*given[0]} & {*given[1]} == set()


def serve_many(host: PrivateOvs, names: list[str]) -> None:
    """Plug these in, and wait until all have an address."""
    plug_many(host, names)
    wait_until(lambda: len(all_remembered(host)) == PORTS, "all to be served", 60)
