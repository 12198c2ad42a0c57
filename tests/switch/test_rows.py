# SPDX-License-Identifier: Apache-2.0
"""Rows of the Open_vSwitch database that cannot be read: each costs itself, and is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from tests.lab.daemon import Dhcpd, wait_ready
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, request
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

CONFIGURATION = yaml.safe_dump(
    {
        "networks": {
            "lab": {"dhcpv4": {"cidr": "192.168.1.0/24"}, "pool": "192.168.1.100-192.168.1.200"}
        }
    }
)
OTHER_BRIDGE = "br-other"  # which we do not serve


@pytest.fixture(scope="module")
def guests(switch: PrivateOvs) -> list[Guest]:
    switch.add_bridge(OTHER_BRIDGE)
    return [switch.guest(f"vm{number}", f"02:00:00:00:00:0{number}") for number in (1, 2)]


@pytest.fixture
def dhcpd(switch: PrivateOvs, guests: list[Guest]) -> Iterator[Dhcpd]:
    with Dhcpd(switch, CONFIGURATION) as dhcpd:
        wait_ready(dhcpd)
        yield dhcpd


def offered(guest: Guest) -> str | None:
    reply = guest.ask(request(DISCOVER, guest.mac))
    return reply.yiaddr if reply else None


def wait_for_refused(dhcpd: Dhcpd, *lines: str) -> None:
    wait_until(lambda: dhcpd.appctl("bindings/refused") == "\n".join(lines), f"{lines}", 20)


@pytest.mark.needs(*PrivateOvs.programs)
@pytest.mark.parametrize(
    ("kind", "column", "broken", "right", "line"),
    [
        (
            "interface",
            "ofport",
            "4294967296",
            "",
            "interface {name}: ofport: 4294967296, expected 1 to 65279",
        ),
        (
            "bridge",
            "datapath_id",
            '"00:00:00:00:00:00:00:01"',
            "",
            "bridge {name}: datapath_id: '00:00:00:00:00:00:00:01', expected 16 hexadecimal digits",
        ),
        (
            "interface",
            "external_ids:dhcp-ip",
            '"192.168.1.150 x"',
            '"192.168.1.150 192.168.1.150"',
            "interface {name}: dhcp-ip: 'x' is no address, expected addresses only",
        ),
    ],
)
def test_a_row_that_cannot_be_read_costs_itself(
    switch: PrivateOvs,
    guests: list[Guest],
    dhcpd: Dhcpd,
    kind: str,
    column: str,
    broken: str,
    right: str,
    line: str,
) -> None:
    first, second = guests
    name = OTHER_BRIDGE if kind == "bridge" else first.port
    line = line.format(name=name)
    right = right or switch.vsctl("get", kind, name, column).strip()
    assert offered(first)
    switch.vsctl("--no-wait", "set", kind, name, f"{column}={broken}")
    wait_for_refused(dhcpd, line)
    assert dhcpd.log().count(line) == 1
    assert offered(second)
    dhcpd.stop()
    dhcpd.start()  # it is there at the start, too
    wait_ready(dhcpd)
    wait_for_refused(dhcpd, line)
    assert offered(second)
    switch.vsctl("--no-wait", "set", kind, name, f"{column}={right}")
    wait_for_refused(dhcpd)
    wait_until(lambda: offered(first), "the first guest to be served again")
    assert dhcpd.process.status is None
    assert "Traceback" not in dhcpd.log()
