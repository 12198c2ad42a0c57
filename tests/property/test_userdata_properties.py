# SPDX-License-Identifier: Apache-2.0
"""Text, values and bytes agree, whatever the options; and no bytes do harm."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from flows.action_text import ActionError, format_action, parse_action
from flows.annotate import explain
from flows.lexer import TextError, parse_constants
from flows.options import DHCPV4, Option, OptionError
from flows.userdata import (
    PutDhcpOpts,
    ResultBit,
    UserdataError,
    decode_userdata,
    encode_userdata,
)
from flows.values import encode_value, format_option, format_value
from tests.property.strategies import ACTIONS, DOMAIN_LISTS, NAMED, Setting, option_sets

HEADER = bytes.fromhex("00000002 00000000 0001de10 00000063 0a000005")


@given(ACTIONS)
def test_decoding_undoes_encoding(action: PutDhcpOpts) -> None:
    decoded = decode_userdata(encode_userdata(action))
    assert (decoded.offerip, decoded.result) == (action.offerip, action.result)
    assert dict(decoded.options) == dict(action.options)
    assert decode_userdata(encode_userdata(decoded)) == decoded


@given(ACTIONS)
def test_parsing_undoes_formatting(action: PutDhcpOpts) -> None:
    assert parse_action(format_action(action)) == action


@given(option_sets())
def test_text_of_ovn_and_yaml_mean_the_same(settings: list[Setting]) -> None:
    options = ", ".join(f"{each.name} = {each.ovn_text}" for each in settings)
    text = f"reg0[3] = put_dhcp_opts(offerip = 10.0.0.5, {options});"
    values = {}
    for each in settings:
        option = DHCPV4.lookup(each.name)
        values[option.code] = encode_value(option, each.value)
        assert encode_value(option, each.ovn_text) == values[option.code]
    assert dict(parse_action(text).options) == values


@given(DOMAIN_LISTS)
def test_domains_survive_compression(names: list[str]) -> None:
    option = DHCPV4.lookup("domain_search_list")
    encoded = encode_value(option, names)
    assert format_value(option, encoded) == f'"{",".join(names)}"'
    assert len(encoded) <= sum(len(name) + 2 for name in names)


def _harmless(userdata: bytes) -> None:
    assert "\n" not in explain(userdata)
    try:
        action = decode_userdata(userdata)
    except UserdataError:
        return
    assert dict(decode_userdata(encode_userdata(action)).options) == dict(action.options)
    parse_action(format_action(action))


@given(st.binary(max_size=100))
def test_any_bytes(userdata: bytes) -> None:
    _harmless(userdata)


@given(st.binary(max_size=300))
def test_any_options(options: bytes) -> None:
    _harmless(HEADER + options)


@given(st.sampled_from(NAMED), st.binary(max_size=80))
def test_any_value_of_a_known_option(option: Option, value: bytes) -> None:
    _harmless(HEADER + bytes((option.code, len(value))) + value)


@given(st.binary(max_size=60))
def test_any_bytes_as_domain_names(value: bytes) -> None:
    assert format_option(119, value).split(" = ")[0] in ("domain_search_list", "option_119")


@given(ACTIONS, st.data())
def test_damaged_userdata(action: PutDhcpOpts, data: st.DataObject) -> None:
    userdata = bytearray(encode_userdata(action))
    for _ in range(data.draw(st.integers(1, 4))):
        userdata[data.draw(st.integers(0, len(userdata) - 1))] = data.draw(st.integers(0, 255))
    _harmless(bytes(userdata[: data.draw(st.integers(0, len(userdata)))]))


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_any_result_field(header: int, offset: int) -> None:
    try:
        result = ResultBit(header, offset)
    except UserdataError:
        return
    if result.register is not None:
        assert ResultBit.reg(*result.register).register == result.register


# fmt: off
TOKENS = st.sampled_from([
    "reg0[3]", "=", "put_dhcp_opts", "(", "offerip", "mtu", "option_43", "hostname", ",", "{", "}",
    ")", ";", "10.0.0.5", "10.0.0.0/8", "1500", "0x05", '"a"', '"', "\\", "/*", "..", "é",
])
# fmt: on


@given(st.one_of(st.text(max_size=60), st.lists(TOKENS, max_size=20).map(" ".join)))
def test_any_text(text: str) -> None:
    with suppress(ActionError):
        parse_action(text)
    with suppress(TextError):
        parse_constants(text)


@given(
    st.sampled_from([*DHCPV4.by_name, "option_43"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
        max_leaves=5,
    ),
)
def test_any_value_from_yaml(name: str, value: object) -> None:
    option = DHCPV4.lookup(name)
    with suppress(OptionError):
        encoded = encode_value(option, value)
        assert encode_value(option, format_value(option, encoded)) == encoded
