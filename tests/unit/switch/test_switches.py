# SPDX-License-Identifier: Apache-2.0
"""Connections made and taken: real sockets, real os-ken, and a switch of a few lines."""

from __future__ import annotations

import errno
import socket
import struct

import pytest
from ovs_dhcpd.controller.responders.dispatch import Dispatcher
from ovs_dhcpd.controller.switch import channel as channel_module
from ovs_dhcpd.controller.switch import os_ken_app, switches
from ovs_dhcpd.controller.switch.channel import Channel
from ovs_dhcpd.controller.switch.listener import ListenOn
from ovs_dhcpd.controller.wire.connection import Connected, Disconnected
from ovs_dhcpd.controller.wire.declined import Declined
from ovs_dhcpd.controller.wire.events import Committed, FlowDump, PortAdded, Refused
from ovs_dhcpd.controller.wire.openflow import OFP15, message

from tests.lab.openflow_peer import (
    BUNDLE_CONTROL,
    DATAPATH_ID,
    ECHO_REPLY,
    ECHO_REQUEST,
    ERROR,
    EXPERIMENTER,
    PORT_STATUS,
    Peer,
)
from tests.lab.packets import DECLINE, option, request
from tests.lab.process import wait_until
from tests.unit.packet_ins import packet_in
from tests.unit.switch.connections import PATIENCE_S, Lab
from tests.unit.wire.replies import dump_reply, entry


def test_nothing_is_told_before_the_handshake_is_done(lab: Lab) -> None:
    lab.switches.connect("br-int", str(lab.path))
    peer = lab.accept()
    peer.send(BUNDLE_CONTROL, struct.pack("!IHH", 9, 5, 3), 9)
    assert lab.is_quiet()
    peer.shake_hands()
    assert lab.take()[1] == Connected(OFP15, DATAPATH_ID)


def test_packets_are_answered_before_os_ken_is_there_and_nothing_is_told(early: Lab) -> None:
    early.switches.connect("br-int", str(early.path))
    peer = early.accept()
    peer.shake_hands()
    assert peer.is_asked_for_packet_ins()
    asked = packet_in()
    answered = Dispatcher().resume(asked)
    assert answered
    peer.connection.sendall(asked)
    assert peer.stream.read(len(answered[0])) == answered[0]
    peer.send(BUNDLE_CONTROL, struct.pack("!IHH", 9, 5, 3), 9)
    assert early.is_quiet()
    early.switches.start_os_ken()
    channel, event = early.take()
    assert event == Connected(OFP15, DATAPATH_ID)
    assert early.take() == (channel, Committed(9))


def test_what_ends_before_os_ken_is_there_never_was(early: Lab) -> None:
    early.switches.connect("br-int", str(early.path))
    peer = early.accept()
    peer.shake_hands()
    assert peer.is_asked_for_packet_ins()
    peer.close()
    assert early.take()[1] == Disconnected()
    early.switches.start_os_ken()
    assert early.is_quiet()


def test_a_fault_while_os_ken_is_started_costs_the_connection(
    early: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os_ken_app.DhcpApp, "hear_of", lambda *_: 1 / 0)
    early.switches.connect("br-int", str(early.path))
    peer = early.accept()
    peer.shake_hands()
    assert peer.is_asked_for_packet_ins()
    peer.send(BUNDLE_CONTROL, struct.pack("!IHH", 9, 5, 3), 9)  # its thread waits to tell this
    assert early.is_quiet()
    early.switches.start_os_ken()
    assert peer.is_ended()
    assert early.accept()  # it is tried again


def test_what_the_switch_says_comes_in_its_order(lab: Lab, connected: tuple[Channel, Peer]) -> None:
    channel, peer = connected
    port = struct.pack("!IH2x6s2x16sII", 7, 40, bytes(6), b"tap7", 0, 0)
    peer.connection.sendall(dump_reply(OFP15, 3, [entry(1), entry(2)]))
    peer.send(BUNDLE_CONTROL, struct.pack("!IHH", 9, 5, 3), 9)
    peer.send(BUNDLE_CONTROL, struct.pack("!IHH", 9, 1, 3), 9)  # a reply to something else
    peer.send(ERROR, struct.pack("!HH", 17, 15) + message(OFP15, BUNDLE_CONTROL, b"", 11), 11)
    peer.send(PORT_STATUS, struct.pack("!B7x", 0) + port)
    peer.send(PORT_STATUS, struct.pack("!B7x", 1) + port)  # it goes
    peer.connection.sendall(dump_reply(OFP15, 4, [], True))
    assert [lab.take() for _ in range(5)] == [
        (channel, FlowDump(3, (entry(1), entry(2)), False)),
        (channel, Committed(9)),
        (channel, Refused(11, "OFPET_BUNDLE_FAILED(17) code 15")),
        (channel, PortAdded("tap7", 7)),
        (channel, FlowDump(4, (), True)),
    ]
    assert lab.is_quiet()


