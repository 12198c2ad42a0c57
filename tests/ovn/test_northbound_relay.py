# SPDX-License-Identifier: Apache-2.0
"""A guest of a host that reads the Northbound database through one of two relays, and loses it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address

import pytest

from tests.lab.database import Relay
from tests.lab.guest import Guest
from tests.lab.northbound import PROGRAMS, Northbound, NorthboundDhcpd
from tests.lab.packets import DISCOVER, request
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.needs(*PROGRAMS)

MAC = "02:00:00:00:00:01"
OPTIONS = {"server_id": "10.0.0.1", "server_mac": "0a:00:00:00:00:01", "lease_time": "3600"}


@pytest.fixture
def northbound(switch: PrivateOvs) -> Northbound:
    northbound = Northbound.on(switch)
    row = northbound.dhcp_options("10.0.0.0/24", OPTIONS)
    northbound.nbctl("ls-add", "lan", "--", "lsp-add", "lan", "vm1", "--",
                     "lsp-set-addresses", "vm1", f"{MAC} 10.0.0.5", "--",
                     "lsp-set-dhcpv4-options", "vm1", row)  # fmt: skip
    return northbound


@pytest.fixture
def relays(switch: PrivateOvs, northbound: Northbound) -> Iterator[list[Relay]]:
    with ExitStack() as stack:
        relays = [Relay(switch.run_dir, name, northbound.remotes) for name in ("one", "two")]
        for relay in relays:
            stack.callback(relay.process.stop)
        yield relays


def offered(guest: Guest) -> str:
    return guest.reply(request(DISCOVER, MAC)).yiaddr


def connected_to(dhcpd: NorthboundDhcpd, relays: list[Relay]) -> Relay:
    """The relay that the daemon has connected to last."""
    return max(relays, key=lambda relay: dhcpd.log().rfind(f"{relay.remote}: connected"))


def test_a_guest_is_served_through_a_relay_and_after_its_loss(
    switch: PrivateOvs, northbound: Northbound, relays: list[Relay]
) -> None:
    guest = switch.guest("vm1", MAC)
    remotes = ",".join(relay.remote for relay in relays)
    with NorthboundDhcpd(switch, remotes, "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(guest)
        assert offered(guest) == "10.0.0.5"
        lost = connected_to(dhcpd, relays)
        lost.process.stop(signal.SIGKILL)
        assert offered(guest) == "10.0.0.5"
        northbound.nbctl("lsp-set-addresses", "vm1", f"{MAC} 10.0.0.6")
        userdata = IPv4Address("10.0.0.6").packed.hex(".")
        wait_until(lambda: dhcpd.serves(guest, userdata), "what the other relay says", 60)
        assert offered(guest) == "10.0.0.6"
        assert connected_to(dhcpd, relays) is not lost
