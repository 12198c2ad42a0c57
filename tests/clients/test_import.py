# SPDX-License-Identifier: Apache-2.0
"""`ovs-dhcpd import`: a guest is told the same by the other server and by us, with its file."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.flows.bindings.network import Network

from tests.lab.clients import Lease, Udhcpc
from tests.lab.daemon import ROOT, Dhcpd
from tests.lab.guest import Guest
from tests.lab.libvirt import PROGRAMS, Libvirt
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = [
    pytest.mark.needs("udhcpc"),
    pytest.mark.not_in_test_kernel("what another server's file says is the same on any datapath"),
]

# What libvirt's file has besides DHCP, and where the hosts are, which are put in.
NOT_OF_DHCP = ("strict-order", "expand-hosts", "no-resolv", "addn-hosts", "dhcp-hostsfile")
ROUTER = "192.168.9.1/24"
DNSMASQ = """
interface=br-int
bind-interfaces
domain=example.org
dhcp-range=192.168.9.100,192.168.9.199,255.255.255.0,2h
dhcp-host=02:00:00:00:00:01,one,192.168.9.7
dhcp-host=02:00:00:00:00:02,192.168.9.8,3h
dhcp-option=option:mtu,1400
dhcp-option=121,10.0.0.0/8,192.168.9.2,0.0.0.0/0,192.168.9.1
dhcp-option=option:ntp-server,0.0.0.0
dhcp-boot=pxelinux.0
"""
LIBVIRT = """<network>
  <name>default</name>
  <bridge name='virbr7'/>
  <mtu size='1400'/>
  <domain name='lan.example'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.122.2' end='192.168.122.254'/>
      <host mac='52:54:00:00:00:01' name='web' ip='192.168.122.10'/>
      <host mac='52:54:00:00:00:02' ip='192.168.122.11'/>
      <bootp file='pxelinux.0'/>
    </dhcp>
  </ip>
  <ip family='ipv6' address='fd00:122::1' prefix='64'>
    <dhcp>
      <range start='fd00:122::100' end='fd00:122::1ff'/>
      <host id='0:3:0:1:52:54:0:0:0:9' ip='fd00:122::9'/>
    </dhcp>
  </ip>
