# SPDX-License-Identifier: Apache-2.0
"""Three hosts on one clustered Northbound database whose servers fail.

Each host is a private Open vSwitch with its own daemon and one guest.
"""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.conftest import require
from tests.lab.guest import Guest
from tests.lab.northbound import PROGRAMS, Northbound, NorthboundDhcpd
from tests.lab.packets import DISCOVER, OFFER, request
from tests.lab.process import Process, wait_until
from tests.lab.raft import Raft
from tests.lab.switch import PrivateOvs
from tests.switch.conftest import our_flows, wait_ready

CIDR = "10.0.0.0/24"
OPTIONS = {"server_id": "10.0.0.1", "server_mac": "0a:00:00:00:00:01", "lease_time": "3600"}
RECONNECT_S = 30  # python-ovs waits up to 8 s between two attempts


@dataclass
class Host:
    """A switch, its daemon, its guest, and who sees each flow that comes or goes."""

    number: int
    switch: PrivateOvs
    dhcpd: NorthboundDhcpd
    guest: Guest
    monitor: Process

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
            wait_until(
                lambda host=host: len(our_flows(host.switch)) == count,
                f"{count} flows on host {host.number}",
                RECONNECT_S,
            )

    def all_are_served(self) -> bool:
        return [host.offered() for host in self.hosts] == [
            f"10.0.0.{100 + host.number}" for host in self.hosts
        ]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    require(*PrivateOvs.programs, *PROGRAMS)
    with ExitStack() as stack:
        raft = stack.enter_context(Raft())
        northbound = raft.northbound
        row = northbound.dhcp_options(CIDR, OPTIONS)
        northbound.nbctl("ls-add", "network")
        cluster = Cluster(raft, row, [])
        for number in raft.numbers:
            switch = stack.enter_context(PrivateOvs())
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
        cluster.wait_for_flows(4)
        yield cluster


def test_servers_that_fail_cost_no_lease_no_flow_and_no_change(cluster: Cluster) -> None:
    raft = cluster.raft

    leader = raft.leader()
    raft.kill(leader)
    assert cluster.all_are_served()
    cluster.add_ports("a")
    cluster.wait_for_flows(6)
    raft.start(leader)

    followers = [number for number in raft.servers if number != raft.leader()]
    raft.kill(followers[0])
    assert cluster.all_are_served()
    cluster.add_ports("b")
    cluster.wait_for_flows(8)

    raft.kill(*raft.servers)
    assert cluster.all_are_served()

    raft.start(*raft.numbers)
    cluster.add_ports("c")  # before all hosts are connected again
    cluster.wait_for_flows(10)
    assert cluster.all_are_served()
    assert [host.events() for host in cluster.hosts] == 3 * [{"ADDED": 6}]

    cluster.northbound.nbctl("lsp-del", "a1", "--", "lsp-del", "b2", "--", "lsp-del", "c3")
    cluster.wait_for_flows(8)
    assert [host.events() for host in cluster.hosts] == 3 * [{"ADDED": 6, "DELETED": 2}]
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
    assert len(our_flows(host.switch)) == 4
    host.dhcpd.process.kill(signal.SIGCONT)
    wait_until(lambda: len(our_flows(host.switch)) == 1, "the flows to go", RECONNECT_S)
