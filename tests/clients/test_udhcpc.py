# SPDX-License-Identifier: Apache-2.0
"""BusyBox's udhcpc."""

from __future__ import annotations

import pytest

from tests.clients.conftest import OTHER_ADDRESS, REFERENCE_LEASE, says, told
from tests.lab import reference
from tests.lab.clients import Udhcpc

pytestmark = pytest.mark.needs("udhcpc")


def test_lease_has_the_configured_options(serve, switch, guest):
    dhcpd = serve()
    with Udhcpc(switch, guest) as client:
        assert told(client.lease()) == REFERENCE_LEASE
        assert guest.addresses() == [REFERENCE_LEASE["address"]]
    assert dhcpd.messages() == [says("OFFER"), says("ACK")]


def test_lease_is_renewed_by_unicast_with_the_arp_responder(serve, switch, guest):
    dhcpd = serve(arp_responder=True)
    with Udhcpc(switch, guest) as client:
        client.lease()
        before = switch.packet_ins(f"nw_dst={reference.SERVER_ID}")
        client.renew()
        assert told(client.lease(2)) == REFERENCE_LEASE
        assert switch.packet_ins(f"nw_dst={reference.SERVER_ID}") == before + 1
    assert dhcpd.messages() == [says("OFFER"), says("ACK"), says("ACK")]


def test_renewal_of_an_address_that_is_no_longer_ours_is_refused(
    serve, switch, guest, give_address
):
    dhcpd = serve()
    with Udhcpc(switch, guest) as client:
        client.lease()
        give_address(dhcpd, OTHER_ADDRESS)
        client.renew()
        assert client.lease(2).address == OTHER_ADDRESS
    assert dhcpd.messages()[-2:] == [says("OFFER", OTHER_ADDRESS), says("ACK", OTHER_ADDRESS)]
    assert any(line.startswith("DHCPNAK") for line in dhcpd.messages())


def test_release_is_logged(serve, switch, guest):
    dhcpd = serve()
    with Udhcpc(switch, guest) as client:
        client.lease()
        # A client may drop its address while it still asks for the server's MAC.
        guest.learn(reference.SERVER_ID, reference.SERVER_MAC)
        client.release()
        dhcpd.wait_for_message(says("RELEASE"))
