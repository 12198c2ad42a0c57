# SPDX-License-Identifier: Apache-2.0
"""We answer for ovn-controller's flows while it is away, and it answers for ours."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address
from pathlib import Path

import pytest
import yaml

from tests.lab import nd, packets, packets6, reference, reference6
from tests.lab.clients import Udhcpc
from tests.lab.clients6 import Dhclient6
from tests.lab.daemon import ROOT, ServeOnly
from tests.lab.guest import Guest
from tests.lab.ovn import PrivateOvn
from tests.lab.packets import DISCOVER
from tests.lab.process import PATIENCE, run

MAC, SERVER_MAC = reference.MAC, reference.SERVER_MAC
ROUTER_MAC = "0a:00:00:00:00:01"
NETWORK = "finance-network1"


@pytest.fixture(scope="module")
def guest(ovn: PrivateOvn) -> Guest:
    """The reference port, programmed by OVN: DHCPv4, DHCPv6 and a router that advertises."""
    guest = reference.guest(ovn)
    addresses = f"{MAC} {reference.ADDRESS} {reference6.ADDRESS}"
    dhcpv4 = {"server_id": str(reference.SERVER_ID), "server_mac": SERVER_MAC,
              "lease_time": str(reference.LEASE_TIME_S), "mtu": str(reference.MTU)}  # fmt: skip
    dhcpv6 = {"server_id": SERVER_MAC, "dns_server": str(reference6.DNS_SERVER)}
    ovn.nbctl("ls-add", NETWORK)
    ovn.dhcp_port(NETWORK, reference.PORT, addresses, str(reference.CIDR), dhcpv4)
    ovn.dhcp_port(NETWORK, reference.PORT, addresses, str(reference6.CIDR), dhcpv6, family=6)
    ovn.nbctl("lr-add", "router")
    ra = {"address_mode": "dhcpv6_stateful", "mtu": str(reference.MTU)}
    ovn.router_port("router", "gateway", ROUTER_MAC, ["192.168.1.254/24", "fd00:1::fe/64"], ra)
    ovn.connect(NETWORK, "gateway")
    ovn.sync()
    return guest


@pytest.fixture
def deputy(ovn: PrivateOvn, guest: Guest) -> Iterator[ServeOnly]:
    """The daemon that serves only; ovn-controller has stopped and its flows are there."""
    ovn.stop_ovn_controller()
    with ServeOnly(ovn) as deputy:
        deputy.wait_until("active")
        yield deputy
    if ovn.processes["ovn-controller"].status is not None:
        ovn.start_ovn_controller()
        ovn.sync()


def answers(guest: Guest, count: int = 5) -> list[int]:
    """Send this many requests; which of them each reply was for, in order."""
    requests = [packets.request(DISCOVER, MAC, xid=number) for number in range(count)]
    found: list[int] = []

    def note(frame: bytes) -> bool:
        reply = packets.parse_reply(frame)
        if reply:
            found.append(reply.xid)
        return False

    with guest.raw() as raw:
        for request in requests:
            raw.send(request)
        raw.receive(1.0 * PATIENCE, note)
    return sorted(found)


def answer(guest: Guest, question: bytes, fits: Callable[[bytes], object]) -> bytes | None:
    """The first frame that comes back and fits."""
    with guest.raw() as raw:
        raw.send(question)
        return raw.receive(2.0 * PATIENCE, fits)


def said(deputy: ServeOnly, protocol: str) -> list[str]:
    """The messages of one protocol in its log; the guest's kernel solicits routers at any time."""
    return [message for message in deputy.messages() if message.startswith(protocol)]


