# SPDX-License-Identifier: Apache-2.0
"""systemd-networkd: the strictest of the IPv6 clients."""

from __future__ import annotations

from ipaddress import IPv6Interface

import pytest

from tests.clients.conftest import SHORT, says6
from tests.lab import reference6
from tests.lab.clients6 import NETWORKD, Networkd, global_addresses
from tests.lab.process import wait_until

pytestmark = pytest.mark.needs(NETWORKD)

ADDRESS = IPv6Interface(f"{reference6.ADDRESS}/128")


def test_lease_is_had_and_renewed_at_t1(serve6, switch, guest):
    dhcpd = serve6(port={"delegated_prefix": str(reference6.PREFIX)}, **SHORT)
    with Networkd(switch, guest) as client:
        wait_until(lambda: "State changed: configuring -> configured" in client.log(), "networkd")
        assert global_addresses(guest) == [ADDRESS]
        assert "Received Router Advertisement: flags MANAGED" in client.log()
        assert f"received delegated prefix {reference6.PREFIX}" in client.log()
        wait_until(lambda: "State changed: renew -> bound" in client.log(), "the renewal")
        assert dhcpd.messages().count(says6("REPLY")) == 2


def test_rapid_commit_takes_two_messages(serve6, switch, guest):
    dhcpd = serve6(rapid_commit=True, **SHORT)
    with Networkd(switch, guest):
        wait_until(lambda: global_addresses(guest) == [ADDRESS], "the address")
    assert says6("ADVERTISE") not in dhcpd.messages()
