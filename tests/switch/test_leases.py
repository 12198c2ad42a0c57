# SPDX-License-Identifier: Apache-2.0
"""Who has which lease, as `leases` lists it, of real guests and after a restart."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.clients import Udhcpc
from tests.lab.daemon import Dhcpd
from tests.lab.guest import Guest
from tests.lab.packets import ACK, DECLINE, DISCOVER, RELEASE, REQUEST, option, request
from tests.lab.process import LabError, Process, run, wait_until
from tests.lab.switch import PrivateOvs
from tests.lab.terminal import Terminal

pytestmark = [
    pytest.mark.needs("udhcpc"),
    pytest.mark.not_in_test_kernel("it has nothing to do with the datapath"),
]

MACS = [f"02:00:00:00:00:{number:02x}" for number in (1, 2, 3)]
ROOT = Path(__file__).resolve().parents[2]


def configuration() -> str:
    ports = {f"vm{number}": {"addresses": f"{mac} 10.0.0.1{number}"}
             for number, mac in enumerate(MACS, 1)}  # fmt: skip
    dhcpv4 = {"cidr": "10.0.0.0/24", "lease_time": 3600}
    return yaml.safe_dump({"networks": {"lab": {"dhcpv4": dhcpv4, "ports": ports}}})


@pytest.fixture(scope="module")
def guests(switch: PrivateOvs) -> list[Guest]:
    return [switch.guest(f"vm{number}", mac) for number, mac in enumerate(MACS, 1)]


@pytest.fixture
def dhcpd(switch: PrivateOvs, guests: list[Guest]) -> Iterator[Dhcpd]:
    for guest in guests:  # as if they had never asked
        switch.vsctl("--if-exists", "del-port", guest.port)
    with Dhcpd(switch, configuration()) as dhcpd:
        for guest in guests:
            switch.plug(guest.port, guest.iface_id)
        dhcpd.wait_for_flows(*guests)
        wait_until(lambda: states(dhcpd) == ["assigned"] * 3, "all three to be known")
        yield dhcpd


def leases(dhcpd: Dhcpd, *words: str) -> list[dict[str, Any]]:
    document = json.loads(dhcpd.appctl("leases/show", "-f", "json", *words))
    assert document["version"] == 1
    return list(document["leases"])


def states(dhcpd: Dhcpd) -> list[str | None]:
    return [lease["state"] for lease in leases(dhcpd)]


def ovs_dhcpd(switch: PrivateOvs, *arguments: str) -> str:
    """What the command line prints."""
    argv = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "ovs_dhcpd", *arguments]
    return run([*argv, "--ovs-rundir", str(switch.run_dir)], env=switch.environment)


def release(guest: Guest) -> None:
    """As udhcpc does, which loses it if the server's MAC is not known yet."""
    with guest.raw() as raw:
        raw.send(request(RELEASE, guest.mac, ciaddr="10.0.0.11"))


def test_a_lease_is_listed_as_its_guest_has_it(
    switch: PrivateOvs, guests: list[Guest], dhcpd: Dhcpd
) -> None:
    with Udhcpc(switch, guests[0]) as client:
        client.lease()
        (lease,) = leases(dhcpd, "vm1")
        assert (lease["state"], lease["address"], lease["mac"]) == ("bound", "10.0.0.11", MACS[0])
        assert (lease["interface"], lease["ofport"]) == (
            guests[0].port, switch.ofport(guests[0].port),
        )  # fmt: skip
        assert (lease["last_message"], lease["last_answer"]) == ("DHCPREQUEST", "DHCPACK")
        assert lease["requests"] >= 2
        assert lease["vendor_class"].startswith("udhcp")
        assert states(dhcpd) == ["bound", "assigned", "assigned"]
    release(guests[0])
    wait_until(lambda: states(dhcpd)[0] == "released", "the release to be noted")


def test_what_a_guest_refuses_and_is_refused_is_listed(guests: list[Guest], dhcpd: Dhcpd) -> None:
    first, second, third = guests
    assert first.ask(request(DISCOVER, first.mac, option(12, b"evil\x1b[2J")))
    assert second.ask(request(REQUEST, second.mac, option(50, "10.0.0.99")))
    with third.raw() as raw:
        raw.send(request(DECLINE, third.mac, option(50, "10.0.0.13")))
    wait_until(lambda: states(dhcpd) == ["offered", "refused", "declined"], "what was said")
    assert leases(dhcpd, "vm1")[0]["host_name"] == "evil\x1b[2J"
    text = dhcpd.appctl("leases/show")
    assert "evil\\x1b[2J" in text
    assert [line.split()[0] for line in text.splitlines()] == ["PORT", "vm1", "vm2", "vm3"]


