# SPDX-License-Identifier: Apache-2.0
"""Options of whole messages: what a user writes, its bytes, and how it is shown."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.tracing.messages import (
    BROADCAST,
    CIADDR,
    MESSAGE4,
    MESSAGE6,
    encode_setting,
    show_option,
)
from ovs_dhcpd.flows.options.table import OptionError, OptionTable

BOTH_WAYS: list[tuple[OptionTable, str, int, str]] = [
    (MESSAGE4, "requested_address = 10.0.0.5", 50, "0a000005"),
    (MESSAGE4, "hostname = \"vm1\"", 12, "766d31"),
    (MESSAGE4, "vendor_class = \"PXEClient\"", 60, "505845436c69656e74"),
    (MESSAGE4, "client_id = 0x0102", 61, "0102"),
    (MESSAGE4, "rapid_commit = true", 80, ""),
    (MESSAGE4, "architecture = 7", 93, "0007"),
    (MESSAGE4, "max_message_size = 576", 57, "0240"),
    (MESSAGE4, "option_200 = 0xff", 200, "ff"),
    (MESSAGE4, "parameter_request_list = netmask, router, option_2", 55, "010302"),
    (MESSAGE4, "ciaddr = 10.0.0.5", CIADDR, "0a000005"),
    (MESSAGE4, "broadcast = 1", BROADCAST, "01"),
    (MESSAGE6, "server_id = fa:16:3e:00:00:01", 2, "00030001fa163e000001"),
    (MESSAGE6, "client_id = 0x0001ff", 1, "0001ff"),
    (MESSAGE6, "option_request = dns_server, option_31", 6, "0017001f"),
    (MESSAGE6, "rapid_commit = true", 14, ""),
    (MESSAGE6, "fqdn = \"vm1.example.org\"", 39, "0003766d31076578616d706c65036f726700"),
    (MESSAGE6, "domain_search = \"example.org\"", 24, "076578616d706c65036f726700"),
    (MESSAGE6, "ia_prefix = fd00:2::/56", 26, "38fd000002" + 24 * "0"),
    (MESSAGE6, "elapsed_time = 100", 8, "0064"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "text", "code", "encoded"), BOTH_WAYS)
def test_both_ways(table: OptionTable, text: str, code: int, encoded: str) -> None:
    written = text if "fqdn" not in text else text.replace('"', "")
    assert encode_setting(table, written) == (code, bytes.fromhex(encoded))
    assert show_option(table, code, bytes.fromhex(encoded)) == text


@pytest.mark.parametrize(
    ("table", "text", "code", "encoded"),
    [
        (MESSAGE4, "message_type=DISCOVER", 53, "01"),
        (MESSAGE4, "parameter_request_list={router 6,67}", 55, "030643"),
        (MESSAGE4, "vendor_class=PXEClient", 60, "505845436c69656e74"),
        (MESSAGE4, "option_61=0x01", 61, "01"),
    ],
)
def test_what_a_user_may_write_too(table: OptionTable, text: str, code: int, encoded: str) -> None:
    assert encode_setting(table, text) == (code, bytes.fromhex(encoded))


def test_without_a_value_the_message_goes_without_it() -> None:
    assert encode_setting(MESSAGE4, "parameter_request_list=") == (55, None)
    assert encode_setting(MESSAGE6, "option_request") == (6, None)


@pytest.mark.parametrize(
    ("table", "text", "mistake"),
    [
        (
            MESSAGE4,
            "hostnam=a",
            "hostnam: unknown option, expected the name of a DHCPv4 option or option_NNN "
            "(did you mean hostname?)",
        ),
        (MESSAGE4, "mtu=3", "mtu: 3 is forbidden, expected 68 to 65535 (RFC 2132 §5.1)"),
        (MESSAGE4, "rapid_commit=no", "rapid_commit: 'no' is not true, expected true"),
        (
            MESSAGE4,
            "parameter_request_list=routr",
            "parameter_request_list: 'routr' is no option (did you mean router?), expected names "
            "or numbers of options, with commas",
        ),
        (
            MESSAGE4,
            "parameter_request_list=256",
            "parameter_request_list: '256' is no option, expected names or numbers of options, "
            "with commas",
        ),
        (
            MESSAGE6,
            "server_id=me",
            "server_id: 'me' is neither, expected a MAC, of which a DUID-LL is made, or 0x…",
        ),
    ],
)
def test_mistakes(table: OptionTable, text: str, mistake: str) -> None:
    with pytest.raises(OptionError) as error:
        encode_setting(table, text)
    assert str(error.value) == mistake


@pytest.mark.parametrize(
    ("table", "code", "encoded", "text"),
    [
        (MESSAGE4, 53, "05", "message_type = DHCPACK"),
        (MESSAGE4, 53, "63", "option_53 = 0x63"),
        (MESSAGE4, 80, "01", "option_80 = 0x01"),
        (MESSAGE4, 1, "0a", "option_1 = 0x0a"),
        (MESSAGE4, 56, "6e6f", 'message = "no"'),
        (MESSAGE4, 56, "1b5b", 'message = "\\u001b["'),
        (MESSAGE4, 12, "ff", "option_12 = 0xff"),
        (MESSAGE6, 2, "", 'option_2 = ""'),
        (MESSAGE6, 6, "00", "option_6 = 0x00"),
        (MESSAGE6, 39, "00", "option_39 = 0x00"),
    ],
)
def test_what_does_not_fit_its_type_is_shown_in_hex(
    table: OptionTable, code: int, encoded: str, text: str
) -> None:
    assert show_option(table, code, bytes.fromhex(encoded)) == text
