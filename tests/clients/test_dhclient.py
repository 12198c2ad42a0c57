# SPDX-License-Identifier: Apache-2.0
"""ISC's dhclient."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.expected import OTHER_ADDRESS, REFERENCE_LEASE, GiveAddress, Serve, says, told
from tests.lab import reference
from tests.lab.clients import Dhclient
from tests.lab.guest import Guest
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.needs("dhclient")


@pytest.fixture
def client(switch: PrivateOvs, guest: Guest) -> Iterator[Dhclient]:
    """A client that remembers no lease, to be started when it is served."""
    (guest.directory / "dhclient.leases").unlink(missing_ok=True)
    client = Dhclient(switch, guest)
    yield client
    client.stop()


def test_lease_has_the_configured_options(serve: Serve, client: Dhclient, guest: Guest) -> None:
    serve()
    client.start()
    assert told(client.lease()) == REFERENCE_LEASE
    assert guest.addresses() == [REFERENCE_LEASE["address"]]


def test_lease_is_renewed_by_unicast_at_t1(serve: Serve, client: Dhclient) -> None:
    serve(arp_responder=True, T1=2, T2=30)
    client.start()
    client.lease()
    renewed = client.lease(2)
    assert renewed.event == "RENEW"
    assert told(renewed) == REFERENCE_LEASE
    assert "DHCPREQUEST for 192.168.1.7 on eth0 to 192.168.1.1 port 67" in client.log()


def test_init_reboot_with_the_right_address_is_acknowledged(serve: Serve, client: Dhclient) -> None:
    dhcpd = serve()
    client.start()
    client.lease()
    client.stop()
    before = len(dhcpd.messages())
    client.start()
    assert client.lease().event == "REBOOT"
    # It may send its request twice.
    assert set(dhcpd.messages()[before:]) == {says("ACK")}


def test_init_reboot_with_a_wrong_address_is_refused(
    serve: Serve, client: Dhclient, give_address: GiveAddress
) -> None:
    dhcpd = serve()
    client.start()
    client.lease()
    client.stop()
    give_address(dhcpd, OTHER_ADDRESS)
    client.start()
    assert client.lease().address == OTHER_ADDRESS
    assert "DHCPNAK from 192.168.1.1" in client.log()


def test_release_is_logged(serve: Serve, client: Dhclient, guest: Guest) -> None:
    dhcpd = serve()
    client.start()
    client.lease()
    # A client may drop its address while it still asks for the server's MAC.
    guest.learn(reference.SERVER_ID, reference.SERVER_MAC)
    client.release()
    dhcpd.wait_for_message(says("RELEASE"))
