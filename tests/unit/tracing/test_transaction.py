# SPDX-License-Identifier: Apache-2.0
"""Requests of every kind through the flows of a file and the responder: what is said of each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.controller.tracing.course import Course, Step
from ovs_dhcpd.controller.tracing.flow_walk import FlowWalk
from ovs_dhcpd.controller.tracing.requests import KINDS, Client, parse_settings
from ovs_dhcpd.controller.tracing.transaction import Transaction, show, trace
from ovs_dhcpd.flows.pipeline import build

MAC = bytes.fromhex("fa163e000001")
CONFIGURATION = """
networks:
  blue:
    dhcpv4: {cidr: 10.0.0.0/24, router: 10.0.0.1, domain_name: example.org}
    dhcpv6: {cidr: "fd00::/64", server_id: "fa:16:3e:9f:1a:b5", dns_server: "fd00::53"}
    ra: {addr_mode: dhcpv6_stateful, prefix: ["fd00::/64"]}
    guard: true
    ports:
      vm1: {addresses: "fa:16:3e:00:00:01 10.0.0.5 fd00::5"}
"""


def bridge_of(file: Path, text: str = CONFIGURATION) -> FlowWalk:
    file.write_text(text)
    (network,) = yaml_file.load(file).networks
    (port,) = network.ports
    return FlowWalk(
        [
            *build.bridge_flows(),
            *build.network_flows(network),
            *build.port_flows(network, port, 5),
        ],
        5,
    )


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> FlowWalk:
    return bridge_of(tmp_path_factory.mktemp("trace") / "c.yaml")


def traced(bridge: FlowWalk, kind: str, *settings: str, mac: bytes = MAC) -> Transaction:
    return trace(bridge, 5, kind, Client(mac), parse_settings(KINDS[kind], settings))


def said(transaction: Transaction) -> list[str]:
    return list(show(transaction, "br-int port 5"))


@pytest.mark.parametrize(
    ("kind", "verdict", "reply"),
    [
        ("discover", "DHCPOFFER 10.0.0.5", "DHCPOFFER"),
        ("request", "DHCPACK 10.0.0.5", "DHCPACK"),
        ("reboot", "DHCPACK 10.0.0.5", "DHCPACK"),
        ("renew", "DHCPACK 10.0.0.5", "DHCPACK"),
        ("rebind", "DHCPACK 10.0.0.5", "DHCPACK"),
        ("inform", "DHCPACK 10.0.0.5", "DHCPACK"),
        ("decline", "no answer: address declined 10.0.0.5", None),
        ("release", "no answer: address released 10.0.0.5", None),
        ("solicit", "DHCPv6 ADVERTISE fd00::5", "DHCPv6 ADVERTISE"),
        ("request6", "DHCPv6 REPLY fd00::5", "DHCPv6 REPLY"),
        ("confirm6", "DHCPv6 REPLY fd00::5", "DHCPv6 REPLY"),
        ("renew6", "DHCPv6 REPLY fd00::5", "DHCPv6 REPLY"),
        ("rebind6", "DHCPv6 REPLY fd00::5", "DHCPv6 REPLY"),
        ("inform6", "DHCPv6 REPLY", "DHCPv6 REPLY"),
        ("decline6", "DHCPv6 DECLINE fd00::5", "DHCPv6 REPLY"),
        ("release6", "DHCPv6 RELEASE fd00::5", "DHCPv6 REPLY"),
        ("rs", "ND_RA", "ND_RA"),
        ("ns", "ND_NA", "ND_NA"),
    ],
)
def test_every_kind(bridge: FlowWalk, kind: str, verdict: str, reply: str | None) -> None:
    transaction = traced(bridge, kind)
    assert transaction.kind == kind
    lines = said(transaction)
    assert f"verdict: {verdict}" in lines
    assert (transaction.reply is not None) == (reply is not None)
    if reply:
        assert reply in lines
        assert lines[-1] == "leaves by the port it came from, br-int port 5"
    else:
        assert lines[-1] == "goes on to flows that are not ours"


def test_every_kind_is_in_the_table() -> None:
    (mark,) = [m for m in test_every_kind.pytestmark if m.name == "parametrize"]  # type: ignore[attr-defined]
    assert [row[0] for row in mark.args[1]] == list(KINDS)


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        ("request", ["server_id=10.9.9.9"], "verdict: no answer: meant for another server"),
        ("reboot", ["requested_address=10.0.0.9"], "verdict: DHCPNAK 10.0.0.9"),
        (
            *("reboot", ["requested_address=10.0.0.9"]),
            '    message = "address not assigned to this port"',
        ),
        ("discover", ["message_type="], "verdict: no answer: no message type"),
        ("discover", ["parameter_request_list=domain_name"], '    domain_name = "example.org"'),
        (
            *("discover", ["parameter_request_list=router", "option_82=0x" + 250 * "00"]),
            "    router = 10.0.0.1",
        ),
        ("rebind6", ["ia_addr=fd01::4"], "verdict: DHCPv6 REPLY"),
        (
            *("rebind6", ["ia_addr=fd01::4"]),
            "        ia_addr = fd01::4, preferred_lifetime 0, valid_lifetime 0",
        ),
        (
            "solicit",
            ["server_id=fa:16:3e:9f:1a:b5"],
            "verdict: no answer: names a server, which it must not",
        ),
    ],
)
def test_what_the_settings_come_to(
    bridge: FlowWalk, kind: str, settings: list[str], expected: str
) -> None:
    assert expected in said(traced(bridge, kind, *settings))


def test_the_userdata_is_explained_and_its_hex_left_out(bridge: FlowWalk) -> None:
    lines = said(traced(bridge, "discover"))
    at = lines.index("    controller(userdata=…,pause)")
    assert lines[at + 1].startswith("     -> reg0[3] = put_dhcp_opts(offerip = 10.0.0.5, ")


def test_the_guard_is_named_where_it_drops(bridge: FlowWalk) -> None:
    transaction = traced(bridge, "discover", mac=bytes.fromhex("020000000009"))
    lines = said(transaction)
    assert lines[-2:] == ["not answered: the port's guard drops it", "leaves nowhere"]
    assert transaction.verdict is None


def test_who_gets_no_offer_asks_no_more(bridge: FlowWalk) -> None:
    assert traced(bridge, "renew", mac=bytes.fromhex("020000000009")).kind == "discover"


class Somebody:
    """A bridge on which these steps are all that happens."""

    def __init__(self, *steps: Step, userdata: bytes | None = None) -> None:
        self.course = Course(steps, {}, userdata)

    def enter(self, frame: bytes) -> Course:
        return self.course

    def resume(self, frame: bytes, registers: Mapping[str, int]) -> Course:
        raise AssertionError("nothing of ours has paused it")


@pytest.mark.parametrize(
    ("step", "userdata", "why"),
    [
        (
            *(Step(0, "udp,tp_dst=67", 200, 0, ("drop",)), None),
            "a flow of somebody else takes it before ours, table=0, priority=200,udp,tp_dst=67; "
            "expected a priority below 99",
        ),
        (Step(0, "", 0, 0, ("NORMAL",)), None, "no flow of ovs-dhcpd waits for it"),
        (
            *(Step(0, "udp", 100, 7, ("controller(userdata=00.00.00.02,pause)",)), b"\0\0\0\2"),
            "a flow of somebody else pauses it, for its own controller",
        ),
    ],
)
def test_what_never_comes_to_us(step: Step, userdata: bytes | None, why: str) -> None:
    transaction = trace(Somebody(step, userdata=userdata), 5, "discover", Client(MAC), {})
    assert f"not answered: {why}" in said(transaction)
    assert transaction.reply is None


def test_our_own_flows_are_not_somebody_elses() -> None:
    guard = Step(0, "in_port=5", 65535, 0x6468_0000_0000_0001, ("resubmit(,202)",))
    bridge = Somebody(guard, Step(0, "", 0, 0, ("NORMAL",)))
    lines = said(trace(bridge, 5, "discover", Client(MAC), {}))
    assert "not answered: no flow of ovs-dhcpd waits for it" in lines


def test_where_no_router_is_the_dhcpv6_server_is_the_neighbour(tmp_path: Path) -> None:
    without_ra = "\n".join(line for line in CONFIGURATION.split("\n") if " ra:" not in line)
    transaction = traced(bridge_of(tmp_path / "c.yaml", without_ra), "ns")
    assert transaction.kind == "ns"
    assert "    nd.target = fe80::f816:3eff:fe9f:1ab5" in said(transaction)
    assert transaction.reply


def test_a_switch_that_is_not_understood_is_not_spoken_for() -> None:
    lines = said(trace(Somebody(), 5, "discover", Client(MAC), {}))
    assert "not answered: what the switch says of it is not understood" in lines
