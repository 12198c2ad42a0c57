# SPDX-License-Identifier: Apache-2.0
"""A daemon that starts where its flows are answers before it has read anything."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ovs_dhcpd.controller.switch.lock import lock_path, owner_of

from tests.lab import reference
from tests.lab.daemon import Dhcpd, our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, request
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

PORTS = 30_000
CONNECTING = "db.sock: connecting..."  # once the configuration has been read
OFFERED = "DHCPOFFER fa:16:3e:8b:ea:fd 192.168.1.7"


def offered(guest: Guest) -> bool:
    return guest.ask(request(DISCOVER, guest.mac), 0.1) is not None


@pytest.fixture
def dhcpd(switch: PrivateOvs, guest: Guest) -> Iterator[Dhcpd]:
    """One that has served the guest, and has been killed."""
    with Dhcpd(switch, reference.configuration()) as dhcpd:
        wait_ready(dhcpd)
        dhcpd.stop(signal.SIGKILL)
        yield dhcpd


def make_long(dhcpd: Dhcpd) -> None:
    """Make its configuration one that takes seconds to read."""
    ports = "".join(f"      port-{n}: {{addresses: dynamic}}\n" for n in range(PORTS))
    cidr = "dhcpv4: {cidr: 10.0.0.0/8}"
    with dhcpd.configuration_file.open("a") as file:
        file.write(f"  long:\n    {cidr}\n    ports:\n{ports}")


@contextmanager
def no_database(switch: PrivateOvs) -> Iterator[None]:
    """The database takes connections, and says nothing."""
    database = switch.processes["conf-db"]
    database.kill(signal.SIGSTOP)
    try:
        yield
    finally:
        database.kill(signal.SIGCONT)


def test_packets_are_answered_while_the_configuration_is_read(guest: Guest, dhcpd: Dhcpd) -> None:
    make_long(dhcpd)
    dhcpd.start()
    wait_until(lambda: offered(guest), "an answer", 20)
    dhcpd.wait_for_message(OFFERED)
    dhcpd.process.kill(signal.SIGHUP)
    assert offered(guest)
    assert CONNECTING not in dhcpd.log()
    assert dhcpd.stop() == 0


def test_packets_are_answered_while_the_database_says_nothing(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    with no_database(switch):
        dhcpd.start()
        wait_until(lambda: offered(guest), "an answer", 20)
        dhcpd.wait_for_message(OFFERED)
        assert "ready, " not in dhcpd.log()
    wait_ready(dhcpd)
    assert " added, " not in dhcpd.log()


def test_a_bridge_that_is_not_ours_any_more_is_left_and_forgotten(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    before = our_flows(switch)
    dhcpd.configuration_file.write_text("bridge: br-other\n" + reference.configuration())
    assert owner_of(lock_path(switch.run_dir, switch.bridge))
    dhcpd.start()
    wait_until(lambda: "br-other: active" in dhcpd.log(), "the configuration to be read", 20)
    assert not offered(guest)
    assert "br-int" not in dhcpd.appctl("status").splitlines()
    assert not owner_of(lock_path(switch.run_dir, switch.bridge))
    assert our_flows(switch) == before


def test_a_mistake_ends_it_in_one_line_and_the_flows_stay(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    before = our_flows(switch)
    dhcpd.configuration_file.write_text("networks: 7")
    dhcpd.start()
    assert dhcpd.process.wait() == 1
    lines = [line for line in dhcpd.log().splitlines() if " | " not in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"{dhcpd.configuration_file}:1: ")
    assert our_flows(switch) == before


def test_in_the_background_packets_are_answered_before_the_start_is_complete(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    log = switch.log_dir / "detached.log"
    dhcpd.arguments = ("--detach", "--no-chdir", "--pidfile", f"--log-file={log}")
    make_long(dhcpd)
    dhcpd.start()
    wait_until(lambda: offered(guest), "an answer", 20)
    wait_until(lambda: OFFERED in log.read_text(), "the line in the log")
    assert dhcpd.process.status is None  # it waits for the one that answers
    assert CONNECTING not in log.read_text()
    os.kill(int((switch.run_dir / "ovs-dhcpd.pid").read_text()), signal.SIGTERM)
    dhcpd.process.wait()


def test_a_switch_that_comes_back_is_served_at_once_however_long_it_was_away(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    """Its database is away as well, and the flows are gone: so all is to be read."""
    for name in ("ovs-vswitchd", "conf-db"):
        switch.processes[name].stop()
    dhcpd.start()
    wait_until(lambda: "continuing to reconnect in the background" in dhcpd.log(), "it to tire", 60)
    switch.start_ovsdb()
    switch.start_vswitchd()
    wait_until((switch.run_dir / f"{switch.bridge}.mgmt").exists, "the bridge")
    wait_until(lambda: offered(guest), "an answer", 4)  # python-ovs tries again after 8 s
