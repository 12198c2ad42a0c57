# SPDX-License-Identifier: Apache-2.0
"""Every frozen packet is resumed exactly once: answered, or as if we were not there."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.lab import packets, reference
from tests.lab.daemon import Dhcpd, wait_ready
from tests.lab.guest import Guest
from tests.lab.openflow import OPENFLOW
from tests.lab.packets import (
    DECLINE,
    DISCOVER,
    INFORM,
    OFFER,
    RELEASE,
    REQUEST,
    option,
    request,
)
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

MAX_MTU = 65_535
MAC, ADDRESS = reference.MAC, str(reference.ADDRESS)


@pytest.fixture(scope="module", params=OPENFLOW)
def dhcpd(
    request: pytest.FixtureRequest, switch: PrivateOvs, guest: Guest, neighbour: Guest
) -> Iterator[Dhcpd]:
    configuration = reference.configuration(arp_responder=True, rate_limit="none")
    with Dhcpd(switch, configuration, "--openflow", request.param, "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(guest)
        wait_ready(dhcpd)
        yield dhcpd


def flooded(
    neighbour: Guest, send: Callable[[], None], expected: int, quiet_s: float = 0.4
) -> Counter[bytes]:
    """The frames that arrive at the neighbour after ``send()``, until nothing more comes."""
    seen: Counter[bytes] = Counter()
    with neighbour.raw() as raw:
        send()
        while sum(seen.values()) <= expected:
            frame = raw.receive(quiet_s, lambda frame: frame[12:14] != b"\x86\xdd")
            if frame is None:
                break
            seen[frame] += 1
    return seen


@pytest.fixture
def giant(switch: PrivateOvs, guest: Guest) -> Iterator[Guest]:
    """The guest, with a cable that carries any frame, as a virtual machine's tap does."""
    before = guest.namespace.run("cat", "/sys/class/net/eth0/mtu").strip()
    for mtu in (str(MAX_MTU), before):
        guest.namespace.ip("link", "set", "eth0", "mtu", mtu)
        switch.vsctl("set", "interface", guest.port, f"mtu_request={mtu}")
        if mtu != before:
            yield guest


not_with_kernel = pytest.mark.not_in_test_kernel("it hands up no frame of more than 65,531 bytes")


@pytest.mark.parametrize(
    "size", [65_400, 65_500, pytest.param(MAX_MTU + 14, marks=not_with_kernel)]
)
def test_what_is_in_a_frame_that_openflow_cannot_say_the_length_of_is_not_read_as_messages(
    giant: Guest, dhcpd: Dhcpd, size: int
) -> None:
    """Open vSwitch sends the packet-in whole, and the lower 16 bits of its length."""

    def counted() -> int:
        found = re.search(r"malformed packet-in +(\d+)", dhcpd.appctl("stats/show"))
        return int(found[1]) if found else 0

    before = counted()
    frame = request(DISCOVER, MAC)
    with giant.raw() as raw:
        raw.send(frame + bytes(size - len(frame)))
    wait_until(lambda: counted() == before + 1, "the long packet-in to be counted")
    assert giant.ask(request(DISCOVER, MAC, xid=size))
    assert "connection ended" not in dhcpd.log()


def test_discover_and_request_are_answered_through_the_bridge(guest: Guest, dhcpd: Dhcpd) -> None:
    offer = guest.reply(request(DISCOVER, MAC, xid=7))
    assert (offer.message, offer.yiaddr, offer.eth_dst) == (OFFER, ADDRESS, MAC)
    assert (offer.eth_src, offer.ip_src) == (reference.SERVER_MAC, "192.168.1.1")
    assert (offer.sport, offer.dport, offer.ip_dst) == (67, 68, ADDRESS)
    ack = guest.reply(
        request(REQUEST, MAC, option(50, ADDRESS), option(54, "192.168.1.1"), broadcast=True)
    )
    assert ack.message == packets.ACK
    assert (ack.eth_dst, ack.ip_dst) == ("ff:ff:ff:ff:ff:ff", "255.255.255.255")


def test_a_nak_is_broadcast(guest: Guest, dhcpd: Dhcpd) -> None:
    nak = guest.reply(request(REQUEST, MAC, option(50, "192.168.1.77")))
    assert nak.message == packets.NAK
    assert (nak.eth_dst, nak.ip_dst) == ("ff:ff:ff:ff:ff:ff", "255.255.255.255")


