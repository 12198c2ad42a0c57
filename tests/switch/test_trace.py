# SPDX-License-Identifier: Apache-2.0
"""``ovs-dhcpd trace`` on a real bridge: it says what a real client is then given."""

from __future__ import annotations

import contextlib
import io
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from ovs_dhcpd.controller.commands import cli
from ovs_dhcpd.controller.commands.ask import ask_switch
from ovs_dhcpd.controller.tracing.frame_text import show_frame
from ovs_dhcpd.controller.tracing.ofproto_trace import LiveBridge
from ovs_dhcpd.controller.tracing.requests import KINDS, Client, make_request
from ovs_dhcpd.controller.tracing.transaction import show, trace

from tests.lab.daemon import Dhcpd
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, request
from tests.lab.pcap import decode_pcap
from tests.lab.process import run, wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it asks ovs-vswitchd, whatever the datapath")

MAC = "fa:16:3e:00:00:01"
CONFIGURATION = f"""
networks:
  blue:
    dhcpv4: {{cidr: 10.0.0.0/24, router: 10.0.0.1, dns_server: [10.0.0.53], mtu: 1442}}
    dhcpv6: {{cidr: "fd00::/64", server_id: "fa:16:3e:9f:1a:b5", dns_server: "fd00::53"}}
    ra: {{addr_mode: dhcpv6_stateful, prefix: ["fd00::/64"]}}
    guard: true
    ports:
      vm1: {{addresses: "{MAC} 10.0.0.5 fd00::5"}}
  vlan100:
    dhcpv4: {{cidr: 10.1.0.0/24}}
    ports:
      vm1-100: {{addresses: "{MAC} 10.1.0.7", parent: vm1, tag: 100}}
  lab:
    dhcpv4: {{cidr: 10.2.0.0/24}}
    pool: 10.2.0.100-10.2.0.100
"""
IN_1_3 = "load:0x1->NXM_NX_REG0[6]", "set_field:0x40/0x40->reg0"
SILENT = {"decline", "release"}  # no DHCPv4 server answers them


@pytest.fixture(scope="module")
def switch() -> Iterator[PrivateOvs]:
    with PrivateOvs() as switch:
        switch.ofctl("add-flow", "br-int", "priority=0,actions=NORMAL")
        yield switch


@pytest.fixture(scope="module")
def guest(switch: PrivateOvs) -> Guest:
    return switch.guest("vm1", MAC)


@pytest.fixture(scope="module")
def anybody(switch: PrivateOvs) -> Guest:
    """Behind this port whoever asks is served an address of the pool."""
    guest = switch.guest("vm2", "02:00:00:00:00:02")
    switch.vsctl("set", "interface", guest.port, "external_ids:dhcp-network=lab")
    return guest


@pytest.fixture(scope="module")
def dhcpd(switch: PrivateOvs, guest: Guest, anybody: Guest) -> Iterator[Dhcpd]:
    with Dhcpd(switch, CONFIGURATION) as dhcpd:
        dhcpd.wait_for_flows(guest, anybody)
        yield dhcpd


class Trace:
    """What the command says, and its exit status."""

    def __init__(self, *arguments: object) -> None:
        out, error = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            self.status = cli.main(["trace", *map(str, arguments)])
        self.lines, self.error = out.getvalue().splitlines(), error.getvalue()


def live(dhcpd: Dhcpd, *arguments: object) -> Trace:
    return Trace(*arguments, "--ovs-rundir", dhcpd.switch.run_dir)