@pytest.mark.needs("udhcpc")
def test_a_client_gets_and_renews_its_lease(
    ovn: PrivateOvn, guest: Guest, deputy: ServeOnly
) -> None:
    with Udhcpc(ovn, guest) as client:
        first = client.lease()
        client.renew()
        renewed = client.lease(2)
    for lease in (first, renewed):
        assert (lease.address, lease.server_id) == (reference.ADDRESS, reference.SERVER_ID)
        assert (lease.lease_time_s, lease.mtu) == (reference.LEASE_TIME_S, reference.MTU)
    who = f"{MAC} {reference.ADDRESS}"
    assert said(deputy, "DHCP") == [f"DHCPOFFER {who}", f"DHCPACK {who}", f"DHCPACK {who}"]


@pytest.mark.needs("dhclient")
def test_a_client_of_dhcpv6_gets_its_lease(
    ovn: PrivateOvn, guest: Guest, deputy: ServeOnly
) -> None:
    with Dhclient6(ovn, guest) as client:
        lease = client.lease()
    assert (lease.address, lease.dns_servers) == (reference6.ADDRESS, (reference6.DNS_SERVER,))
    who = f"{MAC} {reference6.ADDRESS}"
    assert said(deputy, "DHCPv6") == [f"DHCPv6 ADVERTISE {who}", f"DHCPv6 REPLY {who}"]


def test_a_router_solicitation_gets_the_answer_that_ovn_controller_gives(
    ovn: PrivateOvn, guest: Guest
) -> None:
    def solicit() -> bytes | None:
        question = nd.router_solicitation(MAC, reference6.LLA)
        return answer(guest, question, lambda frame: nd.is_nd(frame, nd.RA))

    theirs = solicit()
    ovn.stop_ovn_controller()
    with ServeOnly(ovn) as deputy:
        deputy.wait_until("active")
        ours = solicit()
    ovn.start_ovn_controller()
    ovn.sync()
    assert theirs
    assert ours == theirs


@pytest.fixture(scope="module")
def resolver(ovn: PrivateOvn, guest: Guest) -> Guest:
    """A DNS server in the network; OVN knows a name there, too."""
    resolver = ovn.guest("resolver", "02:00:00:00:00:53")
    addresses = f"{resolver.mac} 192.168.1.53"
    ovn.nbctl("lsp-add", NETWORK, "resolver", "--", "lsp-set-addresses", "resolver", addresses)
    row = ovn.nbctl("create", "DNS", 'records={"vm1.ovn.org"="192.168.1.7"}').strip()
    ovn.nbctl("set", "Logical_Switch", NETWORK, f"dns_records={row}")
    ovn.sync()
    return resolver


def test_dns_goes_on_to_its_server(ovn: PrivateOvn, guest: Guest, resolver: Guest) -> None:
    """It has dns_records, so OVN pauses all DNS of the switch."""
    name = b"\3www\7example\3org\0"
    query = b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1"
    frame = packets.udp_frame(MAC, resolver.mac, str(reference.ADDRESS), "192.168.1.53",
                              5300, 53, query)  # fmt: skip

    def arrives(timeout_s: float = 2.0 * PATIENCE) -> bool:
        with guest.raw() as asking, resolver.raw() as asked:
            asking.send(frame)
            return asked.receive(timeout_s, lambda each: each == frame) is not None

    assert arrives()
    ovn.stop_ovn_controller()
    assert not arrives(0.2)
    with ServeOnly(ovn) as deputy:
        deputy.wait_until("active")
        assert arrives()
        assert f"{'DNS_LOOKUP':<50} {1:>10}" in deputy.appctl("stats/show").splitlines()
        assert "DNS" not in deputy.log()
    ovn.start_ovn_controller()
    ovn.sync()


