# SPDX-License-Identifier: Apache-2.0
"""libvirt's machines, named nowhere: each gets an address of the pool, and the same one again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.lab.daemon import Dhcpd
from tests.lab.libvirt import PROGRAMS, Libvirt, LibvirtMachine
from tests.lab.process import wait_until
from tests.lab.requirements import require
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.timeout(900)  # two machines boot twice, emulated

pytestmark = pytest.mark.not_in_test_kernel("its guests run in QEMU, which this does already")

CONFIGURATION = """
networks:
  lan:
    dhcpv4: {cidr: 192.168.1.0/24, router: 192.168.1.1}
    pool: 192.168.1.100-192.168.1.199
"""
BOOT_S = 40  # it takes about ten


@pytest.fixture(scope="module")
def libvirt(switch: PrivateOvs) -> Iterator[Libvirt]:
    require(*PROGRAMS)
    with Libvirt(switch) as libvirt:
        libvirt.add_network("ovs")
        yield libvirt


@pytest.fixture
def dhcpd(switch: PrivateOvs) -> Iterator[Dhcpd]:
    with Dhcpd(switch, CONFIGURATION) as dhcpd:
        dhcpd.wait_for_flows()
        yield dhcpd


def served(switch: PrivateOvs, dhcpd: Dhcpd, machine: LibvirtMachine) -> str:
    """The machine's address, once it is served."""
    ofport = str(switch.ofport(machine.port))
    expected = [machine.iface_id, switch.bridge, ofport, machine.mac, "lan:"]

    def shown() -> list[str]:
        lines = [line.split() for line in dhcpd.appctl("bindings/show").splitlines()]
        return [address for *words, address in lines if words == expected]

    wait_until(shown, f"{expected} in bindings/show")
    return shown()[0]


def boot(
    switch: PrivateOvs, dhcpd: Dhcpd, machines: list[LibvirtMachine]
) -> tuple[list[str], list[str], list[str]]:
    """Start the machines until each has a lease; their ports, iface-ids and addresses."""
    heard = len(dhcpd.messages())
    with contextlib.ExitStack() as started:
        for machine in machines:
            started.enter_context(machine)
        ports = [machine.port for machine in machines]
        iface_ids = [machine.iface_id for machine in machines]
        addresses = [served(switch, dhcpd, machine) for machine in machines]
        leases = {f"DHCPACK {m.mac} {a}" for m, a in zip(machines, addresses, strict=True)}
        wait_until(lambda: leases <= set(dhcpd.messages()[heard:]), f"{leases}", BOOT_S)
    assert switch.vsctl("list-ports", switch.bridge) == ""
    return ports, iface_ids, addresses


def test_machines_have_the_same_addresses_at_each_start(
    switch: PrivateOvs, libvirt: Libvirt, dhcpd: Dhcpd
) -> None:
    machines = [libvirt.define("one"), libvirt.define("two", network="ovs")]
    ports, (id_on_bridge, id_on_network), addresses = boot(switch, dhcpd, machines)
    ports_again, ids_again, addresses_again = boot(switch, dhcpd, machines)
    assert len(set(addresses)) == 2
    assert addresses_again == addresses
    # Only its MAC tells that the machine on the network is the same.
    assert not set(ports) & set(ports_again)
    assert ids_again[0] == id_on_bridge
    assert ids_again[1] != id_on_network


def test_only_the_machines_own_mac_is_served(
    switch: PrivateOvs, libvirt: Libvirt, dhcpd: Dhcpd
) -> None:
    with libvirt.define("three") as machine:
        served(switch, dhcpd, machine)

        def what_becomes_of_a_discover(mac: str) -> str:
            packet = (
                f"in_port={switch.ofport(machine.port)},dl_src={mac},dl_dst=ff:ff:ff:ff:ff:ff,"
                "udp,nw_dst=255.255.255.255,udp_src=68,udp_dst=67"
            )
            return switch.appctl("ofproto/trace", switch.bridge, packet)

        assert "userdata=" in what_becomes_of_a_discover(machine.mac)
        assert "userdata=" not in what_becomes_of_a_discover("02:00:00:00:00:01")