@pytest.mark.parametrize("kind", KINDS)
def test_a_trace_is_what_a_client_is_then_given(
    guest: Guest, dhcpd: Dhcpd, tmp_path: Path, kind: str
) -> None:
    pcap = tmp_path / "trace.pcap"
    said = live(dhcpd, "vm1", kind, "--pcap", pcap)
    assert said.error == ""
    assert said.status == (1 if kind in SILENT else 0), "\n".join(said.lines)
    (_, request), *traced = decode_pcap(pcap.read_bytes())
    before = dhcpd.appctl("stats/show")
    with guest.raw() as raw:
        raw.send(request)
        if kind in SILENT:
            wait_until(lambda: dhcpd.appctl("stats/show") != before, "the silence to be counted")
            assert traced == []
            return
        ((_, reply),) = traced
        assert raw.receive(30, lambda frame: frame == reply) == reply
    for line in show_frame(reply):
        assert f"    {line}" in said.lines


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_sent_and_nothing_remembered(guest: Guest, dhcpd: Dhcpd, kind: str) -> None:
    before = dhcpd.appctl("stats/show")
    with guest.raw() as raw:
        live(dhcpd, "vm1", kind)
        live(dhcpd, "vm1", kind)  # the switch has handed over what the first one came to
        request = make_request(KINDS["rs"], Client(bytes.fromhex(MAC.replace(":", ""))))
        raw.send(request)  # whose answer is the first that comes
        after = Counter({"ND_RA": 1}) + counts(before)
        wait_until(lambda: counts(dhcpd.appctl("stats/show")) >= after, "the answer")
    assert counts(dhcpd.appctl("stats/show")) == after


def counts(stats: str) -> Counter[str]:
    """What ``stats/show`` has counted."""
    rows = (line.rsplit(None, 1) for line in stats.splitlines())
    return Counter({name: int(number) for name, number in rows})


