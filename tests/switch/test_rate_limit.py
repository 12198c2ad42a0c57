# SPDX-License-Identifier: Apache-2.0
"""One guest that asks too often is dropped by the switch, and costs the others nothing."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ovs_dhcpd.controller.responders.verdict import Reason
from ovs_dhcpd.flows.bindings.rate_limit import DEFAULT_RATE_LIMIT
from ovs_dhcpd.flows.pipeline.meter import meter_id

from tests.lab import flood
from tests.lab.daemon import ROOT, Dhcpd, ServeOnly, our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.openflow_peer import OpenFlowPeer
from tests.lab.packets import DISCOVER, reply_to, request
from tests.lab.process import PATIENCE, run, wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.needs("cc")

NOISY = flood.Client("02:00:00:00:00:01", "10.0.0.5", "10.0.0.1", "fe80::ff:fe00:1")
MAC = "02:00:00:00:00:02"
RATE, FLOOD_S, LEASES = 20_000 // PATIENCE, 4, 100  # without KVM the flood itself takes it all
FOREIGN = "meter=7 pktps burst stats bands=\ntype=drop rate=1 burst_size=2"


def configuration(rate_limit: object = None) -> str:
    network: dict[str, object] = {
        "dhcpv4": {"cidr": "10.0.0.0/24"},
        "dhcpv6": {"cidr": "fd00::/64"},
        "ra": {"prefix": ["fd00::/64"], "addr_mode": "dhcpv6_stateful"},
        "ports": {
            "noisy": {"addresses": f"{NOISY.mac} {NOISY.address} fd00::5"},
            "quiet": {"addresses": f"{MAC} 10.0.0.6 fd00::6"},
        },
    }
    if rate_limit:
        network["rate_limit"] = rate_limit
    return yaml.safe_dump({"networks": {"red": network}})


@pytest.fixture(scope="module")
def noisy(switch: PrivateOvs) -> Guest:
    flood.build()
    switch.ofctl("add-meter", switch.bridge, FOREIGN.replace("\n", ""))
    return switch.guest("noisy", NOISY.mac)


@pytest.fixture(scope="module")
def quiet(switch: PrivateOvs, noisy: Guest) -> Guest:
    return switch.guest("quiet", MAC)


@pytest.fixture
def dhcpd(switch: PrivateOvs, noisy: Guest, quiet: Guest, openflow: str) -> Iterator[Dhcpd]:
    with Dhcpd(switch, configuration(), "--openflow", openflow, "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(noisy, quiet)
        wait_ready(dhcpd)
        yield dhcpd
    assert meters(switch) == [FOREIGN]


def meters(switch: PrivateOvs) -> list[str]:
    """As `ovs-ofctl` shows them, in the order of their numbers."""
    _, *found = switch.ofctl("dump-meters", switch.bridge).split("meter=")
    return sorted(f"meter={text.strip()}" for text in found)


def of(switch: PrivateOvs, guest: Guest, rate: int = 50, burst: int = 100) -> str:
    number = meter_id(switch.ofport(guest.port))
    band = f"type=drop rate={rate} burst_size={burst}"
    return f"meter={number} pktps burst stats bands=\n{band}"


@pytest.mark.parametrize("kind", ["85 IA_NA", "565 empty DHCPv4 options", "different DISCOVERs"])
def test_a_flood_from_one_port_costs_another_no_lease(
    switch: PrivateOvs, noisy: Guest, quiet: Guest, dhcpd: Dhcpd, kind: str
) -> None:
    sender = flood.start(switch, noisy, flood.KINDS[kind](NOISY), RATE, FLOOD_S)
    took_s = []
    try:
        for number in range(LEASES):
            began_s = time.monotonic()
            if quiet.ask(request(DISCOVER, MAC, xid=number + 1), timeout_s=PATIENCE):
                took_s.append(time.monotonic() - began_s)
            time.sleep(0.025)  # within what the port may ask
        assert sender.wait(60) == 0
    finally:
        sender.stop()
    p99_ms = 1000 * statistics.quantiles(took_s, n=100)[98]
    print(f"{kind}, {sender.text().strip()}: {len(took_s)} of {LEASES} leases, p99 {p99_ms:.1f} ms")
    assert len(took_s) == LEASES

    def dropped() -> int:
        (line,) = [each for each in dhcpd.appctl("meters/show").splitlines() if "noisy" in each]
        return int(line.split()[-2])

    wait_until(lambda: dropped() > 1000, "the meter to be read", 20)


def test_all_that_a_port_asks_passes_one_meter(
    switch: PrivateOvs, noisy: Guest, quiet: Guest, dhcpd: Dhcpd
) -> None:
    assert meters(switch) == sorted([FOREIGN, of(switch, noisy), of(switch, quiet)])
    for guest in (noisy, quiet):
        ofport = switch.ofport(guest.port)
        paused = [flow for flow in our_flows(switch) if f"in_port={ofport}," in flow]
        assert len(paused) == 7  # three of DHCPv4, two of DHCPv6, one each of RS and NS
        assert all(f"actions=meter:{meter_id(ofport)}," in flow for flow in paused)


def test_who_takes_over_an_unchanged_bridge_sends_no_meter_mod(
    switch: PrivateOvs, noisy: Guest, quiet: Guest, dhcpd: Dhcpd, openflow: str
) -> None:
    with Dhcpd(switch, configuration(), "--openflow", openflow, "--cleanup") as second:
        wait_until(lambda: "standby for pid" in second.log(), "the second one to stand by")
        switch.appctl("vlog/set", "vconn:console:dbg")
        before = switch.processes["ovs-vswitchd"].text()
        dhcpd.stop()
        wait_ready(second)
        said = switch.processes["ovs-vswitchd"].text()[len(before) :]
        switch.appctl("vlog/set", "vconn:console:off")
    assert "OFPST_METER_CONFIG request" in said
    assert "OFPST_FLOW request" in said
    assert "METER_MOD" not in said
    assert "FLOW_MOD" not in said


def test_another_limit_takes_no_flow_away(
    switch: PrivateOvs, noisy: Guest, quiet: Guest, dhcpd: Dhcpd
) -> None:
    before = our_flows(switch)
    dhcpd.reconfigure(configuration({"pps": 7, "burst": 9}))
    changed = sorted([FOREIGN, of(switch, noisy, 7, 9), of(switch, quiet, 7, 9)])
    wait_until(lambda: meters(switch) == changed, "the meters to change")
    assert our_flows(switch) == before
    dhcpd.reconfigure(configuration("none"))
    wait_until(lambda: meters(switch) == [FOREIGN], "the meters to go")
    assert len(our_flows(switch)) == len(before)
    assert "meter:" not in " ".join(our_flows(switch))


def test_a_meter_goes_with_its_port(
    switch: PrivateOvs, noisy: Guest, quiet: Guest, dhcpd: Dhcpd
) -> None:
    switch.unplug(noisy.port)
    try:
        wait_until(lambda: meters(switch) == [of(switch, quiet), FOREIGN], "the meter to go")
    finally:
        switch.plug(noisy.port, noisy.iface_id)
    dhcpd.wait_for_flows(noisy)
    assert meters(switch) == sorted([FOREIGN, of(switch, noisy), of(switch, quiet)])


def test_meters_that_somebody_deletes_come_again_with_their_flows(
    switch: PrivateOvs, noisy: Guest, quiet: Guest, dhcpd: Dhcpd
) -> None:
    flows, before = our_flows(switch), meters(switch)
    switch.ofctl("del-meter", switch.bridge, f"meter={meter_id(switch.ofport(noisy.port))}")
    wait_until(lambda: our_flows(switch) == flows, "the flows to come again")
    assert meters(switch) == before


def test_where_no_meter_limits_a_port_the_daemon_does(
    switch: PrivateOvs, noisy: Guest, quiet: Guest, tmp_path: Path
) -> None:
    file = tmp_path / "red.yaml"
    file.write_text(configuration("none"))
    ofports = [f"--ofport={guest.iface_id}={switch.ofport(guest.port)}" for guest in (noisy, quiet)]
    flows = run([sys.executable, "-m", "ovs_dhcpd", "flows", file, *ofports],
                env={"PYTHONPATH": str(ROOT)})  # fmt: skip
    switch.ofctl("add-flows", switch.bridge, "-", stdin=flows)
    frame = request(DISCOVER, NOISY.mac, xid=7)
    offers = 0
    with ServeOnly(switch) as deputy, noisy.raw() as raw:
        deputy.wait_until("active")
        began_s = time.monotonic()
        for _ in range(500):
            raw.send(frame)
        while raw.receive(0.5, lambda seen: reply_to(frame, seen)):
            offers += 1
        allowed = DEFAULT_RATE_LIMIT.burst + DEFAULT_RATE_LIMIT.pps * (time.monotonic() - began_s)
        print(f"{offers} offers, {allowed:.0f} allowed")
        assert DEFAULT_RATE_LIMIT.burst <= offers <= allowed
        assert quiet.ask(request(DISCOVER, MAC))
        assert f"no answer: {Reason.RATE_LIMIT.value}" in deputy.appctl("stats/show")
        assert 1 <= deputy.log().count(Reason.RATE_LIMIT.value) <= 10
    switch.ofctl("del-flows", switch.bridge, "cookie=0x6468000000000000/0xffff000000000000")


@pytest.fixture
def old_bridge(switch: PrivateOvs, noisy: Guest, quiet: Guest) -> Iterator[tuple[Path, str]]:
    """A bridge with a port, on whose socket nobody is: that, and its configuration."""
    switch.add_bridge("br-old")
    switch.vsctl("add-port", "br-old", "old", "--", "set", "interface", "old", "type=patch",
                 "options:peer=young", "external_ids:iface-id=noisy-old")  # fmt: skip
    path = switch.run_dir / "br-old.mgmt"
    path.unlink()
    yield path, "bridge: br-old\n" + configuration().replace("noisy", "noisy-old")
    switch.vsctl("del-br", "br-old")


@pytest.mark.not_in_test_kernel("the switch is our own")
def test_a_switch_that_does_not_know_meters_is_served_without(
    switch: PrivateOvs, old_bridge: tuple[Path, str]
) -> None:
    path, text = old_bridge
    with OpenFlowPeer(path, stuck=0) as peer, Dhcpd(switch, text) as dhcpd:
        wait_ready(dhcpd)
        why = "without meters: the switch does not say which it has"
        assert dhcpd.log().count(f"br-old: served {why}") == 1
        assert f"  {why}" in dhcpd.appctl("status").splitlines()
        assert peer.added == 12  # all its flows


@pytest.mark.not_in_test_kernel("the switch is our own")
def test_a_switch_that_does_not_confirm_meters_is_said_so_and_tried_again(
    switch: PrivateOvs, old_bridge: tuple[Path, str]
) -> None:
    path, text = old_bridge
    with OpenFlowPeer(path, stuck=0, meters=1) as peer, Dhcpd(switch, text) as dhcpd:
        wait_until(lambda: peer.connections == 2, "another try", 40)
        why = "connection ended: no answer to a change of meters within 10 s"
        assert dhcpd.log().count(f"br-old: {why}") == 1
        assert "br-old: ready" not in dhcpd.log()
