# SPDX-License-Identifier: Apache-2.0
"""What ovs-appctl gets from the daemon, found by its name as users find it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ovs_dhcpd.controller.commands.ask import RUNDIR
from ovs_dhcpd.controller.commands.man_page import FILES

from ovs_dhcpd import __version__
from tests.lab import reference
from tests.lab.daemon import ROOT, Dhcpd, our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, request
from tests.lab.process import LabError, run, wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")


@pytest.fixture
def dhcpd(switch: PrivateOvs, guest: Guest) -> Iterator[Dhcpd]:
    with Dhcpd(switch, reference.configuration(), "--pidfile") as dhcpd:
        wait_ready(dhcpd)
        dhcpd.wait_for_flows(guest)
        yield dhcpd


def test_version_is_ours_and_not_that_of_open_vswitch(switch: PrivateOvs, dhcpd: Dhcpd) -> None:
    said = run(["ovs-appctl", "-t", "ovs-dhcpd", "version"], env=switch.environment)
    assert said == f"ovs-dhcpd {__version__}\n"


def test_the_files_of_the_manual_are_there(switch: PrivateOvs, dhcpd: Dhcpd) -> None:
    names = [name.removeprefix(RUNDIR) for name in FILES if name.startswith(RUNDIR)]
    assert len(names) == 5
    for name in names:
        name = name.replace("BRIDGE", switch.bridge).replace("PID", str(dhcpd.process.pid))
        assert Path(f"{switch.run_dir}{name}").exists(), name


def test_debug_lines_say_of_each_packet_what_became_of_it(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    port = f"br-int port {switch.ofport(guest.port)}"
    assert guest.ask(request(DISCOVER, guest.mac, xid=1))
    assert "|DBG|" not in dhcpd.log().replace(" ", "")
    dhcpd.appctl("vlog/set", "dhcp:dbg")
    assert guest.ask(request(DISCOVER, guest.mac, xid=0xABC))
    line = f"{port}: DHCPDISCOVER xid 00000abc: DHCPOFFER {reference.MAC} {reference.ADDRESS}"
    wait_until(lambda: line in dhcpd.log(), line)
    with guest.raw() as raw:
        raw.send(request(99, guest.mac, xid=0xDEF))
    line = f"{port}: DHCP(99) xid 00000def: no answer: unknown message type"
    wait_until(lambda: line in dhcpd.log(), line)
    dhcpd.appctl("vlog/set", "dhcp:info")
    assert guest.ask(request(DISCOVER, guest.mac, xid=2))
    assert "xid 00000002" not in dhcpd.log()


def test_debug_lines_say_of_each_port_what_is_decided(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    dhcpd.appctl("vlog/set", "daemon:dbg")
    dhcpd.appctl("reload")
    what = f"{reference.ADDRESS} of finance-network1"
    where = f"br-int port {switch.ofport(guest.port)}"
    assert f"port {reference.PORT}: is served {what} on {where}" in dhcpd.log()


def test_reload_answers_with_the_mistakes(guest: Guest, dhcpd: Dhcpd) -> None:
    file = dhcpd.configuration_file
    right = file.read_text()
    assert dhcpd.appctl("reload") == ""
    file.write_text("networks: []\nfoo: 1\n")
    with pytest.raises(LabError) as failed:
        dhcpd.appctl("reload")
    assert f"{file}:1: networks: a list, expected a mapping" in str(failed.value)
    assert f"{file}:2: foo" in str(failed.value)
    reply = guest.ask(request(DISCOVER, guest.mac))
    assert reply
    file.write_text(right.replace(str(reference.ADDRESS), "192.168.1.8"))
    assert dhcpd.appctl("reload") == ""
    wait_until(lambda: offered(guest) == "192.168.1.8", "the new address")
    assert "Traceback" not in dhcpd.log()


def offered(guest: Guest) -> str | None:
    reply = guest.ask(request(DISCOVER, guest.mac))
    return reply.yiaddr if reply else None


def test_status_says_how_the_bridge_is(switch: PrivateOvs) -> None:
    with Dhcpd(switch, reference.configuration()) as dhcpd:
        wait_ready(dhcpd)
        program, bridge, *sentences = dhcpd.appctl("status").splitlines()
        assert program == f"ovs-dhcpd {__version__}, pid {dhcpd.process.pid}"
        assert bridge == "br-int"
        connected = re.compile(r"  connected since [-0-9]{10} [:0-9]{8} UTC, OpenFlow 1\.5")
        assert any(connected.fullmatch(sentence) for sentence in sentences)
        assert re.search(r"^  \d+ flows, in step$", "\n".join(sentences), re.MULTILINE)
        switch.processes["ovs-vswitchd"].stop()
        why = f"  not connected: {switch.run_dir}/br-int.mgmt: "
        wait_until(lambda: why in dhcpd.appctl("status"), "the status to say why")
        switch.start_vswitchd()


def status(switch: PrivateOvs, *words: str) -> tuple[int, str]:
    """The command's exit status, and what it printed."""
    command = [sys.executable, "-m", "ovs_dhcpd", "status", "--ovs-rundir", str(switch.run_dir)]
    done = subprocess.run([*command, *words], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_status_is_for_health_checks(switch: PrivateOvs, guest: Guest) -> None:
    assert status(switch)[0] == 1  # nobody to ask
    with Dhcpd(switch, reference.configuration()) as dhcpd:
        wait_ready(dhcpd)
        assert guest.ask(request(DISCOVER, guest.mac))
        wait_until(lambda: status(switch)[0] == 0, "it to be healthy")
        shown = status(switch)[1].splitlines()
        assert shown == dhcpd.appctl("status").splitlines()
        for line in ("  ports served: 1", "  leases offered: 1", "healthy"):
            assert line in shown
        dhcpd.reconfigure("foo: 1")
        mistake = f"not healthy: {dhcpd.configuration_file}:1: foo"
        wait_until(lambda: mistake in status(switch)[1], "the mistake")
        code, text = status(switch, "-f", "json")
        found = json.loads(text)
        assert (code, found["version"], found["healthy"]) == (1, 1, False)
        assert found["last_error"]["text"].startswith(f"files: {dhcpd.configuration_file}:1: ")
        dhcpd.reconfigure(reference.configuration())
        wait_until(lambda: status(switch)[0] == 0, "it to be healthy again")
        switch.processes["ovs-vswitchd"].stop()
        wait_until(lambda: "br-int: not connected" in status(switch)[1], "the switch to be missed")
        assert status(switch)[0] == 1
        switch.start_vswitchd()
        wait_until(lambda: status(switch)[0] == 0, "it to be healthy with the switch", 20)


def test_memory_and_coverage(switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd) -> None:
    assert guest.ask(request(DISCOVER, guest.mac))
    sizes = dict(word.split(":") for word in dhcpd.appctl("memory/show").split())
    found = {name: sizes[name] for name in ("bridges", "connections", "meters", "ports")}
    assert found == {"bridges": "1", "connections": "1", "meters": "1", "ports": "1"}
    assert int(sizes["flows"]) == len(our_flows(switch))
    assert int(sizes["rss-kB"]) > 10_000
    events = dhcpd.appctl("coverage/show")
    assert re.search(r"^DHCPOFFER +total: 1$", events, re.MULTILINE)
    assert re.search(r"^loop +total: [0-9]+$", events, re.MULTILINE)
