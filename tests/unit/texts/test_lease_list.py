# SPDX-License-Identifier: Apache-2.0
"""The list of leases as people read it."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from ovs_dhcpd.controller.leases.fields import FIELDS
from ovs_dhcpd.controller.texts.lease_list import as_csv, as_table

BOUND: dict[str, Any] = {
    **dict.fromkeys(FIELDS),
    "port": "vm1",
    "interface": "vm1",
    "bridge": "br-int",
    "ofport": 1,
    "network": "lab",
    "family": 4,
    "mac": "02:00:00:00:00:01",
    "address": "10.0.0.5",
    "addresses": ["10.0.0.5", "10.0.0.6"],
    "prefixes": [],
    "state": "bound",
    "since": "2027-01-15T07:58:30Z",
    "expires": "2027-01-15T20:00:00Z",
    "last_message": "DHCPREQUEST",
    "last_answer": "DHCPACK",
    "last_at": "2027-01-15T07:59:50Z",
    "requests": 2,
    "requests_since": "2027-01-15T07:00:00Z",
}
UNKNOWN: dict[str, Any] = {
    **dict.fromkeys(FIELDS),
    "port": "v2",
    "interface": "v2",
    "bridge": "br-int",
    "network": "lab",
    "family": 4,
    "addresses": [],
    "prefixes": [],
}


def document(*leases: dict[str, Any]) -> dict[str, Any]:
    return {"version": 1, "time": "2027-01-15T08:00:00Z", "leases": [*leases]}


def test_columns_that_say_nothing_are_left_out() -> None:
    assert [*as_table(document(BOUND, UNKNOWN))] == [
        "PORT  NETWORK  MAC                ADDRESS   STATE  SINCE  EXPIRES  LAST     AGO  ASKED",
        "vm1   lab      02:00:00:00:00:01  10.0.0.5  bound  1m30s  12h      DHCPACK  10s  2",
        "v2    lab      -                  -         -      -      -        -        -    -",
    ]


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (None, []),
        (90, []),
        (77, ["ASKED", "SINCE"]),
        (10, ["ASKED", "SINCE", "AGO", "LAST", "NETWORK"]),
    ],
)
def test_a_narrow_terminal_has_fewer_columns(width: int | None, left_out: list[str]) -> None:
    whole, *_ = as_table(document(BOUND, UNKNOWN))
    header, first, second, *note = as_table(document(BOUND, UNKNOWN), width=width)
    assert header.split() == [each for each in whole.split() if each not in left_out]
    assert note == [f"(without {', '.join(left_out)}: the terminal has {width} columns)"] * bool(
        left_out
    )
    if width and width > 10:
        assert max(map(len, (header, first, second))) <= width


def test_of_no_lease_there_is_the_header_alone_however_narrow() -> None:
    assert len([*as_table(document(), width=9)]) == 1


def test_columns_that_say_something_are_there() -> None:
    other = {**BOUND, "interface": "tap1", "bridge": "br-ex", "vlan": 7, "host_name": "n\x1b",
             "vendor_class": "udhcp"}  # fmt: skip
    header, _, row = as_table(document(BOUND, other))
    expected = ["PORT", "INTERFACE", "BRIDGE", "VLAN", "NETWORK", "MAC", "ADDRESS", "STATE",
                "SINCE", "EXPIRES", "LAST", "AGO", "ASKED", "NAME", "VENDOR"]  # fmt: skip
    assert header.split() == expected
    assert row.split()[1:4] == ["tap1", "br-ex", "7"]
    assert row.split()[-2:] == ["n\\x1b", "udhcp"]


def test_a_table_without_leases_is_a_header() -> None:
    (header,) = as_table(document())
    assert header.startswith("PORT")


@pytest.mark.parametrize(
    ("expires", "shown"),
    [
        ("2027-01-15T08:00:59Z", "59s"),
        ("2027-01-15T08:01:00Z", "1m"),
        ("2027-01-15T08:09:59Z", "9m59s"),
        ("2027-01-15T08:59:59Z", "59m"),
        ("2027-01-15T09:30:00Z", "1h30m"),
        ("2027-01-17T09:30:00Z", "2d1h"),
        ("2028-01-15T08:00:00Z", "365d"),
        ("2027-01-15T07:00:00Z", "0s"),
        ("never", "never"),
    ],
)
def test_times_are_as_long_as_one_reads_them(expires: str, shown: str) -> None:
    header, row = as_table(document({**BOUND, "expires": expires}))
    assert row[header.index("EXPIRES") :].split()[0] == shown


@pytest.mark.parametrize(
    ("message", "answer", "shown"),
    [
        ("DHCPDISCOVER", "DHCPOFFER", "DHCPOFFER"),
        ("DHCPv6 RENEW", "DHCPv6 REPLY", "DHCPv6 REPLY"),
        ("DHCPRELEASE", None, "DHCPRELEASE"),
        ("DHCPREQUEST", "meant for another server", "DHCPREQUEST: meant for another server"),
    ],
)
def test_what_was_said_last_is_the_reply_or_why_there_was_none(
    message: str, answer: str, shown: str
) -> None:
    header, row = as_table(document({**BOUND, "last_message": message, "last_answer": answer}))
    assert row[header.index("LAST") : header.index("AGO")].rstrip() == shown


def test_colour_is_of_the_state() -> None:
    _, row = as_table(document(BOUND), colour=True)
    assert "\x1b[32mbound\x1b[0m" in row


def test_csv_has_all_fields_and_whole_lines() -> None:
    odd = {**BOUND, "host_name": 'a,"b"\n', "requests": 0}
    header, *rows = csv.reader(as_csv(document(odd, UNKNOWN)))
    assert header == [*FIELDS]
    first, second = (dict(zip(header, row, strict=True)) for row in rows)
    assert first["host_name"] == 'a,"b"\\n'
    assert (first["addresses"], first["requests"]) == ("10.0.0.5 10.0.0.6", "0")
    assert (second["state"], second["requests"], second["addresses"]) == ("", "", "")
