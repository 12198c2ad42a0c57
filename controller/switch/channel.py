# SPDX-License-Identifier: Apache-2.0
"""One OpenFlow connection, with a fast lane for packet-ins.

The receive loop takes packet-ins out of the stream: one read, all its packet-ins answered, one
write.  What else is needed becomes an event at once, its lengths checked
(:mod:`controller.wire.events`); what is not needed is dropped unparsed.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from ovs_dhcpd.controller.responders.dispatch import Resume, Resumer
from ovs_dhcpd.controller.responders.token_bucket import TokenBucket
from ovs_dhcpd.controller.responders.verdict import Verdict
from ovs_dhcpd.controller.switch.held import Held, Mark
from ovs_dhcpd.controller.switch.inbox import Inbox
from ovs_dhcpd.controller.switch.journal import Journal
from ovs_dhcpd.controller.switch.outgoing import Outgoing
from ovs_dhcpd.controller.switch.turn import Note, Turn
from ovs_dhcpd.controller.wire import messages as wire
from ovs_dhcpd.controller.wire.connection import Connected
from ovs_dhcpd.controller.wire.handshake import Handshake
from ovs_dhcpd.controller.wire.nxt import NxtError, is_packet_in2
from ovs_dhcpd.controller.wire.openflow import KIND, MAX_SIZE, VERSION, ask_for_packet_ins, split

if TYPE_CHECKING:
    from ovs_dhcpd.controller.wire.events import Event

HANDSHAKE_S = 10.0  # a switch that is busy with its ports may take seconds
QUIET_S = 0.005  # after that, there is time for the log
_QUIET = struct.pack("@ll", 0, int(QUIET_S * 1e6))  # a struct timeval, on Linux
MAX_TOLD = 1000  # that wait for the daemon's thread; who is not heard says it again
# A switch sends what has come from its ports in one go, and has nothing to do until the first
# answers are there: so these are not kept until the last packet of all is answered.  A packet-in is
# about 700 bytes.
READ_SIZE = 4 * 1024


def connect(path: str) -> socket.socket:
    """A connection to the Unix socket ``path``.  Raises :exc:`OSError`."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


