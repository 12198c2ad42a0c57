# SPDX-License-Identifier: Apache-2.0
"""The schema has what the parsers know; that it takes what they take is in tests/property."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ovs_dhcpd.controller.commands import cli
from ovs_dhcpd.flows.configuration.schema import VALUES, option_schema, schema
from ovs_dhcpd.flows.options.table import DHCPV4
from ovs_dhcpd.flows.options.values import TYPES


def test_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr()[0]) == schema()


def test_every_type_that_a_file_can_have_is_known() -> None:
    assert VALUES.keys() == TYPES.keys() - {"boot_file"}


def test_an_option_says_what_it_is() -> None:
    lease_time = option_schema(DHCPV4.by_name["lease_time"])["description"]
    assert lease_time == (
        "a number from 0 to 4294967295; seconds, or a time as 45s, 30m, 12h, 7d or 1h30m, or "
        "infinity (option 51, RFC 2132 §9.2)"
    )
    mtu = option_schema(DHCPV4.by_name["mtu"])["description"]
    assert mtu == "68 to 65535 (option 26, RFC 2132 §5.1)"


def test_an_editor_finds_each_option_where_it_may_stand() -> None:
    defs: dict[str, Any] = schema()["$defs"]
    assert "router" in defs["dhcpv4"]["properties"]
    port = defs["port"]["properties"]
    assert "router" in port["options"]["properties"]
    assert "netmask" not in port["options"]["properties"]
    assert "dns_server" in port["options6"]["properties"]
