# SPDX-License-Identifier: Apache-2.0
"""option-data and option-def of Kea."""

from __future__ import annotations

from typing import Any

import pytest
from ovs_dhcpd.controller.drafting.kea_options import Definition, read_definition, read_option
from ovs_dhcpd.flows.options.table import OptionError

OWN = {"foo": Definition(222, "uint16"), "rec": Definition(223, "")}


@pytest.mark.parametrize(
    ("version", "value", "expected"),
    [
        (4, {"name": "routers", "data": "10.0.0.1"}, (3, ("router", "10.0.0.1"))),
        (4, {"code": 6, "data": "10.0.0.1, 10.0.0.2"},
         (6, ("dns_server", ["10.0.0.1", "10.0.0.2"]))),
        (4, {"name": "domain-name", "data": "a.example"}, (15, ("domain_name", "a.example"))),
        (4, {"name": "foo", "data": "7"}, (222, ("option_222", "0x0007"))),
        (4, {"code": 222, "data": "7", "csv-format": True}, (222, ("option_222", "0x0007"))),
        (4, {"code": 99, "data": "0A 0B", "csv-format": False}, (99, ("option_99", "0x0a0b"))),
        (4, {"code": 99, "data": "0xA0B"}, (99, ("option_99", "0x0a0b"))),
        (4, {"code": 99, "data": "'ab'"}, (99, ("option_99", "0x6162"))),
        (4, {"code": 99, "data": "0a:0b"}, (99, ("option_99", "0x0a0b"))),
        (6, {"name": "dns-servers", "data": "fd00::1"}, (23, ("dns_server", "fd00::1"))),
    ],
)  # fmt: skip
def test_an_option(version: int, value: dict[str, Any], expected: object) -> None:
    assert read_option(version, value, OWN) == expected


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"name": "no-such", "data": "1"}, "is not known"),
        ({"name": "routers", "space": "vendor-1", "data": "1"}, "options inside of options"),
        ({"code": True, "data": "1"}, "expected the code"),
        ({"code": 70000, "data": "1"}, "expected the code"),
        ({"name": "routers", "data": 7}, "expected text"),
        ({"name": "routers", "data": "x"}, "x"),
        ({"name": "routers", "never-send": True}, "never-send"),
        ({"code": 99, "data": "xyz"}, "hexadecimal"),
        ({"name": "rec", "data": "1", "csv-format": True}, "its type is not known"),
        ({}, "is not known"),
    ],
)
def test_what_cannot_be_said(value: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        read_option(4, value, OWN)


def test_a_definition() -> None:
    value = {"name": "x", "code": 222, "type": "ipv4-address", "array": True}
    assert read_definition(value) == ("x", Definition(222, "ipv4_list"))
    assert read_definition({"name": "x", "code": 222, "type": "record"})[1].type == ""
    with pytest.raises(OptionError, match="a name and a code"):
        read_definition({"name": "x"})
