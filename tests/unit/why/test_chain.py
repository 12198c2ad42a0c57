# SPDX-License-Identifier: Apache-2.0
"""What is found at each link, and what is said first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ovs_dhcpd.controller.leases.lease import Lease
from ovs_dhcpd.controller.ports.interface import Memory
from ovs_dhcpd.controller.ports.vlans import vlans_of
from ovs_dhcpd.controller.why.chain import Link, Verdict, chain_of, no_daemon, show_age
from ovs_dhcpd.controller.why.facts import Facts, SourceFacts
from ovs_dhcpd.controller.wire.flow_stats import FlowCounts
from ovs_dhcpd.controller.wire.meters import MeterCount
from ovs_dhcpd.flows.bindings.network import Ra
from ovs_dhcpd.flows.pipeline.flow import UDP6

from tests.unit.ports.files import file, other_bridge
from tests.unit.ports.host import Host
from tests.unit.why.served import (
    COUNTS,
    FLOWS,
    MAC,
    MAC2,
    NETWORK,
    PORT,
    ROW,
    SERVED,
    but,
    said,
    unserved,
)

OK, WARNING, UNKNOWN, BROKEN = Verdict
NO_COUNTS = dict.fromkeys(COUNTS, FlowCounts(0, 90.0, 90.0))
MISTAKES = (SourceFacts(name="c.yaml", mistakes=("c.yaml:3: foo: unknown", "c.yaml:4: bar")),)
SHADOW = ("a flow of somebody else is in the way", "table=0, priority=200,in_port=7")


def links(facts: Facts, name: str) -> list[Link]:
    return [link for link in chain_of(facts).links if link.name == name]


def test_all_is_well() -> None:
    chain = chain_of(SERVED)
    assert [link.name for link in chain.links if link.verdict is not OK] == []
    assert [link.name for link in chain.links] == [
        "daemon",
        "configuration",
        "bridge",
        "connection",
        "turn",
        "plugged in",
        "network",
        "MAC",
        "address",
        "flows",
        "other flows",
        "meter",
        "asked",
        "answered",
        "forwarding",
    ]
    assert (chain.served, chain.mend) == (True, "")
    asked = "asked for DHCPv4 6 times (last 12 s ago), DHCPv6 4 times (last 12 s ago)"
    assert chain.headline == f"vm1 is served 10.0.0.5 fd00::5 of lab; {asked}"


@pytest.mark.parametrize(
    ("facts", "name", "text", "mend"),
    [
        (
            but(database_ready=False),
            "daemon",
            "unix:/run/db.sock: the Open_vSwitch database is not read yet",
            "ovs-vsctl --db=unix:/run/db.sock show",
        ),
        (
            unserved(sources=MISTAKES),
            "configuration",
            "c.yaml:3: foo: unknown (and 1 more); what was read before is in force",
            "ovs-appctl -t ovs-dhcpd reload",
        ),
        (
            unserved(sources=(SourceFacts(name="OVN_Northbound", ready=False),)),
            "configuration",
            "OVN_Northbound has not been read yet",
            "ovs-appctl -t ovs-dhcpd status",
        ),
        (
            but(bridge={"unreachable": "bridge br-int: does not exist; type: ovs-vsctl add-br x"}),
            "bridge",
            "bridge br-int: does not exist",
            "ovs-vsctl add-br x",
        ),
        (
            but(bridge={"unreachable": "bridge x: does not exist; write y, or type: z"}),
            "bridge",
            "bridge x: does not exist",
            "write y, or type: z",
        ),
        (
            unserved(bridge={"name": "br-ex", "is_ours": False, "ours": ()}),
            "bridge",
            "br-ex is served nothing, as there is no network",
            "write one into the file: ovs-dhcpd init prints it",
        ),
        (
            unserved(bridge={"name": "br-ex", "is_ours": False, "ours": ("br-a", "br-b")}),
            "bridge",
            "br-ex is served nothing, expected br-a or br-b",
            "ovs-vsctl del-port tap1 -- add-port br-a tap1 -- set interface tap1 "
            f"'external_ids:iface-id=\"vm1\"' 'external_ids:attached-mac=\"{MAC}\"'",
        ),
        (
            but(bridge={"connection": "", "trouble": "nobody is there", "switch_runs": False}),
            "connection",
            "not connected: nobody is there",
            "systemctl start openvswitch-switch",
        ),
        (
            but(bridge={"connection": "", "trouble": "/run/br-int.mgmt: timed out"}),
            "connection",
            "not connected: /run/br-int.mgmt: timed out",
            "ovs-appctl -t ovs-vswitchd version",
        ),
        (
            but(bridge={"connection": "", "trouble": "it is not", "listens_on": "tcp:[::1]:6653"}),
            "connection",
            "not connected: it is not",
            "ovs-vsctl set-controller br-int 'tcp:[::1]:6653'",
        ),
        (
            but(bridge={"turn": "standby for pid 9", "is_active": False, "holder": 9}),
            "turn",
            "standby for pid 9",
            "ovs-appctl -t /run/ovs-dhcpd.9.ctl why vm1",
        ),
        (
            but(bridge={"turn": "standby: no lock", "is_active": False}),
            "turn",
            "standby: no lock",
            "ovs-appctl -t ovs-dhcpd status",
        ),
        (
            but(served=(), interface=None),
            "plugged in",
            "no interface has external_ids:iface-id=vm1, or is called vm1",
            "ovs-vsctl set interface NAME external_ids:iface-id=vm1",
        ),
        (
            but(served=(), interface=None, lifeless="tap1"),
            "plugged in",
            "tap1 has no OpenFlow port: the switch cannot open it, or is busy",
            "ovs-vsctl --columns=name,type,error list interface tap1",
        ),
        (
            but(served=(), interface=None, parent="vm0"),
            "plugged in",
            "its parent vm0 is not",
            "ovs-dhcpd why vm0",
        ),
        (
            unserved(interface=None, bridge=None, found=False),
            "plugged in",
            "no port here is called so, and none has it as its MAC or address",
            "ovs-appctl -t ovs-dhcpd bindings/show",
        ),
        (
            unserved(
                interface={"network": "none"},
                unserved="external_ids:dhcp-network=none keeps it out",
            ),
            "network",
            "external_ids:dhcp-network=none keeps it out",
            "ovs-vsctl remove interface tap1 external_ids dhcp-network",
        ),
        (
            unserved(unserved="is no guest by its looks, and has no external_ids:dhcp-network"),
            "network",
            "is no guest by its looks, and has no external_ids:dhcp-network",
            "ovs-vsctl set interface tap1 external_ids:dhcp-network=lab",
        ),
        (unserved(pools=(), unserved="nobody names it"), "network", "nobody names it", ""),
        (but(served=(), unserved="enabled: false"), "network", "enabled: false", ""),
        (
            but(interface={"attached_mac": MAC2}),
            "MAC",
            f"{MAC} is served, and the guest has {MAC2}, as attached-mac says",
            f'write in c.yaml: addresses: "{MAC2} 10.0.0.5 fd00::5"',
        ),
        (
            but(
                served=(),
                probes=("10.0.0.100",),
                unserved="it is asked whether somebody has 10.0.0.100",
            ),
            "address",
            "it is being asked whether somebody has 10.0.0.100, for less than 1 s",
            "ovs-dhcpd why vm1",
        ),
        (
            but(flows={"counts": {FLOWS[0].cookie: FlowCounts(1, 1.0, 1.0)}}),
            "flows",
            f"{len(FLOWS) - 1} of {len(FLOWS)} are not there: 8 flows, in step",
            "ovs-appctl -t ovs-dhcpd reload",
        ),
        (
            but(flows={"shadows": (SHADOW,)}),
            "other flows",
            "a flow of somebody else is in the way",
            "ovs-ofctl --strict del-flows br-int 'table=0, priority=200,in_port=7'",
        ),
        (
            said("offered", "REQUEST", "meant for another server"),
            "answered",
            f"REQUEST of {MAC}, 12 s ago, is not answered: meant for another server",
            "ovs-dhcpd trace vm1",
        ),
    ],
)
def test_a_broken_link_is_said_first(facts: Facts, name: str, text: str, mend: str) -> None:
    chain = chain_of(facts)
    assert chain.broken == Link(name, BROKEN, text, mend)
    assert not chain.served
    assert (chain.headline, chain.mend) == (f"vm1 is not served: {text}", mend)


def test_who_has_not_asked_is_served_all_the_same() -> None:
    unasked = but(flows={"counts": NO_COUNTS}, leases=())
    text = "nobody has asked since its flows came, 1 min 30 s ago"
    chain = chain_of(unasked)
    assert not chain.served
    assert chain.headline == f"vm1 is served 10.0.0.5 fd00::5 of lab, and {text}"
    assert chain.mend == (
        "ask in the guest, as udhcpc or dhclient does; ovs-appctl fdb/show br-int has the MACs "
        "behind port 7"
    )
    has_a_lease = chain_of(but(flows={"counts": NO_COUNTS}))  # its flows have been changed since
    assert has_a_lease.served
    assert has_a_lease.headline == f"vm1 is served 10.0.0.5 fd00::5 of lab; {text}"


@pytest.mark.parametrize(
    ("facts", "name", "verdict", "text"),
    [
        (
            but(sources=MISTAKES),
            "configuration",
            WARNING,
            "c.yaml:3: foo: unknown (and 1 more); what was read before is in force",
        ),
        (but(refused=("port vm1: mtu: is wrong",)), "network", WARNING, "mtu: is wrong"),
        (
            but(refused=("port vm1: no address is free in pool x",)),
            "address",
            WARNING,
            "no address is free in pool x",
        ),
        (
            but(bridge={"lacks_forwarding": "nothing there; type: ovs-ofctl x"}),
            "forwarding",
            WARNING,
            "nothing there",
        ),
        (SERVED, "answered", OK, f"REQUEST of {MAC}, 12 s ago, answered DHCPACK: bound"),
        (
            said("refused", "REQUEST", "DHCPNAK"),
            "answered",
            WARNING,
            f"REQUEST of {MAC}, 12 s ago, answered DHCPNAK: refused",
        ),
        (
            said("released", "RELEASE", ""),
            "answered",
            OK,
            f"RELEASE of {MAC}, 12 s ago: released",
        ),
        (
            but(leases=(ROW._replace(lease=Lease()),)),
            "answered",
            UNKNOWN,
            "it was before this daemon had the bridge: what, the switch does not know",
        ),
        (but(bridge={"problems": ("they keep",)}), "flows", WARNING, "they keep"),
        (
            but(flows={"meter": MeterCount(20, 5)}),
            "meter",
            WARNING,
            "50 a second, 100 at once: 5 of 20 packets were more, and are dropped",
        ),
        (
            but(flows={"meter": None}),
            "meter",
            UNKNOWN,
            "50 a second, 100 at once: the switch has not said what it counted",
        ),
        (but(flows={"limit": "", "meter": None}), "meter", OK, "none"),
        (but(flows={"counts": None}), "flows", UNKNOWN, "the switch has not said"),
        (
            but(bridge={"foreign_known": False}),
            "other flows",
            UNKNOWN,
            "the switch does not tell of others' flows",
        ),
        (but(interface={"attached_mac": None}), "MAC", OK, f"{MAC}, which has asked"),
        (
            but(served=(), interface=None, flows={"counts": None}),
            "MAC",
            UNKNOWN,
            f"{MAC}, if that is the guest's: no attached-mac says so",
        ),
        (but(served=(), interface=None), "network", OK, "lab, named in c.yaml"),
        (
            but(interface={"vlans": vlans_of("", 10, frozenset()), "is_guest": False}),
            "plugged in",
            OK,
            "tap1 (iface-id vm1), port 7 of br-int, access port of VLAN 10, no guest by its looks",
        ),
        (
            but(interface={"behind": 10, "memory": Memory()}),
            "plugged in",
            OK,
            "tap1 (iface-id vm1), port 7 of br-int, behind its tag 10",
        ),
        (
            but(served=((NETWORK, replace(PORT, mac=None)),)),
            "MAC",
            OK,
            "any: whoever asks behind the port",
        ),
    ],
)
def test_what_does_not_keep_it_from_its_address(
    facts: Facts, name: str, verdict: Verdict, text: str
) -> None:
    assert (verdict, text) in [(link.verdict, link.text) for link in links(facts, name)]


def test_before_the_database_is_read_nothing_is_said_of_the_port() -> None:
    chain = chain_of(but(database_ready=False, interface=None, served=()))
    assert [link.name for link in chain.links] == [
        *("daemon", "configuration", "bridge", "connection", "turn"),
    ]


def test_of_two_interfaces_of_a_port_the_one_that_is_not_taken_is_not_served() -> None:
    line = "port vm1: is plugged in as tap1 and as tap2, expected one of them; tap1 is served"
    facts = but(asked_for="tap2", is_left_out=True, refused=(line,))
    chain = chain_of(facts)
    assert chain.headline == line.replace("port vm1: is", "tap2 is not served: is")
    assert chain.mend == "ovs-vsctl remove interface tap2 external_ids iface-id"
    assert not chain.served
    assert chain_of(replace(facts, is_left_out=False)).served


def test_a_pool_that_is_empty_serves_nothing() -> None:
    line = "port tap1: no address is free in pool 10.0.0.100"
    only_v4 = replace(NETWORK, dhcpv6=None)
    served = ((only_v4, replace(PORT, addresses=())),)
    chain = chain_of(but(port="tap1", asked_for="tap1", served=served, refused=(line,)))
    assert chain.headline == "tap1 is not served: no address is free in pool 10.0.0.100"
    assert (chain.served, chain.mend) == (False, "ovs-appctl -t ovs-dhcpd pools/show")


@pytest.mark.parametrize(
    ("asked_by_dhcpv6", "mode", "warned"),
    [(0, None, True), (0, 0x00, True), (0, 0x40, False), (0, 0x80, False), (1, None, False)],
)
def test_nobody_asks_by_dhcpv6_whom_no_advertisement_tells_to(
    asked_by_dhcpv6: int, mode: int | None, warned: bool
) -> None:
    counts = {
        flow.cookie: FlowCounts(asked_by_dhcpv6 if flow.protocol == UDP6 else 1, 100.0, None)
        for flow in FLOWS
    }
    ra = None if mode is None else Ra(bytes((134, 0, 0, 0, 255, mode)), bytes(6))
    served = ((replace(NETWORK, ra=ra), PORT),)
    _, *others = links(but(flows={"counts": counts}, served=served), "asked")
    assert [each.verdict for each in others] == ([WARNING] if warned else [])


@pytest.mark.parametrize(
    ("stateless", "mode"), [(False, "dhcpv6_stateful"), (True, "dhcpv6_stateless")]
)
def test_what_an_advertisement_is_to_tell_is_what_the_network_has(
    stateless: bool, mode: str
) -> None:
    counts = {flow.cookie: FlowCounts(0, 100.0, None) for flow in FLOWS}
    assert NETWORK.dhcpv6
    network = replace(NETWORK, ra=None, dhcpv6=replace(NETWORK.dhcpv6, stateless=stateless))
    _, link = links(but(flows={"counts": counts}, served=((network, PORT),)), "asked")
    assert link.mend == (
        f"write into its network: ra: {{addr_mode: {mode}}}; in OVN's database it is "
        f"ipv6_ra_configs:address_mode={mode} of the router's port"
    )


def test_without_idle_times_it_is_not_said_when_it_asked_last() -> None:
    counts = dict.fromkeys(COUNTS, FlowCounts(1, 100.0, None))
    (asked,) = links(but(flows={"counts": counts}), "asked")
    assert asked.text == "asked for DHCPv4 3 times, DHCPv6 2 times"


def test_a_flow_that_has_counted_nothing_does_not_say_when_it_asked_last() -> None:
    first, *others = COUNTS
    counts = {first: FlowCounts(1, 100.0, 40.0), **dict.fromkeys(others, FlowCounts(0, 5.0, 5.0))}
    asked, *_ = links(but(flows={"counts": counts}), "asked")
    assert asked.text == "asked for DHCPv4 1 time (last 40 s ago)"


def test_no_daemon() -> None:
    chain = no_daemon("vm1", "/run: nobody to ask", "sudo ovs-dhcpd why vm1")
    assert chain.headline == "vm1 is not served: /run: nobody to ask"
    assert chain.mend == "sudo ovs-dhcpd why vm1"


# The binder's own lines


@pytest.mark.parametrize(
    ("text", "plugs", "port", "name"),
    [
        (other_bridge(file("lab", vm1=f"{MAC} 10.0.0.7")), [{"iface_id": "vm1"}], "vm1",
         "plugged in"),
        (file("lab", "office"), [{}], "tap0", "network"),
        (file("lab", "office"), [{"network": "ofice"}], "tap0", "network"),
        (file("lab"), [{"attached_mac": "x"}], "tap0", "MAC"),
        (file("lab"), [{"attached_mac": MAC}, {"attached_mac": MAC}], "tap1", "MAC"),
        (file("lab").replace("100-10.0.0.109", "100"), [{}, {}], "tap1", "address"),
    ],
)  # fmt: skip
def test_what_the_binder_refuses_stands_where_it_belongs(
    text: str, plugs: list[dict[str, str]], port: str, name: str
) -> None:
    host = Host(text)
    for number, fields in enumerate(plugs):
        host.plug(f"tap{number}", **fields)
    lines = host.refusals[port]
    assert len(lines) == 1
    facts = unserved(port=port, asked_for=port, refused=lines)
    broken = chain_of(facts).broken
    assert broken
    assert (broken.name, f"port {port}: {broken.text}") == (name, lines[0])


def test_what_a_client_declines_and_is_offered_all_the_same_is_broken() -> None:
    host = Host(file("lab", vm1=f"{MAC} 10.0.0.7"))
    host.plug("tap1", iface_id="vm1")
    host.decline("vm1")
    chain = chain_of(but(refused=host.refusals["vm1"]))
    assert chain.broken
    assert chain.broken.name == "address"
    assert chain.broken.text.startswith("10.0.0.7 is declined, as if somebody used it")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "less than 1 s"),
        (1, "1 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3601, "1 h"),
        (86399, "23 h 59 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_an_age_has_two_words_at_the_most(seconds: float, text: str) -> None:
    assert show_age(seconds) == text
