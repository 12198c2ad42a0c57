# SPDX-License-Identifier: Apache-2.0
"""Two daemons on one bridge: one answers, the other stands by and takes over."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab import packets, reference
from tests.lab.daemon import Dhcpd, ServeOnly, our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, request
from tests.lab.process import run, wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

PERIOD_S = 0.05
ENDINGS = (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV)
TURNS = 9
PATIENCE_S = 10.0  # for the answers to the last requests


class Asking(threading.Thread):
    """A guest that asks every PERIOD_S until it is told to stop.

    `sent` is when each request was sent, by its xid, `answered` when each reply came.
    """

    def __init__(self, guest: Guest) -> None:
        super().__init__(daemon=True)
        self._guest = guest
        self._socket = guest.raw()
        self._stopped = threading.Event()
        self.sent: dict[int, float] = {}
        self.answered: list[tuple[int, float]] = []

    def run(self) -> None:
        """The thread."""
        with self._socket:
            start_s = time.monotonic()
            while not self._stopped.is_set():
                xid = len(self.sent)
                self.sent[xid] = time.monotonic()
                self._socket.send(request(DISCOVER, self._guest.mac, xid=xid))
                self._listen(start_s + (xid + 1) * PERIOD_S)
            end_s = time.monotonic() + PATIENCE_S
            while time.monotonic() < end_s and len(self.answered) < len(self.sent):
                self._listen(time.monotonic() + PERIOD_S)
            self._listen(time.monotonic() + PERIOD_S)

    def _listen(self, until_s: float) -> None:
        def note(frame: bytes) -> bool:
            reply = packets.parse_reply(frame)
            if reply:
                self.answered.append((reply.xid, time.monotonic()))
            return False

        self._socket.receive(max(0.001, until_s - time.monotonic()), note)

    def stop(self) -> None:
        """Ask no more, and wait for the answers."""
        self._stopped.set()
        self.join(30)

    def lost(self) -> list[int]:
        """The requests that were not answered."""
        return sorted(self.sent.keys() - {xid for xid, _ in self.answered})

    def doubled(self) -> list[int]:
        """The requests that were answered more than once."""
        return [xid for xid, count in Counter(xid for xid, _ in self.answered).items() if count > 1]

    def slowest_s(self) -> float:
        """The longest time that a reply took."""
        return max(at_s - self.sent[xid] for xid, at_s in self.answered)


@contextmanager
def asking(guest: Guest) -> Iterator[Asking]:
    """The guest asks meanwhile; all is answered, once."""
    asking = Asking(guest)
    asking.start()
    try:
        yield asking
    finally:
        asking.stop()
    assert asking.lost() == []
    assert asking.doubled() == []


def said(dhcpd: Dhcpd, what: str) -> bool:
    return f"br-int: {what}\n" in dhcpd.log()


def wait_for_standby(dhcpd: Dhcpd, active: Dhcpd) -> None:
    """Wait until it stands by, and has read what is on the bridge."""
    pid = active.process.pid
    wait_until(lambda: said(dhcpd, f"standby for pid {pid}"), "the standby", 20)
    wait_until(lambda: "flows of ours are there" in dhcpd.log(), "the standby's look", 20)


def status(dhcpd: Dhcpd) -> list[str]:
    """The sentences about the bridge."""
    _, bridge, *sentences = dhcpd.appctl("status").splitlines()
    assert bridge == "br-int"
    return [sentence.strip() for sentence in sentences]


def end(active: Dhcpd, standby: Dhcpd) -> None:
    """Kill the one, and wait until the other is in step."""
    active.stop(signal.SIGKILL)
    wait_ready(standby)


@contextmanager
def started(switch: PrivateOvs, text: str, *arguments: str) -> Iterator[Dhcpd]:
    """One that answers."""
    with Dhcpd(switch, text, *arguments) as dhcpd:
        wait_ready(dhcpd)
        yield dhcpd


@contextmanager
def pair(switch: PrivateOvs, text: str, *arguments: str) -> Iterator[tuple[Dhcpd, Dhcpd]]:
    """One that answers, and one that stands by for it."""
    standby = Dhcpd(switch, text, *arguments, label="-2")
    with started(switch, text, *arguments) as active, standby:
        wait_for_standby(standby, active)
        yield active, standby


@pytest.fixture
def bundle_log(switch: PrivateOvs) -> Iterator[None]:
    switch.appctl("vlog/set", "vconn:console:dbg")
    yield
    switch.appctl("vlog/set", "vconn:console:off")


def bundles(switch: PrivateOvs) -> int:
    """How many bundles ovs-vswitchd has been sent since its vconn messages are logged."""
    return switch.processes["ovs-vswitchd"].text().count("COMMIT_REQUEST")


def remembered(switch: PrivateOvs, guest: Guest) -> str:
    """The address in the guest's row, once there is one."""
    words = ("--if-exists", "get", "interface", guest.port, "external_ids:dhcp-ip")
    wait_until(lambda: switch.vsctl(*words).strip(), "an address")
    return switch.vsctl(*words).strip().strip('"')


