# SPDX-License-Identifier: Apache-2.0
"""Action text, by the golden vectors."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from ovs_dhcpd.flows.userdata.action_text import ActionError, format_action, parse_action
from ovs_dhcpd.flows.userdata.codec import PutDhcpOpts, ResultBit, decode_userdata, encode_userdata

from tests.unit.vectors import BAD, BAD6, BAD_OVN, BAD_RA, GOOD, GOOD6, GOOD_OVN, GOOD_RA, Bad, Good

good = pytest.mark.parametrize(
    "vector", [*GOOD, *GOOD6, *GOOD_RA, *GOOD_OVN], ids=lambda vector: vector.where
)
bad = pytest.mark.parametrize(
    "vector", [*BAD, *BAD6, *BAD_RA, *BAD_OVN], ids=lambda vector: vector.where
)


@good
def test_text_becomes_its_userdata(vector: Good) -> None:
    assert encode_userdata(parse_action(vector.text)).hex(".") == vector.userdata.hex(".")


@good
def test_text_has_a_normal_form(vector: Good) -> None:
    assert format_action(parse_action(vector.text)) == vector.normal


@good
def test_normal_form_stays_as_it_is(vector: Good) -> None:
    assert format_action(parse_action(vector.normal)) == vector.normal


@good
def test_userdata_becomes_text_that_means_the_same(vector: Good) -> None:
    action = decode_userdata(vector.userdata)
    assert parse_action(format_action(action)) == action


@bad
def test_error_says_where_and_what(vector: Bad) -> None:
    with pytest.raises(ActionError) as error:
        parse_action(vector.text)
    assert str(error.value) == vector.error


def test_options_keep_the_order_of_the_text() -> None:
    text = 'reg1[0] = put_dhcp_opts(mtu = 1400, offerip = 10.0.0.5, bootfile_name = "x");'
    assert parse_action(text) == PutDhcpOpts(
        IPv4Address("10.0.0.5"), ((26, b"\x05\x78"), (67, b"x")), ResultBit(0x0001DE10, 64)
    )


def test_bytes_that_do_not_fit_their_option_are_shown_by_number() -> None:
    action = PutDhcpOpts(IPv4Address("10.0.0.5"), ((26, b"\1\2\3"), (15, b"\xff"), (43, b"")))
    text = (
        "reg0[3] = put_dhcp_opts(offerip = 10.0.0.5, "
        'option_26 = 0x010203, option_15 = 0xff, option_43 = "");'
    )
    assert format_action(action) == text
    assert parse_action(text) == action
