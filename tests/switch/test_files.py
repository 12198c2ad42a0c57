# SPDX-License-Identifier: Apache-2.0
"""Configuration files that are written slowly, replaced by something else, or never still."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.lab import reference
from tests.lab.daemon import Dhcpd, our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

PIECE_S = 0.02
WRITTEN_S = 2.5  # so that a look at the file each second falls into it
STILL_S = 0.25  # after which a file is read


@pytest.fixture
def dhcpd(switch: PrivateOvs, guest: Guest) -> Iterator[Dhcpd]:
    with Dhcpd(switch, reference.configuration(), "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(guest)
        wait_ready(dhcpd)
        yield dhcpd


def write_slowly(path: Path) -> float:
    """Write a file whose beginnings are valid and lack the port; returns the longest pause."""
    head, port, rest = reference.configuration(mtu=1300).partition(f"      {reference.PORT}:")
    assert rest
    longest_s = 0.0
    begun_s = last_s = time.monotonic()
    with path.open("w") as file:
        file.write(head)
        # A part with ports, of which the one that is plugged in is the last.
        file.write('      before: {addresses: "02:00:00:00:00:77 192.168.1.77"}\n')
        while time.monotonic() < begun_s + WRITTEN_S:
            file.write("# more is to come\n")
            file.flush()
            longest_s = max(longest_s, time.monotonic() - last_s)
            last_s = time.monotonic()
            time.sleep(PIECE_S)
        file.write(port + rest)
    return longest_s


def test_a_file_that_is_being_written_is_not_taken(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    for _ in range(5):
        before = dhcpd.log().count("read again")
        longest_s = write_slowly(dhcpd.configuration_file)
        dhcpd.wait_for_flows(guest, userdata="1a.02.05.14")
        print(f"longest pause {longest_s:.3f} s")
        if longest_s < STILL_S / 2:  # else somebody else had the processor
            assert dhcpd.log().count("read again") == before + 1
            return
        dhcpd.reconfigure(reference.configuration())
        wait_until(lambda: not dhcpd.serves(guest, "1a.02.05.14"), "the file from before")
    pytest.fail("nobody writes here without long pauses")


@pytest.mark.parametrize("how", ["reload", "SIGHUP"])
def test_who_asks_for_it_gets_it_at_once(guest: Guest, dhcpd: Dhcpd, how: str) -> None:
    stop = Event()

    def touch() -> None:
        while not stop.wait(PIECE_S):
            os.utime(dhcpd.configuration_file)

    dhcpd.configuration_file.write_text(reference.configuration(mtu=1300))
    toucher = Thread(target=touch)
    toucher.start()
    try:
        if how == "reload":
            dhcpd.appctl("reload")
        else:
            dhcpd.process.kill(signal.SIGHUP)
        dhcpd.wait_for_flows(guest, userdata="1a.02.05.14")
    finally:
        stop.set()
        toucher.join()


def test_a_fifo_in_its_place_is_one_line_and_holds_nobody_up(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    before = our_flows(switch)
    dhcpd.configuration_file.unlink()
    os.mkfifo(dhcpd.configuration_file)
    line = f"{dhcpd.configuration_file}: is a FIFO, expected a file"
    wait_until(lambda: line in dhcpd.appctl("bindings/refused").splitlines(), "the mistake")
    assert our_flows(switch) == before
    dhcpd.configuration_file.unlink()
    dhcpd.configuration_file.write_text(reference.configuration(mtu=1300))
    dhcpd.wait_for_flows(guest, userdata="1a.02.05.14")
    assert dhcpd.appctl("bindings/refused") == ""
    assert dhcpd.log().count(line) == 1


def test_what_is_hardly_meant_is_in_the_log_and_in_force(guest: Guest, dhcpd: Dhcpd) -> None:
    lab = "  lab:\n    dhcpv4: {cidr: 10.0.0.0/24, router: 10.9.0.1}\n    ports: {}\n"
    dhcpd.reconfigure(reference.configuration(mtu=1300) + lab)
    dhcpd.wait_for_flows(guest, userdata="1a.02.05.14")
    assert dhcpd.appctl("bindings/refused") == ""
    line = "warning: lab: router: 10.9.0.1 is not in cidr 10.0.0.0/24, so guests do not reach it"
    assert dhcpd.log().count(line) == 1
