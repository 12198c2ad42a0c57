# SPDX-License-Identifier: Apache-2.0
"""Instructions that do the same, and such that do not."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.wire.flow_entry import entry_of
from ovs_dhcpd.controller.wire.instructions import do_the_same
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15
from ovs_dhcpd.flows.pipeline import build

from tests.unit.pipeline.networks import NETWORKS

FLOWS = [flow for network in NETWORKS for flow in build.network_flows(network)]
FLOWS += [
    flow
    for network in NETWORKS
    for port in network.ports
    for flow in build.port_flows(network, port, 1)
]


def apply(actions: str) -> bytes:
    body = bytes.fromhex(actions)
    return b"\0\4" + (8 + len(body)).to_bytes(2, "big") + bytes(4) + body


# As Open vSwitch 3.1 tells of one flow, by who has put it there.
MOVES = [
    "ffff0018 00002320 0006 0030 0000 0000 00000406 00000206",
    "ffff0020 4f4e4600 0c80 0000 0030 0000 0000 0000 80000806 80000606 00000000",
    "001c0018 0030 0000 0000 0000 80000806 80000606 00000000",
]
ADDRESSES = [
    "00190018 80003410 fe80000000000000f8163efffe9f1ab5",
    "ffff0018 00002320 0007003f 00012610 f8163efffe9f1ab5"
    "ffff0018 00002320 0007103f 00012610 fe80000000000000",
    "00190028 80003520 0000000000000000f8163efffe9f1ab50000000000000000ffffffffffffffff"
    "00190028 80003520 fe800000000000000000000000000000ffffffffffffffff0000000000000000",
]
OUTPUTS = ["00000010 fffffff8 ffff 000000000000", "00000010 fffffff8 0000 000000000000"]


@pytest.mark.parametrize("ways", [MOVES, ADDRESSES, OUTPUTS], ids=["move", "address", "output"])
def test_one_thing_in_several_ways_is_the_same(ways: list[str]) -> None:
    for one, other in combinations(ways, 2):
        assert do_the_same(apply(one), apply(other))
        assert do_the_same(apply(one + OUTPUTS[0]), apply(other + OUTPUTS[1]))


def test_in_both_versions_a_flow_of_ours_does_the_same() -> None:
    for flow in FLOWS:
        both = [entry_of(version, flow).instructions for version in (OFP13, OFP15)]
        assert do_the_same(*both)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (MOVES[0], MOVES[0].replace("00000406", "00000206")),
        (MOVES[0], MOVES[2].replace("0030", "0020")),
        (ADDRESSES[0], ADDRESSES[2].replace("1ab5", "1ab6")),
        (ADDRESSES[0], ADDRESSES[2][:88]),
        (OUTPUTS[0], OUTPUTS[0].replace("fff8", "fffa")),
        (OUTPUTS[0], ""),
        (OUTPUTS[0] + MOVES[0], MOVES[0] + OUTPUTS[0]),
        (ADDRESSES[0], ADDRESSES[0] + OUTPUTS[0]),
    ],
)
def test_another_thing_is_not_the_same(one: str, other: str) -> None:
    assert not do_the_same(apply(one), apply(other))


def test_flows_of_ours_that_do_different_things_are_not_the_same() -> None:
    different = {entry_of(OFP15, flow).instructions for flow in FLOWS}
    assert not any(do_the_same(one, other) for one, other in combinations(different, 2))


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_whatever_the_bytes_it_is_said(one: bytes, other: bytes) -> None:
    assert do_the_same(apply(one.hex()), apply(one.hex()))
    assert do_the_same(apply(one.hex()), apply(other.hex())) in (True, False)
