# SPDX-License-Identifier: Apache-2.0
"""WIDE's dhcp6c, whose IAID is 0: OVN does not answer it."""

from __future__ import annotations

from ipaddress import IPv6Interface

import pytest

from tests.clients.expected import SHORT, Serve, says6
from tests.lab import reference6
from tests.lab.clients6 import Dhcp6c, global_addresses
from tests.lab.guest import Guest
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.needs("dhcp6c")

ADDRESS = IPv6Interface(f"{reference6.ADDRESS}/128")
ON_LO = IPv6Interface("fd00:2::1/64")  # out of the delegated prefix


def test_address_and_delegated_prefix_are_given_and_released(
    serve6: Serve, switch: PrivateOvs, guest: Guest
) -> None:
    dhcpd = serve6(port={"delegated_prefix": str(reference6.PREFIX)}, **SHORT)
    with Dhcp6c(switch, guest) as client:
        wait_until(lambda: global_addresses(guest) == [ADDRESS], "the address")
        assert global_addresses(guest, "lo") == [ON_LO]
        assert "IA_NA: ID=0, T1=2, T2=60" in client.log()
        assert f"nameserver[0] {reference6.DNS_SERVER}" in client.log()
        client.release()
        dhcpd.wait_for_message(says6("RELEASE"))


def test_without_a_prefix_there_is_still_an_address(
    serve6: Serve, switch: PrivateOvs, guest: Guest
) -> None:
    serve6(**SHORT)
    with Dhcp6c(switch, guest) as client:
        wait_until(lambda: global_addresses(guest) == [ADDRESS], "the address")
        assert "no prefixes" in client.log()
