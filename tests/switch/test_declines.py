# SPDX-License-Identifier: Apache-2.0
"""DECLINE is believed: another address is served at once, and the old one is parked."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from tests.lab import packets6
from tests.lab.clients import Udhcpc
from tests.lab.daemon import Dhcpd
from tests.lab.guest import Guest
from tests.lab.packets import DECLINE, DISCOVER, option, request
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

MAC, MAC2 = "02:00:00:00:00:01", "02:00:00:00:00:02"
SERVER_MAC = "0a:00:00:00:00:01"
TEXT = f"""\
networks:
  lab:
    dhcpv4: {{cidr: 10.0.0.0/24}}
    dhcpv6: {{cidr: "fd00::/64", server_id: "{SERVER_MAC}"}}
    pool: [10.0.0.100-10.0.0.109, "fd00::100-fd00::109"]
    ports: {{fixed: {{addresses: "{MAC2} 10.0.0.7"}}}}
"""
SERVER = option(54, "10.0.0.1")


@pytest.fixture(scope="module")
def guest(switch: PrivateOvs) -> Guest:
    return switch.guest("vm1", MAC)


@pytest.fixture(scope="module")
def fixed(switch: PrivateOvs) -> Guest:
    """A guest whose address stands in the file."""
    return switch.guest("fixed", MAC2)


@pytest.fixture
def dhcpd(switch: PrivateOvs, guest: Guest, fixed: Guest) -> Iterator[Dhcpd]:
    with Dhcpd(switch, TEXT, "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(guest, fixed)
        yield dhcpd
        for address in parked(dhcpd):
            dhcpd.appctl("pools/free", address)
        wait_until(lambda: "dhcp-parked" not in ids(switch), "the row to be as it was")


def ids(switch: PrivateOvs) -> str:
    return switch.vsctl("get", "bridge", switch.bridge, "external_ids")


def parked(dhcpd: Dhcpd) -> list[str]:
    return re.findall(r"lab: (\S+) parked until", dhcpd.appctl("pools/show"))


def offered(guest: Guest) -> str:
    reply = guest.ask(request(DISCOVER, guest.mac), 0.2)
    return str(reply.yiaddr) if reply else ""


def decline(guest: Guest, address: str) -> None:
    with guest.raw() as raw:
        raw.send(request(DECLINE, guest.mac, option(50, address), SERVER))


def another(guest: Guest, before: str) -> str:
    """The address that is offered next, in the place of this one."""
    began_s = time.monotonic()
    wait_until(lambda: offered(guest) not in ("", before), "another address")
    print(f"served again {time.monotonic() - began_s:.3f} s after the DECLINE")
    return offered(guest)


def test_another_address_is_served_and_the_declined_one_parked(
    switch: PrivateOvs, dhcpd: Dhcpd, guest: Guest
) -> None:
    before = offered(guest)
    decline(guest, before)
    after = another(guest, before)
    assert parked(dhcpd) == [before]
    assert re.search(rf'"dhcp-parked:lab/{before}"="[0-9]{{10}} vm1"', ids(switch))
    assert f"lab: {before}: declined by {MAC}, parked until" in dhcpd.log()
    decline(guest, before)  # a client may say it again
    dhcpd.wait_for_message(f"DHCPDECLINE {MAC} {before}", 2)
    assert offered(guest) == after

    dhcpd.stop()
    dhcpd.start()
    dhcpd.wait_for_flows(guest)
    wait_until(lambda: offered(guest) == after, "the same as before")
    assert parked(dhcpd) == [before]
    dhcpd.appctl("pools/free", before)
    assert parked(dhcpd) == []
    wait_until(lambda: before not in ids(switch), "it to be free after a restart too")
    assert offered(guest) == after


def test_dhcpv6_as_well(dhcpd: Dhcpd, guest: Guest) -> None:
    client_id = packets6.option(1, packets6.duid_ll(MAC))
    server_id = packets6.option(2, packets6.duid_ll(SERVER_MAC))
    before = dhcpd.appctl("bindings/show").split("lab: ")[-1].split()[1]
    message = bytes([packets6.DECLINE]) + b"\x12\x34\x56" + client_id + server_id
    message += packets6.ia_na(1, before)
    with guest.raw() as raw:
        raw.send(packets6.frame_of(message, MAC, ip_src="fe80::ff:fe00:1"))
    wait_until(lambda: parked(dhcpd) == [before], "it to be parked")

    def has_another() -> bool:
        return re.search(r"lab: 10\.\S+ fd00::10[0-9]$", shown(dhcpd, "vm1")) is not None

    wait_until(has_another, "another address")
    assert before not in shown(dhcpd, "vm1")


def shown(dhcpd: Dhcpd, name: str) -> str:
    lines = dhcpd.appctl("bindings/show").splitlines()
    return "".join(line for line in lines if line.startswith(f"{name} "))


def test_a_fixed_address_is_offered_all_the_same_and_that_is_said(
    dhcpd: Dhcpd, fixed: Guest
) -> None:
    decline(fixed, "10.0.0.7")
    line = "port fixed: 10.0.0.7 is declined, as if somebody used it, and offered all the same: "
    line += "it is this port's own"
    wait_until(lambda: dhcpd.appctl("bindings/refused") == line, "the line")
    assert line in dhcpd.log()
    assert offered(fixed) == "10.0.0.7"
    assert parked(dhcpd) == []


def test_a_neighbours_address_cannot_be_declined(dhcpd: Dhcpd, guest: Guest, fixed: Guest) -> None:
    address = offered(guest)
    decline(fixed, address)
    dhcpd.wait_for_message(f"DHCPDECLINE {MAC2} {address}")
    assert offered(guest) == address
    assert parked(dhcpd) == []


class Probing(Udhcpc):
    """As BusyBox's client with -a: it asks by ARP for half a second before it takes an address."""

    def argv(self) -> list[object]:
        return [*super().argv(), "-a500"]


@pytest.mark.needs("udhcpc")
def test_a_client_that_finds_its_address_in_use_gets_one_that_is_not(
    switch: PrivateOvs, dhcpd: Dhcpd, guest: Guest, fixed: Guest
) -> None:
    before = offered(guest)
    fixed.namespace.ip("address", "add", f"{before}/24", "dev", "eth0")
    try:
        with Probing(switch, guest) as client:
            lease = client.lease(timeout_s=30)
        assert str(lease.address) not in ("", before)
        assert parked(dhcpd) == [before]
    finally:
        fixed.namespace.ip("address", "flush", "dev", "eth0")
