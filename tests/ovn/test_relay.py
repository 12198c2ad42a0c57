# SPDX-License-Identifier: Apache-2.0
"""OVN's DHCP relay goes on while ovn-controller is away, byte for byte."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from tests.lab import packets
from tests.lab.daemon import ServeOnly
from tests.lab.guest import Guest
from tests.lab.ovn import PrivateOvn, require_ovn
from tests.lab.packets import DISCOVER, MAGIC, OFFER, REQUEST, option
from tests.lab.process import PATIENCE

CLIENT_MAC, SERVER_MAC = "02:00:00:00:00:05", "02:00:00:00:00:06"
GATEWAY_MAC, UPLINK_MAC = "0a:00:00:00:00:01", "0a:00:00:00:00:02"
RELAY, SERVER, LEASED = "192.168.1.1", "172.16.1.1", "192.168.1.7"
XID = 0x1234ABCD


@pytest.fixture(scope="module")
def guests(ovn: PrivateOvn) -> tuple[Guest, Guest]:
    """A client behind a router that relays, and the server beyond it."""
    require_ovn(24, 9)
    client, server = ovn.guest("client", CLIENT_MAC), ovn.guest("server", SERVER_MAC)
    ovn.nbctl("ls-add", "inside", "--", "ls-add", "outside", "--", "lr-add", "router")
    ovn.nbctl("lsp-add", "inside", "client", "--", "lsp-set-addresses", "client", CLIENT_MAC)
    ovn.nbctl("lsp-add", "outside", "server", "--", "lsp-set-addresses", "server",
              f"{SERVER_MAC} {SERVER}")  # fmt: skip
    ovn.nbctl("lrp-add", "router", "gateway", GATEWAY_MAC, f"{RELAY}/24")
    ovn.nbctl("lrp-add", "router", "uplink", UPLINK_MAC, "172.16.1.254/24")
    ovn.connect("inside", "gateway")
    ovn.connect("outside", "uplink")
    relay = ovn.nbctl("create", "DHCP_Relay", "name=relay", f"servers={SERVER}").strip()
    ovn.nbctl("set", "Logical_Router_Port", "gateway", f"dhcp_relay={relay}")
    ovn.nbctl("set", "Logical_Switch", "inside", "other_config:dhcp_relay_port=inside-gateway")
    ovn.sync()
    return client, server


def offer(*, giaddr: str = RELAY, yiaddr: str = LEASED, server_id: str = SERVER) -> bytes:
    """What the server sends to the relay agent."""
    addresses = b"".join(IPv4Address(each).packed for each in ("0.0.0.0", yiaddr, SERVER, giaddr))
    chaddr = bytes.fromhex(CLIENT_MAC.replace(":", "")).ljust(16 + 192, b"\0")
    options = option(53, OFFER) + option(54, server_id) + option(1, "255.255.255.0") + b"\xff"
    head = struct.pack("!BBBBIHH", 2, 1, 6, 0, XID, 0, 0)
    message = head + addresses + chaddr + MAGIC + options
    return packets.udp_frame(SERVER_MAC, UPLINK_MAC, SERVER, RELAY, 67, 67, message)


def through(sender: Guest, frame: bytes, receiver: Guest, timeout_s: float = 2.0) -> bytes | None:
    """What comes out at the receiver of a DHCP message that is sent."""
    xid = XID.to_bytes(4, "big")
    with sender.raw() as sending, receiver.raw() as receiving:
        sending.send(frame)
        return receiving.receive(timeout_s * PATIENCE, lambda each: each[46:50] == xid)


def passed_on(client: Guest, server: Guest) -> list[bytes | None]:
    """What comes out of messages both ways."""
    discover = packets.request(DISCOVER, CLIENT_MAC, xid=XID, secs=3)
    request = packets.request(REQUEST, CLIENT_MAC, option(50, LEASED), xid=XID, broadcast=True)
    return [
        through(client, discover, server),
        through(client, request, server),
        through(server, offer(), client),
    ]


@pytest.fixture
def deputy(ovn: PrivateOvn, guests: tuple[Guest, Guest]) -> Iterator[ServeOnly]:
    """The daemon that serves only; ovn-controller has stopped and its flows are there."""
    ovn.stop_ovn_controller()
    with ServeOnly(ovn) as deputy:
        deputy.wait_until("active")
        yield deputy
    ovn.start_ovn_controller()
    ovn.sync()


def test_messages_are_passed_on_as_ovn_controller_does(
    ovn: PrivateOvn, guests: tuple[Guest, Guest]
) -> None:
    theirs = passed_on(*guests)
    assert all(theirs)
    ovn.stop_ovn_controller()
    with ServeOnly(ovn) as deputy:
        deputy.wait_until("active")
        assert passed_on(*guests) == theirs
        assert deputy.messages() == [
            f"DHCP_RELAY_REQ {CLIENT_MAC} 0.0.0.0",
            f"DHCP_RELAY_REQ {CLIENT_MAC} {LEASED}",
            f"DHCP_RELAY_RESP {CLIENT_MAC} {LEASED}",
        ]
    ovn.start_ovn_controller()
    ovn.sync()


def test_what_is_not_for_the_client_is_dropped(
    guests: tuple[Guest, Guest], deputy: ServeOnly
) -> None:
    client, server = guests
    relayed = packets.request(DISCOVER, CLIENT_MAC, xid=XID, giaddr=RELAY)
    assert through(client, relayed, server, 0.3) is None
    for wrong in (
        offer(giaddr="192.168.1.2"),
        offer(yiaddr="192.168.2.7"),
        offer(server_id="172.16.1.2"),
    ):
        assert through(server, wrong, client, 0.3) is None
    assert through(server, offer(), client)
