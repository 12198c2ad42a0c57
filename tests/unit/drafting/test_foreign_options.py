# SPDX-License-Identifier: Apache-2.0
"""Other programs' options in our words."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.drafting.foreign_options import TABLES, V4, V6, code_of, raw, setting
from ovs_dhcpd.flows.options.table import OptionError
from ovs_dhcpd.flows.options.values import TYPES


def test_each_row_has_the_type_of_ours_or_one_that_there_is() -> None:
    for version, rows in ((4, V4), (6, V6)):
        for row in rows:
            ours = TABLES[version].by_code.get(row.code)
            assert row.type == (ours.type if ours else row.type), row
            assert row.type in TYPES or row.type == "int32"


@pytest.mark.parametrize(
    ("version", "program", "name", "code"),
    [
        (4, "dnsmasq", "dns-server", 6),
        (4, "kea", "domain-name-servers", 6),
        (6, "dnsmasq", "dns-server", 23),
        (6, "kea", "dns-servers", 23),
        (4, "kea", "no-such", None),
        (4, "kea", "", None),
    ],
)
def test_names(version: int, program: str, name: str, code: int | None) -> None:
    assert code_of(version, program, name) == code


@pytest.mark.parametrize(
    ("version", "code", "words", "expected"),
    [
        (4, 3, ["10.0.0.1"], ("router", "10.0.0.1")),
        (4, 6, ["10.0.0.1", "10.0.0.2"], ("dns_server", ["10.0.0.1", "10.0.0.2"])),
        (4, 15, ["a", "b"], ("domain_name", "a,b")),
        (4, 26, ["1400"], ("mtu", 1400)),
        (4, 26, ["0x578"], ("mtu", 1400)),
        (4, 19, ["1"], ("ip_forward_enable", True)),
        (4, 119, ["a.example", "b.example"], ("domain_search_list", ["a.example", "b.example"])),
        (4, 121, ["10.0.0.0/8", "10.0.0.1"], ("classless_static_route", ["10.0.0.0/8,10.0.0.1"])),
        (4, 121, ["10.9.9.9", "10.0.0.1"], ("classless_static_route", ["10.9.9.9/32,10.0.0.1"])),
        (4, 121, ["10.0.0.0/8 - 10.0.0.1"], ("classless_static_route", ["10.0.0.0/8,10.0.0.1"])),
        (4, 2, ["-3600"], ("option_2", "0xfffff1f0")),
        (4, 17, ["/srv"], ("option_17", "0x2f737276")),
        (4, 5, ["10.0.0.1"], ("option_5", "0x0a000001")),
        (6, 23, ["fd00::1"], ("dns_server", "fd00::1")),
        (6, 31, ["fd00::1"], ("option_31", f"0xfd{'00' * 14}01")),
        (6, 21, ["a.b"], ("option_21", "0x0161016200")),
    ],
)
def test_a_value(version: int, code: int, words: list[str], expected: tuple[str, object]) -> None:
    assert setting(version, code, words) == expected


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        (3, ["x"], "expected"),
        (3, [], "is empty"),
        (26, ["1", "2"], "expected one value"),
        (26, ["1e3"], "expected a number"),
        (26, ["70000"], "does not fit"),
        (19, ["maybe"], "true or false"),
        (121, ["10.0.0.0/8"], "in turn"),
        (53, ["1"], "the server sets it"),
        (2, ["9999999999"], "does not fit"),
    ],
)
def test_what_is_no_value(code: int, words: list[str], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        setting(4, code, words, "uint8")


def test_bytes() -> None:
    assert raw(4, 222, b"\x0a\x0b") == ("option_222", "0x0a0b")
    with pytest.raises(OptionError, match="is empty"):
        raw(4, 222, b"")
    with pytest.raises(OptionError):
        raw(4, 3, b"\x0a\x0b")  # no address
