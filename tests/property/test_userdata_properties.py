# SPDX-License-Identifier: Apache-2.0
"""Text, values and bytes agree, whatever the options; and no bytes do harm."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.flows.options.lexer import TextError, parse_constants
from ovs_dhcpd.flows.options.table import (
    DHCPV4,
    DHCPV6,
    ROUTER_ADVERTISEMENT,
    Option,
    OptionError,
    OptionTable,
)
from ovs_dhcpd.flows.options.values import encode_value, format_option, format_value
from ovs_dhcpd.flows.userdata.action_text import ActionError, format_action, parse_action
from ovs_dhcpd.flows.userdata.annotate import explain
from ovs_dhcpd.flows.userdata.codec import (
    REG0_3,
    LogicalAction,
    PutDhcpOpts,
    PutDhcpv6Opts,
    PutNdRaOpts,
    ResultBit,
    decode_userdata,
    encode_userdata,
)
from ovs_dhcpd.flows.userdata.cursor import UserdataError
from ovs_dhcpd.flows.userdata.router_advertisement import encode_message

from tests.property.strategies import (
    ACTIONS,
    ACTIONS6,
    ACTIONS_RA,
    DOMAIN_LISTS,
    NAMED,
    NAMED6,
    NAMED_RA,
    Setting,
    option_sets,
)

HEADER = bytes.fromhex("00000002 00000000 0001de10 00000063 0a000005")
HEADER6 = bytes.fromhex("00000005 00000000 0001de10 00000063")
HEADER_RA = bytes.fromhex("00000008 00000000 0001de10 00000065 86000000 ff80ffff 0000000000000000")
ANY_ACTION = st.one_of(ACTIONS, ACTIONS6, ACTIONS_RA)


@given(ACTIONS)
def test_decoding_undoes_encoding(action: PutDhcpOpts) -> None:
    decoded = decode_userdata(encode_userdata(action))
    assert isinstance(decoded, PutDhcpOpts)
    assert replace(decoded, options=()) == replace(action, options=())
    assert dict(decoded.options) == dict(action.options)
    assert decode_userdata(encode_userdata(decoded)) == decoded


@given(st.one_of(ACTIONS6, ACTIONS_RA))
def test_decoding_undoes_encoding_of_ipv6(action: LogicalAction) -> None:
    assert decode_userdata(encode_userdata(action)) == action


@given(ANY_ACTION)
def test_parsing_undoes_formatting(action: LogicalAction) -> None:
    assert parse_action(format_action(action)) == action


@given(ACTIONS_RA)
def test_a_message_of_ours_is_told_by_its_options(action: LogicalAction) -> None:
    assert "message = 0x" not in format_action(action)


def _same_values(table: OptionTable, settings: list[Setting]) -> dict[int, bytes]:
    values = {}
    for each in settings:
        option = table.lookup(each.name)
        values[option.code] = encode_value(option, each.value)
        assert encode_value(option, each.ovn_text) == values[option.code]
    return values


def _text(name: str, settings: list[Setting]) -> str:
    return f"reg0[3] = {name}({', '.join(f'{each.name} = {each.ovn_text}' for each in settings)});"


@given(option_sets())
def test_text_of_ovn_and_yaml_mean_the_same(settings: list[Setting]) -> None:
    values = _same_values(DHCPV4, settings)
    offerip = Setting("offerip", "10.0.0.5", "10.0.0.5")
    action = parse_action(_text("put_dhcp_opts", [offerip, *settings]))
    assert isinstance(action, PutDhcpOpts)
    assert dict(action.options) == values


@given(option_sets(NAMED6))
def test_text_of_ovn_and_yaml_mean_the_same_of_dhcpv6(settings: list[Setting]) -> None:
    action = parse_action(_text("put_dhcpv6_opts", settings))
    assert action == PutDhcpv6Opts(tuple(_same_values(DHCPV6, settings).items()))


@given(option_sets(NAMED_RA))
def test_text_of_ovn_and_yaml_mean_the_same_of_advertisements(settings: list[Setting]) -> None:
    values = _same_values(ROUTER_ADVERTISEMENT, settings)
    action = parse_action(_text("put_nd_ra_opts", settings))
    assert action == PutNdRaOpts(encode_message(tuple(values.items())), REG0_3)


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
    again = decode_userdata(encode_userdata(action))
    if isinstance(action, PutDhcpOpts) and isinstance(again, PutDhcpOpts):
        assert dict(again.options) == dict(action.options)  # some come first
    else:
        assert again == action
    assert parse_action(format_action(action)) == action


@given(st.binary(max_size=100))
def test_any_bytes(userdata: bytes) -> None:
    _harmless(userdata)


@given(st.sampled_from([HEADER, HEADER6, HEADER_RA]), st.binary(max_size=300))
def test_any_options(header: bytes, options: bytes) -> None:
    _harmless(header + options)


@given(st.sampled_from(NAMED), st.binary(max_size=80))
def test_any_value_of_a_known_option(option: Option, value: bytes) -> None:
    _harmless(HEADER + bytes((option.code, len(value))) + value)


@given(st.sampled_from(NAMED6), st.binary(max_size=80))
def test_any_value_of_a_known_option_of_dhcpv6(option: Option, value: bytes) -> None:
    _harmless(HEADER6 + option.code.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value)


@given(st.lists(st.tuples(st.sampled_from([1, 3, 5, 24, 25, 31, 37, 38]), st.binary(max_size=62))))
def test_any_option_of_an_advertisement(options: list[tuple[int, bytes]]) -> None:
    padded = [(code, content + bytes(-(2 + len(content)) % 8)) for code, content in options]
    parts = (bytes((code, (2 + len(each)) // 8)) + each for code, each in padded)
    _harmless(HEADER_RA + b"".join(parts))


@given(st.integers(0, 10), st.binary(max_size=80))
def test_any_extension(code: int, value: bytes) -> None:
    part = bytes((code,)) + len(value).to_bytes(2, "big") + value
    _harmless(HEADER + bytes((255, len(part))) + part)
    _harmless(HEADER6 + b"\xff\xff" + len(part).to_bytes(2, "big") + part)


@given(st.binary(max_size=60))
def test_any_bytes_as_domain_names(value: bytes) -> None:
    assert format_option(DHCPV4, 119, value).split(" = ")[0] in ("domain_search_list", "option_119")


@given(ANY_ACTION, st.data())
def test_damaged_userdata(action: LogicalAction, data: st.DataObject) -> None:
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
    "reg0[3]", "=", "put_dhcp_opts", "put_dhcpv6_opts", "put_nd_ra_opts", "(", "offerip", "mtu",
    "option_43", "hostname", "prefix", "t1", "boot_file", "message", "fd00::/64", "fd00::1", "::",
    "02:00:00:00:00:01", ",", "{", "}", ")", ";", "10.0.0.5",
    "10.0.0.0/8", "1500", "0x05", '"a"', '"', "\\", "/*", "..", "é",
])
# fmt: on


@given(st.one_of(st.text(max_size=60), st.lists(TOKENS, max_size=20).map(" ".join)))
def test_any_text(text: str) -> None:
    with suppress(ActionError):
        parse_action(text)
    with suppress(TextError):
        parse_constants(text)


@given(
    st.sampled_from([*NAMED, *NAMED6, *NAMED_RA, DHCPV4.lookup("option_43")]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
        max_leaves=5,
    ),
)
def test_any_value_from_yaml(option: Option, value: object) -> None:
    with suppress(OptionError):
        encoded = encode_value(option, value)
        assert encode_value(option, format_value(option, encoded)) == encoded