def test_renewing_is_answered_by_unicast(guest: Guest, dhcpd: Dhcpd) -> None:
    ack = guest.reply(
        request(
            REQUEST, MAC, ciaddr=ADDRESS, ip_src=ADDRESS, ip_dst="192.168.1.1",
            eth_dst=reference.SERVER_MAC,
        )
    )  # fmt: skip
    assert (ack.message, ack.ip_dst, ack.ciaddr) == (packets.ACK, ADDRESS, ADDRESS)


def test_the_dump_reads_as_ovns_and_counts_first_requests_and_renewals_apart(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    """As somebody looks for them who knows OVN: dump-flows, and grep."""

    def seen(*words: str) -> int:
        dump = switch.ofctl("dump-flows", switch.bridge).splitlines()
        (flow,) = [flow for flow in dump if all(word in flow for word in ("ea:fd", *words))]
        return int(flow.partition("n_packets=")[2].partition(",")[0])

    def counts() -> tuple[int, int, int]:
        switch.appctl("revalidator/purge")  # what is counted in the datapath alone, too
        return (
            seen("67", "68", "0.0.0.0", "tp_src=68,tp_dst=67"),
            seen("priority=99", "nw_dst=192.168.1.1,tp_dst=67"),
            seen("priority=99", "nw_dst=255.255.255.255,tp_dst=67"),
        )

    def wait_for(*expected: int) -> None:
        wait_until(lambda: counts() == expected, f"the counters to be {expected}")

    first, renewing, rebinding = counts()
    guest.reply(request(DISCOVER, MAC))
    wait_for(first + 1, renewing, rebinding)
    guest.reply(request(REQUEST, MAC, ciaddr=ADDRESS, ip_src=ADDRESS, ip_dst="192.168.1.1"))
    wait_for(first + 1, renewing + 1, rebinding)
    nak = guest.reply(request(REQUEST, MAC, ciaddr="10.9.9.9", ip_src="10.9.9.9"))
    assert nak.message == packets.NAK
    wait_for(first + 1, renewing + 1, rebinding + 1)


def test_a_relays_request_is_answered_to_its_port_67(guest: Guest, dhcpd: Dhcpd) -> None:
    offer = guest.reply(
        request(DISCOVER, MAC, option(82, b"\1\3abc"), giaddr="192.168.1.9", sport=67, hops=1)
    )
    assert (offer.dport, offer.ip_dst, offer.giaddr) == (67, "192.168.1.9", "192.168.1.9")
    assert offer.options[-1] == (82, b"\1\3abc")


def test_a_tagged_request_is_another_networks_and_goes_on(
    guest: Guest, neighbour: Guest, dhcpd: Dhcpd
) -> None:
    frame = request(DISCOVER, MAC, xid=0x77)
    tagged = frame[:12] + bytes.fromhex("8100006f") + frame[12:]
    with guest.raw() as raw:
        # A raw socket shows a tag that the kernel has taken off only beside the frame.
        assert flooded(neighbour, lambda: raw.send(tagged), 1) == {frame: 1}
        assert not raw.receive(0.1, lambda found: b"\0\0\0\x77" in found)


def test_arp_for_the_server_is_answered(guest: Guest, dhcpd: Dhcpd) -> None:
    ask = bytes.fromhex(
        "ffffffffffff" + MAC.replace(":", "") + "0806" "0001080006040001"
        + MAC.replace(":", "") + "c0a80107" + "000000000000" + "c0a80101"
    )  # fmt: skip
    with guest.raw() as raw:
        raw.send(ask)
        answer = raw.receive(5, lambda f: f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2")
    server, mac = reference.SERVER_MAC.replace(":", ""), MAC.replace(":", "")
    expected = mac + server + "08060001080006040002" + server + "c0a80101" + mac + "c0a80107"
    assert answer is not None
    assert answer[:42].hex() == expected


@pytest.mark.parametrize(
    "frame",
    [
        request(DECLINE, MAC, option(50, ADDRESS), option(54, "192.168.1.1")),
        request(RELEASE, MAC, option(54, "192.168.1.1"), ciaddr=ADDRESS),
        request(REQUEST, MAC, option(50, ADDRESS), option(54, "192.168.1.250")),
        request(OFFER, MAC),
        request(INFORM, MAC),
        request(99, MAC),
        request(DISCOVER, MAC, chaddr="02:de:ad:be:ef:01"),
        request(DISCOVER, MAC)[:120],
    ],
    ids=["decline", "release", "other-server", "offer", "inform", "type-99", "spoof", "cut"],
)
def test_what_is_not_answered_goes_on_once_and_unchanged(
    neighbour: Guest, guest: Guest, dhcpd: Dhcpd, frame: bytes
) -> None:
    with guest.raw() as raw:
        seen = flooded(neighbour, lambda: raw.send(frame), 1)
        assert raw.receive(0.1, lambda f: f[:6].hex(":") == MAC) is None
    assert seen == {frame: 1}


def test_an_answered_packet_does_not_go_on(neighbour: Guest, guest: Guest, dhcpd: Dhcpd) -> None:
    with guest.raw() as raw:
        assert not flooded(neighbour, lambda: raw.send(request(DISCOVER, MAC)), 0)


def test_userdata_that_is_broken_or_of_others_does_not_keep_a_packet(
    switch: PrivateOvs, neighbour: Guest, guest: Guest, dhcpd: Dhcpd
) -> None:
    frame = request(DISCOVER, neighbour.mac)
    in_port = switch.ofport(neighbour.port)
    for userdata in ("00.00.00.02.00.00", "00.00.00.07.00.00.00.00.01", "ff", "00.00.00.02"):
        flow = f"in_port={in_port},udp,actions=controller(userdata={userdata},pause),NORMAL"
        switch.ofctl("add-flow", switch.bridge, f"cookie=0x5,priority=500,{flow}")
        with neighbour.raw() as raw:
            seen = flooded(guest, partial(raw.send, frame), 1)
        switch.ofctl("del-flows", switch.bridge, "cookie=0x5/-1")
        assert seen == {frame: 1}, userdata


@pytest.mark.not_in_test_kernel("it is the daemon that reads 3,000 requests, and no datapath")
def test_thousands_of_damaged_requests_lose_nothing_and_good_clients_are_served(
    neighbour: Guest, guest: Guest, dhcpd: Dhcpd
) -> None:
    """Damage anything behind the UDP ports: the packet is answered, or goes on as it was."""
    began_s = time.monotonic()
    chance = random.Random(20260101)
    good = [
        request(DISCOVER, MAC, option(55, bytes(range(1, 60))), option(57, b"\2\x40")),
        request(REQUEST, MAC, option(50, ADDRESS), option(61, b"\1" + bytes(6))),
        request(REQUEST, MAC, option(50, "192.168.1.77"), option(82, b"\1\1x")),
        request(INFORM, MAC, ciaddr=ADDRESS, ip_src=ADDRESS),
    ]
    answered_before = sum(guest.ask(frame) is not None for frame in good)
    assert answered_before == len(good)
    sent: Counter[bytes] = Counter()
    arrived: Counter[bytes] = Counter()
    answers = 0
    with guest.raw() as raw, neighbour.raw() as other:
        for number in range(3000):
            frame = bytearray(chance.choice(good))
            frame[46:50] = number.to_bytes(4, "big")
            for _ in range(chance.randint(1, 6)):
                frame[chance.randrange(42, len(frame))] = chance.randrange(256)
            if chance.random() < 0.3:  # cut, with lengths that say so
                del frame[chance.randrange(43, len(frame)) :]
                frame[16:18] = (len(frame) - 14).to_bytes(2, "big")
                frame[38:40] = (len(frame) - 34).to_bytes(2, "big")
                frame[24:26] = b"\0\0"
                total = sum(int.from_bytes(frame[at : at + 2], "big") for at in range(14, 34, 2))
                while total >> 16:
                    total = (total & 0xFFFF) + (total >> 16)
                frame[24:26] = (~total & 0xFFFF).to_bytes(2, "big")
            raw.send(bytes(frame))
            sent[bytes(frame)] += 1
            while (seen := other.receive(0.0005, lambda f: f[12:14] == b"\x08\x00")) is not None:
                arrived[seen] += 1
            while raw.receive(0.0005, lambda f: f[12:14] == b"\x08\x00") is not None:
                answers += 1
        while (seen := other.receive(0.5, lambda f: f[12:14] == b"\x08\x00")) is not None:
            arrived[seen] += 1
        while raw.receive(0.2, lambda f: f[12:14] == b"\x08\x00") is not None:
            answers += 1
    assert all(frame in sent for frame in arrived), "a packet went on, but changed"
    assert not arrived - sent, "a packet went on twice"
    assert sum(arrived.values()) + answers == 3000
    assert answers > 100
    assert sum(guest.ask(frame) is not None for frame in good) == len(good)
    log = dhcpd.log()
    assert "Traceback" not in log
    assert "internal error" not in log
    # It is limited for each second: 20 lines of each message, and there are five kinds of these.
    assert log.count("\n") < max(1500, 100 * (time.monotonic() - began_s))
