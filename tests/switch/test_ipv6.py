# SPDX-License-Identifier: Apache-2.0
"""DHCPv6, router advertisements and neighbour advertisements through the bridge."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ovs_dhcpd.flows.pipeline.meter import meter_id

from tests.lab import nd, packets6, reference, reference6
from tests.lab.daemon import ROOT, Dhcpd, our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.nd import mac_option, neighbour_solicitation, router_solicitation
from tests.lab.openflow import OPENFLOW
from tests.lab.overreads6 import OVERREADS
from tests.lab.packets6 import (
    ADVERTISE,
    INFORMATION_REQUEST,
    REPLY,
    REQUEST,
    SOLICIT,
    USE_MULTICAST,
    duid_ll,
    frame_of,
    ia_na,
    option,
)
from tests.lab.process import run, wait_until
from tests.lab.switch import PrivateOvs

MAC, LLA = reference.MAC, reference6.LLA
SERVER_MAC, SERVER_LLA = reference.SERVER_MAC, reference6.SERVER_LLA
CLIENT_ID, SERVER_ID = option(1, duid_ll(MAC)), option(2, duid_ll(SERVER_MAC))
INFINITY = 0xFFFFFFFF


@pytest.fixture(scope="module", params=OPENFLOW)
def dhcpd(
    request: pytest.FixtureRequest, switch: PrivateOvs, guest: Guest, neighbour: Guest
) -> Iterator[Dhcpd]:
    configuration = reference6.configuration()
    with Dhcpd(switch, configuration, "--openflow", request.param, "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(guest)
        wait_ready(dhcpd)
        yield dhcpd


def dhcpv6(message: int, *options: bytes, **fields: Any) -> bytes:
    body = bytes((message,)) + b"\xab\xcd\xef" + b"".join(options)
    return frame_of(body, MAC, **{"ip_src": LLA, **fields})


def ask(guest: Guest, frame: bytes) -> packets6.Reply6:
    """The reply to a DHCPv6 message, with all checksums right; fails if there is none."""
    with guest.raw() as raw:
        raw.send(frame)
        reply = raw.receive(3, lambda f: f[12:14] == b"\x86\xdd" and f[20] == 17)
    assert reply, "no reply"
    return packets6.parse_reply(reply)


def ask_nd(guest: Guest, frame: bytes, kind: int) -> bytes:
    """The Neighbor Discovery message that comes back; fails if there is none."""
    with guest.raw() as raw:
        raw.send(frame)
        reply = raw.receive(3, lambda f: nd.is_nd(f, kind) and f[6:12] != frame[6:12])
    assert reply, "no answer"
    return reply


def arrived(other: Guest, frame: bytes, send: Callable[[], None]) -> Counter[bytes]:
    """What comes to `other` after `send()` with the same addresses as `frame`."""
    seen: Counter[bytes] = Counter()
    with other.raw() as raw:
        send()
        while got := raw.receive(0.4, lambda f: f[:14] == frame[:14] and f[20] == frame[20]):
            seen[got] += 1
    return seen


def test_solicit_and_request_are_answered_through_the_bridge(guest: Guest, dhcpd: Dhcpd) -> None:
    advertise = ask(guest, dhcpv6(SOLICIT, CLIENT_ID, ia_na(0)))
    assert (advertise.message, advertise.xid) == (ADVERTISE, b"\xab\xcd\xef")
    assert (advertise.eth_src, advertise.eth_dst) == (SERVER_MAC, MAC)
    assert (advertise.ip_src, advertise.ip_dst) == (SERVER_LLA, LLA)
    assert (advertise.sport, advertise.dport) == (547, 546)
    assert advertise.option(2) == duid_ll(SERVER_MAC)
    reply = ask(guest, dhcpv6(REQUEST, CLIENT_ID, SERVER_ID, ia_na(0)))
    lease = (str(reference6.ADDRESS), INFINITY, INFINITY)
    assert reply.message == REPLY
    assert [ia.leases for ia in advertise.ias] == [ia.leases for ia in reply.ias] == [(lease,)]


def test_messages_longer_than_they_are_are_answered_or_go_on_as_they_were(
    neighbour: Guest, guest: Guest, dhcpd: Dhcpd
) -> None:
    frames = {frame_of(each.message, MAC, ip_src=LLA): each for each in OVERREADS.values()}
    answers = 0

    def send() -> None:
        nonlocal answers
        with guest.raw() as raw:
            for frame, each in frames.items():
                raw.send(frame)
                answers += not each.silence
            for _ in range(answers):
                reply = raw.receive(3, lambda f: f[12:14] == b"\x86\xdd" and f[20] == 17)
                assert reply, "no reply"
                assert packets6.parse_reply(reply).message == ADVERTISE

    seen = arrived(neighbour, next(iter(frames)), send)
    assert answers
    assert seen == {frame: 1 for frame, each in frames.items() if each.silence}


def test_a_message_by_unicast_is_told_to_use_multicast(guest: Guest, dhcpd: Dhcpd) -> None:
    frame = dhcpv6(REQUEST, CLIENT_ID, SERVER_ID, ia_na(0), ip_dst=SERVER_LLA, eth_dst=SERVER_MAC)
    reply = ask(guest, frame)
    assert (reply.message, reply.status) == (REPLY, USE_MULTICAST)


def test_a_router_solicitation_is_answered_to_its_sender(guest: Guest, dhcpd: Dhcpd) -> None:
    frame = ask_nd(guest, router_solicitation(MAC, LLA, mac_option(1, MAC)), nd.RA)
    message = bytes.fromhex("8600 0000 ff80 0000 00000000 00000000") + (
        mac_option(1, SERVER_MAC)
        + bytes.fromhex("0501 0000 000005a2")
        + bytes.fromhex("0304 4080 ffffffff ffffffff 00000000")
        + reference6.CIDR.network_address.packed
    )
    assert frame == nd.icmp6(
        message, eth_src=SERVER_MAC, eth_dst=MAC, ip_src=SERVER_LLA, ip_dst=LLA
    )


def test_a_host_without_an_address_is_answered_at_the_address_of_all_nodes(
    guest: Guest, dhcpd: Dhcpd
) -> None:
    frame = ask_nd(guest, router_solicitation(MAC, "::"), nd.RA)
    assert frame[:6].hex(":") == nd.ALL_NODES_MAC
    assert frame == nd.icmp6(
        frame[54:], eth_src=SERVER_MAC, eth_dst=nd.ALL_NODES_MAC,
        ip_src=SERVER_LLA, ip_dst=nd.ALL_NODES,
    )  # fmt: skip


SOLICITED, UNSOLICITED = "e0000000", "a0000000"  # router and override, with and without solicited


@pytest.mark.parametrize(
    ("source", "options", "flags", "destination"),
    [
        (LLA, mac_option(1, MAC), SOLICITED, (MAC, LLA)),
        ("::", b"", UNSOLICITED, (nd.ALL_NODES_MAC, nd.ALL_NODES)),
        # Linux sends a nonce with it (RFC 7527)
        ("::", b"\x0e\1nonce!", UNSOLICITED, (nd.ALL_NODES_MAC, nd.ALL_NODES)),
    ],
    ids=["resolution", "probe", "probe-with-nonce"],
)  # fmt: skip
def test_a_neighbour_solicitation_for_the_server_is_answered(
    guest: Guest,
    dhcpd: Dhcpd,
    source: str,
    options: bytes,
    flags: str,
    destination: tuple[str, str],
) -> None:
    asked = neighbour_solicitation(MAC, source, SERVER_LLA, options)
    target = asked[62:78]
    assert ask_nd(guest, asked, nd.NA) == nd.icmp6(
        bytes.fromhex("88000000" + flags) + target + mac_option(2, SERVER_MAC),
        eth_src=SERVER_MAC, eth_dst=destination[0], ip_src=SERVER_LLA, ip_dst=destination[1],
    )  # fmt: skip


def test_a_probe_by_unicast_is_answered(guest: Guest, dhcpd: Dhcpd) -> None:
    message = bytes((nd.NS, 0)) + bytes(6) + neighbour_solicitation(MAC, LLA, SERVER_LLA)[62:78]
    probe = nd.icmp6(message, eth_src=MAC, eth_dst=SERVER_MAC, ip_src=LLA, ip_dst=SERVER_LLA)
    answer = ask_nd(guest, probe, nd.NA)
    assert answer == nd.icmp6(
        bytes.fromhex("88000000" + SOLICITED) + message[8:] + mac_option(2, SERVER_MAC),
        eth_src=SERVER_MAC, eth_dst=MAC, ip_src=SERVER_LLA, ip_dst=LLA,
    )  # fmt: skip


@pytest.mark.needs("ping")
def test_the_guest_itself_finds_the_server(guest: Guest, dhcpd: Dhcpd) -> None:
    wait_until(
        lambda: "tentative" not in guest.namespace.ip("-6", "address", "show", "dev", "eth0"),
        "the guest's address",
    )
    guest.namespace.ip("neighbour", "flush", "dev", "eth0")
    with guest.raw() as raw:  # nothing answers the echo request, but it makes the kernel ask
        guest.namespace.run("sh", "-c", f"ping -6 -c 1 -W 1 {SERVER_LLA}%eth0 || true")
        assert raw.receive(0.1, lambda f: nd.is_nd(f, nd.NA))
    shown = guest.namespace.ip("-6", "neighbour", "show", SERVER_LLA, "dev", "eth0")
    assert f"lladdr {SERVER_MAC} router REACHABLE" in shown


BAD_SUM = bytearray(router_solicitation(MAC, LLA))
BAD_SUM[56] ^= 1


@pytest.mark.parametrize(
    "frame",
    [
        dhcpv6(SOLICIT, ia_na(0)),
        dhcpv6(SOLICIT, CLIENT_ID, SERVER_ID, ia_na(0)),
        dhcpv6(REQUEST, CLIENT_ID, option(2, duid_ll(MAC)), ia_na(0)),
        dhcpv6(INFORMATION_REQUEST, CLIENT_ID, ia_na(0)),
        dhcpv6(REPLY, CLIENT_ID),
        dhcpv6(12, b"\0" * 30),
        dhcpv6(SOLICIT, CLIENT_ID)[:63],
        router_solicitation(MAC, "::", mac_option(1, MAC)),
        router_solicitation(MAC, LLA, b"\1\0"),
        router_solicitation(MAC, LLA, hop_limit=64),
        bytes(BAD_SUM),
        neighbour_solicitation(MAC, LLA, "fe80::1", mac_option(1, MAC)),
    ],
    ids=[
        "no-client-id", "solicit-server-id", "other-server", "information-ia", "reply", "relay",
        "cut", "rs-unspecified-slla", "rs-bad-option", "rs-forwarded", "rs-checksum", "ns-other",
    ],
)  # fmt: skip
def test_what_is_not_answered_goes_on_once_and_unchanged(
    neighbour: Guest, guest: Guest, dhcpd: Dhcpd, frame: bytes
) -> None:
    with guest.raw() as raw:
        seen = arrived(neighbour, frame, lambda: raw.send(frame))
        assert raw.receive(0.1, lambda f: f[6:12].hex(":") == SERVER_MAC) is None
    assert seen == {frame: 1}


@pytest.mark.parametrize(
    "frame",
    [
        dhcpv6(SOLICIT, CLIENT_ID, ia_na(1)),
        router_solicitation(MAC, LLA),
        neighbour_solicitation(MAC, LLA, SERVER_LLA, mac_option(1, MAC)),
    ],
    ids=["solicit", "rs", "ns"],
)
def test_an_answered_packet_does_not_go_on(
    neighbour: Guest, guest: Guest, dhcpd: Dhcpd, frame: bytes
) -> None:
    with guest.raw() as raw:
        assert not arrived(neighbour, frame, lambda: raw.send(frame))


def test_flows_prints_what_the_bridge_shows(switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd) -> None:
    ofport = switch.ofport(guest.port)
    command = [sys.executable, "-m", "ovs_dhcpd", "flows", dhcpd.configuration_file,
               "--ofport", f"{guest.iface_id}={ofport}"]  # fmt: skip
    printed = run(command, env={"PYTHONPATH": str(ROOT)})
    # ovs-ofctl speaks OpenFlow 1.0 by itself, which has no meters.
    lines = printed.replace(f"meter:{meter_id(ofport)},", "").splitlines()
    dump = ["ovs-ofctl", "--no-stats", "--no-names", "dump-flows", switch.bridge]
    shown = run(dump, env=switch.environment).splitlines()
    assert sorted(lines) == sorted(line.strip() for line in shown if "cookie=0x6468" in line)


def test_what_flows_prints_can_be_fed_to_ovs_ofctl(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    def dump() -> list[str]:
        command = ["ovs-ofctl", "--no-stats", "--no-names", "dump-flows", switch.bridge]
        lines = run(command, env=switch.environment).replace("reset_counts ", "").splitlines()
        return sorted(line.strip() for line in lines if "cookie=0x6468" in line)

    before, ours = our_flows(switch), dump()
    run(["ovs-ofctl", "add-flows", switch.bridge, "-"], env=switch.environment,
        stdin="\n".join(ours))  # fmt: skip
    # What it cannot say, the meters, the daemon puts back.
    wait_until(lambda: dump() == ours, "the same flows")
    ask(guest, dhcpv6(SOLICIT, CLIENT_ID, ia_na(0)))
    assert len(our_flows(switch)) == len(before)


def is_to_all(frame: bytes) -> bool:
    """A router advertisement that does not answer the guest's kernel."""
    return nd.is_nd(frame, nd.RA) and frame[:6].hex(":") == nd.ALL_NODES_MAC


