# SPDX-License-Identifier: Apache-2.0
"""Columns that anybody may write: what they say, and what cannot be read."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from ovs_dhcpd.controller.ovsdb.rows import (
    format_parked,
    is_ofport,
    parked_key,
    read_datapath_id,
    read_memory,
    read_ofport,
    read_parked,
    vlans_remembered,
)
from ovs_dhcpd.controller.ports.interface import NO_MEMORY, Memory
from ovs_dhcpd.controller.ports.parked import Parked
from ovs_dhcpd.flows.pipeline.flow import LOCAL


def test_a_datapath_id_is_sixteen_hexadecimal_digits() -> None:
    assert read_datapath_id("0000deadBEEF0001") == 0xDEADBEEF0001


@pytest.mark.parametrize("text", ["", "1", "00:00:00:00:00:00:00:01", "0x00000000000001", "g" * 16])
def test_other_datapath_ids_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^datapath_id: '.*', expected 16 hexadecimal digits$"):
        read_datapath_id(text)


@pytest.mark.parametrize(("number", "ofport"), [(1, 1), (65279, 65279), (65534, LOCAL), (-1, None)])
def test_an_ofport_is_a_number_in_openflow(number: int, ofport: int | None) -> None:
    assert read_ofport(number) == ofport
    assert ofport is None or is_ofport(ofport)


@pytest.mark.parametrize("number", [-(2**63), -2, 0, 65280, 65535, 4294967296, LOCAL, 2**63 - 1])
def test_other_ofports_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match=f"^ofport: {number}, expected 1 to 65279$"):
        read_ofport(number)


def test_a_row_without_our_keys_remembers_nothing() -> None:
    assert read_memory({"iface-id": "vm1"}) == (NO_MEMORY, [])


def test_an_address_that_is_written_twice_is_remembered_once() -> None:
    memory, mistakes = read_memory({"dhcp-ip": "10.0.0.5 fd00::5 10.0.0.5", "dhcp-owner": "vm1"})
    assert memory == Memory((ip_address("10.0.0.5"), ip_address("fd00::5")), "vm1")
    assert mistakes == []


def test_a_word_that_is_no_address_is_left_out_and_named() -> None:
    memory, mistakes = read_memory({"dhcp-ip": "10.0.0.5/24 10.0.0.6 fe80::1%eth0 \x1b[31m"})
    assert memory == Memory((ip_address("10.0.0.6"),))
    assert mistakes == [
        f"dhcp-ip: {word!r} is no address, expected addresses only"
        for word in ("10.0.0.5/24", "fe80::1%eth0", "\x1b[31m")
    ]


def test_what_is_parked_is_read_as_it_is_written() -> None:
    places = [("lab", ip_address("10.0.0.5")), ("a/b c", ip_address("fd00::5"))]
    parked = {place: Parked(1800000000, "02:00:00:00:00:01") for place in places}
    ids = {parked_key(place): format_parked(each) for place, each in parked.items()}
    assert ids["dhcp-parked:lab/10.0.0.5"] == "1800000000 02:00:00:00:00:01"
    assert read_parked({"other": "x", **ids}) == (parked, [])


@pytest.mark.parametrize("port", ["tap1", "a b", "answered 1", ""])
def test_who_has_answered_for_it_is_read_as_it_is_written(port: str) -> None:
    place = ("lab", ip_address("10.0.0.5"))
    parked = Parked(1800000000, port, answered_by=bytes.fromhex("020000000001"))
    text = f"1800000000 answered 02:00:00:00:00:01 {port}"
    assert format_parked(parked) == text
    assert read_parked({parked_key(place): text}) == ({place: parked}, [])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lab/10.0.0.5", ""),
        ("lab/10.0.0.5", "soon tap1"),
        ("lab/10.0.0.5", "1800000000000 tap1"),
        ("lab/10.0.0", "1800000000 tap1"),
        ("lab/fe80::1%eth0", "1800000000 tap1"),
        ("10.0.0.5/lab", "1800000000 tap1"),
        ("", ""),
    ],
)
def test_what_is_parked_in_other_words_is_named(key: str, value: str) -> None:
    expected = "expected dhcp-parked:NETWORK/ADDRESS: SECONDS OWNER"
    line = f"'dhcp-parked:{key}': {value!r}, {expected}"
    assert read_parked({f"dhcp-parked:{key}": value}) == ({}, [line])


def test_what_is_remembered_of_vlans_is_under_their_numbers() -> None:
    ids = {"dhcp-ip": "10.0.0.1", "dhcp-ip-7": "10.0.0.7 x", "dhcp-owner-7": "vm1"}
    others = (
        "dhcp-ip-0",
        "dhcp-ip-07",
        "dhcp-ip-4095",
        "dhcp-ip-10000",
        "dhcp-ip-x",
        "my-dhcp-ip-8",
    )
    assert vlans_remembered({**ids, **dict.fromkeys(others, "10.0.0.9"), "dhcp-ip-4094": ""}) == [
        7,
        4094,
    ]
    memory, mistakes = read_memory(ids, 7)
    assert memory == Memory((ip_address("10.0.0.7"),), "vm1")
    assert mistakes == ["dhcp-ip-7: 'x' is no address, expected addresses only"]