def test_an_echo_is_answered(connected: tuple[Channel, Peer]) -> None:
    _, peer = connected
    peer.send(ECHO_REQUEST, b"ping", 5)
    assert peer.receive() == (ECHO_REPLY, 5, b"ping")


def test_packets_are_answered_in_the_same_thread(lab: Lab, connected: tuple[Channel, Peer]) -> None:
    _, peer = connected
    asked = packet_in()
    peer.connection.sendall(asked * 3)
    expected = Dispatcher().resume(asked)
    assert expected
    resume = expected[0]
    assert peer.stream.read(3 * len(resume)) == resume * 3
    assert lab.is_quiet()  # and so there was time to note them
    assert lab.journal.messages == {"DHCPOFFER": 3}


def test_all_that_was_answered_is_noted_when_the_end_comes(
    lab: Lab, connected: tuple[Channel, Peer]
) -> None:
    channel, peer = connected
    asked = packet_in()
    peer.connection.sendall(asked * 3)
    assert peer.receive()
    channel.hold()
    lab.switches.stop()
    assert lab.journal.messages == {"DHCPOFFER": 3}


def declines(peer: Peer, *numbers: int) -> None:
    """Clients with these numbers decline their address; on return all have been heard."""
    words = option(50, "192.168.1.7"), option(54, "192.168.1.1")
    packets = [request(DECLINE, f"02:00:00:00:00:{number:02x}", *words) for number in numbers]
    peer.connection.sendall(b"".join(packet_in(packet) for packet in packets))
    for _ in packets:
        assert peer.receive()[0] == EXPERIMENTER
    peer.send(ECHO_REQUEST)
    assert peer.receive()[0] == ECHO_REPLY


def declined(number: int) -> Declined:
    return Declined(1, 0, bytes([2, 0, 0, 0, 0, number]), bytes([192, 168, 1, 7]))