@pytest.mark.parametrize(
    ("userdata", "resumed"),
    [
        ("00.00.00.63.00.00.00.00", False),
        ("", False),
        ("00.00.00.02.00.00.00", True),  # ours, if only it could be read
    ],
)
def test_packets_with_another_opcode_are_left_frozen(
    ovn: PrivateOvn, guest: Guest, deputy: ServeOnly, userdata: str, resumed: bool
) -> None:
    """A packet that is resumed comes back, before the answer to the request that is sent next."""
    match = f"table=0,priority=65535,in_port={ovn.ofport(guest.port)},dl_type=0x88b5"
    action = f"controller({f'userdata={userdata},' if userdata else ''}pause),IN_PORT"
    probe = bytes.fromhex("ffffffffffff" + MAC.replace(":", "") + "88b5") + bytes(46)
    seen: list[bytes] = []

    def note(frame: bytes) -> bool:
        if frame == probe:
            seen.append(frame)
        return bool(packets.parse_reply(frame))

    ovn.ofctl("add-flow", ovn.bridge, f"{match},actions={action}")
    try:
        with guest.raw() as raw:
            raw.send(probe)
            raw.send(packets.request(DISCOVER, MAC))
            assert raw.receive(2.0 * PATIENCE, note)
    finally:
        ovn.ofctl("--strict", "del-flows", ovn.bridge, match)
    assert seen == [probe] * resumed


def test_two_that_answer_send_two_replies(ovn: PrivateOvn, guest: Guest, tmp_path: Path) -> None:
    """What the pidfile is looked at for: Open vSwitch carries out every resume."""
    with ServeOnly(ovn, "--ovn-rundir", str(tmp_path)) as unaware:
        unaware.wait_until("active")
        assert answers(guest) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_each_request_gets_one_reply_when_ovn_controller_is_back(
    ovn: PrivateOvn, guest: Guest, deputy: ServeOnly
) -> None:
    assert answers(guest) == [0, 1, 2, 3, 4]
    served = deputy.appctl("stats/show")
    ovn.start_ovn_controller()
    ovn.sync()
    assert answers(guest) == [0, 1, 2, 3, 4]
    deputy.wait_until("standby")
    assert deputy.appctl("stats/show") == served
    ovn.stop_ovn_controller()
    assert answers(guest) == [0, 1, 2, 3, 4]
    assert deputy.appctl("stats/show") != served


def test_a_killed_ovn_controller_is_stood_in_for_at_once(ovn: PrivateOvn, guest: Guest) -> None:
    with ServeOnly(ovn) as deputy:
        deputy.wait_until("standby")
        ovn.processes["ovn-controller"].stop(signal.SIGKILL)
        assert answers(guest) == [0, 1, 2, 3, 4]
    ovn.start_ovn_controller()
    ovn.sync()


