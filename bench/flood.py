# SPDX-License-Identifier: Apache-2.0
"""What one guest's flood costs another: ours with and without its meters, OVN with and without."""

from __future__ import annotations

import ctypes
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import groupby

import yaml

from bench import results
from bench.results import WHO, Effort, Row
from tests.lab import flood, packets
from tests.lab.daemon import Dhcpd
from tests.lab.guest import Guest
from tests.lab.ovn import PrivateOvn
from tests.lab.process import missing, wait_until
from tests.lab.switch import PrivateOvs

ASKS, ASKS_A_SECOND = 100, 20
GIVE_UP_S = 1.0
FLOODERS = 10
SERVER, SERVER_MAC = "10.1.0.1", "0a:00:00:00:01:01"
COPP = {"dhcpv4-opts": "m4", "dhcpv6-opts": "m6", "nd-ra-opts": "mra"}
COPP_PPS = 100
SO_ATTACH_FILTER = 26


@dataclass(frozen=True)
class Load:
    """A flood: packets a second in all, and of how many ports they come."""

    rate: int
    ports: int

    def __str__(self) -> str:
        return f"{self.rate:,}/s from {self.ports}"


LOADS = (Load(5_000, 1), Load(20_000, 1), Load(50_000, 1), Load(50_000, FLOODERS))
QUICK_KINDS, QUICK_LOADS = ("85 IA_NA", "NAKs"), (Load(5_000, 1), Load(50_000, 1))


def _client(number: int) -> flood.Client:
    """Guest 0 asks, the others flood."""
    return flood.Client(
        f"02:00:00:00:01:{number:02x}",
        f"10.1.0.{10 + number}",
        SERVER,
        f"fe80::ff:fe00:1{number:02x}",
    )


def _addresses(number: int) -> str:
    client = _client(number)
    return f"{client.mac} {client.address} fd00:1::{10 + number}"


@dataclass(frozen=True)
class Contender:
    """Who serves the guests of a switch."""

    name: str
    switch: PrivateOvs
    guests: list[Guest]


def _guests(switch: PrivateOvs) -> list[Guest]:
    return [switch.guest(f"vm{number}", _client(number).mac) for number in range(FLOODERS + 1)]


@contextmanager
def ours(name: str, **settings: object) -> Iterator[Contender]:
    """The daemon, with further settings of the network."""
    network = {
        "dhcpv4": {"cidr": "10.1.0.0/16", "server_id": SERVER, "server_mac": SERVER_MAC},
        "dhcpv6": {"cidr": "fd00:1::/64", "server_id": SERVER_MAC},
        "ra": {"addr_mode": "dhcpv6_stateful", "prefix": ["fd00:1::/64"]},
        "ports": {
            f"vm{number}": {"addresses": _addresses(number)} for number in range(FLOODERS + 1)
        },
        **settings,
    }
    with PrivateOvs() as switch:
        guests = _guests(switch)
        with Dhcpd(switch, yaml.safe_dump({"networks": {"lab": network}})) as dhcpd:
            dhcpd.wait_for_flows(*guests)
            yield Contender(name, switch, guests)


@contextmanager
def ovn_controller(name: str, copp: bool) -> Iterator[Contender]:
    """ovn-controller, with or without control plane protection: a meter for each opcode."""
    with PrivateOvn() as ovn:
        rows = [ovn.nbctl("create", "DHCP_Options", f'cidr="{cidr}"').strip()
                for cidr in ("10.1.0.0/16", "fd00:1::/64")]  # fmt: skip
        ovn.nbctl("dhcp-options-set-options", rows[0], f"server_id={SERVER}",
                  f"server_mac={SERVER_MAC}", "lease_time=3600")  # fmt: skip
        ovn.nbctl("dhcp-options-set-options", rows[1], f"server_id={SERVER_MAC}")
        ovn.nbctl("ls-add", "lab")
        for number in range(FLOODERS + 1):
            port = f"vm{number}"
            ovn.nbctl(
                "lsp-add", "lab", port, "--", "lsp-set-addresses", port, _addresses(number), "--",
                "lsp-set-dhcpv4-options", port, rows[0], "--",
                "lsp-set-dhcpv6-options", port, rows[1],
            )  # fmt: skip
        ovn.nbctl("lr-add", "router")
        ra = {"address_mode": "dhcpv6_stateful"}
        ovn.router_port("router", "to-lab", SERVER_MAC, ["fd00:1::1/64"], ra)
        ovn.connect("lab", "to-lab")
        if copp:
            for protocol, meter in COPP.items():
                ovn.nbctl("--fair", "meter-add", meter, "drop", COPP_PPS, "pktps", COPP_PPS)
                ovn.nbctl("copp-add", "protected", protocol, meter)
            ovn.nbctl("ls-copp-add", "protected", "lab")
            ovn.nbctl("lr-copp-add", "protected", "router")
        guests = _guests(ovn)
        ovn.sync()
        yield Contender(name, ovn, guests)


