# SPDX-License-Identifier: Apache-2.0
"""Peers that mean no good: none costs another bridge's guest an answer, a disk or a memory.

On each of the bridges br-NAME sits a peer, in place of ovs-vswitchd's socket, that misbehaves in
its own way, all of them at once, for SECONDS; on br-int a guest asks meanwhile.
"""

from __future__ import annotations

import contextlib
import re
import resource
import signal
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.lab.daemon import Dhcpd, ServeOnly, wait_ready
from tests.lab.guest import Guest
from tests.lab.openflow_peer import (
    BUNDLE_CONTROL,
    ERROR,
    FEATURES_REPLY,
    HELLO,
    MULTIPART_REPLY,
    MULTIPART_REQUEST,
    PORT_STATUS,
    Peer,
)
from tests.lab.packets import DISCOVER, request
from tests.lab.process import LabError, wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

SECONDS = 25.0
MORE_SECONDS = 25.0  # at most, where the machine is slow
AWAY_S = 14.0  # who doubles a pause up to 8 s looks after 12.7 s, and then after 20.7
MAC = "02:00:00:00:00:01"
MAX_LINES = 200  # of all peers together; there are hundreds of thousands of reasons for one
MAX_GROWTH_MB = 200  # the endless dump has 64; what is on its way has 4 for each peer, on the wire
PORT = 6653  # in the switch's own namespace
FLOOD = 20_000
NO_FLOWS = struct.pack("!HH4x", 1, 0)
ZERO_ELEMENT = bytes.fromhex("0600000c00000000 00010000")