def shown(dhcpd: Dhcpd) -> int:
    """How many ports it serves, or would serve."""
    return len(dhcpd.appctl("bindings/show").splitlines())


def test_none_is_lost_and_none_answered_twice_when_the_active_one_ends(
    switch: PrivateOvs, guest: Guest
) -> None:
    text = reference.configuration()
    with pair(switch, text) as (active, standby), asking(guest) as asked:
        for number in range(TURNS):
            time.sleep(0.3)
            ending = ENDINGS[number % len(ENDINGS)]
            active.process.kill(ending)
            end_s = time.monotonic()
            active.process.wait()
            gone_s = time.monotonic()
            wait_until(lambda: said(standby, "active"), "the takeover")  # noqa: B023
            noticed_s = time.monotonic()
            wait_ready(standby)
            print(
                f"{ending.name}: ended after {(gone_s - end_s) * 1000:.0f} ms, "
                f"said {(noticed_s - gone_s) * 1000:.0f} ms later"
            )
            active.start()
            active, standby = standby, active
            wait_for_standby(standby, active)
    print(f"{len(asked.sent)} asked, the slowest answer after {asked.slowest_s() * 1000:.0f} ms")
    assert asked.slowest_s() < PATIENCE_S


def test_status_and_log_say_whose_turn_it_is(switch: PrivateOvs, guest: Guest) -> None:
    with pair(switch, reference.configuration()) as (active, standby):
        pid = active.process.pid
        assert status(active)[0] == "active"
        assert status(standby)[0] == f"standby for pid {pid}"
        assert status(standby)[1].startswith("connected since ")
        assert active.log().count("br-int: active") == 1
        assert standby.log().count("br-int: standby") == 1
        assert "ready, " not in standby.log()
        end(active, standby)
        assert status(standby)[0] == "active"
        assert "5 flows, in step" in status(standby)
        assert standby.log().count("br-int: active") == 1


def test_who_stands_by_changes_nothing_and_then_has_its_own_way(
    switch: PrivateOvs, guest: Guest, bundle_log: None
) -> None:
    """Its configuration is another one, and changes: so it has something to tell the switch."""
    with pair(switch, reference.configuration()) as (active, standby):
        before, sent = our_flows(switch), bundles(switch)
        standby.reconfigure(reference.configuration(mtu=1300))
        wait_until(lambda: "read again" in standby.log(), "its configuration to be read")
        assert "5 flows wanted" in status(standby)
        time.sleep(0.5)
        assert bundles(switch) == sent
        assert our_flows(switch) == before
        end(active, standby)
        assert standby.serves(guest, "1a.02.05.14")
        assert bundles(switch) == sent + 1


