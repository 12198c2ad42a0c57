# SPDX-License-Identifier: Apache-2.0
"""One guest for each module's client, and the daemon that serves it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

import pytest

from tests.clients.expected import GiveAddress, Serve
from tests.lab import reference, reference6
from tests.lab.daemon import Dhcpd
from tests.lab.guest import Guest
from tests.lab.switch import PrivateOvs


@pytest.fixture(scope="module")
def guest(switch: PrivateOvs) -> Guest:
    return reference.guest(switch)


@pytest.fixture
def serve(switch: PrivateOvs, guest: Guest) -> Iterator[Serve]:
    """Start the daemon with the reference network and these changes; its flows are there."""
    with contextlib.ExitStack() as stack:

        def start(**changes: Any) -> Dhcpd:
            dhcpd = stack.enter_context(Dhcpd(switch, reference.configuration(**changes)))
            dhcpd.wait_for_flows(guest)
            return dhcpd

        yield start


@pytest.fixture
def serve6(switch: PrivateOvs, guest: Guest) -> Iterator[Serve]:
    """Start the daemon with the reference network of IPv6 and these changes."""
    with contextlib.ExitStack() as stack:

        def start(**changes: Any) -> Dhcpd:
            dhcpd = stack.enter_context(Dhcpd(switch, reference6.configuration(**changes)))
            dhcpd.wait_for_flows(guest)
            return dhcpd

        yield start


@pytest.fixture
def give_address(guest: Guest) -> GiveAddress:
    """Give the guest's port another address, as an administrator would."""

    def change(dhcpd: Dhcpd, address: IPv4Address) -> None:
        dhcpd.reconfigure(reference.configuration(address))
        offerip = f"63.{address.packed.hex('.')}."
        dhcpd.wait_for_flows(guest, userdata=offerip)

    return change