def flood(peer: Peer, kind: int, body: bytes, times: int = FLOOD) -> None:
    """Send this many messages of a kind, and close."""
    message = struct.pack("!BBHI", 6, kind, 8 + len(body), 99) + body
    for _ in range(times // 100):
        peer.connection.sendall(message * 100)


def wait_for_dump(peer: Peer) -> int:
    """The transaction id of the flow dump request."""
    while True:
        kind, xid, body = peer.receive()
        if kind == MULTIPART_REQUEST and body[:2] == b"\0\1":
            return xid


def listen(peer: Peer) -> None:
    """Read, without a word, until the other side closes."""
    while True:
        peer.receive()


def closes(peer: Peer) -> None:
    peer.shake_hands()


def is_silent(peer: Peer) -> None:
    listen(peer)


def says_hello_badly(peer: Peer) -> None:
    peer.connection.sendall(ZERO_ELEMENT)
    listen(peer)


def answers_no_dump(peer: Peer) -> None:
    peer.shake_hands()
    listen(peer)


def answers_no_bundle(peer: Peer) -> None:
    peer.shake_hands()
    peer.send(MULTIPART_REPLY, NO_FLOWS, wait_for_dump(peer))
    listen(peer)


def dumps_ten_bytes(peer: Peer) -> None:
    peer.shake_hands()
    peer.send(MULTIPART_REPLY, b"\0\1", wait_for_dump(peer))
    listen(peer)


def dumps_for_ever(peer: Peer) -> None:
    peer.shake_hands()
    xid = wait_for_dump(peer)
    flows = b"".join(
        struct.pack("!H2xBxHHHHHQ", 40, 0, 100, 0, 0, 0, 0, 0x6468 << 48 | number)
        + bytes.fromhex("0001000400000000 8002000400000000")
        for number in range(1600)
    )
    while True:
        peer.send(MULTIPART_REPLY, struct.pack("!HH4x", 1, 1) + flows, xid)


def reports_errors(peer: Peer) -> None:
    peer.shake_hands()
    flood(peer, ERROR, struct.pack("!HH", 1, 1) + bytes(8))


def sends_packet_ins_that_are_none(peer: Peer) -> None:
    peer.shake_hands()
    flood(peer, 4, struct.pack("!II", 0x2320, 30) + b"\xff\xff\xff\xff")


def adds_ports(peer: Peer) -> None:
    peer.shake_hands()
    port = struct.pack("!IH2x6s2x16sII", 7, 40, bytes(6), b"tap7", 0, 0)
    flood(peer, PORT_STATUS, struct.pack("!B7x", 0) + port, 10 * FLOOD)


def confirms_what_nobody_asked(peer: Peer) -> None:
    peer.shake_hands()
    flood(peer, BUNDLE_CONTROL, struct.pack("!IHH", 9, 5, 3))


# What each does, and what is said of it (a pattern).
HOSTILE: dict[str, tuple[Callable[[Peer], None], str]] = {
    "closes": (closes, "br-closes: never got ready"),
    "silent": (is_silent, "br-silent.mgmt: no handshake within 10 s, trying again"),
    "hello": (says_hello_badly, "br-hello.mgmt: HELLO: an element of 0 bytes at offset 8 of 12"),
    "nodump": (answers_no_dump,
               "br-nodump: connection ended: no answer to a flow dump within 10 s"),
    "nobundle": (answers_no_bundle,
                 "br-nobundle: connection ended: no answer to a bundle within 10 s"),
    "short": (dumps_ten_bytes, "br-short: connection ended: flow dump: 10 bytes, expected 16"),
    # Or, on a slow machine, that 10 s have not brought its end.
    "endless": (dumps_for_ever, "br-endless: connection ended: (a|no answer to a) flow dump"),
    "errors": (reports_errors, r"br-errors: the switch reports OFPET_BAD_REQUEST\(1\) code 1"),
    "packets": (sends_packet_ins_that_are_none, "br-packets.mgmt: packet-in: "),
    "ports": (adds_ports, "br-ports: never got ready"),
    "commits": (confirms_what_nobody_asked, "br-commits: never got ready"),
}  # fmt: skip


FLOODING = ("errors", "packets")


class HostilePeer:
    """Does ``behave`` on each connection to ``path``, one after the other."""

    def __init__(self, path: Path, behave: Callable[[Peer], None]) -> None:
        self._behave = behave
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._peer: Peer | None = None
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        self.connections = 0

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            self._peer = Peer(connection, None)
            with contextlib.suppress(OSError, EOFError, struct.error):
                self._behave(self._peer)
            self._peer.close()

    def close(self) -> None:
        """Stop accepting; the connection that there is ends with the daemon's."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


def configuration(bridges: list[str]) -> str:
    networks = {
        f"on-{bridge}": {
            "bridge": bridge,
            "dhcpv4": {"cidr": "10.1.0.0/16"},
            "ports": {f"port-{bridge}": {"addresses": "02:00:00:00:01:01 10.1.0.5"}},
        }
        for bridge in bridges
    }
    networks["red"] = {
        "bridge": "br-int",
        "dhcpv4": {"cidr": "10.0.0.0/24"},
        "ports": {"red": {"addresses": f"{MAC} 10.0.0.5"}},
    }
    return yaml.safe_dump({"networks": networks})


def memory_mb(dhcpd: Dhcpd) -> float:
    """The most that the daemon has had resident."""
    status = Path(f"/proc/{dhcpd.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def threads(dhcpd: Dhcpd) -> int:
    return len(list(Path(f"/proc/{dhcpd.process.pid}/task").iterdir()))


class Asking:
    """A guest that asks, ten times a second, until told to stop."""

    def __init__(self, guest: Guest) -> None:
        self.times_s: list[float | None] = []  # until the answer; None: there was none
        self._guest = guest
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(30)

    def _ask(self) -> None:
        while not self._stopped.wait(0.1):
            start_s = time.monotonic()
            offer = self._guest.ask(request(DISCOVER, MAC), 5)
            self.times_s.append(time.monotonic() - start_s if offer else None)

    def shown(self) -> str:
        """Numbers to look at."""
        answered = sorted(each for each in self.times_s if each is not None)
        return (
            f"{len(answered)} of {len(self.times_s)} answered, median "
            f"{answered[len(answered) // 2] * 1000:.1f} ms, longest {answered[-1] * 1000:.0f} ms"
        )


@pytest.fixture(scope="module")
def guest(switch: PrivateOvs) -> Guest:
    """The one guest of br-int."""
    return switch.guest("red", MAC)


def all_said(log: str) -> bool:
    return all(re.search(said, log) for _, said in HOSTILE.values())


class Ordeal:
    """The daemon among all of them, for SECONDS, or until all is said."""

    def __init__(self, switch: PrivateOvs, guest: Guest) -> None:
        peers = {
            name: HostilePeer(switch.run_dir / f"br-{name}.mgmt", behave)
            for name, (behave, _) in HOSTILE.items()
        }
        bridges = [f"br-{name}" for name in HOSTILE]
        with Dhcpd(switch, configuration(["br-int"])) as dhcpd:
            dhcpd.wait_for_flows(guest)
            before_mb = memory_mb(dhcpd)
            dhcpd.reconfigure(configuration(bridges))
            with Asking(guest) as asking:
                time.sleep(SECONDS)
                with contextlib.suppress(LabError):  # each has a test that tells
                    wait_until(lambda: all_said(dhcpd.log()), "all to be said", MORE_SECONDS)
                self.appctl = dhcpd.appctl("bindings/show")
            self.asking = asking
            self.grown_mb = memory_mb(dhcpd) - before_mb
            self.log = dhcpd.log()
            self.connections = {name: peer.connections for name, peer in peers.items()}
            self.status = dhcpd.process.status
        for peer in peers.values():
            peer.close()

    def lines(self, name: str) -> list[str]:
        """What is said of this peer's bridge."""
        return [line for line in self.log.splitlines() if f"br-{name}" in line]


@pytest.fixture(scope="module")
def ordeal(switch: PrivateOvs, guest: Guest) -> Ordeal:
    """It has happened."""
    return Ordeal(switch, guest)


def test_the_guest_of_another_bridge_is_served_all_the_time(ordeal: Ordeal) -> None:
    print(ordeal.asking.shown())
    assert ordeal.status is None
    assert "red" in ordeal.appctl
    assert None not in ordeal.asking.times_s
    assert len(ordeal.asking.times_s) > 20
    assert "Traceback" not in ordeal.log


def test_memory_and_disk_are_bounded(ordeal: Ordeal) -> None:
    lines = sum(len(ordeal.lines(name)) for name in HOSTILE)
    print(f"{ordeal.grown_mb:.0f} MB more, {lines} lines, connections: {ordeal.connections}")
    assert ordeal.grown_mb < MAX_GROWTH_MB
    assert lines < MAX_LINES


@pytest.mark.parametrize("name", HOSTILE)
def test_what_each_does_is_said_and_it_is_tried_again(ordeal: Ordeal, name: str) -> None:
    lines = "\n".join(ordeal.lines(name))
    print(lines)
    # These have a rate of one a second; of "endless" there are two reasons, each said once.
    most = 10 + SECONDS + MORE_SECONDS if name in FLOODING else 2 if name == "endless" else 1
    assert 1 <= len(re.findall(HOSTILE[name][1], lines)) <= most
    assert 2 <= ordeal.connections[name] <= 12


def test_serving_only_it_is_no_different(switch: PrivateOvs) -> None:
    peer = HostilePeer(switch.run_dir / "br-away.mgmt", closes)
    with ServeOnly(switch, "--bridge", "br-away") as daemon:
        wait_until(lambda: peer.connections > 1, "another try")
        time.sleep(5)
        lines = daemon.log().count("br-away")
    peer.close()
    print(f"{peer.connections} connections, {lines} lines")
    assert peer.connections <= 8
    assert lines <= 6


# -- --listen


@pytest.fixture
def listening(switch: PrivateOvs, guest: Guest) -> Iterator[Dhcpd]:
    listen_on = ("--listen", f"tcp:127.0.0.1:{PORT}")
    with Dhcpd(switch, configuration([]), *listen_on, "--cleanup") as dhcpd:
        wait_until(lambda: "listening" in dhcpd.log(), "the socket")
        yield dhcpd
        switch.vsctl("del-controller", switch.bridge)


def connect(switch: PrivateOvs) -> socket.socket:
    with switch.namespace.entered():
        return socket.create_connection(("127.0.0.1", PORT), timeout=20)


def set_controller(switch: PrivateOvs, protocol: str = "tcp") -> None:
    switch.vsctl("set", "bridge", switch.bridge, "protocols=OpenFlow13,OpenFlow15",
                 "fail-mode=secure")  # fmt: skip
    switch.vsctl("set-controller", switch.bridge, f"{protocol}:127.0.0.1:{PORT}")


def is_served(guest: Guest) -> bool:
    return guest.ask(request(DISCOVER, MAC), 5) is not None


def test_thousands_of_idle_connections_keep_no_switch_out(
    switch: PrivateOvs, guest: Guest, listening: Dhcpd
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = 5000 if hard == resource.RLIM_INFINITY else min(5000, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 500), hard))
    idle: list[socket.socket] = []
    try:
        before = threads(listening)
        idle += [connect(switch) for _ in range(count)]
        during = threads(listening)
        set_controller(switch)
        wait_ready(listening)
        assert is_served(guest)
        print(f"{count} idle connections: {during - before} threads more")
        assert during - before <= 2
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert listening.log().count("without a handshake") < 50