def test_after_a_takeover_with_nothing_changed_no_flow_mod_is_sent(
    switch: PrivateOvs, guest: Guest, bundle_log: None
) -> None:
    with pair(switch, reference.configuration()) as (active, standby):
        before, sent = our_flows(switch), bundles(switch)
        end(active, standby)
        assert bundles(switch) == sent
        assert our_flows(switch) == before


def test_what_changes_meanwhile_is_changed_once(
    switch: PrivateOvs, guest: Guest, bundle_log: None
) -> None:
    with pair(switch, reference.configuration()) as (active, standby):
        sent = bundles(switch)
        for each in (active, standby):
            each.reconfigure(reference.configuration(mtu=1400))
        active.wait_for_flows(guest, userdata="1a.02.05.78")
        wait_until(lambda: bundles(switch) == sent + 1, "the bundle")
        end(active, standby)
        assert bundles(switch) == sent + 1
        assert standby.serves(guest, "1a.02.05.78")
        assert "repaired" not in standby.log()


def pool(network: str) -> str:
    """A configuration with a pool in `network`, such as "10.0.0"."""
    dhcpv4 = f"{{cidr: {network}.0/24, router: {network}.1}}"
    return f"networks: {{lab: {{pool: {network}.10-{network}.12, dhcpv4: {dhcpv4}}}}}"


def rows(switch: PrivateOvs) -> str:
    return switch.vsctl("--columns=name,external_ids", "list", "interface")


def forget(switch: PrivateOvs, *guests: Guest) -> None:
    """Take out of the guests' rows what was remembered."""
    for guest in guests:
        switch.vsctl("remove", "interface", guest.port, "external_ids", "dhcp-ip", "dhcp-owner")


def test_who_stands_by_writes_nothing_into_the_database(switch: PrivateOvs, guest: Guest) -> None:
    """Its pool is another one, so it would write other addresses."""
    with pair(switch, pool("10.0.0")) as (active, standby):
        assert remembered(switch, guest).startswith("10.0.0.")
        before = rows(switch)
        standby.reconfigure(pool("10.9.0"))
        wait_until(lambda: "read again" in standby.log(), "its configuration to be read")
        time.sleep(0.5)
        assert rows(switch) == before
        end(active, standby)
        wait_until(lambda: remembered(switch, guest).startswith("10.9.0."), "its address")
    forget(switch, guest)


def test_addresses_of_a_pool_are_the_same_after_a_takeover(
    switch: PrivateOvs, guest: Guest, neighbour: Guest
) -> None:
    """One guest came before the second daemon did, one while it stood by, one afterwards."""
    switch.unplug(neighbour.port)
    with pair(switch, pool("10.0.0")) as (active, standby):
        addresses = [remembered(switch, guest)]
        switch.plug(neighbour.port, neighbour.iface_id)
        addresses.append(remembered(switch, neighbour))
        wait_until(lambda: shown(standby) == 2, "the standby to know both")
        end(active, standby)
        assert [remembered(switch, each) for each in (guest, neighbour)] == addresses
        replies = [each.reply(request(DISCOVER, each.mac)) for each in (guest, neighbour)]
        assert [reply.yiaddr for reply in replies] == addresses
        third = switch.guest("third", "02:00:00:00:00:77")
        addresses.append(remembered(switch, third))
        assert len(set(addresses)) == 3
    forget(switch, guest, neighbour, third)
    switch.unplug(third.port)


def test_cleaning_up_is_left_to_who_stands_by(switch: PrivateOvs, guest: Guest) -> None:
    with pair(switch, reference.configuration(), "--cleanup") as (active, standby):
        before = our_flows(switch)
        with asking(guest):
            time.sleep(0.2)
            active.appctl("exit", "cleanup")
            active.process.wait()
            wait_ready(standby)
            assert "br-int: not cleaned up, another process stands by" in active.log()
            assert our_flows(switch) == before
        standby.stop()
        assert our_flows(switch) == []