@pytest.mark.parametrize("port", ["vm1", "vm1-100"])
@pytest.mark.parametrize("kind", KINDS)
def test_offline_says_what_live_does(dhcpd: Dhcpd, tmp_path: Path, port: str, kind: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(CONFIGURATION)
    here = live(dhcpd, port, kind)
    there = Trace(port, kind, "--config", file)
    ours = len(there.lines)
    if " 0. No match." in there.lines:  # what is behind our flows only the bridge knows
        ours = there.lines.index(" 0. No match.")
        behind = [" 0. priority 0, no cookie", "    NORMAL"]
        assert here.lines[ours : ours + 2] == behind
    else:
        assert len(here.lines) == ours
    assert there.lines[1:ours] == here.lines[1:ours]
    assert there.lines[0] == here.lines[0].replace(" (tap1)", "")
    assert there.status == here.status


@pytest.mark.parametrize("name", ["tap1", MAC, MAC.upper(), "10.0.0.5", "fd00::5"])
def test_all_that_why_takes_names_the_port_too(dhcpd: Dhcpd, name: str) -> None:
    said = live(dhcpd, name)
    assert said.lines[0] == "# br-int port 1 (tap1): vm1 of blue"
    assert "verdict: DHCPOFFER 10.0.0.5" in said.lines
    shown = dhcpd.appctl("bindings/show", name).splitlines()
    assert shown[0] == dhcpd.appctl("bindings/show", "vm1")
    assert [line.split()[0] for line in shown[1:]] == ["vm1-100"] * (name in (MAC, MAC.upper()))
    assert said.status == 0


def test_anybody_sends_where_anybody_is_served(anybody: Guest, dhcpd: Dhcpd) -> None:
    said = live(dhcpd, "vm2")
    assert said.status == 0
    assert "verdict: DHCPOFFER 10.2.0.100" in said.lines
    said = live(dhcpd, "vm2", "request", "--mac", anybody.mac)
    assert said.status == 0
    assert "verdict: DHCPACK 10.2.0.100" in said.lines
    with anybody.raw() as raw:
        raw.send(request(DISCOVER, anybody.mac))
    wait_until(lambda: live(dhcpd, anybody.mac).status == 0, "who has asked to be known by its MAC")
    assert live(dhcpd, anybody.mac, "request").lines == said.lines


def test_a_refusal_says_its_reason(dhcpd: Dhcpd) -> None:
    said = live(dhcpd, "vm1", "request", "--set", "server_id=10.9.9.9")
    assert "verdict: no answer: meant for another server" in said.lines
    assert said.lines[-1] == "leaves by br-int, tap2"
    assert said.status == 1


def test_it_is_the_switchs_userdata_that_counts(switch: PrivateOvs, dhcpd: Dhcpd) -> None:
    """The daemon is stopped meanwhile: it would put back what the configuration says."""
    first = "priority=100,udp,reg0=0/0x10,in_port=1,vlan_tci"
    (flow,) = [flow for flow in switch.flows() if first in flow]
    assert ".0a.00.00.05." in flow
    dhcpd.stop()
    try:
        switch.ofctl("add-flow", "br-int", flow.replace("0a.00.00.05", "0a.00.00.63", 1))
        bridge = LiveBridge(partial(ask_switch, switch.run_dir), "br-int", 1)
        client = Client(bytes.fromhex(MAC.replace(":", "")))
        lines = list(show(trace(bridge, 1, "discover", client, {}), ""))
        assert "verdict: DHCPOFFER 10.0.0.99" in lines
    finally:
        dhcpd.start()
        dhcpd.wait_for_flows()
    assert "verdict: DHCPOFFER 10.0.0.5" in live(dhcpd, "vm1").lines


def test_openflow_1_3_is_traced_alike(switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd) -> None:
    """A bit of a register is set by another action there."""
    before = live(dhcpd, "vm1", "renew")
    dhcpd.stop()
    switch.ofctl("del-flows", "br-int", "cookie=0x6468000000000000/0xffff000000000000")
    try:
        with Dhcpd(switch, CONFIGURATION, "--openflow", "1.3") as other:
            other.wait_for_flows(guest)
            lines = [line.replace(*IN_1_3) for line in live(other, "vm1", "renew").lines]
            assert lines == before.lines
    finally:
        dhcpd.start()
        dhcpd.wait_for_flows()


@pytest.mark.parametrize(
    ("flow", "why"),
    [
        (
            "priority=65535,udp,in_port=1,tp_dst=67,actions=drop",
            "not answered: a flow of somebody else takes it before ours, table=0, priority=65535,"
            "udp,in_port=1,tp_dst=67; expected a priority below 99",
        ),
        ("", "not answered: the port's guard drops it"),
    ],
)
def test_what_never_reaches_us(switch: PrivateOvs, dhcpd: Dhcpd, flow: str, why: str) -> None:
    mac = [] if flow else ["--mac", "02:00:00:00:00:09"]
    if flow:
        switch.ofctl("add-flow", "br-int", flow)
    try:
        said = live(dhcpd, "vm1", "discover", *mac)
    finally:
        if flow:
            switch.ofctl("--strict", "del-flows", "br-int", flow.rpartition(",")[0])
    assert said.lines[-2:] == [why, "leaves nowhere"]
    assert said.status == 1


def test_mistakes_are_one_line(dhcpd: Dhcpd) -> None:
    said = live(dhcpd, "vm11")
    assert (said.status, said.lines) == (1, [])
    assert said.error == (
        "ovs-dhcpd trace: vm11: the daemon serves no such port (did you mean vm1?); type: "
        "ovs-dhcpd why vm11\n"
    )
    assert dhcpd.appctl("bindings/show", "vm11") == ""


@pytest.mark.parametrize("names", ["--names", "--no-names"])
def test_decode_says_whose_each_flow_of_ours_is(
    switch: PrivateOvs, dhcpd: Dhcpd, names: str
) -> None:
    """All flows of a real dump, asked of the daemon and not."""
    dump = switch.ofctl("dump-flows", names, "br-int")
    decode = [sys.executable, "-m", "ovs_dhcpd", "decode", "--short", "--ovs-rundir"]
    lines = run([*decode, switch.run_dir], stdin=dump).splitlines()
    owners = Counter(line.partition(": ")[0] for line in lines if ": table=" in line)
    assert owners.keys() == {
        *("vm1 of blue (tap1)", "vm1-100 of vlan100 (tap1)"),
        *("vm2 of lab (tap2)", "all of blue", "all of vlan100", "all of lab", "ovs-dhcpd"),
    }
    assert sum(owners.values()) == dump.count("cookie=0x6468")
    assert owners["vm1-100 of vlan100 (tap1)"] == 4  # the guard of vm1 lets its VLAN pass
    assert owners["ovs-dhcpd"] == 2  # what is not answered goes on, what others probe is heard
    assert [line for line in lines if "0x" in line or "userdata" in line] == []
    port = "tap1" if names == "--names" else "port 1"
    alone = run([*decode, switch.directory], stdin=dump)
    assert f"ovs-dhcpd, {port}: table=0, " in alone
