# SPDX-License-Identifier: Apache-2.0
"""One OpenFlow connection: os-ken's Datapath with a fast lane for packet-ins.

os-ken parses every message into objects and queues an event to another thread; that
costs more than answering a DHCP request.  Here the receive loop takes packet-ins
out of the stream itself: one read, all its packet-ins answered, one write.  Every
other message takes os-ken's way.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from os_ken.base import app_manager
from os_ken.controller import controller, ofp_event
from os_ken.controller.handler import DEAD_DISPATCHER
from os_ken.ofproto import ofproto_parser
from ovs.vlog import Vlog

from controller.inbox import Inbox
from controller.journal import Journal
from controller.openflow import is_flow_count_reply, is_flow_dump_reply
from controller.responders.dispatch import Resumer
from controller.responders.verdict import Verdict
from controller.wire.nxt import OFP_HEADER_SIZE, NxtError, is_packet_in2

vlog = Vlog("channel")

READ_SIZE = 64 * 1024  # more would be mapped and unmapped for each read, at 13 µs
WRITE_SIZE = 64 * 1024  # flow-mods are written in such pieces, so that resumes come between


class SwitchEvents(Protocol):
    """What is told of a connection, in the daemon's thread."""

    def connected(self, channel: Channel) -> None:
        """The handshake is done."""

    def disconnected(self, channel: Channel) -> None:
        """The connection has ended."""

    def flow_reply(self, channel: Channel, reply: bytes) -> None:
        """The switch says which flows it has (or a part of them), or how many."""

    def port_added(self, channel: Channel, name: str, ofport: int) -> None:
        """The bridge has a new port."""

    def bundle_committed(self, channel: Channel, xid: int) -> None:
        """The switch has carried out the bundle with this transaction id."""

    def failed(self, channel: Channel, xid: int, error: str) -> None:
        """The switch has refused the message with this transaction id."""


class UnixSocket(socket.socket):
    """A Unix socket that os-ken's Datapath takes for a TCP one."""

    def setsockopt(self, level: int, *args: Any) -> None:
        """As :meth:`socket.socket.setsockopt`, but TCP's options do nothing."""
        if level != socket.IPPROTO_TCP:
            super().setsockopt(level, *args)


def connect(path: str) -> UnixSocket:
    """A connection to the Unix socket ``path``.  Raises :exc:`OSError`."""
    connection = UnixSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


class Channel(controller.Datapath):
    """A connection to one switch; ``events`` is told of it."""

    def __init__(
        self,
        connection: socket.socket,
        address: object,
        journal: Journal,
        dispatcher: Resumer,
        inbox: Inbox,
        events: SwitchEvents,
    ) -> None:
        super().__init__(connection, address)
        self.socket.settimeout(None)
        self.events = events
        self._dispatcher = dispatcher
        self._journal = journal
        self._inbox = inbox
        self._write_lock = threading.Lock()

    def serve(self) -> None:
        """Shake hands and answer until the switch or :meth:`close` ends the connection."""
        try:
            self.send_msg(self.ofproto_parser.OFPHello(self))
            self._recv_loop()
        except OSError as error:
            vlog.info(f"{self.address}: {error.strerror}")
        finally:
            self.is_active = False
            self.close()
            self.socket.close()

    def tell(self, what: Callable[[SwitchEvents], None]) -> None:
        """Call ``what`` with ``events``, in the daemon's thread."""
        self._inbox.post(lambda: what(self.events))

    def close(self) -> None:
        """End the connection, from any thread."""
        self.set_state(DEAD_DISPATCHER)
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def send(self, buf: bytes, close_socket: bool = False) -> bool:
        """Write one message; os-ken's ``send_msg`` ends here."""
        try:
            with self._write_lock:
                self.socket.sendall(buf)
        except OSError:
            close_socket = True
        if close_socket:
            self.close()
        return not close_socket

    def send_all(self, messages: Iterable[bytes]) -> None:
        """Write ``messages`` in order, in pieces that leave room for others between them."""
        piece: list[bytes] = []
        size = 0
        for message in messages:
            piece.append(message)
            size += len(message)
            if size >= WRITE_SIZE:
                self.send(b"".join(piece))
                piece, size = [], 0
        if piece:
            self.send(b"".join(piece))

    def _recv_loop(self) -> None:
        data = b""
        while self.state != DEAD_DISPATCHER:
            received: bytes = self._receive()
            if not received:
                return
            data = data + received if data else received
            data = data[self._take_messages(data) :]

    def _receive(self) -> Any:
        if not isinstance(self.socket, ssl.SSLSocket):
            return self.socket.recv(READ_SIZE)
        # OpenSSL's connection must not be read and written at the same time.
        if not self.socket.pending():
            select.select([self.socket], [], [])
        with self._write_lock:
            return self.socket.recv(READ_SIZE)

    def _take_messages(self, data: bytes) -> int:
        """Handle the whole messages at the start of ``data``; returns their size."""
        resumes: list[bytes] = []
        verdicts: list[Verdict] = []
        at, end = 0, len(data)
        while end - at >= OFP_HEADER_SIZE:
            size = data[at + 2] << 8 | data[at + 3]
            if size < OFP_HEADER_SIZE:
                raise ConnectionError(0, f"message of {size} bytes from the switch")
            if end - at < size:
                break
            message = data[at : at + size]
            at += size
            if is_packet_in2(message):
                try:
                    resumed = self._dispatcher.resume(message)
                except NxtError as error:
                    vlog.err(f"{self.address}: {error}")
                    continue
                if resumed:
                    resumes.append(resumed[0])
                    verdicts.append(resumed[1])
            elif is_flow_dump_reply(message) or is_flow_count_reply(message):
                self._to_events(message)
            else:
                self._to_os_ken(message)
        if resumes:
            self.send(b"".join(resumes))
            self._journal.note(verdicts)
        return at

    def _to_events(self, reply: bytes) -> None:
        self.tell(lambda events: events.flow_reply(self, reply))

    def _to_os_ken(self, message: bytes) -> None:
        """What os-ken's own receive loop does with a message."""
        version, kind, size, xid = ofproto_parser.header(message)
        parsed = ofproto_parser.msg(self, version, kind, size, xid, message)
        brick = app_manager.lookup_service_brick(ofp_event.NAME)
        if not parsed or brick is None:
            return
        event = ofp_event.ofp_msg_to_ev(parsed)
        brick.send_event_to_observers(event, self.state)
        for handler in brick.get_handlers(event, self.state):
            handler(event)
