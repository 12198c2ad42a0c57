# SPDX-License-Identifier: Apache-2.0
"""BusyBox's udhcpc."""

from __future__ import annotations

import pytest

from tests.clients.expected import OTHER_ADDRESS, REFERENCE_LEASE, GiveAddress, Serve, says, told
from tests.lab import reference
from tests.lab.clients import Udhcpc
from tests.lab.guest import Guest
from tests.lab.packets import ACK, parse_reply
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.needs("udhcpc")


def test_lease_has_the_configured_options(serve: Serve, switch: PrivateOvs, guest: Guest) -> None:
    dhcpd = serve()
    with Udhcpc(switch, guest) as client:
        assert told(client.lease()) == REFERENCE_LEASE
        assert guest.addresses() == [REFERENCE_LEASE["address"]]
    assert dhcpd.messages() == [says("OFFER"), says("ACK")]


def test_tftp_server_is_understood(serve: Serve, switch: PrivateOvs, guest: Guest) -> None:
    serve(tftp_server="10.0.0.5")
    with Udhcpc(switch, guest) as client:
        client.lease()
        assert client.events()[-1]["tftp"] == "10.0.0.5"


def test_lease_is_renewed_by_unicast_with_the_arp_responder(
    serve: Serve, switch: PrivateOvs, guest: Guest
) -> None:
    """The renewal is one unicast packet, the reply to it is another, and the lease is renewed.

    udhcpc listens only after it has sent its request.  When the reply is there before, it asks
    again after a second, by broadcast: its lease then comes of that.
    """
    dhcpd = serve(arp_responder=True)
    with Udhcpc(switch, guest) as client, guest.raw() as wire:
        client.lease()
        before = switch.packet_ins(f"nw_dst={reference.SERVER_ID}")
        client.renew()
        reply = wire.receive(10, is_renewal)
        assert reply, "no reply by unicast"
        assert switch.packet_ins(f"nw_dst={reference.SERVER_ID}") == before + 1
        assert told(client.lease(2)) == REFERENCE_LEASE
        assert guest.addresses() == [REFERENCE_LEASE["address"]]
        assert "deconfig" not in [event["event"] for event in client.events()[1:]]
    dhcpd.wait_for_message(says("ACK"), 2)  # logged after it is sent
    assert dhcpd.messages()[:3] == [says("OFFER"), says("ACK"), says("ACK")]
    assert set(dhcpd.messages()[3:]) <= {says("ACK")}


def is_renewal(frame: bytes) -> bool:
    """Whether it is an ACK to the guest's own MAC and address, which it has had before."""
    reply = parse_reply(frame)
    if reply is None or reply.message != ACK:
        return False
    address = str(reference.ADDRESS)
    return (reply.eth_dst, reply.ip_dst, reply.ciaddr) == (reference.MAC, address, address)


def test_renewal_of_an_address_that_is_no_longer_ours_is_refused(
    serve: Serve, switch: PrivateOvs, guest: Guest, give_address: GiveAddress
) -> None:
    dhcpd = serve()
    with Udhcpc(switch, guest) as client:
        client.lease()
        give_address(dhcpd, OTHER_ADDRESS)
        client.renew()
        assert client.lease(2).address == OTHER_ADDRESS
    assert dhcpd.messages()[-2:] == [says("OFFER", OTHER_ADDRESS), says("ACK", OTHER_ADDRESS)]
    assert any(line.startswith("DHCPNAK") for line in dhcpd.messages())


def test_release_is_logged(serve: Serve, switch: PrivateOvs, guest: Guest) -> None:
    dhcpd = serve()
    with Udhcpc(switch, guest) as client:
        client.lease()
        # A client may drop its address while it still asks for the server's MAC.
        guest.learn(reference.SERVER_ID, reference.SERVER_MAC)
        client.release()
        dhcpd.wait_for_message(says("RELEASE"))
