# SPDX-License-Identifier: Apache-2.0
"""What somebody else does to our flows, or in front of them: undone, or named."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from ovs_dhcpd.controller.wire.events import FlowDump, decode_flow_reply
from ovs_dhcpd.controller.wire.flow_entry import FlowEntry, entry_of
from ovs_dhcpd.controller.wire.flow_messages import encode_bundle, flow_dump_request
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP14, OFP15, message, split
from ovs_dhcpd.flows.pipeline import build
from ovs_dhcpd.flows.pipeline.flow import Flow, Meter
from ovs_dhcpd.flows.pipeline.reconcile import changes, index

from tests.lab.daemon import Dhcpd
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, request
from tests.lab.process import LabError, wait_until
from tests.lab.switch import PrivateOvs
from tests.unit.pipeline.networks import NETWORKS

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

MAC = "fa:16:3e:00:00:01"
CONFIGURATION = f"""
networks:
  blue:
    dhcpv4: {{cidr: 10.0.0.0/24}}
    dhcpv6: {{cidr: "fd00::/64", server_id: "fa:16:3e:9f:1a:b5"}}
    ports:
      vm1: {{addresses: "{MAC} 10.0.0.5 fd00::5"}}
"""
DROP = ("mod-flows", "br-int", "udp,tp_dst=67,actions=drop")
FIGHT_S = 6.0


@pytest.fixture(scope="module")
def switch() -> Iterator[PrivateOvs]:
    with PrivateOvs() as switch:
        yield switch


@pytest.fixture(scope="module")
def guest(switch: PrivateOvs) -> Guest:
    return switch.guest("vm1", MAC)


@pytest.fixture(params=["1.3", "1.4", "1.5"])
def dhcpd(switch: PrivateOvs, guest: Guest, request: pytest.FixtureRequest) -> Iterator[Dhcpd]:
    switch.ofctl("del-flows", "br-int")
    switch.ofctl("add-flow", "br-int", "priority=0,actions=NORMAL")
    with Dhcpd(switch, CONFIGURATION, "--openflow", request.param) as dhcpd:
        dhcpd.wait_for_flows(guest)
        yield dhcpd


def ours(switch: PrivateOvs) -> list[str]:
    return sorted(flow for flow in switch.flows() if "cookie=0x6468" in flow)


def is_served(guest: Guest) -> bool:
    reply = guest.ask(request(DISCOVER, guest.mac))
    return reply is not None and reply.yiaddr == "10.0.0.5"


def repaired_within_a_second(switch: PrivateOvs, dhcpd: Dhcpd, damage: Callable[[], object]) -> str:
    """What the log says of it, without the time; the flows are as before."""
    before, said = ours(switch), dhcpd.log()
    damage()
    start_s = time.monotonic()
    wait_until(lambda: ours(switch) == before, "the repair")
    took_s = time.monotonic() - start_s
    print(f"repaired after {1000 * took_s:.0f} ms, ovs-ofctl included")
    assert took_s < 1 + 8  # of a slow machine's ovs-ofctl

    def new() -> list[str]:
        return [line for line in dhcpd.log().removeprefix(said).splitlines() if "repaired" in line]

    wait_until(lambda: bool(new()), "the line in the log")
    (line,) = new()
    return line


def test_other_actions_of_ours_are_undone(switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd) -> None:
    line = repaired_within_a_second(switch, dhcpd, lambda: switch.ofctl(*DROP))
    assert "br-int: repaired what somebody else did to our flows: table=0, priority=" in line
    assert "(given other actions)" in line
    assert is_served(guest)


def test_one_is_deleted_and_one_with_our_prefix_is_added(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    def damage() -> None:
        """In one transaction, so that there are never fewer."""
        switch.ofctl(
            *("--bundle", "add-flows", "br-int", "-"),
            stdin="delete udp,tp_dst=67,nw_dst=255.255.255.255\n"
            "add cookie=0x6468000000000001,priority=7,ip,actions=drop\n",
        )

    line = repaired_within_a_second(switch, dhcpd, damage)
    assert "nw_dst=255.255.255.255,tp_dst=67 (deleted)" in line
    assert "table=0, priority=7,dl_type=0x800 (added)" in line
    assert is_served(guest)


def test_one_is_replaced_by_somebody_elses(switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd) -> None:
    (discover,) = [flow for flow in ours(switch) if "nw_src=0.0.0.0" in flow]
    match = discover.partition(", ")[2].partition(" actions=")[0]
    line = repaired_within_a_second(
        switch, dhcpd, lambda: switch.ofctl("add-flow", "br-int", f"{match},actions=drop")
    )
    assert "(replaced)" in line
    assert is_served(guest)


def test_everything_of_a_table_is_deleted(switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd) -> None:
    line = repaired_within_a_second(
        switch, dhcpd, lambda: switch.ofctl("del-flows", "br-int", "table=201")
    )
    assert "(deleted)" in line
    assert is_served(guest)


def test_a_cookie_of_ours_on_another_flow_goes_and_ours_stays(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    cookie = ours(switch)[0].partition(",")[0]
    line = repaired_within_a_second(
        *(switch, dhcpd),
        lambda: switch.ofctl("add-flow", "br-int", f"{cookie},priority=3,arp,actions=drop"),
    )
    assert "table=0, priority=3,dl_type=0x806 (added)" in line
    assert is_served(guest)


def test_what_was_done_while_the_daemon_was_away(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    before = ours(switch)
    dhcpd.stop()
    switch.ofctl(*DROP)
    switch.ofctl("add-flow", "br-int", f"{before[0].partition(',')[0]},priority=3,arp,actions=drop")
    dhcpd.start()
    dhcpd.wait_for_flows(guest)
    assert ours(switch) == before
    assert "(given other actions)" in dhcpd.log()
    assert is_served(guest)


def test_an_unchanged_restart_finds_nothing_to_do(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    dhcpd.stop()
    dhcpd.start()
    dhcpd.wait_for_flows(guest)
    assert "flows added" not in dhcpd.log()
    assert "repaired" not in dhcpd.log()


@pytest.mark.parametrize("dhcpd", ["1.5"], indirect=True)  # it takes long
def test_who_goes_on_costs_little_and_is_told(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    before, said, cpu_s = ours(switch), dhcpd.log(), dhcpd.process.cpu_s()
    deadline_s = time.monotonic() + FIGHT_S
    damages = 0
    while time.monotonic() < deadline_s:
        switch.ofctl(*DROP)
        damages += 1
        time.sleep(0.2)
    cpu_s = dhcpd.process.cpu_s() - cpu_s
    repairs = dhcpd.log().removeprefix(said).count("repaired what somebody else did")
    print(f"{damages} damages in {FIGHT_S:g} s: {repairs} repairs, {1000 * cpu_s:.0f} ms of CPU")
    assert 2 <= repairs <= 4
    assert cpu_s < FIGHT_S / 4
    assert "somebody else keeps changing" in dhcpd.appctl("bindings/refused")
    wait_until(lambda: ours(switch) == before, "the last repair", 30)
    assert is_served(guest)
    wait_until(lambda: dhcpd.appctl("bindings/refused") == "", "the end of the fight", 60)


def wait_for_refused(dhcpd: Dhcpd, *lines: str) -> None:
    """Wait until that is what is in ``bindings/refused``, and has been in the log."""
    found: list[str] = []
    control = dhcpd.switch.run_dir / f"ovs-dhcpd.{dhcpd.process.pid}.ctl"
    wait_until(control.exists, "the control socket", 20)

    def is_so() -> bool:
        found[:] = dhcpd.appctl("bindings/refused").splitlines()
        return found == list(lines)

    try:
        wait_until(is_so, "the lines")
    except LabError:
        assert found == list(lines)
    for line in lines:
        assert line.removeprefix("bridge ") in dhcpd.log()


def test_a_flow_in_front_of_ours_is_named_until_it_is_gone(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    in_front = ["priority=200,udp,tp_dst=67,actions=drop", "priority=150,udp6,actions=drop"]
    others = [
        "priority=200,udp,tp_dst=68,actions=drop",
        f"priority=200,in_port={switch.ofport(guest.port) + 1},actions=drop",
        "priority=200,arp,actions=NORMAL",
        "priority=50,actions=drop",
        "table=1,priority=200,actions=drop",
        "priority=200,reg5=0,actions=load:1->NXM_NX_REG5[],resubmit(,0)",
    ]
    expected = [
        "bridge br-int: a flow of somebody else, table=0, priority=200,dl_type=0x800,nw_proto=17,"
        "tp_dst=67, takes DHCPv4 of vm1 before ours, expected a priority below 99",
        "bridge br-int: a flow of somebody else, table=0, priority=150,dl_type=0x86dd,nw_proto=17, "
        "takes DHCPv6 of vm1 before ours, expected a priority below 100",
    ]
    for flow in others:
        switch.ofctl("add-flow", "br-int", flow)
    for flow in in_front:
        switch.ofctl("add-flow", "br-int", flow)
    wait_for_refused(dhcpd, *expected)
    assert not is_served(guest)
    dhcpd.stop()
    dhcpd.start()
    dhcpd.wait_for_flows(guest)
    wait_for_refused(dhcpd, *expected)
    for flow in in_front:
        switch.ofctl("--strict", "del-flows", "br-int", flow.rpartition(",")[0])
    wait_for_refused(dhcpd)
    assert "br-int: over: a flow of somebody else" in dhcpd.log()
    for flow in others[:3]:
        switch.ofctl("--strict", "del-flows", "br-int", flow.rpartition(",actions")[0])
    assert is_served(guest)


def test_a_bridge_that_forwards_nothing_is_named_until_it_does(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    switch.ofctl("--strict", "del-flows", "br-int", "priority=0")
    wait_for_refused(
        dhcpd,
        "bridge br-int: no flow in table 0 but ours, expected one that forwards: guests get leases "
        "and nothing else; type: ovs-ofctl add-flow br-int priority=0,actions=NORMAL",
    )
    assert is_served(guest)
    switch.ofctl("add-flow", "br-int", "priority=0,actions=NORMAL")
    wait_for_refused(dhcpd)


def test_the_version_is_negotiated_and_a_bridge_without_ours_is_named(
    switch: PrivateOvs, guest: Guest
) -> None:
    def set_protocols(protocols: str) -> None:
        switch.vsctl("set", "bridge", "br-int", f"protocols={protocols}")

    switch.ofctl("add-flow", "br-int", "priority=0,actions=NORMAL")
    try:
        set_protocols("OpenFlow10,OpenFlow12")
        with Dhcpd(switch, CONFIGURATION) as dhcpd:
            wait_for_refused(
                dhcpd,
                "bridge br-int: protocols=OpenFlow10,OpenFlow12, expected one of OpenFlow15, "
                "OpenFlow14, OpenFlow13 among them; type: ovs-vsctl add bridge br-int protocols "
                "OpenFlow15",
            )
            for protocols, version in (
                *(("OpenFlow10,OpenFlow13", "1.3"), ("OpenFlow14", "1.4")),
                *(("OpenFlow13,OpenFlow15", "1.5"), ("[]", "1.5")),
            ):
                said = len(dhcpd.log())
                set_protocols(protocols)
                wait_until(lambda: "ready, " in dhcpd.log()[said:], protocols, 30)  # noqa: B023
                assert f"br-int: connected, OpenFlow {version}" in dhcpd.log()[said:]
                assert is_served(guest)
                assert "repaired" not in dhcpd.log()
                wait_for_refused(dhcpd)
    finally:
        set_protocols("[]")


def test_a_bridge_that_does_not_exist_is_named_until_it_does(
    switch: PrivateOvs, guest: Guest
) -> None:
    with Dhcpd(switch, CONFIGURATION + "    bridge: br-late\n") as dhcpd:
        wait_for_refused(
            dhcpd,
            "bridge br-late: does not exist, expected br-int; write that, or for a new bridge "
            "type: ovs-vsctl add-br br-late",
            "port vm1: is plugged into br-int, expected br-late",
        )  # fmt: skip
        switch.add_bridge("br-late")
        wait_for_refused(dhcpd, "port vm1: is plugged into br-int, expected br-late")
        switch.vsctl("del-br", "br-late")
        wait_for_refused(
            dhcpd,
            "bridge br-late: does not exist, expected br-int; write that, or for a new bridge "
            "type: ovs-vsctl add-br br-late",
            "port vm1: is plugged into br-int, expected br-late",
        )  # fmt: skip


def every_flow() -> dict[int, Flow]:
    """Of networks of all kinds, each port plugged in somewhere."""
    flows = list(build.bridge_flows())
    ofport = 0
    for network in NETWORKS:
        flows += build.network_flows(network)
        for port in network.ports:
            ofport += 1
            flows += build.port_flows(network, port, ofport)
    return index(flows)


@pytest.mark.parametrize("version", [OFP13, OFP14, OFP15], ids=["1.3", "1.4", "1.5"])
def test_every_flow_is_read_back_byte_for_byte(switch: PrivateOvs, version: int) -> None:
    switch.ofctl("del-flows", "br-int")
    switch.ofctl("del-meters", "br-int")  # those of a daemon that has left its flows
    wanted = every_flow()
    meters = {
        action.meter_id
        for flow in wanted.values()
        for action in flow.actions
        if isinstance(action, Meter)
    }
    for meter in meters:
        switch.ofctl("add-meter", "br-int", f"meter={meter},pktps,bands=type=drop,rate=50")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(switch.run_dir / "br-int.mgmt"))
        connection.sendall(message(version, 0, b""))  # hello
        connection.sendall(b"".join(encode_bundle(version, changes(wanted, set()), 1)))
        connection.sendall(flow_dump_request(version, 2))
        found: list[FlowEntry] = []
        data, more = b"", True
        while more:
            received = connection.recv(65536)
            assert received
            messages, size = split(data + received)
            data = (data + received)[size:]
            for each in messages:
                if each[1] == 2:  # an echo request
                    connection.sendall(message(version, 3, each[8:]))
                elif isinstance(event := decode_flow_reply(each), FlowDump):
                    found += event.flows
                    more = event.more
    assert sorted(found) == sorted(entry_of(version, flow) for flow in wanted.values())
    switch.ofctl("del-meters", "br-int")