def test_who_only_serves_stands_by_for_who_does_not_and_for_another_of_its_kind(
    switch: PrivateOvs, guest: Guest
) -> None:
    with Dhcpd(switch, reference.configuration()) as dhcpd:
        wait_ready(dhcpd)
        pid = dhcpd.process.pid
        with (
            ServeOnly(switch, label="-only") as first,
            ServeOnly(switch, label="-only-2") as second,
        ):
            for each in (first, second):
                each.wait_until(f"standby for pid {pid}, ovs-dhcpd")
            with asking(guest):
                time.sleep(0.3)
            dhcpd.stop()
            states = {"active", f"standby for pid {first.process.pid}"}
            states.add(f"standby for pid {second.process.pid}")
            wait_until(lambda: {status(first)[0], status(second)[0]} < states, "one to be active")
            with asking(guest):
                time.sleep(0.3)
            by = {each: sum(map(bool, each.messages())) for each in (first, second)}
            assert sorted(map(bool, by.values())) == [False, True]
            active = max(by, key=lambda each: by[each])
            standby = first if active is second else second
            with asking(guest):
                time.sleep(0.2)
                active.stop(signal.SIGKILL)
                standby.wait_until("active")


def test_a_new_version_is_started_beside_the_old_one_and_gets_its_name(
    switch: PrivateOvs, guest: Guest
) -> None:
    def appctl(*words: object) -> str:
        return run(["ovs-appctl", "-t", *words], env=switch.environment)

    text, pidfile = reference.configuration(), switch.run_dir / "ovs-dhcpd.pid"
    with started(switch, text, "--pidfile") as old:
        with Dhcpd(switch, text, "--pidfile", label="-2") as new:
            assert new.process.wait() == 1
            assert f"already running as pid {old.process.pid}" in new.log()
        arguments = ("--pidfile", "--overwrite-pidfile")
        with Dhcpd(switch, text, *arguments, label="-2") as new, asking(guest):
            wait_for_standby(new, old)
            assert f"standby for pid {old.process.pid}\n" in appctl("ovs-dhcpd", "status")
            appctl(switch.run_dir / f"ovs-dhcpd.{old.process.pid}.ctl", "exit")
            assert old.process.wait() == 0
            wait_ready(new)
            # The old one has taken the pidfile with it.
            wait_until(pidfile.exists, "the pidfile to be made again")
            assert "  active\n" in appctl("ovs-dhcpd", "status")
            assert pidfile.read_text() == f"{new.process.pid}\n"


def test_a_mistake_leaves_the_pidfile_to_who_has_it(switch: PrivateOvs) -> None:
    pidfile = switch.run_dir / "ovs-dhcpd.pid"
    with started(switch, reference.configuration(), "--pidfile") as old:
        arguments = ("--pidfile", "--overwrite-pidfile")
        with Dhcpd(switch, "networks: 7", *arguments, label="-2") as new:
            assert new.process.wait() == 1
            assert f"{new.configuration_file}:1: " in new.log()
        assert pidfile.read_text() == f"{old.process.pid}\n"


def test_a_flow_in_the_way_is_named_after_a_takeover_too(switch: PrivateOvs, guest: Guest) -> None:
    """It was there, or came, while another was active: who takes over has seen it."""
    match = f"table=0,priority=200,in_port={switch.ofport(guest.port)},udp,tp_dst=67"
    with pair(switch, reference.configuration()) as (active, standby):
        switch.ofctl("add-flow", switch.bridge, f"{match},actions=drop")
        try:
            wait_until(lambda: active.appctl("bindings/refused"), "the active one to name it")
            assert standby.appctl("bindings/refused") == ""
            end(active, standby)
            wait_until(lambda: "priority=200" in standby.appctl("bindings/refused"), "the name")
        finally:
            switch.ofctl("--strict", "del-flows", switch.bridge, match)