@pytest.mark.parametrize("openflow", ["1.5", "1.3"])
def test_after_a_kill_the_switch_says_who_has_asked(
    switch: PrivateOvs, guests: list[Guest], dhcpd: Dhcpd, openflow: str
) -> None:
    guest = guests[0]
    for _ in range(3):
        assert guest.ask(request(DISCOVER, guest.mac))
    reply = guest.ask(request(REQUEST, guest.mac, option(50, "10.0.0.11")))
    assert reply
    assert reply.message == ACK

    def has_counted() -> bool:  # it does so after a second or so
        return switch.packet_ins(f"dl_src={guest.mac}") >= 4

    wait_until(has_counted, "the switch to have counted them", 20)
    dhcpd.stop(signal.SIGKILL)
    dhcpd.arguments = ("--openflow", openflow)
    dhcpd.start()
    dhcpd.wait_for_flows(*guests)
    wait_until(lambda: states(dhcpd) == [None, "assigned", "assigned"], "what the switch knows")
    (lease,) = leases(dhcpd, "10.0.0.11")
    assert lease["requests"] == 4
    assert (lease["last_at"] is not None) == (openflow == "1.5")
    assert {lease[field] for field in ("since", "expires", "last_message")} == {None}
    assert guest.ask(request(REQUEST, guest.mac, option(50, "10.0.0.11")))
    wait_until(lambda: states(dhcpd)[0] == "bound", "the lease to be known again")
    assert leases(dhcpd, "vm1")[0]["requests"] == 5


def test_what_is_known_goes_with_the_port(
    switch: PrivateOvs, guests: list[Guest], dhcpd: Dhcpd
) -> None:
    guest = guests[0]
    assert guest.ask(request(DISCOVER, guest.mac))
    wait_until(lambda: states(dhcpd)[0] == "offered", "the offer")
    switch.vsctl("--if-exists", "del-port", guest.port)
    wait_until(lambda: len(leases(dhcpd)) == 2, "the port to be gone")
    switch.plug(guest.port, guest.iface_id)
    wait_until(lambda: states(dhcpd) == ["assigned"] * 3, "it to be there, and new")


def test_the_command_line_lists_what_is_asked_for(
    switch: PrivateOvs, guests: list[Guest], dhcpd: Dhcpd
) -> None:
    assert guests[0].ask(request(DISCOVER, guests[0].mac))
    header, line = ovs_dhcpd(switch, "leases", "vm1").splitlines()
    assert header.split()[0] == "PORT"
    assert "offered" in line.split()
    assert "\x1b" not in header + line
    document = json.loads(ovs_dhcpd(switch, "leases", "-f", "json"))
    assert [lease["port"] for lease in document["leases"]] == ["vm1", "vm2", "vm3"]
    fields, *rows = ovs_dhcpd(switch, "leases", "-f", "csv", MACS[1], "10.0.0.13").splitlines()
    assert fields.startswith("port,interface,bridge,")
    assert [row.split(",")[0] for row in rows] == ["vm2", "vm3"]
    with pytest.raises(LabError, match="'vm9': nobody's, expected a port, MAC, address or network"):
        ovs_dhcpd(switch, "leases", "vm9")


def test_a_script_can_wait_for_a_lease(
    switch: PrivateOvs, guests: list[Guest], dhcpd: Dhcpd
) -> None:
    """`ovs-vsctl wait-until` returns when the guest has its address; without the option never."""
    guest = guests[0]
    dhcpd.stop()
    dhcpd.arguments = ("--write-state",)
    dhcpd.start()
    dhcpd.wait_for_flows(*guests)

    def waits_until(state: str) -> Process:
        what = f"external_ids:dhcp-state={state}"
        return switch.spawn(
            f"wait-{state}", "ovs-vsctl", "wait-until", "interface", guest.port, what
        )

    def external_ids() -> str:
        return switch.vsctl("get", "interface", guest.port, "external_ids")

    waiting = waits_until("bound")
    assert guest.ask(request(DISCOVER, guest.mac))
    wait_until(lambda: "dhcp-state=offered" in external_ids(), "the offer in the row")
    assert waiting.status is None
    with Udhcpc(switch, guest) as client:
        client.lease()
        wait_until(lambda: waiting.status == 0, "wait-until to return")
        assert "dhcp-expires=" in external_ids()
    dhcpd.stop()
    dhcpd.start()
    dhcpd.wait_for_flows(*guests)
    assert "dhcp-state=bound" in external_ids()
    release(guest)
    wait_until(lambda: "dhcp-state=released" in external_ids(), "the release in the row")
    assert "dhcp-expires=" not in external_ids()
    assert switch.vsctl("get", "interface", guests[1].port, "external_ids").count("=") == 1
    dhcpd.reconfigure(configuration().replace("vm1:", "vm9:"))
    wait_until(lambda: "dhcp-state" not in external_ids(), "who is served no more to have none")


