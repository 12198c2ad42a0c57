# SPDX-License-Identifier: Apache-2.0
"""The options of a router advertisement, and the ICMPv6 message that is made of them."""

from __future__ import annotations

import pytest
from ovs_dhcpd.flows.options.table import ROUTER_ADVERTISEMENT, OptionError
from ovs_dhcpd.flows.options.values import encode_value
from ovs_dhcpd.flows.userdata.router_advertisement import decode_message, encode_message

HEADER = "86000000 ff80ffff 00000000 00000000"


def options(**values: object) -> list[tuple[int, bytes]]:
    rows = ((ROUTER_ADVERTISEMENT.lookup(name), value) for name, value in values.items())
    return [(row.code, encode_value(row, value)) for row, value in rows]


def test_a_message_is_a_header_and_options_of_eight_bytes() -> None:
    message = encode_message(options(addr_mode="dhcpv6_stateful", mtu=1442))
    assert message == bytes.fromhex(HEADER + "05010000 000005a2")


def test_what_is_decoded_encodes_to_the_same_bytes() -> None:
    given = options(
        addr_mode="slaac",
        router_preference="HIGH",
        slla="0a:00:00:00:00:01",
        prefix="fd00::/64",
        rdnss=["fd00::1", "fd00::2"],
        dnssl="ovn.org",
        captive_portal="https://portal/",
        pref64="64:ff9b::/96",
    )
    message = encode_message(given)
    assert encode_message(decode_message(message)) == message
    assert set(given) <= set(decode_message(message))


@pytest.mark.parametrize(
    "message",
    [
        HEADER[:20],
        HEADER + "05",
        HEADER + "0500",
        HEADER + "05020000 000005a2",
        HEADER + "fe010000 00000000",  # no option of ours
        HEADER + "03010000 00000000",  # a prefix without one
        "87" + HEADER[2:],
    ],
)
def test_a_message_that_would_not_encode_to_the_same_bytes_is_refused(message: str) -> None:
    with pytest.raises(OptionError):
        decode_message(bytes.fromhex(message))
