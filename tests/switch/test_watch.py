# SPDX-License-Identifier: Apache-2.0
"""`ovs-dhcpd watch` beside real guests."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ovs_dhcpd.controller.commands.ask import ask_for_json
from ovs_dhcpd.controller.watching.recent import KEPT

from tests.lab.clients import Udhcpc
from tests.lab.daemon import ROOT, Dhcpd
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, request
from tests.lab.pcap import decode_pcap
from tests.lab.process import Process, wait_until
from tests.lab.switch import PrivateOvs

pytestmark = [
    pytest.mark.needs("udhcpc"),
    pytest.mark.not_in_test_kernel("it has nothing to do with the datapath"),
]

MAC = "02:00:00:00:00:01"
NUMBERS = itertools.count()  # so that each who watches has a log of its own


def configuration() -> str:
    ports = {"vm1": {"addresses": f"{MAC} 10.0.0.11"}}
    lab = {"dhcpv4": {"cidr": "10.0.0.0/24"}, "rate_limit": "none", "ports": ports}
    return yaml.safe_dump({"networks": {"lab": lab}})


@pytest.fixture(scope="module")
def guest(switch: PrivateOvs) -> Guest:
    return switch.guest("vm1", MAC)


@pytest.fixture
def dhcpd(switch: PrivateOvs, guest: Guest) -> Iterator[Dhcpd]:
    with Dhcpd(switch, configuration()) as dhcpd:
        dhcpd.wait_for_flows(guest)
        yield dhcpd


def watch(switch: PrivateOvs, *arguments: object) -> Process:
    """Somebody who watches, and is there."""
    watcher = switch.spawn(
        f"watch-{next(NUMBERS)}", "env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "ovs_dhcpd",
        "watch", "--ovs-rundir", switch.run_dir, *arguments,
    )  # fmt: skip
    wait_until(lambda: "watching; " in watcher.text(), "watch")
    return watcher


def test_a_lease_is_seen_as_it_is_given(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd, tmp_path: Path
) -> None:
    capture = tmp_path / "watch.pcap"
    watcher = watch(switch, "-n", 2, "--pcap", capture)
    with Udhcpc(switch, guest) as client:
        client.lease()
    wait_until(lambda: watcher.status == 0, "its end")
    offer, ack = watcher.text().splitlines()[1:]
    assert f" br-int vm1 (lab) {MAC}: DHCPDISCOVER xid " in offer
    assert ": DHCPOFFER 10.0.0.11, " in offer
    assert ": DHCPACK 10.0.0.11, " in ack
    frames = [frame for _, frame in decode_pcap(capture.read_bytes())]
    macs = [frame[6:12].hex(":") for frame in frames]
    assert [mac == MAC for mac in macs] == [True, False, True, False]
    assert frames[1][:6].hex(":") == MAC


@pytest.mark.parametrize(
    "name", ["vm1", "tap1", "lab", "br-int", MAC, "02-00-00-00-00-01", "10.0.0.11"]
)
def test_those_of_others_are_left_out(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd, name: str
) -> None:
    watcher = watch(switch, "-f", "json", "-n", 1, name)
    elsewhere = watch(switch, "vm2")
    others = watch(switch, "02:00:00:00:00:02", "10.0.0.12")
    with guest.raw() as raw:
        raw.send(request(DISCOVER, mac=MAC))
        raw.receive(5)
    wait_until(lambda: watcher.status == 0, "its end")
    found = json.loads(watcher.text().splitlines()[1])
    assert (found["asked"], found["answer"]) == ("DHCPDISCOVER", "DHCPOFFER")
    assert elsewhere.text().splitlines() == [
        "ovs-dhcpd: no port, interface or network is vm2 now (did you mean vm1?)",
        "watching; it ends with Ctrl-C",
    ]
    assert others.text() == "watching; it ends with Ctrl-C\n"
    for each in (elsewhere, others):
        each.stop()


def test_who_reads_too_slowly_hears_how_many_were_missed(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    number = ask_for_json(switch.run_dir, "watch/read")["next"]
    with guest.raw() as raw:
        for xid in range(KEPT + 100):
            raw.send(request(DISCOVER, mac=MAC, xid=xid))
            raw.receive(5)
    found = ask_for_json(switch.run_dir, "watch/read", str(number))
    assert found["missed"] > 0
    assert found["next"] > number
    assert found["transactions"]


def test_nobody_to_ask_is_one_line(switch: PrivateOvs) -> None:
    watcher = switch.spawn(
        "watch", "env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "ovs_dhcpd", "watch",
        "--ovs-rundir", switch.run_dir,
    )  # fmt: skip
    wait_until(lambda: watcher.status == 1, "its end")
    assert watcher.text().count("\n") == 1
    assert "nobody to ask" in watcher.text()