def test_without_a_place_for_the_pidfile_it_does_not_start(ovn: PrivateOvn, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    with ServeOnly(ovn, "--ovn-rundir", nowhere) as deputy:
        assert deputy.process.wait() == 1
        what = "No such file or directory, expected ovn-controller's (--ovn-rundir DIR)"
        assert deputy.log() == f"ovs-dhcpd: {nowhere}: {what}\n"


# -- the reverse: ovn-controller answers for our flows

MAC2, LLA2, PORT2 = "fa:16:3e:8b:ea:fe", "fe80::f816:3eff:fe8b:eafe", "vm2"


def configuration() -> str:
    """The reference network with both families, for another port."""
    first, second = (
        yaml.safe_load(text)["networks"][NETWORK]
        for text in (reference.configuration(rate_limit="none"), reference6.configuration())
    )
    addresses = f"{MAC2} {reference.ADDRESS} {reference6.ADDRESS}"
    network = {**first, **second, "ports": {PORT2: {"addresses": addresses}}}
    return yaml.safe_dump({"networks": {NETWORK: network}})


@pytest.fixture(scope="module")
def guest2(ovn: PrivateOvn, tmp_path_factory: pytest.TempPathFactory) -> Guest:
    """A port that OVN does not know, with our flows; no daemon of ours runs."""
    guest = ovn.guest(PORT2, MAC2)
    file = tmp_path_factory.mktemp("ours") / "ours.yaml"
    file.write_text(configuration())
    ours = run([sys.executable, "-m", "ovs_dhcpd", "flows", file,
                "--ofport", f"{PORT2}={ovn.ofport(guest.port)}"],
               env={"PYTHONPATH": str(ROOT)})  # fmt: skip
    ovn.ofctl("add-flows", ovn.bridge, "-", stdin=ours)
    return guest


@pytest.mark.needs("udhcpc")
def test_ovn_controller_answers_a_client_for_our_flows(ovn: PrivateOvn, guest2: Guest) -> None:
    with Udhcpc(ovn, guest2) as client:
        leases = [client.lease()]
        client.renew()
        leases.append(client.lease(2))
    for lease in leases:
        assert (lease.address, lease.server_id) == (reference.ADDRESS, reference.SERVER_ID)
        assert (lease.prefix_length, lease.mtu) == (reference.CIDR.prefixlen, reference.MTU)
        assert (lease.dns_servers, lease.routes) == ((reference.DNS_SERVER,), reference.ROUTES)


def test_its_replies_go_where_ours_go(guest2: Guest) -> None:
    reply = guest2.ask(packets.request(DISCOVER, MAC2))
    assert reply
    assert (reply.eth_src, reply.eth_dst) == (SERVER_MAC, MAC2)
    assert (reply.ip_src, reply.ip_dst) == (str(reference.SERVER_ID), str(reference.ADDRESS))
    assert (reply.sport, reply.dport, reply.yiaddr) == (67, 68, str(reference.ADDRESS))


@pytest.mark.needs("dhclient")
def test_ovn_controller_answers_a_client_of_dhcpv6_for_our_flows(
    ovn: PrivateOvn, guest2: Guest
) -> None:
    with Dhclient6(ovn, guest2) as client:
        lease = client.lease()
    assert (lease.address, lease.dns_servers) == (reference6.ADDRESS, (reference6.DNS_SERVER,))
    # Not domain_search: ovn-controller sends the text as it stands, dhclient cannot read that.


def test_its_dhcpv6_replies_go_where_ours_go(guest2: Guest) -> None:
    options = packets6.option(1, packets6.duid_ll(MAC2)) + packets6.ia_na(1)
    solicit = bytes([packets6.SOLICIT, 1, 2, 3]) + options
    frame = answer(
        guest2,
        packets6.frame_of(solicit, MAC2, ip_src=LLA2),
        lambda frame: frame[12:14] == b"\x86\xdd" and frame[20] == 17,
    )
    assert frame
    reply = packets6.parse_reply(frame)
    assert (reply.message, reply.xid) == (packets6.ADVERTISE, bytes([1, 2, 3]))
    assert (reply.eth_src, reply.eth_dst) == (SERVER_MAC, MAC2)
    assert (reply.ip_src, reply.ip_dst) == (reference6.SERVER_LLA, LLA2)
    assert (reply.sport, reply.dport) == (547, 546)


def test_its_router_advertisements_go_where_ours_go(guest2: Guest) -> None:
    frame = answer(guest2, nd.router_solicitation(MAC2, LLA2), lambda f: nd.is_nd(f, nd.RA))
    assert frame
    assert frame[:12].hex(":") == f"{MAC2}:{SERVER_MAC}"
    addresses = str(IPv6Address(frame[22:38])), str(IPv6Address(frame[38:54]))
    assert addresses == (reference6.SERVER_LLA, LLA2)


def test_our_flows_stay_until_ovn_controller_starts_anew(ovn: PrivateOvn, guest2: Guest) -> None:
    """It deletes all flows of the bridge when it starts, and from then on only its own."""
    ovn.nbctl("lsp-add", NETWORK, "another")
    ovn.sync()
    assert guest2.ask(packets.request(DISCOVER, MAC2))
    ovn.stop_ovn_controller()
    with ServeOnly(ovn) as deputy:
        deputy.wait_until("active")
        assert guest2.ask(packets.request(DISCOVER, MAC2))
    ovn.start_ovn_controller()
    ovn.sync()
    assert guest2.ask(packets.request(DISCOVER, MAC2), timeout_s=0.3) is None
