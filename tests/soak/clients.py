# SPDX-License-Identifier: Apache-2.0
"""The guests' clients: they ask all the time, and know what the answer has to be."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv6Address

from tests.lab import nd, packets, packets6
from tests.lab.guest import Guest
from tests.lab.process import PATIENCE
from tests.soak.plan import SERVER_MAC, Member

LATE_S = 2.0 * PATIENCE  # after that a request is lost
PACKET_IGNORE_OUTGOING = 23

DISCOVER, REQUEST, SOLICIT, REQUEST6, SOLICITATION = (
    "DISCOVER", "REQUEST", "SOLICIT", "REQUEST of DHCPv6", "router solicitation",
)  # fmt: skip


@dataclass
class Away:
    """A time in which requests may be lost, and why; it has no end while it lasts."""

    why: str
    began_s: float
    ended_s: float | None = None
    who: str = ""  # empty: all

    def covers(self, who: str, sent_s: float) -> bool:
        """Whether a request of `who` at that time may be lost."""
        ended_s = time.monotonic() if self.ended_s is None else self.ended_s
        return self.who in ("", who) and self.began_s - LATE_S / 4 <= sent_s <= ended_s + 0.1


@dataclass
class Tally:
    """What became of the requests."""

    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)  # by why
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    slowest: tuple[float, str, str] = (0.0, "", "")  # seconds, question, guest


class Client:
    """One guest's client of all protocols, on a socket that sees what the guest gets."""

    def __init__(self, member: Member, guest: Guest) -> None:
        self.member = member
        self.guest = guest
        self.address = member.address  # as soon as it has one, the one it has to get
        self.waiting: dict[tuple[str, int], float] = {}  # kind and xid: when it was sent
        with guest.namespace.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(263, PACKET_IGNORE_OUTGOING, 1)  # SOL_PACKET
        self.socket.bind(("eth0", 0))
        self.socket.setblocking(False)
        self._duid = packets6.option(1, packets6.duid_ll(member.mac))
        self._mac = packets6.mac_bytes(member.mac)
        self._asked = 0

    def ask(self, xid: int) -> str:
        """Send the next question; returns which."""
        member = self.member
        kinds = [DISCOVER]
        if self.address:
            kinds.append(REQUEST)
        if member.address6:
            kinds += [SOLICIT, REQUEST6]
            if (SOLICITATION, 0) not in self.waiting:  # nothing tells one answer from another
                kinds.append(SOLICITATION)
        kind = kinds[self._asked % len(kinds)]
        self._asked += 1
        xid = 0 if kind == SOLICITATION else xid
        frame = self._frame(kind, xid)
        self.waiting[kind, xid] = time.monotonic()
        with contextlib.suppress(OSError):  # its interface is down
            self.socket.send(frame)
        return kind

    def _frame(self, kind: str, xid: int) -> bytes:
        member = self.member
        if kind == DISCOVER:
            return packets.request(packets.DISCOVER, member.mac, xid=xid)
        if kind == REQUEST:
            options = packets.option(50, self.address or ""), packets.option(54, member.server)
            return packets.request(packets.REQUEST, member.mac, *options, xid=xid)
        if kind == SOLICITATION:
            return nd.router_solicitation(member.mac, member.link_local)
        body = xid.to_bytes(4, "big")[1:] + self._duid + packets6.ia_na(1)
        if kind == SOLICIT:
            body = bytes((packets6.SOLICIT,)) + body
        else:
            server = packets6.option(2, packets6.duid_ll(SERVER_MAC))
            body = bytes((packets6.REQUEST,)) + body + server
        return packets6.frame_of(body, member.mac, ip_src=member.link_local)

    def hear(self, tally: Tally, excuse: Callable[[str, float], str | None]) -> None:
        """Take what has come; `excuse` says why a request may be late."""
        while True:
            try:
                frame = self.socket.recv(65535)
            except OSError:
                return
            try:
                heard = self._heard(frame)
            except (ValueError, struct.error, IndexError) as error:
                tally.wrong.append(f"{self.member.name}: a damaged reply: {error}: {frame.hex()}")
                continue
            if heard is None:
                continue
            kind, xid, wrong = heard
            sent_s = self.waiting.pop((kind, xid), None)
            if sent_s is None:
                continue  # too late, or the second answer of one that was counted
            if wrong:
                tally.wrong.append(f"{self.member.name}: {kind}: {wrong}")
            tally.answered[kind] += 1
            if excuse(self.member.name, sent_s) is None:
                tally.slowest = max(
                    tally.slowest, (time.monotonic() - sent_s, kind, self.member.name)
                )

    def _heard(self, frame: bytes) -> tuple[str, int, str] | None:
        """Which question a frame answers, and what is wrong with it; None if it is no answer."""
        if frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[36:38] == b"\0\x44":
            reply = packets.parse_reply(frame)
            if reply is None or reply.chaddr != self.member.mac:
                return None
            kind = DISCOVER if (DISCOVER, reply.xid) in self.waiting else REQUEST
            return kind, reply.xid, self._check(kind, reply)
        if frame[12:14] != b"\x86\xdd" or frame[:6] != self._mac:
            return None
        if frame[20] == 17 and frame[56:58] == b"\x02\x22":
            reply6 = packets6.parse_reply(frame)
            kind = SOLICIT if reply6.message == packets6.ADVERTISE else REQUEST6
            leases = [lease for ia in reply6.ias for lease, *_ in ia.leases]
            wrong = "" if leases == [self.member.address6] else f"{leases}, {reply6.status}"
            return kind, int.from_bytes(reply6.xid, "big"), wrong
        if nd.is_nd(frame, nd.RA) and frame[38:54] == IPv6Address(self.member.link_local).packed:
            return SOLICITATION, 0, ""
        return None

    def _check(self, kind: str, reply: packets.Reply) -> str:
        expected = packets.OFFER if kind == DISCOVER else packets.ACK
        if reply.message != expected:
            return f"message {reply.message}, expected {expected}"
        if self.address is None:
            self.address = reply.yiaddr
        return "" if reply.yiaddr == self.address else f"{reply.yiaddr}, had {self.address}"