</network>
"""
KEA = {
    "Dhcp4": {
        "interfaces-config": {"interfaces": ["br-int"]},
        "lease-database": {"type": "memfile", "persist": False},
        "valid-lifetime": 5000,
        "option-data": [
            {"name": "domain-name-servers", "data": "192.168.9.53, 9.9.9.9"},
            {"name": "domain-name", "data": "example.org"},
        ],
        "subnet4": [
            {
                "id": 1,
                "subnet": "192.168.9.0/24",
                "pools": [{"pool": "192.168.9.100 - 192.168.9.199"}],
                "option-data": [
                    {"name": "routers", "data": "192.168.9.1"},
                    {"name": "interface-mtu", "data": "1400"},
                ],
                "reservations": [
                    {"hw-address": "02:00:00:00:00:01", "ip-address": "192.168.9.7"},
                    {
                        "hw-address": "02:00:00:00:00:02",
                        "ip-address": "192.168.9.8",
                        "hostname": "two",
                        "option-data": [{"name": "routers", "data": "192.168.9.2"}],
                    },
                ],
            }
        ],
    }
}


@pytest.fixture(scope="module")
def guests(switch: PrivateOvs) -> list[Guest]:
    """Two that files name by their MACs, and one that they do not."""
    macs = [f"02:00:00:00:00:0{number}" for number in (1, 2, 3)]
    guests = [switch.guest(f"guest{mac[-1]}", mac) for mac in macs]
    for guest in guests:
        value = f'external_ids:attached-mac="{guest.mac}"'
        switch.vsctl("set", "interface", guest.port, value)
    switch.namespace.ip("address", "add", ROUTER, "dev", switch.bridge)
    switch.namespace.ip("link", "set", switch.bridge, "up")
    return guests


def imported(kind: str, path: Path, *arguments: str) -> str:
    """What the command prints; all of the file could be said."""
    command = [sys.executable, "-m", "ovs_dhcpd", "import", kind, str(path), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def leases(switch: PrivateOvs, guests: list[Guest]) -> list[Lease]:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Udhcpc(switch, guest)) for guest in guests]
        return [client.lease(timeout_s=60) for client in clients]


def told(lease: Lease) -> dict[str, object]:
    """What a guest is told, but for the address."""
    names = ("domain", "hostname", "ntpsrv", "boot_file", "siaddr")
    others = {name: lease.variables[name] for name in names if name in lease.variables}
    return others | {
        "prefix_length": lease.prefix_length,
        "server_id": lease.server_id,
        "lease_time_s": lease.lease_time_s,
        # Who takes the routes leaves the router alone, and we do not send it then (RFC 3442).
        "routers": () if lease.routes else lease.routers,
        "dns_servers": lease.dns_servers,
        "mtu": lease.mtu,
        "routes": lease.routes,
    }


@contextlib.contextmanager
def dnsmasq(switch: PrivateOvs, path: Path) -> Iterator[None]:
    process = switch.spawn(
        "dnsmasq", "dnsmasq", "--keep-in-foreground", f"--conf-file={path}", "--log-facility=-",
        f"--dhcp-leasefile={path}.leases", f"--pid-file={path}.pid", "--user=root",
    )  # fmt: skip
    try:
        wait_until(lambda: "IP range" in process.text(), f"dnsmasq: {process.text()}", 30)
        yield
    finally:
        process.stop()


@contextlib.contextmanager
def kea(switch: PrivateOvs, path: Path) -> Iterator[None]:
    process = switch.spawn(
        "kea-dhcp4", "env", f"KEA_PIDFILE_DIR={path.parent}", f"KEA_LOCKFILE_DIR={path.parent}",
        "kea-dhcp4", "-c", path,
    )  # fmt: skip
    try:
        yield  # clients ask until it has started
        assert process.status is None, process.text()
    finally:
        process.stop()


@pytest.mark.needs("dnsmasq")
def test_with_dnsmasqs_file_a_guest_is_told_what_dnsmasq_tells(
    switch: PrivateOvs, guests: list[Guest], tmp_path: Path
) -> None:
    path = tmp_path / "dnsmasq.conf"
    path.write_text(DNSMASQ)
    with dnsmasq(switch, path):
        theirs = leases(switch, guests)
    assert theirs[0].address == IPv4Address("192.168.9.7")
    with Dhcpd(switch, imported("dnsmasq", path, "--address", ROUTER), "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(*guests)
        ours = leases(switch, guests)
    assert [*map(told, ours)] == [*map(told, theirs)]
    assert [lease.address for lease in ours[:2]] == [lease.address for lease in theirs[:2]]
    for lease in (ours[2], theirs[2]):  # of the pool each chooses its own
        assert IPv4Address("192.168.9.100") <= lease.address <= IPv4Address("192.168.9.199")


@pytest.mark.needs("kea-dhcp4")
def test_with_keas_file_a_guest_is_told_what_kea_tells(
    switch: PrivateOvs, guests: list[Guest], tmp_path: Path
) -> None:
    path = tmp_path / "kea-dhcp4.conf"
    path.write_text("// what Kea has of comments\n" + json.dumps(KEA, indent=2))
    with kea(switch, path):
        theirs = leases(switch, guests)
    assert theirs[1].routers == (IPv4Address("192.168.9.2"),)
    with Dhcpd(switch, imported("kea", path, "--address", ROUTER), "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(*guests)
        ours = leases(switch, guests)
    assert [*map(told, ours)] == [*map(told, theirs)]
    assert [lease.address for lease in ours[:2]] == [lease.address for lease in theirs[:2]]
    for lease in (ours[2], theirs[2]):
        assert IPv4Address("192.168.9.100") <= lease.address <= IPv4Address("192.168.9.199")


@pytest.mark.needs(*PROGRAMS, "dnsmasq")
@pytest.mark.timeout(900)
def test_libvirts_network_is_what_libvirt_has_its_dnsmasq_serve(
    switch: PrivateOvs, tmp_path: Path
) -> None:
    """The network's XML, and the files that libvirt makes of it, are the same in our words."""
    xml = tmp_path / "n.xml"
    xml.write_text(LIBVIRT)
    with Libvirt(switch) as libvirt:
        libvirt.virsh("net-define", xml)
        libvirt.virsh("net-start", "default")
        conf = libvirt.run("cat", "/var/lib/libvirt/dnsmasq/default.conf")
        hosts = libvirt.run("cat", "/var/lib/libvirt/dnsmasq/default.hostsfile")
        libvirt.virsh("net-destroy", "default")
    lines = [line for line in conf.splitlines() if not line.startswith(NOT_OF_DHCP)]
    lines += [f"dhcp-host={line}" for line in hosts.splitlines()]
    path = tmp_path / "dnsmasq.conf"
    path.write_text("\n".join(lines))
    own = ("--address", "192.168.122.1/24", "--address", "fd00:122::1/64")
    by_xml = served(imported("libvirt", xml), tmp_path)
    assert by_xml == served(imported("dnsmasq", path, *own), tmp_path)
    assert by_xml.pool
    assert len(by_xml.pool.reservations) == 2


def served(text: str, folder: Path) -> Network:
    """The only network of a configuration, by the same name and on the same bridge.

    Of the advertisement libvirt's XML has the router's MAC, if there is one.
    """
    path = folder / "ours.yaml"
    path.write_text(re.sub(r"(?m)^networks:\n  \w+:", "networks:\n  lan:", text))
    (network,) = yaml_file.load(path).networks
    return replace(network, bridge="br-int")
