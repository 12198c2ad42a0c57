# SPDX-License-Identifier: Apache-2.0
"""Domain names as labels, and the pointers that shorten them (RFC 1035 §4.1.4)."""

from __future__ import annotations

import pytest
from ovs_dhcpd.flows.options.table import (
    DHCPV4,
    OptionError,
)
from ovs_dhcpd.flows.options.values import encode_value, format_option, format_value


def test_longest_name_and_label() -> None:
    label = "a" * 63
    name = ".".join((label, label, label, "a" * 61))  # 3 * 64 + 62 + 1 = 255 bytes
    encoded = encode_value(DHCPV4.lookup("domain_search_list"), name)
    assert len(encoded) == 255
    with pytest.raises(OptionError, match="is longer than 255 bytes"):
        encode_value(DHCPV4.lookup("domain_search_list"), name + "a")
    with pytest.raises(OptionError, match="is not a label"):
        encode_value(DHCPV4.lookup("domain_search_list"), "a" * 64)


def test_names_beyond_the_reach_of_a_pointer_are_written_out() -> None:
    option = DHCPV4.lookup("domain_search_list")
    names = [f"{i:063d}" for i in range(256)]  # 65 bytes each, 0x4100 in all
    encoded = encode_value(option, [*names, names[252], names[253]])
    assert encoded[-67:-65] == (0xC000 | 252 * 65).to_bytes(2, "big")
    assert encoded[-65:] == b"\x3f" + names[253].encode() + b"\0"
    assert format_value(option, encoded) == f'"{",".join([*names, names[252], names[253]])}"'


def test_domains_that_ovn_compressed_wrongly_are_shown_as_a_client_reads_them() -> None:
    encoded = bytes.fromhex("04636f727002757300 c000")  # OVN's "corp.us,corp.uk"
    assert format_option(DHCPV4, 119, encoded) == 'domain_search_list = "corp.us,corp.us"'
