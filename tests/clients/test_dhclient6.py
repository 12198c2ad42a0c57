# SPDX-License-Identifier: Apache-2.0
"""ISC's dhclient in IPv6."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address, IPv6Interface

import pytest

from tests.clients.expected import SHORT, SHORT_LEASE, Serve, says6, told6
from tests.lab import reference6
from tests.lab.clients6 import Dhclient6, global_addresses
from tests.lab.guest import Guest
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.needs("dhclient")

OTHER_ADDRESS = IPv6Address("fd00:1::99")


@pytest.fixture
def client(switch: PrivateOvs, guest: Guest) -> Iterator[Dhclient6]:
    """A client that remembers no lease, to be started when it is served."""
    (guest.directory / "dhclient6.leases").unlink(missing_ok=True)
    client = Dhclient6(switch, guest)
    yield client
    client.stop()


def test_lease_has_the_configured_options(serve6: Serve, client: Dhclient6, guest: Guest) -> None:
    dhcpd = serve6(**SHORT)
    client.start()
    assert told6(client.lease()) == SHORT_LEASE
    assert global_addresses(guest) == [IPv6Interface(f"{reference6.ADDRESS}/128")]
    assert says6("ADVERTISE") in dhcpd.messages()


def test_lease_is_renewed_at_t1(serve6: Serve, client: Dhclient6) -> None:
    serve6(**SHORT)
    client.start()
    client.lease()
    renewed = client.lease(2)
    assert renewed.event == "RENEW6"
    assert told6(renewed) == SHORT_LEASE


def test_an_address_that_is_no_longer_ours_is_taken_away_at_t1(
    serve6: Serve, client: Dhclient6, guest: Guest
) -> None:
    dhcpd = serve6(**SHORT)
    client.start()
    client.lease()
    dhcpd.reconfigure(reference6.configuration(OTHER_ADDRESS, **SHORT))
    dhcpd.wait_for_flows(guest, userdata=OTHER_ADDRESS.packed.hex("."))
    dhcpd.wait_for_message(says6("REPLY", OTHER_ADDRESS))


def test_a_client_that_starts_again_has_its_address_confirmed(
    serve6: Serve, client: Dhclient6
) -> None:
    dhcpd = serve6(**{**SHORT, "t1": 1000, "t2": 1200})
    client.start()
    client.lease()
    client.stop()
    advertised = dhcpd.messages().count(says6("ADVERTISE"))
    client.start()
    assert client.lease().address == reference6.ADDRESS
    assert "Confirm on eth0" in client.log()
    assert dhcpd.messages().count(says6("ADVERTISE")) == advertised


def test_release_is_logged(serve6: Serve, client: Dhclient6) -> None:
    dhcpd = serve6(**SHORT)
    client.start()
    client.lease()
    client.release()
    dhcpd.wait_for_message(says6("RELEASE"))