@pytest.mark.parametrize(
    "said",
    [
        ZERO_ELEMENT,
        b"\6\0\0\x08\0\0\0\1" + struct.pack("!BBHI", 6, FEATURES_REPLY, 12, 0) + bytes(4),
        b"\x16\3\1\0\xa5\1\0\0\xa1\3\3" + bytes(160),
    ],
    ids=["HELLO", "FEATURES_REPLY", "TLS"],
)
def test_malformed_messages_cost_no_processor_and_no_memory(
    switch: PrivateOvs, guest: Guest, listening: Dhcpd, said: bytes
) -> None:
    set_controller(switch)
    wait_ready(listening)
    before_mb, before_s = memory_mb(listening), listening.process.cpu_s()
    for _ in range(5):
        with contextlib.suppress(OSError), connect(switch) as connection:
            connection.sendall(said)
    time.sleep(2)
    used_s = listening.process.cpu_s() - before_s
    print(f"{used_s:.2f} s of processor, {memory_mb(listening) - before_mb:.1f} MB")
    assert used_s < 1.5  # a loop has 2 s
    assert memory_mb(listening) - before_mb < 50
    assert is_served(guest)


def test_a_switch_that_lies_after_its_handshake_is_sent_away(
    switch: PrivateOvs, guest: Guest, listening: Dhcpd
) -> None:
    set_controller(switch)
    wait_ready(listening)
    for number in range(200):
        with contextlib.suppress(OSError, EOFError):
            peer = Peer(connect(switch))
            peer.send(HELLO)
            peer.shake_hands(number + 1)
            peer.is_ended()
            peer.close()
    lines = [line for line in listening.log().splitlines() if "expected" in line]
    print(f"{len(lines)} lines for 200 strangers")
    assert 1 <= len(lines) < 100
    assert is_served(guest)