def test_unsolicited_advertisements_come_while_they_are_asked_for(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    """The first two, and none when they are no longer wanted."""
    expected = nd.icmp6(
        bytes.fromhex("8600 0000 ff80 0000 00000000 00000000")
        + mac_option(1, SERVER_MAC)
        + bytes.fromhex("0501 0000 000005a2")
        + bytes.fromhex("0304 4080 ffffffff ffffffff 00000000")
        + reference6.CIDR.network_address.packed,
        eth_src=SERVER_MAC, eth_dst=nd.ALL_NODES_MAC, ip_src=SERVER_LLA, ip_dst=nd.ALL_NODES,
    )  # fmt: skip
    with guest.raw() as raw:
        dhcpd.reconfigure(reference6.configuration(ra={"interval": [3, 4]}))
        assert [raw.receive(9, is_to_all) for _ in range(2)] == [expected] * 2
        dhcpd.reconfigure(reference6.configuration())
        wait_until(lambda: dhcpd.log().count("read again") == 2, "the file to be read")
        assert raw.receive(4.5, is_to_all) is None


def test_unsolicited_advertisements_follow_the_port(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    before = switch.ofport(guest.port)
    dhcpd.reconfigure(reference6.configuration(ra={"interval": [1350, 1800]}))
    with guest.raw() as raw:
        assert raw.receive(4, is_to_all)
        switch.unplug(guest.port)
        wait_until(lambda: f"in_port={before}," not in " ".join(our_flows(switch)), "no flows")
        switch.plug(guest.port, guest.iface_id, ofport=before + 70)
        assert raw.receive(9, is_to_all)
    assert "ND_RA unsolicited" in dhcpd.appctl("stats/show")
    assert "the switch reports" not in dhcpd.log()