def test_of_what_is_declined_little_waits_and_packets_never_do(
    lab: Lab, connected: tuple[Channel, Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "MAX_TOLD", 2)
    channel, peer = connected
    declines(peer, 1, 2, 3)
    declines(peer, 4)
    assert [lab.take() for _ in range(2)] == [(channel, declined(n)) for n in (1, 2)]
    declines(peer, 3)
    assert lab.take() == (channel, declined(3))
    assert lab.is_quiet()


def test_what_is_declined_before_os_ken_is_there_is_told_then(
    early: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "MAX_TOLD", 2)
    early.switches.connect("br-int", str(early.path))
    peer = early.accept()
    peer.shake_hands()
    assert peer.is_asked_for_packet_ins()
    declines(peer, 1, 2, 3)
    assert early.is_quiet()
    early.switches.start_os_ken()
    events = [early.take()[1] for _ in range(3)]
    assert events == [Connected(OFP15, DATAPATH_ID), declined(1), declined(2)]
    assert early.is_quiet()


def test_a_packet_in_that_is_none_is_left_out(connected: tuple[Channel, Peer]) -> None:
    _, peer = connected
    asked = packet_in()
    broken = message(OFP15, 4, asked[8:16] + b"\xff\xff\xff\xff")
    peer.connection.sendall(broken + asked)
    expected = Dispatcher().resume(asked)
    assert expected
    assert peer.stream.read(len(expected[0])) == expected[0]


@pytest.mark.parametrize(
    ("nonsense", "why"),
    [
        (message(OFP15, 19, b"\0\1\0\0\0\0\0\0" + bytes(10)),
         "flow dump: 10 bytes left at offset 16"),
        (message(OFP15, 19, b"\0\1\0"), "flow dump: 11 bytes, expected 16 of headers"),
        (message(OFP15, 19, b"\0\2\0\0\0\0\0\0"),
         "the switch does not say how many flows there are"),
        (message(OFP15, ERROR, b"\0"), "ERROR: 9 bytes, expected 12 or more"),
        (message(OFP15, PORT_STATUS, bytes(47)), "PORT_STATUS: 55 bytes, expected 56 or more"),
        (message(OFP15, BUNDLE_CONTROL, b""), "BUNDLE_CONTROL: 8 bytes, expected 16 or more"),
        (b"\6\0\0\4\0\0\0\0", "message of 4 bytes from the switch"),
        (b"\x63\0\0\x08\0\0\0\1", "a message of wire version 99, expected 6"),
    ],
    ids=["dump", "short dump", "count", "error", "port status", "bundle", "size", "version"],
)  # fmt: skip
def test_a_malformed_message_costs_the_connection_and_nothing_else(
    lab: Lab, connected: tuple[Channel, Peer], nonsense: bytes, why: str
) -> None:
    channel, peer = connected
    peer.connection.sendall(nonsense)
    assert peer.is_ended()
    assert lab.take() == (channel, Disconnected(why))
    peer = lab.accept()  # it is tried again
    peer.shake_hands()
    again, event = lab.take()
    assert event == Connected(OFP15, DATAPATH_ID)
    assert again is not channel


def test_the_end_is_the_last_that_is_heard(lab: Lab, connected: tuple[Channel, Peer]) -> None:
    channel, peer = connected
    peer.connection.sendall(dump_reply(OFP15, 3, []))
    peer.connection.shutdown(socket.SHUT_RDWR)
    assert [lab.take(), lab.take()] == [
        (channel, FlowDump(3, (), False)),
        (channel, Disconnected()),
    ]


def test_a_bridge_that_is_let_go_is_not_connected_to_again(
    lab: Lab, connected: tuple[Channel, Peer]
) -> None:
    channel, peer = connected
    lab.switches.disconnect("br-other")
    assert lab.is_quiet()
    lab.switches.disconnect("br-int")
    assert peer.is_ended()
    assert lab.take() == (channel, Disconnected())
    lab.server.settimeout(1)
    with pytest.raises(TimeoutError):
        lab.server.accept()


def test_a_bridge_that_comes_back_is_connected_to_once(
    lab: Lab, connected: tuple[Channel, Peer]
) -> None:
    _, peer = connected
    lab.switches.disconnect("br-int")
    lab.switches.connect("br-int", str(lab.path))
    assert peer.is_ended()
    again = lab.accept()
    again.shake_hands()
    lab.server.settimeout(1)
    with pytest.raises(TimeoutError):
        lab.server.accept()


def test_a_switch_that_is_not_there_yet_is_tried_again(lab: Lab) -> None:
    late = lab.path.with_name("br-late.mgmt")
    assert lab.switches.dial_error("br-late") == 0
    lab.switches.connect("br-late", str(late))
    with socket.socket(socket.AF_UNIX) as server:
        wait_until(lambda: lab.switches.dial_error("br-late") == errno.ENOENT, "the first try")
        server.bind(str(late))
        server.listen()
        server.settimeout(PATIENCE_S)
        peer = Peer(server.accept()[0])
        peer.shake_hands()
        channel, event = lab.take()
        assert lab.switches.dial_error("br-late") == 0
        peer.close()
    assert (channel.bridge, event) == ("br-late", Connected(OFP15, DATAPATH_ID))


def test_after_a_good_connection_the_next_is_looked_for_more_often(
    lab: Lab, connected: tuple[Channel, Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switches, "LOOK_S", 1000.0)
    channel, peer = connected
    channel.ready = True
    lab.path.unlink()
    peer.close()
    wait_until(lambda: lab.switches.dial_error("br-int") == errno.ENOENT, "a try")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(lab.path))
        server.listen()
        server.settimeout(PATIENCE_S)
        again = Peer(server.accept()[0])
        again.shake_hands()
        again.close()


def test_another_socket_is_dialled_at_once_whenever_it_has_come(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it comes before the connection to the one in its place has ended."""
    monkeypatch.setattr(switches, "MIN_BACKOFF_S", 1000.0)
    lab.switches.connect("br-int", str(lab.path))
    before = lab.accept()
    lab.path.unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(lab.path))
        server.listen()
        server.settimeout(PATIENCE_S)
        before.close()
        peer = Peer(server.accept()[0])
        peer.shake_hands()
        lab.take()  # the end of the first one
        assert lab.take()[1] == Connected(OFP15, DATAPATH_ID)
        peer.close()


def test_a_switch_that_connects_to_us_says_who_it_is(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    lab.switches.listen(ListenOn("127.0.0.1", port))
    assert lab.switches.listens_on == f"tcp:127.0.0.1:{port}"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        peer = Peer(connection)
        peer.shake_hands()
        channel, event = lab.take()
        assert (channel.bridge, event) == (None, Connected(OFP15, DATAPATH_ID))
        assert peer.is_asked_for_packet_ins()
        peer.close()
    assert lab.take() == (channel, Disconnected())


def test_of_too_many_strangers_the_oldest_has_to_go(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switches, "MAX_STRANGERS", 2)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    lab.switches.listen(ListenOn("127.0.0.1", port))
    peers = []
    for number in range(1, 4):
        peers.append(Peer(socket.create_connection(("127.0.0.1", port))))
        peers[-1].shake_hands(number)
        while lab.take()[1] != Connected(OFP15, number):
            pass  # the end of the oldest, sooner or later
    assert peers[0].is_ended()
    for peer in peers[1:]:
        assert peer.is_asked_for_packet_ins()
        peer.send(ECHO_REQUEST, b"ping", 5)
        assert peer.receive() == (ECHO_REPLY, 5, b"ping")
    for peer in peers:
        peer.close()


def test_an_error_during_the_handshake_costs_nothing_by_saying_so(lab: Lab) -> None:
    lab.switches.connect("br-int", str(lab.path))
    peer = lab.accept()
    peer.send(ERROR, struct.pack("!HH", 0, 0) + b"\xff not ASCII")
    peer.shake_hands()  # a fault in the handler of the error would have ended the connection
    assert lab.take()[1] == Connected(OFP15, DATAPATH_ID)


def test_stopping_ends_all_connections(lab: Lab, connected: tuple[Channel, Peer]) -> None:
    channel, peer = connected
    lab.switches.stop()
    assert peer.is_ended()
    assert lab.take() == (channel, Disconnected())