class Clients:
    """All clients, asked in a thread of their own, each `rate` times a second."""

    def __init__(self, clients: list[Client], rate: float) -> None:
        self.clients = clients
        self.tally = Tally()
        self._interval_s = 1 / rate / len(clients)
        self._aways: list[Away] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.broken: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Ask nothing more, and wait for what is under way."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def stop(self) -> None:
        """As `end`; raises what the thread has died of."""
        self.end()
        if self.broken:
            raise self.broken

    @contextlib.contextmanager
    def away(self, why: str, who: str = "") -> Iterator[None]:
        """Meanwhile requests, or those of `who`, may be lost."""
        away = Away(why, time.monotonic(), who=who)
        self._aways.append(away)
        try:
            yield
        finally:
            away.ended_s = time.monotonic()

    def _run(self) -> None:
        try:
            self._ask_and_hear()
        except BaseException as error:
            self.broken = error

    def _ask_and_hear(self) -> None:
        number = 0
        next_s = time.monotonic()
        while True:
            now_s = time.monotonic()
            if not self._ending.is_set() and now_s >= next_s:
                next_s = max(next_s + self._interval_s, now_s)
                number += 1
                client = self.clients[number % len(self.clients)]
                self._lose(client, now_s)
                self.tally.asked[client.ask(number & 0xFFFFFF)] += 1
            sockets = {client.socket: client for client in self.clients}
            wait_s = max(0.0, min(next_s - time.monotonic(), 0.05))
            for ready in select.select([*sockets], [], [], wait_s)[0]:
                sockets[ready].hear(self.tally, self._excuse)
            if self._ending.is_set():
                for client in self.clients:
                    self._lose(client, now_s)
                if not any(client.waiting for client in self.clients):
                    return

    def _excuse(self, name: str, sent_s: float) -> str | None:
        """Why what `name` asked then may be lost or late; None if it may not."""
        return next((each.why for each in self._aways if each.covers(name, sent_s)), None)

    def _lose(self, client: Client, now_s: float) -> None:
        """Give up what has not been answered in time."""
        for (kind, xid), sent_s in list(client.waiting.items()):
            if now_s - sent_s < LATE_S:
                continue
            del client.waiting[kind, xid]
            name = client.member.name
            why = self._excuse(name, sent_s)
            if why is None:
                self.tally.lost.append(f"{name}: {kind} {now_s - sent_s:.1f} s ago")
            else:
                self.tally.excused[why] += 1
