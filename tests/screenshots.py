# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.screenshots`: the pictures in docs/, of the page as it is (root, 3 minutes).

A private Open vSwitch with a dozen guests that ask as guests do; the same seed, so that little
differs from one time to the next.

No test can hold them, as they differ by times, pids and the fonts of the host: who changes the
page, or what `why` says of a guest that has not asked, makes them again.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

import yaml

from tests.documents.host import Host
from tests.lab.browser import Browser
from tests.lab.daemon import ROOT
from tests.lab.guest import Guest
from tests.lab.packets import DECLINE, DISCOVER, RELEASE, REQUEST, option, request
from tests.lab.switch import PrivateOvs

SITE = "http://127.0.0.1:9167/"
SECONDS = 150  # of traffic, for the plot
SERVER = "192.168.1.1"
NAMES = ("web1", "web2", "db1", "db2", "mail", "build1", "build2", "build3", "ci", "desk7", "new")
VENDOR = option(60, b"udhcp 1.37.0")


def configuration() -> str:
    """A network, with the guests that are named."""
    ports = {
        name: {"addresses": f"{mac(number)} {address(number)}"} for number, name in enumerate(NAMES)
    }
    dhcpv4 = {"cidr": "192.168.1.0/24", "router": SERVER, "lease_time": 7200}
    return yaml.safe_dump({"networks": {"finance": {"dhcpv4": dhcpv4, "ports": ports}}})


def mac(number: int) -> str:
    """That of a guest."""
    return f"fa:16:3e:00:00:{number + 1:02x}"


def address(number: int) -> str:
    """The one that it is served."""
    return f"192.168.1.{number + 11}"


def ask(guest: Guest, number: int, kind: int, *, about: str = "", ciaddr: str = "0.0.0.0") -> None:
    """Send what a client would, and do not wait."""
    options = [option(54, SERVER)] if kind != DISCOVER else []
    options += [option(50, about)] if about else []
    name = option(12, NAMES[number].encode())
    xid = random.randrange(1 << 32)
    with guest.raw() as raw:
        raw.send(request(kind, guest.mac, *options, name, VENDOR, xid=xid, ciaddr=ciaddr))


def boot(guest: Guest, number: int) -> None:
    """From nothing to a lease."""
    ask(guest, number, DISCOVER)
    time.sleep(0.1)
    ask(guest, number, REQUEST, about=address(number))


def live(guests: list[Guest]) -> None:
    """Ask for a while: all boot, some go wrong, and the builders boot again and again."""
    for number, guest in enumerate(guests[:-1]):
        boot(guest, number)
        time.sleep(random.uniform(0.5, 2))
    ask(guests[8], 8, DECLINE, about=address(8))
    ask(guests[9], 9, RELEASE, ciaddr=address(9))
    ask(guests[4], 4, REQUEST, about="192.168.7.7")
    end_s = time.monotonic() + SECONDS
    while time.monotonic() < end_s:
        number = random.choice((5, 6, 7))
        if random.random() < 0.15:
            ask(guests[number], number, 99)
        boot(guests[number], number)
        time.sleep(random.expovariate(1.5))


def main() -> int:
    """Make them; returns the exit status."""
    random.seed(1)
    docs = ROOT / "docs"
    with PrivateOvs() as switch, tempfile.TemporaryDirectory() as directory:
        host = Host(switch)
        host.write("/etc/finance.yaml", configuration())
        guests = [switch.guest(name, mac(number)) for number, name in enumerate(NAMES)]
        run = "ovs-dhcpd run --config /etc/finance.yaml --http --detach --pidfile --log-file"
        status, printed = host.type(run)
        if status:
            print(printed, file=sys.stderr)
            return 1
        with Browser(switch, Path(directory)) as page:
            page.size(1240, 760)
            page.scheme("light")
            page.go(SITE)
            live(guests)
            page.screenshot(docs / "page.png")
            page.find("#filter").type("build bound")
            page.scheme("dark")
            page.screenshot(docs / "page-dark.png")
            page.find("#filter").clear()
            page.size(360, 640)
            page.run("document.querySelector('#ports').scrollIntoView()")
            page.screenshot(docs / "page-360.png")
            page.scheme("light")
            page.size(760, 640)
            page.find("#filter").type("new")
            page.run("document.querySelector('#leases tr:not([hidden]) button').click()")
            page.wait("document.querySelector('#why-links tr')")
            page.screenshot(docs / "page-why.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