class Channel:
    """A connection to one switch; what happens on it is posted to ``inbox``.

    Its packet-ins are held until it is our turn to answer them (:class:`Turn`).

    ``bridge`` is the name of the bridge it was made to; None where the switch has connected to
    us, until the daemon knows which bridge that is.  ``handshake`` is to be made, or has been.

    Packet-ins are answered before os-ken is there.  What else happens is posted once its
    application has heard of the connection (:meth:`introduce`), so that :class:`Connected` is the
    first.

    `ready` is for the daemon to set, once all is as it should be on this connection; `why` is
    why it has ended.
    """

    def __init__(
        self,
        connection: socket.socket,
        address: object,
        journal: Journal,
        dispatcher: Resumer,
        inbox: Inbox[Channel],
        bridge: str | None,
        handshake: Handshake,
    ) -> None:
        self.address = address
        self.handshake = handshake
        self._is_active = True
        self._closed = False
        self._introduced = threading.Event()
        self._turn: Turn | None = None
        self._answering = threading.Lock()  # with it packets are answered or held
        self._buckets: Mapping[int, TokenBucket] = {}
        self._held: Held | None = Held(time.monotonic())  # None: it is our turn
        self._note: Note | None = None
        self.bridge = bridge
        self.ready = False
        self.why = ""
        self._socket = connection
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # OpenSSL's connection must not be read and written at the same time: nobody may wait in it.
        connection.settimeout(0 if isinstance(connection, ssl.SSLSocket) else None)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _QUIET)
        self._readable = select.poll()
        self._readable.register(connection, select.POLLIN)
        self._outgoing = Outgoing(connection, self._give_up)
        self._dispatcher = dispatcher
        self._journal = journal
        self._inbox = inbox

    def serve(self, shaken: Callable[[Channel], object]) -> None:
        """Shake hands and answer until the switch or :meth:`close` ends the connection.

        ``shaken`` is called once the handshake is done, and is to see to :meth:`introduce`.
        """
        try:
            if self._shake_hands():
                self._outgoing.send(ask_for_packet_ins(self.handshake.version))
                shaken(self)
                self._recv_loop(self.handshake.rest)
        except OSError as error:
            self.why = self.why or error.strerror or str(error)
        except ValueError as error:  # the rest of the stream means nothing
            self.why = str(error)
        finally:
            self._journal.write()
            self._is_active = False
            if self._turn:
                self._turn.remove(self)
            self.close()
            self._socket.close()

    def introduce(self, connected: Connected) -> None:
        """Have the daemon's thread hear of the connection, and of all that happens from now on."""
        self.tell(connected)
        self._introduced.set()
        self._tell_what_was_told()

    def expect(self, flows: int) -> None:
        """From now on the switch has this many flows of ours; from any thread."""
        self._dispatcher.flows = flows

    def limit(self, buckets: Mapping[int, TokenBucket]) -> None:
        """From now on the flows with these cookies have a token bucket; from any thread.

        A mapping that has been given once must not change: the same one says nothing new.
        """
        if buckets is not self._buckets:
            with self._answering:  # who is learning a flow's path now has the old one in hand
                self._dispatcher.limit(buckets)
            self._buckets = buckets

    def tell(self, event: Event, size: int = 0) -> None:
        """Have the daemon's thread hear of ``event``, which was ``size`` bytes on the wire."""
        self._inbox.post(self, event, size)

    def end(self, why: str) -> None:
        """End the connection, from any thread, and have it said why."""
        self.why = self.why or why
        self.close()

    def close(self) -> None:
        """End the connection, from any thread."""
        self._outgoing.close()
        self._shut_down()

    def send(self, messages: bytes) -> bool:
        """Send whole messages before what :meth:`send_all` has left; False once closed."""
        return self._outgoing.send(messages)

    def send_all(self, messages: Iterable[bytes]) -> None:
        """Send ``messages`` in order; answers to packets may come between them."""
        self._outgoing.send_all(messages)

    def join(self, turn: Turn) -> None:
        """From now on answer while it is ``turn``'s: it is known whose connection this is."""
        self._turn = turn
        turn.add(self)
        if not self._is_active:
            turn.remove(self)

    def hold(self) -> None:
        """Answer nothing from now on; when this returns, nothing is being answered."""
        with self._answering:
            self._held = self._held or Held(time.monotonic())
            self._note = None

    def answer(self, note: Note | None, last: Mark | None) -> None:
        """Answer from now on, and first what has been held since ``last``.

        After each write ``note`` is called with the packet-in that was answered last.
        """
        with self._answering:
            held, self._held = self._held, None
            self._note = note
            if held:
                self._answer(held.take_unanswered(last, time.monotonic()))
        self._tell_what_was_told()
        self._journal.write()  # our thread may sleep

    def has_heard(self, last: Mark | None) -> bool:
        """Whether ``last`` has come here too."""
        with self._answering:
            return self._held is None or self._held.has_heard(last, time.monotonic())

    def _give_up(self, why: str) -> None:
        self.why = why and f"the switch {why}"
        self._shut_down()

    def _shut_down(self) -> None:
        self._closed = True
        self._introduced.set()  # whoever waits for that does so in vain
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _shake_hands(self) -> bool:
        """Make the handshake, if it is still to be made; False if the connection has ended."""
        handshake = self.handshake
        if handshake.features:
            return True
        deadline_s = time.monotonic() + HANDSHAKE_S
        self._outgoing.send(handshake.begin())
        while not handshake.features:
            if not self._readable.poll(max(0, deadline_s - time.monotonic()) * 1000):
                self.why = f"no handshake within {HANDSHAKE_S:g} s"
                return False
            received = self._receive()
            if not received:
                self.why = "the switch has closed it before the handshake was done"
                if handshake.error:
                    self.why = f"the switch reports {handshake.error}"
                return False
            if answer := handshake.receive(received):
                self._outgoing.send(answer)
        return True

    def _recv_loop(self, data: bytes) -> None:
        """Handle what comes; ``data`` has come already."""
        while not self._closed:
            messages, size = split(data)
            data = data[size:]
            self._take(messages)
            if self._outgoing.waiting:
                self._outgoing.wait_until_sent()
            received = self._receive()
            if not received:
                return
            data = data + received if data else received

    def _receive(self) -> bytes:
        """What comes next, empty at the end; what has been noted is logged while all is quiet."""
        while True:
            try:
                if isinstance(self._socket, ssl.SSLSocket):
                    return self._receive_tls(self._socket)
                received: bytes = self._socket.recv(READ_SIZE)
                return received
            except BlockingIOError:
                self._journal.write(lambda: self._readable.poll(0))
                self._readable.poll()

    def _receive_tls(self, connection: ssl.SSLSocket) -> bytes:
        """As recv() of a socket that waits no longer than QUIET_S."""
        if not connection.pending() and not self._readable.poll(QUIET_S * 1000):
            raise BlockingIOError
        with self._outgoing.lock:
            try:
                return connection.recv(READ_SIZE)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise BlockingIOError from None

    def _take(self, messages: Iterable[bytes]) -> None:
        """Handle whole messages: answer all packet-ins among them at once, or hold them."""
        packet_ins: list[bytes] = []
        for message in messages:
            if not is_packet_in2(message):
                self._take_other(message)
            elif len(message) <= MAX_SIZE:
                packet_ins.append(message)
            else:  # no message is so long: it cannot be resumed
                why = f"packet-in of {len(message)} bytes, at most {MAX_SIZE} can be resumed"
                self._journal.malformed(self.address, why)
        if not packet_ins:
            return
        with self._answering:
            if self._held is None:
                self._answer(packet_ins)
            else:
                now_s = time.monotonic()
                for message in packet_ins:
                    self._held.add(message, now_s)
        if self._dispatcher.told:
            self._tell_what_was_told()

    def _tell_what_was_told(self) -> None:
        if not self._introduced.is_set():
            del self._dispatcher.told[MAX_TOLD:]
            return
        told, self._dispatcher.told = self._dispatcher.told, []
        for event in dict.fromkeys(told):
            self._inbox.post(self, event, at_most=MAX_TOLD)

    def _answer(self, packet_ins: Iterable[bytes]) -> None:
        """Resume what is to be resumed of them, in one write, and note the last one."""
        resumes: list[bytes] = []
        answered: list[bytes] = []
        verdicts: list[Verdict] = []
        now_s = time.monotonic()
        resume_of = self._resume_and_trace if self._journal.tracing else self._dispatcher.resume
        for message in packet_ins:
            try:
                answer = resume_of(message, now_s)
            except NxtError as error:
                self._journal.malformed(self.address, str(error))
                continue
            if answer:
                resume, verdict = answer
                resumes.append(resume)
                verdicts.append(verdict)
                answered.append(message)
        if resumes:
            self._outgoing.send(b"".join(resumes))
            if self._note:
                self._note(answered[-1])
            self._journal.note(self.bridge or str(self.address), now_s, answered, verdicts)

    def _resume_and_trace(self, message: bytes, now_s: float) -> Resume | None:
        answer = self._dispatcher.resume(message, now_s)
        if answer:
            self._journal.trace(self.bridge or str(self.address), message, answer[1])
        return answer

    def _take_other(self, message: bytes) -> None:
        """Handle a message that is no packet-in.  Raises :exc:`ValueError`."""
        if message[VERSION] != self.handshake.version:
            found, expected = message[VERSION], self.handshake.version
            raise ValueError(f"a message of wire version {found}, expected {expected}")
        if message[KIND] == wire.OFPT_ECHO_REQUEST:
            self._outgoing.send(wire.echo_reply(message))
        elif event := _decode_event(message):
            self._introduced.wait()
            self.tell(event, len(message))
            self._inbox.wait_for_room(self)


def _decode_event(message: bytes) -> Event | None:
    """As :func:`~controller.wire.events.decode_event`, which no answer needs: imported late."""
    from ovs_dhcpd.controller.wire import events

    return events.decode_event(message)
