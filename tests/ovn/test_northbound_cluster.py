# SPDX-License-Identifier: Apache-2.0
"""Three hosts on one clustered Northbound database whose servers fail.

Each host is a private Open vSwitch with its own daemon, one guest and one of the
database's servers. An underlay joins the hosts; tunnels over it join their bridges.
"""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise

import pytest

from tests.lab.clients import Udhcpc
from tests.lab.daemon import our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.namespace import RawSocket
from tests.lab.northbound import PROGRAMS, Northbound, NorthboundDhcpd
from tests.lab.packets import DISCOVER, OFFER, request
from tests.lab.process import LabError, Process, wait_until
from tests.lab.raft import Raft
from tests.lab.requirements import require
from tests.lab.switch import PrivateOvs
from tests.lab.underlay import Underlay

pytestmark = pytest.mark.timeout(900)  # servers come back, and clients find that out

CIDR = "10.0.0.0/24"
OPTIONS = {"server_id": "10.0.0.1", "server_mac": "0a:00:00:00:00:01", "lease_time": "3600"}
NUMBERS = (1, 2, 3)
RECONNECT_S = 30  # python-ovs waits up to 8 s between two attempts
UDP, DHCP_PORTS = 17, (b"\0\x43", b"\0\x44")
LAST = bytes.fromhex("ffffffffffff 0200000000ff 88b5").ljust(60, b"\0")


@dataclass
class Host:
    """A switch, its daemon, its guest, and who sees each flow that comes or goes."""

    number: int
    switch: PrivateOvs
    dhcpd: NorthboundDhcpd
    guest: Guest
    monitor: Process

    @property
    def address(self) -> str:
        """What the guest's lease is for."""
        return f"10.0.0.{100 + self.number}"

    def messages(self, *kinds: str) -> list[str]:
        """The lines that the daemon's log has of such replies to its guest."""
        return [f"{kind} {self.guest.mac} {self.address}" for kind in kinds]

    def offered(self) -> str:
        """The address that the guest is offered now."""
        offer = self.guest.ask(request(DISCOVER, self.guest.mac))
        assert offer, self.dhcpd.log()
        assert offer.message == OFFER
        return offer.yiaddr

    def events(self) -> Counter[str]:
        """How many flows have come, gone or been set anew."""
        return Counter(re.findall("event=([A-Z]+)", self.monitor.text()))


@dataclass
class Cluster:
    """The database's servers, and the hosts that read it."""

    raft: Raft
    row: str
    hosts: list[Host]

    @property
    def northbound(self) -> Northbound:
        return self.raft.northbound

    def add_ports(self, name: str) -> None:
        """Plug a port into each host, and then name all of them in the database at once."""
        words: list[str] = []
        for host in self.hosts:
            words += ["--", *self.port(f"{name}{host.number}", len(host.switch.flows()))]
            host.switch.vsctl(
                "add-port", host.switch.bridge, name, "--", "set", "interface", name,
                "type=internal", f"external_ids:iface-id={name}{host.number}",
            )  # fmt: skip
        self.northbound.nbctl(*words[1:])

    def port(self, name: str, low: int) -> list[str]:
        """The words for ovn-nbctl that make a port."""
        number = int(name[-1])
        mac, address = f"02:00:00:00:{low:02x}:{number:02x}", f"10.0.0.{low * 4 + number}"
        return ["lsp-add", "network", name, "--", "lsp-set-addresses", name, f"{mac} {address}",
                "--", "lsp-set-dhcpv4-options", name, self.row]  # fmt: skip

    def wait_for_flows(self, count: int) -> None:
        """Wait until every host's bridge has this many flows of ours."""
        for host in self.hosts:

            def has_them(host: Host = host) -> bool:
                return len(our_flows(host.switch)) == count

            wait_until(
                has_them,
                f"{count} flows on host {host.number}",
                RECONNECT_S,
            )

    def all_are_served(self) -> bool:
        return [host.offered() for host in self.hosts] == [host.address for host in self.hosts]

    def logical_switches(self) -> list[str]:
        """The names of the logical switches."""
        return sorted(re.findall(r"\((.*)\)", self.northbound.nbctl("ls-list")))