def test_at_a_narrow_terminal_it_says_which_columns_are_not_there(
    switch: PrivateOvs, dhcpd: Dhcpd
) -> None:
    argv = [sys.executable, "-m", "ovs_dhcpd", "leases", "--ovs-rundir", str(switch.run_dir)]
    with Terminal(argv, {"COLUMNS": "66", "PYTHONPATH": str(ROOT)}) as terminal:
        terminal.type("", "66 columns)")
        header, *_, note = terminal.text.splitlines()
    assert "INTERFACE" not in header
    assert note == "(without ASKED, SINCE, AGO, LAST, INTERFACE: the terminal has 66 columns)"


def test_changes_are_told_and_names_are_written(
    switch: PrivateOvs, guests: list[Guest], dhcpd: Dhcpd
) -> None:
    told, hosts = switch.directory / "told", switch.directory / "hosts"
    hook = switch.directory / "hook"
    hook.write_text(f"#!/bin/sh\ncat >> {told}\n[ $# = 1 ]\n")
    hook.chmod(0o755)
    dhcpd.stop()
    dhcpd.arguments = ("--on-change", f"{hook} 'one word'", "--hosts-file", str(hosts))
    dhcpd.start()
    dhcpd.wait_for_flows(*guests)
    wait_until(hosts.exists, "the file")
    assert hosts.read_text().splitlines()[1:] == [f"10.0.0.1{n} vm{n}" for n in (1, 2, 3)]
    assert guests[0].ask(request(DISCOVER, guests[0].mac))
    assert guests[0].ask(request(REQUEST, guests[0].mac, option(50, "10.0.0.11")))

    def changes() -> list[tuple[str, str, str]]:
        lines = told.read_text().splitlines() if told.exists() else []
        found = [json.loads(line) for line in lines]
        return [(each["before"], each["lease"]["state"], each["lease"]["port"]) for each in found]

    wait_until(lambda: changes() and changes()[-1][1] == "bound", "the change to be told")
    assert {(before, port) for before, _, port in changes()} <= {
        ("assigned", "vm1"), ("offered", "vm1"),
    }  # fmt: skip
    switch.unplug(guests[0].port)
    wait_until(lambda: "10.0.0.11" not in hosts.read_text(), "the name to be gone")
    assert "|WARN|" not in dhcpd.log().replace(" ", "")


def test_who_stands_by_knows_nothing_until_it_is_its_turn(
    switch: PrivateOvs, guests: list[Guest], dhcpd: Dhcpd
) -> None:
    guest = guests[0]
    with Dhcpd(switch, configuration(), "--write-state", label="-other") as other:
        wait_until(lambda: "standby for" in other.log(), "the other to stand by")
        wait_until(lambda: states(other) == [None] * 3, "the other to know the ports")
        assert guest.ask(request(REQUEST, guest.mac, option(50, "10.0.0.11")))
        wait_until(lambda: states(dhcpd)[0] == "bound", "the lease")
        assert leases(other, "vm1")[0]["requests"] is None
        assert ovs_dhcpd(switch, "leases", "vm1").split()[-1] != "-"  # who is active is asked
        wait_until(lambda: switch.packet_ins(f"dl_src={guest.mac}") >= 1, "it to be counted", 20)
        dhcpd.stop(signal.SIGKILL)
        wait_until(lambda: states(other) == [None, "assigned", "assigned"], "what the switch knows")
        assert leases(other, "vm1")[0]["requests"] == 1
        assert guest.ask(request(REQUEST, guest.mac, option(50, "10.0.0.11")))
        wait_until(lambda: states(other)[0] == "bound", "the lease to be known again")


def test_without_a_daemon_one_line_says_so(switch: PrivateOvs) -> None:
    with pytest.raises(LabError, match="nobody to ask, expected the socket of a running ovs-dhcpd"):
        ovs_dhcpd(switch, "leases")