@contextmanager
def all_there() -> Iterator[list[Contender]]:
    """Every contender whose programs are installed."""
    with ExitStack() as stack:
        contenders = [
            stack.enter_context(ours("ovs-dhcpd")),
            stack.enter_context(ours("ovs-dhcpd, rate_limit: none", rate_limit="none")),
        ]
        absent = missing(*PrivateOvn.programs)
        if absent:
            print(f"SKIPPED: ovn-controller: not installed: {', '.join(absent)}")
        else:
            contenders += [
                stack.enter_context(ovn_controller("ovn-controller", copp=False)),
                stack.enter_context(
                    ovn_controller(f"ovn-controller, CoPP {COPP_PPS}/s", copp=True)
                ),
            ]
        yield contenders


class Asker:
    """The neighbour of who floods: it asks at a steady pace."""

    def __init__(self, guest: Guest) -> None:
        self._mac = _client(0).mac
        self._xid = 1
        with guest.namespace.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self._socket.setblocking(False)
        self._filter()
        self._socket.bind(("eth0", 0))

    def _filter(self) -> None:
        """Let through what is sent to this guest alone: ld [2]; jeq #mac[2:6]; ret."""
        mac = int(self._mac.replace(":", "")[4:], 16)
        code = b"".join(
            struct.pack("HBBI", *each)
            for each in ((0x20, 0, 0, 2), (0x15, 0, 1, mac), (0x06, 0, 0, 65535), (0x06, 0, 0, 0))
        )
        buffer = ctypes.create_string_buffer(code)
        program = struct.pack("HL", 4, ctypes.addressof(buffer))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)

    def ask(self, count: int, rate: float) -> list[float]:
        """Ask so many times; the milliseconds of each answer that came within GIVE_UP_S."""
        sent: dict[int, float] = {}
        times: list[float] = []
        began_s = time.monotonic()
        end_s = began_s + count / rate + GIVE_UP_S
        while (now_s := time.monotonic()) < end_s and len(times) < count:
            due_s = began_s + len(sent) / rate
            if len(sent) < count and now_s >= due_s:
                self._xid += 1
                request = packets.request(packets.DISCOVER, self._mac, xid=self._xid)
                sent[self._xid] = time.monotonic()
                self._socket.send(request)
                continue
            wait_s = (due_s if len(sent) < count else end_s) - now_s
            if select.select([self._socket], [], [], wait_s)[0]:
                frame = self._socket.recv(65535)
                arrived_s = time.monotonic()
                if frame[42:43] != b"\2":
                    continue  # not a reply, but what its neighbours send
                asked_s = sent.get(int.from_bytes(frame[46:50], "big"))
                if asked_s is not None and arrived_s - asked_s <= GIVE_UP_S:
                    times.append((arrived_s - asked_s) * 1000)
        return times


@dataclass(frozen=True)
class Result:
    """Of ASKS requests during a flood."""

    lost: int
    p50_ms: float
    p99_ms: float
    flooded: int  # packets a second that the flood really had


def one_flood(contender: Contender, asker: Asker, kind: str, load: Load) -> Result:
    """One flood, and what the neighbour gets meanwhile."""
    wait_until(lambda: len(asker.ask(5, 50)) == 5, f"{contender.name} to rest", 60)
    seconds = ASKS / ASKS_A_SECOND + GIVE_UP_S + 0.5
    began_s = time.monotonic()
    senders = [
        flood.start(
            contender.switch,
            contender.guests[number],
            flood.KINDS[kind](_client(number)),
            load.rate / load.ports,
            seconds,
        )
        for number in range(1, 1 + load.ports)
    ]
    time.sleep(0.3)
    times = sorted(asker.ask(ASKS, ASKS_A_SECOND))
    for sender in senders:
        assert sender.wait(60) == 0, sender.text()
    flooded = sum(int(sender.text()) for sender in senders) / (time.monotonic() - began_s)
    p50, p99 = (times[int(len(times) * part)] if times else float("inf") for part in (0.5, 0.99))
    return Result(ASKS - len(times), p50, p99, round(flooded))


def measure(effort: Effort) -> Iterator[Row]:
    """All floods on all contenders, in turn."""
    flood.build()
    kinds, loads = (QUICK_KINDS, QUICK_LOADS) if effort.quick else ([*flood.KINDS], LOADS)
    with all_there() as contenders:
        askers = [Asker(contender.guests[0]) for contender in contenders]
        for kind in kinds:
            for load in loads:
                for contender, asker in zip(contenders, askers, strict=True):
                    result = one_flood(contender, asker, kind, load)
                    labels = {"flood": kind, "packets from ports": str(load), WHO: contender.name}
                    yield Row(labels, {name: [value] for name, value in asdict(result).items()})


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each flood, one column for each contender: lost, p50 and p99 in ms."""
    names = list(dict.fromkeys(row.labels[WHO] for row in rows))
    yield from results.head(["flood", "packets from ports"], names)
    for thing, group in groupby(rows, Row.thing):
        cells = [
            f"{row.median('lost'):.0f}, {row.median('p50_ms'):.1f}, {row.median('p99_ms'):.0f}"
            for row in group
        ]
        yield results.line([*thing.values(), *cells])