def dhcp_until_last(raw: RawSocket) -> list[bytes]:
    """The DHCP messages that come in before `LAST`."""

    def wanted(frame: bytes) -> bool:
        return frame == LAST or (
            frame[12:14] == b"\x08\x00" and frame[23] == UDP and frame[36:38] in DHCP_PORTS
        )

    found = []
    while (frame := raw.receive(5, wanted)) != LAST:
        assert frame, "the last frame has not come"
        found.append(frame)
    return found


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    require(*PrivateOvs.programs, *PROGRAMS)
    with ExitStack() as stack:
        underlay = stack.enter_context(Underlay())
        for number in NUMBERS:
            underlay.connect(number, stack.enter_context(PrivateOvs()))
        for one, other in pairwise(NUMBERS):
            underlay.tunnel(one, other)
        raft = stack.enter_context(Raft(underlay))
        northbound = raft.northbound
        row = northbound.dhcp_options(CIDR, OPTIONS)
        northbound.nbctl("ls-add", "network")
        cluster = Cluster(raft, row, [])
        for number, switch in underlay.hosts.items():
            guest = switch.guest(f"vm{number}", f"02:00:00:00:ff:{number:02x}")
            northbound.nbctl(
                *cluster.port(guest.iface_id, 25), "--",
                "lsp-set-addresses", guest.iface_id, f"{guest.mac} 10.0.0.{100 + number}",
            )  # fmt: skip
            dhcpd = stack.enter_context(NorthboundDhcpd(switch, northbound.remotes))
            wait_ready(dhcpd)
            monitor = switch.spawn(
                "monitor", "ovs-ofctl", "monitor", switch.bridge, "watch:!initial"
            )
            cluster.hosts.append(Host(number, switch, dhcpd, guest, monitor))
        cluster.wait_for_flows(5)
        yield cluster


@pytest.mark.needs("udhcpc", "ping")
def test_dhcp_stays_on_its_host_and_all_else_goes_to_the_others(cluster: Cluster) -> None:
    """All else: also the DISCOVER of a port that no daemon knows, which none answers."""
    first, second, third = cluster.hosts
    stranger = first.switch.guest("stranger", "02:00:00:00:ff:ff")  # named nowhere
    discover = request(DISCOVER, stranger.mac)
    with second.guest.raw() as near, Udhcpc(third.switch, third.guest) as other:
        other.lease()
        with (
            third.guest.raw() as far,
            stranger.raw() as out,
            Udhcpc(first.switch, first.guest) as client,
        ):
            client.lease()
            client.renew()
            client.lease(2)
            first.guest.namespace.run("ping", "-c", "1", "-W", "5", third.address)
            out.send(discover)
            out.send(LAST)
            assert [dhcp_until_last(raw) for raw in (near, far)] == [[discover], [discover]]
    assert [host.dhcpd.messages() for host in cluster.hosts] == [
        first.messages("DHCPOFFER", "DHCPACK", "DHCPACK"),
        [],
        third.messages("DHCPOFFER", "DHCPACK"),
    ]


def test_servers_that_fail_cost_no_lease_no_flow_and_no_change(cluster: Cluster) -> None:
    raft = cluster.raft

    leader = raft.leader()
    raft.kill(leader)
    assert cluster.all_are_served()
    cluster.add_ports("a")
    cluster.wait_for_flows(8)
    raft.start(leader)

    followers = [number for number in raft.servers if number != raft.leader()]
    raft.kill(followers[0])
    assert cluster.all_are_served()
    cluster.add_ports("b")
    cluster.wait_for_flows(11)

    last = raft.leader()
    raft.kill(*(number for number in raft.servers if number != last))
    raft.wait_without_majority()
    with pytest.raises(LabError, match="exit -14"):  # SIGALRM: the server has not answered
        raft.add_switch(last, "too early")
    assert cluster.all_are_served()

    raft.kill(*raft.servers)
    assert cluster.all_are_served()

    raft.start(*raft.numbers)
    cluster.add_ports("c")  # before all hosts are connected again
    raft.add_switch(last, "in time")
    cluster.wait_for_flows(14)
    assert cluster.logical_switches() == ["in time", "network"]
    assert cluster.all_are_served()
    assert [host.events() for host in cluster.hosts] == 3 * [{"ADDED": 9}]

    cluster.northbound.nbctl("lsp-del", "a1", "--", "lsp-del", "b2", "--", "lsp-del", "c3")
    cluster.wait_for_flows(11)
    assert [host.events() for host in cluster.hosts] == 3 * [{"ADDED": 9, "DELETED": 3}]
    for host in cluster.hosts:
        before = our_flows(host.switch)
        host.dhcpd.stop()
        host.dhcpd.start()
        wait_ready(host.dhcpd)
        assert "flows added" not in host.dhcpd.log()
        assert our_flows(host.switch) == before


def test_what_goes_while_nobody_listens_is_gone_afterwards(cluster: Cluster) -> None:
    """The servers have forgotten what there was: they send all anew, and no deletion."""
    raft = cluster.raft
    host = cluster.hosts[0]
    raft.kill(*raft.servers)
    host.dhcpd.process.kill(signal.SIGSTOP)
    raft.start(*raft.numbers)
    cluster.northbound.nbctl("lsp-del", host.guest.iface_id)
    raft.compact()
    raft.kill(*raft.servers)
    raft.start(*raft.numbers)
    assert len(our_flows(host.switch)) == 5
    host.dhcpd.process.kill(signal.SIGCONT)
    wait_until(lambda: len(our_flows(host.switch)) == 1, "the flows to go", RECONNECT_S)