@pytest.mark.needs("openssl")
def test_tls_takes_a_certificate_of_the_client(
    switch: PrivateOvs, guest: Guest, keys: dict[str, str]
) -> None:
    switch.vsctl("set-ssl", keys["--private-key"], keys["--certificate"], keys["--ca-cert"])
    tls = [word for pair in keys.items() for word in pair]
    listen_on = ("--listen", f"ssl:127.0.0.1:{PORT}", *tls)
    with Dhcpd(switch, configuration([]), *listen_on, "--cleanup") as dhcpd:
        wait_until(lambda: "listening" in dhcpd.log(), "the socket")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            pytest.raises(ssl.SSLError, match=r"(?i)certificate.required"),
            context.wrap_socket(connect(switch)) as without,
        ):
            without.recv(1)
        wait_until(lambda: "peer did not return a certificate" in dhcpd.log().lower(), "a line")
        idle = [connect(switch) for _ in range(100)]  # none of which begins with TLS
        set_controller(switch, "ssl")
        wait_ready(dhcpd)
        assert is_served(guest)
        for connection in idle:
            connection.close()
        switch.vsctl("del-controller", switch.bridge)


# -- coming back


def test_a_switch_that_comes_back_after_long_is_served_at_once(
    switch: PrivateOvs, guest: Guest
) -> None:
    with Dhcpd(switch, configuration([])) as dhcpd:
        dhcpd.wait_for_flows(guest)
        switch.processes["ovs-vswitchd"].stop()
        time.sleep(AWAY_S)
        said = dhcpd.log().count("br-int.mgmt")
        switch.start_vswitchd()
        wait_until(lambda: can_connect(switch.run_dir / "br-int.mgmt"), "the bridge", 30)
        start_s = time.monotonic()
        wait_ready(dhcpd, 2)
        took_s = time.monotonic() - start_s
        print(f"ready {took_s * 1000:.0f} ms after the socket; {said} lines meanwhile")
        assert took_s < 5  # 0.3 on a machine of its own; a back-off had up to 8
        assert said <= 2
        wait_until(lambda: is_served(guest), "an answer")


def test_a_bridge_that_is_made_anew_is_served_at_once(switch: PrivateOvs, guest: Guest) -> None:
    with Dhcpd(switch, configuration([])) as dhcpd:
        dhcpd.wait_for_flows(guest)
        switch.vsctl("del-br", switch.bridge)
        time.sleep(AWAY_S)
        start_s = time.monotonic()
        switch.add_bridge(switch.bridge)
        switch.plug(guest.port, guest.iface_id)
        made_s = time.monotonic()
        wait_until(lambda: dhcpd.serves(guest), "its flows")
        took_s = time.monotonic() - made_s
        print(f"made in {(made_s - start_s) * 1000:.0f} ms, flows {took_s * 1000:.0f} ms after")
        assert took_s < 5
        assert is_served(guest)


def test_a_daemon_that_is_killed_and_started_again_serves(switch: PrivateOvs, guest: Guest) -> None:
    dhcpd = Dhcpd(switch, configuration([]))
    for _ in range(2):
        dhcpd.start()
        dhcpd.wait_for_flows(guest)
        assert is_served(guest)
        dhcpd.stop(signal.SIGKILL)


def can_connect(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0
