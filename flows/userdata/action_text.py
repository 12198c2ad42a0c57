# SPDX-License-Identifier: Apache-2.0
"""The logical actions as text, as in OVN's Logical_Flow table (ovn-sb(5)).

    reg0[3] = put_dhcp_opts(offerip = 192.168.1.7, mtu = 1442, router = 192.168.1.1);
    reg0[3] = put_dhcpv6_opts(ia_addr = fd00:1::7, dns_server = fd00:1::53);
    reg0[5] = put_nd_ra_opts(addr_mode = "slaac", prefix = fd00:1::/64);

    reg0[4] = dns_lookup();
    reg9[7] = dhcp_relay_req_chk(192.168.1.1, 172.16.1.1);
    reg9[8] = dhcp_relay_resp_chk(192.168.1.1, 172.16.1.1);

and one that OVN does not have, a whole ICMPv6 message in hex:

    reg0[5] = put_nd_na(message = 0x8800…);

Values are those of :mod:`flows.options.values`; a set of several stands in curly braces.  The
extension's stand among the options, by the names of its table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import NamedTuple

from ovs_dhcpd.flows.options.lexer import Lexer, TextError
from ovs_dhcpd.flows.options.table import (
    DHCPV4,
    DHCPV6,
    ROUTER_ADVERTISEMENT,
    Option,
    OptionError,
    OptionTable,
)
from ovs_dhcpd.flows.options.values import encode_constants, format_option, format_value
from ovs_dhcpd.flows.userdata.codec import (
    ACTION_NAMES,
    DHCP_RELAY_REQ_CHK,
    DHCP_RELAY_RESP_CHK,
    DNS_LOOKUP,
    PUT_DHCP_OPTS,
    PUT_DHCPV6_OPTS,
    PUT_ND_NA,
    PUT_ND_RA_OPTS,
    REGISTERS,
    DhcpRelayReqChk,
    DhcpRelayRespChk,
    DnsLookup,
    LogicalAction,
    PutDhcpOpts,
    PutDhcpv6Opts,
    PutNdNa,
    PutNdRaOpts,
    ResultBit,
)
from ovs_dhcpd.flows.userdata.cursor import UserdataError
from ovs_dhcpd.flows.userdata.extension import (
    Dhcpv4Extension,
    Dhcpv6Extension,
    extension_of,
    extension_values,
)
from ovs_dhcpd.flows.userdata.router_advertisement import decode_message, encode_message


class ActionError(ValueError):
    """Text that is not one of the actions.  One line: where, what was wrong or expected."""


# A router advertisement that cannot be told by options.
_MESSAGE = OptionTable(ROUTER_ADVERTISEMENT.family, (Option("message", 0, "raw", "RFC 4861 §4.2"),))
_NEIGHBOUR_ADVERTISEMENT = OptionTable(
    "neighbour advertisement", (Option("message", 0, "raw", "RFC 4861 §4.4"),)
)
_NO_EXTENSION = OptionTable("neighbour advertisement", ())


class _Grammar(NamedTuple):
    """The options of an action, and the names that OVN does not have among them."""

    options: OptionTable
    extension: OptionTable


_GRAMMARS = {
    ACTION_NAMES[PUT_DHCP_OPTS]: _Grammar(DHCPV4, Dhcpv4Extension.table),
    ACTION_NAMES[PUT_DHCPV6_OPTS]: _Grammar(DHCPV6, Dhcpv6Extension.table),
    ACTION_NAMES[PUT_ND_RA_OPTS]: _Grammar(ROUTER_ADVERTISEMENT, _MESSAGE),
    ACTION_NAMES[PUT_ND_NA]: _Grammar(_NEIGHBOUR_ADVERTISEMENT, _NO_EXTENSION),
}


class _Parsed(NamedTuple):
    """Codes and encoded values, in the order written."""

    options: list[tuple[int, bytes]]
    extension: list[tuple[int, bytes]]


def parse_action(text: str) -> LogicalAction:
    """The action in `text`, its options in the order written.  Raises ActionError."""
    try:
        return _parse_action(Lexer(text))
    except (TextError, UserdataError) as error:
        raise ActionError(str(error)) from None


def _parse_action(lexer: Lexer) -> LogicalAction:
    result = _parse_result(lexer)
    lexer.force("=")
    names = ACTION_NAMES.values()
    expected = " or ".join(f"`{name}'" for name in names)
    if lexer.token.text not in names:
        raise lexer.error(expected)
    name = lexer.take("id", expected)
    lexer.force("(")
    if name not in _GRAMMARS:
        return _parse_arguments(lexer, name, result)
    parsed = _parse_options(lexer, _GRAMMARS[name])
    lexer.match(";")
    lexer.take("end", "end of text")
    if name == ACTION_NAMES[PUT_DHCP_OPTS]:
        return _put_dhcp_opts(parsed, result)
    if name == ACTION_NAMES[PUT_DHCPV6_OPTS]:
        extension = extension_of(Dhcpv6Extension, parsed.extension)
        return PutDhcpv6Opts(tuple(parsed.options), result, extension)
    if name == ACTION_NAMES[PUT_ND_NA]:
        return PutNdNa(dict(parsed.options).get(0, b""), result)
    return _put_nd_ra_opts(parsed, result)


def _parse_arguments(lexer: Lexer, name: str, result: ResultBit) -> LogicalAction:
    """The rest of an action whose arguments have no names."""
    action: LogicalAction
    if name == ACTION_NAMES[DNS_LOOKUP]:
        action = DnsLookup(result)
    else:
        relay = _parse_address(lexer, "the relay agent's IPv4 address")
        lexer.match(",")
        server = _parse_address(lexer, "the server's IPv4 address")
        is_request = name == ACTION_NAMES[DHCP_RELAY_REQ_CHK]
        action = (DhcpRelayReqChk if is_request else DhcpRelayRespChk)(relay, server, result)
    lexer.force(")")
    lexer.match(";")
    lexer.take("end", "end of text")
    return action


def _parse_address(lexer: Lexer, expected: str) -> IPv4Address:
    error = lexer.error(expected)
    address = lexer.constant()
    if not isinstance(address, IPv4Address):
        raise error
    return address


def _put_dhcp_opts(parsed: _Parsed, result: ResultBit) -> PutDhcpOpts:
    options = dict(parsed.options)
    offerip = options.pop(DHCPV4.by_name["offerip"].code, None)
    if offerip is None:
        raise ActionError("put_dhcp_opts: offerip is missing")
    extension = extension_of(Dhcpv4Extension, parsed.extension)
    return PutDhcpOpts(IPv4Address(offerip), tuple(options.items()), result, extension)


def _put_nd_ra_opts(parsed: _Parsed, result: ResultBit) -> PutNdRaOpts:
    if not parsed.extension:
        return PutNdRaOpts(encode_message(parsed.options), result)
    if parsed.options:
        raise ActionError("put_nd_ra_opts: message is not alone, expected no other option")
    return PutNdRaOpts(parsed.extension[0][1], result)


def _parse_options(lexer: Lexer, grammar: _Grammar) -> _Parsed:
    """All up to the closing parenthesis."""
    parsed = _Parsed([], [])
    while not lexer.match(")"):
        start = lexer.token
        if start.kind != "id":
            raise lexer.error(f"a {grammar.options.family} option name")
        try:
            own = start.text in grammar.extension.by_name
            table, found = (
                (grammar.extension, parsed.extension) if own else (grammar.options, parsed.options)
            )
            option = table.lookup(start.text)
            lexer.take("id", "a name")
            lexer.force("=")
            value = encode_constants(option, lexer.constant_set())
            row = table.by_code.get(option.code, option)
            if not row.repeatable and option.code in dict(found):
                raise OptionError(f"{start.text}: option {option.code} is given twice")
        except OptionError as error:
            raise ActionError(f"column {start.position + 1}: {error}") from None
        found.append((option.code, value))
        lexer.match(",")
    return parsed


# The fallback for a field that is no register: its header in hex.
_FIELD = re.compile(r"(?P<family>x{0,2}reg)(?P<number>[0-9]{1,2})|field_(?P<header>[0-9a-f]{8})")


def _parse_result(lexer: Lexer) -> ResultBit:
    field = _FIELD.fullmatch(lexer.token.text)
    if field is None:
        raise lexer.error("a register")
    lexer.take("id", "a register")
    lexer.force("[")
    if not re.fullmatch("[0-9]{1,3}", lexer.token.text):
        raise lexer.error("a bit number")
    offset = int(lexer.take("number", "a bit number"))
    lexer.force("]")
    if field["header"]:
        return ResultBit(int(field["header"], 16), offset)
    words = REGISTERS[field["family"]].words
    word, bit = divmod(offset, 32)
    if word >= words:
        raise ActionError(f"{field[0]} has {32 * words} bits, there is no bit {offset}")
    return ResultBit.reg(words * int(field["number"]) + words - 1 - word, bit)


def format_action(action: LogicalAction) -> str:
    """The action as OVN prints it."""
    if isinstance(action, PutDhcpOpts):
        name = ACTION_NAMES[PUT_DHCP_OPTS]
        options = [f"offerip = {action.offerip}"]
        options += _format_options(DHCPV4, action.options)
        options += _format_options(Dhcpv4Extension.table, extension_values(action.extension))
    elif isinstance(action, PutDhcpv6Opts):
        name = ACTION_NAMES[PUT_DHCPV6_OPTS]
        options = _format_options(DHCPV6, action.options)
        options += _format_options(Dhcpv6Extension.table, extension_values(action.extension))
    elif isinstance(action, PutNdRaOpts):
        name = ACTION_NAMES[PUT_ND_RA_OPTS]
        options = _format_message(action.message)
    elif isinstance(action, DnsLookup):
        name, options = ACTION_NAMES[DNS_LOOKUP], []
    elif isinstance(action, DhcpRelayReqChk):
        name, options = ACTION_NAMES[DHCP_RELAY_REQ_CHK], [str(action.relay), str(action.server)]
    elif isinstance(action, DhcpRelayRespChk):
        name, options = ACTION_NAMES[DHCP_RELAY_RESP_CHK], [str(action.relay), str(action.server)]
    else:
        name = ACTION_NAMES[PUT_ND_NA]
        options = _format_options(_NEIGHBOUR_ADVERTISEMENT, [(0, action.message)])
    return f"{_format_result(action.result)} = {name}({', '.join(options)});"


def _format_options(table: OptionTable, options: Iterable[tuple[int, bytes]]) -> list[str]:
    return [format_option(table, code, value) for code, value in options]


def _format_message(message: bytes) -> list[str]:
    """By its options if they tell all of it, else in hex."""
    by_code = ROUTER_ADVERTISEMENT.by_code
    try:
        return [
            f"{by_code[code].name} = {format_value(by_code[code], value)}"
            for code, value in decode_message(message)
        ]
    except OptionError:
        return _format_options(_MESSAGE, [(0, message)])


def _format_result(result: ResultBit) -> str:
    if result.register is None:
        return f"field_{result.header:08x}[{result.offset}]"
    number, bit = result.register
    return f"reg{number}[{bit}]"
