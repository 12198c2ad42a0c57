# SPDX-License-Identifier: Apache-2.0
"""The logical action as text, as in OVN's Logical_Flow table (ovn-sb(5)).

    reg0[3] = put_dhcp_opts(offerip = 192.168.1.7, mtu = 1442, router = 192.168.1.1);

Values are those of `values`; a set of several stands in curly braces.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address

from flows.lexer import Lexer, TextError
from flows.options import DHCPV4, OptionError
from flows.userdata import REGISTERS, PutDhcpOpts, ResultBit, UserdataError
from flows.values import encode_constants, format_option


class ActionError(ValueError):
    """Text that is not a put_dhcp_opts action.  One line: where, what was wrong or expected."""


def parse_action(text: str) -> PutDhcpOpts:
    """The action in `text`, its options in the order written.  Raises ActionError."""
    try:
        return _parse_action(Lexer(text))
    except (TextError, UserdataError) as error:
        raise ActionError(str(error)) from None


def _parse_action(lexer: Lexer) -> PutDhcpOpts:
    result = _parse_result(lexer)
    lexer.force("=")
    if lexer.token.text != "put_dhcp_opts":
        raise lexer.error("`put_dhcp_opts'")
    lexer.take("id", "`put_dhcp_opts'")
    lexer.force("(")
    options: dict[int, bytes] = {}
    while not lexer.match(")"):
        start = lexer.token
        code, value = _parse_option(lexer)
        if code in options:
            raise ActionError(
                f"column {start.position + 1}: {start.text}: option {code} is given twice"
            )
        options[code] = value
        lexer.match(",")
    lexer.match(";")
    lexer.take("end", "end of text")
    offerip = options.pop(DHCPV4.by_name["offerip"].code, None)
    if offerip is None:
        raise ActionError("put_dhcp_opts: offerip is missing")
    return PutDhcpOpts(IPv4Address(offerip), tuple(options.items()), result)


def _parse_option(lexer: Lexer) -> tuple[int, bytes]:
    start = lexer.token.position + 1
    if lexer.token.kind != "id":
        raise lexer.error("a DHCPv4 option name")
    try:
        option = DHCPV4.lookup(lexer.token.text)
        lexer.take("id", "a DHCPv4 option name")
        lexer.force("=")
        return option.code, encode_constants(option, lexer.constant_set())
    except OptionError as error:
        raise ActionError(f"column {start}: {error}") from None


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


def format_action(action: PutDhcpOpts) -> str:
    """The action as OVN prints it."""
    options = [f"offerip = {action.offerip}"]
    options += (format_option(code, value) for code, value in action.options)
    return f"{_format_result(action.result)} = put_dhcp_opts({', '.join(options)});"


def _format_result(result: ResultBit) -> str:
    if result.register is None:
        return f"field_{result.header:08x}[{result.offset}]"
    number, bit = result.register
    return f"reg{number}[{bit}]"
