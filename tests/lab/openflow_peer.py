# SPDX-License-Identifier: Apache-2.0
"""A small OpenFlow 1.5 switch: the other end of a connection, and one that may stop reading."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from pathlib import Path

HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, FEATURES_REQUEST, FEATURES_REPLY = 0, 1, 2, 3, 5, 6
EXPERIMENTER, SET_CONFIG = 4, 9
PORT_STATUS, MULTIPART_REQUEST, MULTIPART_REPLY, BUNDLE_CONTROL, BUNDLE_ADD = 12, 18, 19, 33, 34

METER_CONFIG, METER_FEATURES = b"\0\x0a", b"\0\x0b"  # kinds of multipart messages

DATAPATH_ID = 0x0000_02AB_CDEF_0142


class Peer:
    """The switch's end of a connection."""

    def __init__(self, connection: socket.socket, timeout_s: float | None = 20) -> None:
        self.connection = connection
        self.connection.settimeout(timeout_s)
        self.stream = connection.makefile("rb")

    def send(self, kind: int, body: bytes = b"", xid: int = 0) -> None:
        """Send one message."""
        self.connection.sendall(struct.pack("!BBHI", 6, kind, 8 + len(body), xid) + body)

    def receive(self) -> tuple[int, int, bytes]:
        """Type, xid and body of the next message.  Raises EOFError at the end."""
        header = self.stream.read(8)
        if len(header) < 8:
            raise EOFError
        _, kind, size, xid = struct.unpack("!BBHI", header)
        return kind, xid, self.stream.read(size - 8)

    def shake_hands(self, datapath_id: int = DATAPATH_ID) -> None:
        """Say and hear hello, and say who we are."""
        assert self.receive()[0] == HELLO
        self.send(HELLO)
        kind, xid, _ = self.receive()
        assert kind == FEATURES_REQUEST
        self.send(FEATURES_REPLY, struct.pack("!QIBB2xII", datapath_id, 0, 254, 0, 0, 0), xid)

    def is_asked_for_packet_ins(self) -> bool:
        """Whether that comes next, as it does after each handshake."""
        return [self.receive()[0], self.receive()[0]] == [EXPERIMENTER, SET_CONFIG]

    def close(self) -> None:
        """Close this end."""
        self.stream.close()
        self.connection.close()

    def is_ended(self) -> bool:
        """Whether the other side has closed the connection; waits for that."""
        while self.stream.read1(4096):
            pass
        return True


class OpenFlowPeer:
    """Accepts connections on ``path``, one after the other; a context manager.

    It shakes hands as the switch DATAPATH_ID and has no flows.  Of the first ``stuck``
    connections it reads `adds` messages of a bundle and then nothing more; the others it serves,
    and confirms each bundle.  Of the questions about its meters it answers none; or, with
    ``meters``, so many for their features, on each connection, and those which it has: none.

    `connections` counts those whose handshake was done, `added` the flows that came in bundles on
    the present one, `closed` those that the other side has ended, `stuck_s` is when it last
    stopped reading (:func:`time.monotonic`).
    """

    def __init__(self, path: Path, *, stuck: int, adds: int = 100, meters: int = 0) -> None:
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen()
        self._stuck, self._adds, self._meters = stuck, adds, meters
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self.connections = self.added = self.committed = self.closed = 0
        self.stuck_s: float | None = None

    def __enter__(self) -> OpenFlowPeer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.added = 0
            with connection, contextlib.suppress(OSError, EOFError):
                self._serve(Peer(connection, None))
            self.closed += 1

    def _serve(self, peer: Peer) -> None:
        peer.shake_hands()
        self.connections += 1
        left = self._meters
        while True:
            kind, xid, body = peer.receive()
            if kind == ECHO_REQUEST:
                peer.send(ECHO_REPLY, body, xid)
            elif kind == MULTIPART_REQUEST and body[:2] == b"\0\1":
                peer.send(MULTIPART_REPLY, struct.pack("!HH4x", 1, 0), xid)
            elif kind == MULTIPART_REQUEST and body[:2] == METER_CONFIG and self._meters:
                peer.send(MULTIPART_REPLY, METER_CONFIG + bytes(6), xid)
            elif kind == MULTIPART_REQUEST and body[:2] == METER_FEATURES and left:
                left -= 1
                peer.send(MULTIPART_REPLY, METER_FEATURES + struct.pack("!6xI12x", 1000), xid)
            elif kind == BUNDLE_CONTROL and body[4:6] == b"\0\4":
                peer.send(BUNDLE_CONTROL, body[:4] + struct.pack("!HH", 5, 3), xid)
                self.committed += 1
            elif kind == BUNDLE_ADD:
                self.added += 1
                if self.added == self._adds and self.connections <= self._stuck:
                    self.stuck_s = time.monotonic()
                    self._wait_for_end(peer.connection)
                    return

    def _wait_for_end(self, connection: socket.socket) -> None:
        """Until the other side has shut the connection down, without reading from it."""
        poll = select.poll()
        poll.register(connection, select.POLLRDHUP)
        while not self._stopped.is_set() and not poll.poll(50):
            pass
