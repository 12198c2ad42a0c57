# SPDX-License-Identifier: Apache-2.0
"""What is on the bridge is what is wanted there, whatever happens to either side."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ovs_dhcpd.flows.pipeline.meter import meter_id

from tests.lab import reference
from tests.lab.daemon import ROOT, Dhcpd, our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.process import run, wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

FOREIGN = "cookie=0x77, priority=7,tcp,tp_dst=80 actions=drop"


def cli(*arguments: object) -> str:
    return run([sys.executable, "-m", "ovs_dhcpd", *arguments], env={"PYTHONPATH": str(ROOT)})


@pytest.fixture
def dhcpd(switch: PrivateOvs, guest: Guest, openflow: str) -> Iterator[Dhcpd]:
    configuration = reference.configuration(arp_responder=True)
    with Dhcpd(switch, configuration, "--openflow", openflow, "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(guest)
        wait_ready(dhcpd)
        yield dhcpd


def bundles(switch: PrivateOvs) -> int:
    """How many bundles ovs-vswitchd has been sent since its vconn messages are logged."""
    return switch.processes["ovs-vswitchd"].text().count("BUNDLE_CONTROL") // 2


@pytest.fixture
def bundle_log(switch: PrivateOvs) -> Iterator[None]:
    switch.appctl("vlog/set", "vconn:console:dbg")
    yield
    switch.appctl("vlog/set", "vconn:console:off")


def test_flows_prints_what_the_bridge_shows(switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd) -> None:
    ofport = switch.ofport(guest.port)
    printed = cli("flows", dhcpd.configuration_file, "--ofport", f"{guest.iface_id}={ofport}")
    shown = run(
        ["ovs-ofctl", "--no-stats", "--no-names", "dump-flows", switch.bridge],
        env=switch.environment,
    )
    ours = [line.strip() for line in shown.splitlines() if "cookie=0x6468" in line]
    # ovs-ofctl speaks OpenFlow 1.0 by itself, which has no meters.
    meter = f"meter:{meter_id(ofport)},"
    assert sorted(printed.replace(meter, "").splitlines()) == sorted(ours)
    assert printed.count(meter) == "\n".join(our_flows(switch)).count(meter) == 3


def test_the_userdata_is_the_reference_documents(switch: PrivateOvs, dhcpd: Dhcpd) -> None:
    paused = [flow for flow in our_flows(switch) if "userdata=" in flow]
    assert len(paused) == 3
    assert all(f"controller(userdata={reference.USERDATA},pause)" in flow for flow in paused)


def test_what_flows_prints_can_be_fed_to_ovs_ofctl(
    switch: PrivateOvs, guest: Guest, tmp_path: Path
) -> None:
    file = tmp_path / "network.yaml"
    file.write_text(reference.configuration(arp_responder=True, rate_limit="none"))
    printed = cli("flows", file, "--ofport", f"{guest.iface_id}={switch.ofport(guest.port)}")
    run(["ovs-ofctl", "add-flows", switch.bridge, "-"], env=switch.environment, stdin=printed)
    fed = our_flows(switch)
    assert len(fed) == len(printed.splitlines()) == 6
    with Dhcpd(switch, file.read_text(), "--cleanup") as dhcpd:
        wait_ready(dhcpd)
        assert "6 flows of ours are there" in dhcpd.log()
        assert "flows added" not in dhcpd.log()
        assert our_flows(switch) == fed


def test_the_meters_that_flows_prints_can_be_fed_to_ovs_ofctl_before_the_flows(
    switch: PrivateOvs, guest: Guest, tmp_path: Path
) -> None:
    file = tmp_path / "network.yaml"
    file.write_text(reference.configuration())
    arguments = ("flows", file, "--ofport", f"{guest.iface_id}={switch.ofport(guest.port)}")
    (meter,) = cli(*arguments, "--meters").splitlines()
    switch.ofctl("add-meter", switch.bridge, meter)
    switch.ofctl("add-flows", switch.bridge, "-", stdin=cli(*arguments))
    fed = our_flows(switch)
    with Dhcpd(switch, file.read_text(), "--cleanup") as dhcpd:
        wait_ready(dhcpd)
        assert "5 flows of ours are there" in dhcpd.log()
        assert "meters added" not in dhcpd.log()
        assert our_flows(switch) == fed


def test_a_dump_is_explained(switch: PrivateOvs, dhcpd: Dhcpd) -> None:
    dump = switch.ofctl("dump-flows", switch.bridge)
    explained = subprocess.run(
        [sys.executable, "-m", "ovs_dhcpd", "decode"],
        input=dump, text=True, capture_output=True, check=True, cwd=ROOT,
    ).stdout  # fmt: skip
    assert explained.count("reg0[3] = put_dhcp_opts(offerip = 192.168.1.7, ") == 3


def test_a_restart_with_nothing_changed_sends_no_flow_mod(
    switch: PrivateOvs, guest: Guest, openflow: str, bundle_log: None
) -> None:
    configuration = reference.configuration()
    with Dhcpd(switch, configuration, "--openflow", openflow) as dhcpd:
        wait_ready(dhcpd)
        assert dhcpd.stop() == 0
        before = our_flows(switch)
        assert len(before) == 5
        sent = bundles(switch)
        assert sent > 0
        dhcpd.start()
        wait_ready(dhcpd)
        assert bundles(switch) == sent
        assert our_flows(switch) == before
    with Dhcpd(switch, configuration, "--openflow", openflow, "--cleanup") as dhcpd:
        wait_ready(dhcpd)
    assert our_flows(switch) == []


def test_flows_of_others_are_not_touched(switch: PrivateOvs, guest: Guest, openflow: str) -> None:
    switch.ofctl("add-flow", switch.bridge, FOREIGN.replace(" actions", ",actions"))
    others = [flow for flow in switch.flows() if "cookie=0x6468" not in flow]
    assert FOREIGN in others
    with Dhcpd(switch, reference.configuration(), "--openflow", openflow, "--cleanup") as dhcpd:
        wait_ready(dhcpd)
        assert [flow for flow in switch.flows() if "cookie=0x6468" not in flow] == others
    assert switch.flows() == others
    switch.ofctl("del-flows", switch.bridge, "cookie=0x77/-1")


def test_flows_that_are_no_longer_wanted_are_deleted_at_start(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd, openflow: str
) -> None:
    dhcpd.stop()
    switch.ofctl("add-flow", switch.bridge, "cookie=0x6468000000000001,priority=3,udp,actions=drop")
    dhcpd.start()
    wait_ready(dhcpd)
    assert len(our_flows(switch)) == 6
    assert not any("0x6468000000000001" in flow for flow in our_flows(switch))


def test_a_replugged_port_is_followed(switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd) -> None:
    switch.unplug(guest.port)
    wait_until(lambda: len(our_flows(switch)) == 1, "the port's flows to go")
    switch.plug(guest.port, guest.iface_id, ofport=77)
    wait_until(lambda: dhcpd.serves(guest), "the port's flows at its new number")
    assert sum("in_port=77," in flow for flow in our_flows(switch)) == 4
    assert len(our_flows(switch)) == 6


def test_an_interface_without_iface_id_goes_by_its_name(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    switch.vsctl("remove", "interface", guest.port, "external_ids", "iface-id")
    wait_until(lambda: not dhcpd.serves(guest), "the port's flows to go")
    dhcpd.reconfigure(reference.configuration().replace(guest.iface_id, guest.port))
    wait_until(lambda: dhcpd.serves(guest), "the flows of the port named by its interface")
    switch.vsctl("set", "interface", guest.port, f"external_ids:iface-id={guest.iface_id}")


def test_the_file_is_read_again_when_it_changes(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    dhcpd.configuration_file.write_text(reference.configuration(mtu=1300))
    dhcpd.wait_for_flows(guest, userdata="1a.02.05.14")
    assert sum("userdata=" in flow for flow in our_flows(switch)) == 3


def test_a_mistake_in_the_file_leaves_the_configuration_in_force(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    before = our_flows(switch)
    dhcpd.reconfigure(reference.configuration(mtu=99999))
    wait_until(lambda: "stays in force" in dhcpd.log(), "the error")
    assert "mtu" in dhcpd.log()
    assert f"{dhcpd.configuration_file}:" in dhcpd.log()
    assert our_flows(switch) == before
    dhcpd.reconfigure(reference.configuration(mtu=1400))
    dhcpd.wait_for_flows(guest, userdata="1a.02.05.78")


def test_flows_come_back_when_ovs_vswitchd_restarts(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    before = our_flows(switch)
    switch.restart_vswitchd()
    wait_ready(dhcpd, times=2)
    assert our_flows(switch) == before


def test_changes_are_followed_after_ovsdb_server_restarts(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    before = our_flows(switch)
    switch.restart_ovsdb()
    assert our_flows(switch) == before
    switch.unplug(guest.port)
    wait_until(lambda: len(our_flows(switch)) == 1, "the port's flows to go")
    switch.plug(guest.port, guest.iface_id)
    dhcpd.wait_for_flows(guest)


def test_flows_deleted_behind_our_back_come_back_on_reload(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    before = our_flows(switch)
    switch.ofctl("del-flows", switch.bridge, "udp")
    dhcpd.appctl("reload")
    wait_until(lambda: our_flows(switch) == before, "the flows to come back")


def test_stopping_leaves_the_flows_and_exit_cleanup_removes_them(
    switch: PrivateOvs, guest: Guest
) -> None:
    with Dhcpd(switch, reference.configuration()) as dhcpd:
        wait_ready(dhcpd)
        dhcpd.appctl("exit")
        assert dhcpd.process.wait() == 0
        assert len(our_flows(switch)) == 5
        dhcpd.start()
        wait_ready(dhcpd)
        dhcpd.appctl("exit", "cleanup")
        assert dhcpd.process.wait() == 0
    assert our_flows(switch) == []


def test_a_daemon_waits_for_its_switch(switch: PrivateOvs, guest: Guest, openflow: str) -> None:
    switch.processes["ovs-vswitchd"].stop()
    with Dhcpd(switch, reference.configuration(), "--openflow", openflow, "--cleanup") as dhcpd:
        wait_until(lambda: "trying again" in dhcpd.log(), "the first failure")
        switch.start_vswitchd()
        wait_ready(dhcpd)
        assert dhcpd.serves(guest)


@pytest.mark.parametrize(
    "take",
    [
        ("ofctl", "del-flows"),
        ("ofctl", "del-flows", "udp"),
        ("vsctl", "set-fail-mode", "secure"),
    ],
    ids=["all", "some", "fail mode"],
)
def test_flows_that_somebody_takes_away_come_again(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd, take: tuple[str, ...]
) -> None:
    tool, command, *rest = take
    before = our_flows(switch)
    getattr(switch, tool)(command, switch.bridge, *rest)
    try:
        wait_until(lambda: "(deleted)" in dhcpd.log(), "somebody to have deleted them")
        wait_until(lambda: our_flows(switch) == before, "the flows to come again")
    finally:
        switch.vsctl("del-fail-mode", switch.bridge)
        switch.ofctl("add-flow", switch.bridge, "priority=0,actions=normal")


def test_a_port_with_two_names_is_served_by_its_iface_id(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    """Both names of one interface in the file: in IPv6 they would even have flows in common."""
    before = our_flows(switch)
    text = reference.configuration(arp_responder=True)
    dhcpd.reconfigure(
        text + f"      {guest.port}: {{addresses: '{reference.MAC[:-1]}e 192.168.1.8'}}\n"
    )
    line = (
        f"port {guest.port}: is port {guest.iface_id} too, by its iface-id, "
        "expected one of the two names"
    )
    wait_until(lambda: dhcpd.appctl("bindings/refused") == line, "the refusal")
    assert our_flows(switch) == before
    switch.unplug(guest.port)
    wait_until(lambda: len(our_flows(switch)) == 1, "all its flows to go")
    switch.plug(guest.port, guest.iface_id)
    dhcpd.wait_for_flows(guest)


def test_a_port_may_change_in_the_file_from_its_iface_id_to_its_name(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    before = our_flows(switch)
    text = reference.configuration(arp_responder=True)
    dhcpd.reconfigure(text.replace(guest.iface_id, guest.port))
    wait_until(lambda: dhcpd.appctl("bindings/show").startswith(guest.port), "the name")
    assert our_flows(switch) == before
    dhcpd.reconfigure(text)
    wait_until(lambda: dhcpd.appctl("bindings/show").startswith(guest.iface_id), "the iface-id")
    assert our_flows(switch) == before
    switch.unplug(guest.port)
    wait_until(lambda: len(our_flows(switch)) == 1, "all its flows to go")
    switch.plug(guest.port, guest.iface_id)
    dhcpd.wait_for_flows(guest)
