# SPDX-License-Identifier: Apache-2.0
"""Lines of dumps: whose flow it is, its userdata explained, and all of it in short."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.texts.bindings_list import Bound
from ovs_dhcpd.controller.texts.flow_dump import Owners, annotate, shorten
from ovs_dhcpd.flows.pipeline.logical_flow import key_of

from tests.unit.vectors import REFERENCE

MAC = "fa:16:3e:00:00:01"
BLUE = f"{key_of('blue'):#x}"
BINDINGS = [
    Bound("vm1", "tap1", "br-int", 1, "blue", MAC, None, ["10.0.0.5"]),
    Bound("vm1-100", "tap1", "br-int", 1, "red", MAC, 100, ["10.1.0.7"]),
    Bound("tap2", "tap2", "br-int", 2, "blue", None, None, ["10.0.0.6"]),
    Bound("vm3", "tap3", "br-x", 2, "green", None, None, ["10.2.0.6"]),
]
OURS = "cookie=0x646876cda37f8fff"
HERE = f"{OURS}, table=0, n_packets=3, priority=100,udp,reg0=0/0x10,in_port"
UNTAGGED = "vlan_tci=0x0000/0x0fff"
USERDATA = f"controller(userdata={REFERENCE.userdata.hex('.')},pause)"


@pytest.mark.parametrize(
    ("line", "whose", "offline"),
    [
        (
            f" {HERE}=1,{UNTAGGED},dl_src={MAC} actions=set_field:{BLUE}->metadata",
            *("vm1 of blue (tap1)", "ovs-dhcpd, port 1"),
        ),
        (
            f" {HERE}=tap1,{UNTAGGED},dl_src={MAC} actions=load:{BLUE}->OXM_OF_METADATA[]",
            *("vm1 of blue (tap1)", "ovs-dhcpd, tap1"),
        ),
        (f" {HERE}=tap1,dl_vlan=100 actions=drop", "vm1-100 of red (tap1)", "ovs-dhcpd, tap1"),
        (f' {HERE}="tap1" actions=drop', "vm1 of blue (tap1)", "ovs-dhcpd, tap1"),
        # Two bridges have a port 2: the network tells them apart, if it is there.
        (f" {HERE}=2 actions=set_field:{BLUE}->metadata", "tap2 of blue", "ovs-dhcpd, port 2"),
        (f" {HERE}=2 actions=drop", "ovs-dhcpd, port 2", "ovs-dhcpd, port 2"),
        (f" {HERE}=tap1,dl_src=02:00:00:00:00:09 actions=drop", "ovs-dhcpd, tap1", None),
        (f" {HERE}=tap1,dl_vlan=7 actions=drop", "ovs-dhcpd, tap1", None),
        (
            f" {OURS}, table=201, priority=100,metadata={BLUE} actions=IN_PORT",
            "all of blue",
            "ovs-dhcpd",
        ),
        (
            f" {OURS}, table=201, priority=100,metadata=0x1 actions=IN_PORT",
            "ovs-dhcpd",
            "ovs-dhcpd",
        ),
        (f" {OURS}, table=201, priority=0 actions=set_field:0->metadata", "ovs-dhcpd", "ovs-dhcpd"),
        (" cookie=0x0, table=0, priority=0,in_port=tap1 actions=NORMAL", "", ""),
        (" cookie=0x6468, table=0, priority=0,in_port=tap1 actions=NORMAL", "", ""),
        ("NXST_FLOW reply (xid=0x4):", "", ""),
    ],
)
def test_whose_a_flow_is(line: str, whose: str, offline: str | None) -> None:
    assert Owners(lambda: BINDINGS).of(line) == whose
    assert Owners(list).of(line) == (whose if offline is None else offline)


def test_what_all_networks_share_is_no_ones_where_there_is_one_network() -> None:
    line = f" {OURS}, table=201, priority=0 actions=set_field:0->metadata,resubmit(,0)"
    assert Owners(lambda: BINDINGS[:1]).of(line) == "ovs-dhcpd"


def test_names_of_others_are_made_harmless() -> None:
    forged = [BINDINGS[0]._replace(port="a\x1b[0m\nb")]
    assert Owners(lambda: forged).of(f"{HERE}=1 actions=drop") == "a\\x1b[0m\\nb of blue (tap1)"


def test_nobody_is_asked_about_the_flows_of_others() -> None:
    def asked() -> list[Bound]:
        raise AssertionError("asked")

    line = "cookie=0x0, table=0, priority=0,in_port=tap1 actions=NORMAL"
    assert list(annotate(line, Owners(asked))) == [line]


def test_the_daemon_is_asked_once() -> None:
    asked = 0

    def ask() -> list[Bound]:
        nonlocal asked
        asked += 1
        return []

    owners = Owners(ask)
    assert [owners.of(f"{HERE}={port} actions=drop") for port in (1, 2)] == [
        *("ovs-dhcpd, port 1", "ovs-dhcpd, port 2"),
    ]
    assert asked == 1


def test_a_flow_is_followed_by_whose_it_is_and_by_its_userdata() -> None:
    line = f" {HERE}=tap1 actions={USERDATA},resubmit(,201)"
    assert list(annotate(line, Owners(lambda: BINDINGS))) == [
        *(line, "    # vm1 of blue (tap1)", f"    {REFERENCE.normal}"),
    ]


def test_every_userdata_of_anybodys_flow_is_explained() -> None:
    line = "cookie=0x1 actions=controller(userdata=00.00.00.00.00.19),controller(userdata=0,pause)"
    assert list(annotate(line, Owners(list))) == [
        line,
        "    opcode 0 (arp)",
        "    not userdata of ovs-dhcpd: 1 hexadecimal digits, expected two for each byte",
    ]


@pytest.mark.parametrize(
    ("line", "short"),
    [
        (
            f" {OURS}, duration=0.1s, table=0, n_packets=3, n_bytes=9, idle_age=0, "
            f"priority=100,udp,reg0=0/0x10,in_port=tap1,{UNTAGGED},dl_src={MAC},tp_dst=67 "
            f"actions=meter:7,set_field:{BLUE}->metadata,{USERDATA},resubmit(,201)",
            f"vm1 of blue (tap1): table=0, n_packets=3, priority=100,udp,in_port=tap1,dl_src={MAC},"
            f"tp_dst=67 actions=meter:7, {REFERENCE.normal.removesuffix(';')}, resubmit(,201)",
        ),
        (
            f" {OURS}, table=201, priority=0 actions=set_field:0->metadata,"
            "set_field:0x10/0x10->reg0,resubmit(,0)",
            "ovs-dhcpd: table=201, priority=0 actions=resubmit(,0)",
        ),
        (
            f" {HERE}=tap1 actions=drop",
            "vm1 of blue (tap1): table=0, n_packets=3, priority=100,udp,in_port=tap1 actions=drop",
        ),
        (
            " cookie=0x0, n_packets=1, reg0=0x1 actions=load:0x1->NXM_NX_REG0[]",
            "n_packets=1 actions=drop",
        ),
        (
            "cookie=0x0, priority=0 actions=NORMAL",
            "priority=0 actions=NORMAL",
        ),
        (
            "cookie=0x0, priority=7 actions=controller(userdata=64.68.00.01.00.00.00.00.00.01.de."
            "10.00.00.00.65.88.00.00.00.a0.00.00.00.fe.80.00.00.00.00.00.00.f8.16.3e.ff.fe.9f.1a.b5.02."
            "01.fa.16.3e.9f.1a.b5,pause)",
            "priority=7 actions=reg0[5] = put_nd_na(message = …)",
        ),
        ("ovs-ofctl: something", "ovs-ofctl: something"),
    ],
)
def test_a_flow_in_short(line: str, short: str) -> None:
    assert list(shorten(line, Owners(lambda: BINDINGS))) == [short]


@pytest.mark.parametrize(
    "head", ["NXST_FLOW reply (xid=0x4):", "OFPST_FLOW reply (OF1.5) (xid=0x2):"]
)
def test_the_head_of_a_dump_is_left_out_in_short(head: str) -> None:
    assert list(shorten(head, Owners(lambda: BINDINGS))) == []
    assert list(annotate(head, Owners(lambda: BINDINGS))) == [head]
