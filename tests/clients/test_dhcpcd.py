# SPDX-License-Identifier: Apache-2.0
"""Roy Marples' dhcpcd."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.clients.expected import OTHER_ADDRESS, REFERENCE_LEASE, GiveAddress, Serve, says, told
from tests.lab import reference
from tests.lab.clients import Dhcpcd
from tests.lab.guest import Guest
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.needs("dhcpcd")


@pytest.fixture
def client(switch: PrivateOvs, guest: Guest) -> Iterator[Dhcpcd]:
    """A client that remembers no lease, to be started when it is served.

    It does not probe its address, which takes seconds.
    """
    shutil.rmtree(guest.directory / "lib", ignore_errors=True)
    client = Dhcpcd(switch, guest)
    yield client
    client.stop()


def test_lease_has_the_configured_options(serve: Serve, client: Dhcpcd, guest: Guest) -> None:
    serve()
    client.start()
    assert told(client.lease()) == REFERENCE_LEASE
    assert guest.addresses() == [REFERENCE_LEASE["address"]]


def test_lease_is_renewed_by_unicast_with_the_arp_responder(serve: Serve, client: Dhcpcd) -> None:
    dhcpd = serve(arp_responder=True)
    client.start()
    client.lease()
    before = dhcpd.messages()
    client.renew()
    assert told(client.lease(2)) == REFERENCE_LEASE
    assert dhcpd.messages() == [*before, says("ACK")]


def test_lease_comes_at_once_with_rapid_commit(serve: Serve, client: Dhcpcd) -> None:
    dhcpd = serve(rapid_commit=True)
    client.start()
    assert told(client.lease()) == REFERENCE_LEASE
    assert dhcpd.messages() == [says("ACK")]


def test_client_that_prefers_ipv6_takes_no_address(
    serve: Serve, client: Dhcpcd, guest: Guest
) -> None:
    dhcpd = serve(ipv6_only_preferred=1800, rapid_commit=True)
    client.start()
    wait_until(lambda: "IPv6-Only Preferred received (1800 seconds)" in client.log(), "the option")
    assert guest.addresses() == []
    assert dhcpd.messages() == [says("OFFER")]


def test_init_reboot_with_a_wrong_address_is_refused(
    serve: Serve, client: Dhcpcd, give_address: GiveAddress
) -> None:
    dhcpd = serve()
    client.start()
    client.lease()
    client.stop()
    give_address(dhcpd, OTHER_ADDRESS)
    client.start()
    assert client.lease().address == OTHER_ADDRESS
    assert "NAK" in client.log()


@pytest.fixture
def squatter(switch: PrivateOvs) -> Iterator[Guest]:
    """A guest that uses the address of the other."""
    squatter = switch.guest("squatter", "fa:16:3e:00:00:99")
    squatter.namespace.ip("address", "add", f"{reference.ADDRESS}/24", "dev", "eth0")
    yield squatter
    switch.unplug(squatter.port)  # some versions of dhcpcd probe in the tests after this one too


@pytest.mark.usefixtures("squatter")
def test_address_that_another_guest_uses_is_declined(
    serve: Serve, switch: PrivateOvs, guest: Guest
) -> None:
    dhcpd = serve()
    with Dhcpcd(switch, guest, probe=True):
        dhcpd.wait_for_message(says("DECLINE"))


def test_release_is_logged(serve: Serve, client: Dhcpcd, guest: Guest) -> None:
    dhcpd = serve()
    client.start()
    client.lease()
    # A client may drop its address while it still asks for the server's MAC.
    guest.learn(reference.SERVER_ID, reference.SERVER_MAC)
    client.release()
    dhcpd.wait_for_message(says("RELEASE"))
