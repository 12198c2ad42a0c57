# SPDX-License-Identifier: Apache-2.0
"""The tokens of OVN's logical actions, as far as DHCP options need them (ovn lib/lex.c).

Constants are Python values: a quoted string is `str`, a decimal number `int`, `0x…` is `Hex`,
a MAC six `bytes`, an address `IPv4Address` or `IPv6Address`, an address with a prefix length or
IPv4 mask `IPv4Network` or `IPv6Network` (its host bits cleared, as OVN does), `true` and `false`
are `bool`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple

from ovs_dhcpd.flows.options.wording import escape, show


class TextError(ValueError):
    """Text that cannot be read.  One line: column (from 1), what stands there, what was due."""


@dataclass(frozen=True, slots=True)
class Hex:
    """A hexadecimal constant.  Its leading zeros count: 0x0004 is two bytes."""

    digits: str


Constant = str | int | Hex | bytes | IPv4Address | IPv4Network | IPv6Address | IPv6Network

_TOKEN = re.compile(
    r"""(?P<skip> \s+ | //[^\n]* | /\*.*?\*/ )
      | (?P<string> "(?:[^"\\]|\\.)*" )
      | (?P<number> (?: [0-9] | [0-9A-Fa-f]+: | :: )(?:[0-9A-Za-z:]|\.(?!\.))*(?:/[0-9A-Za-z.:]+)? )
      | (?P<punctuation> \.\. | [()\[\]{}=,;] )
      | (?P<id> [A-Za-z_.][A-Za-z0-9_.]* )
      | (?P<end> \Z )
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """One token: its kind (a group of `_TOKEN`), its text, and where it starts (from 0)."""

    kind: str
    text: str
    position: int


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    while not tokens or tokens[-1].kind != "end":
        found = _TOKEN.match(text, position)
        if found is None:
            what = "unterminated string" if text[position] == '"' else "invalid character"
            raise TextError(f"column {position + 1}: {what} {show(text[position : position + 20])}")
        if found.lastgroup != "skip":
            tokens.append(Token(str(found.lastgroup), found[0], position))
        position = found.end()
    return tokens


class Lexer:
    """A text as a row of tokens, read from left to right; every method may raise TextError."""

    def __init__(self, text: str) -> None:
        """Split all of `text`."""
        self._tokens = _tokens(text)
        self._next = 0

    @property
    def token(self) -> Token:
        """The token to be read next; of kind `end` when there is none."""
        return self._tokens[self._next]

    def match(self, punctuation: str) -> bool:
        """Step over `punctuation` if it comes next; say whether it did."""
        if self.token.kind != "punctuation" or self.token.text != punctuation:
            return False
        self._next += 1
        return True

    def force(self, punctuation: str) -> None:
        """Step over `punctuation`, which has to come next."""
        if not self.match(punctuation):
            raise self.error(f"`{punctuation}'")

    def take(self, kind: str, expected: str) -> str:
        """The text of the next token, which has to be of this kind."""
        token = self.token
        if token.kind != kind:
            raise self.error(expected)
        self._next += 1
        return token.text

    def error(self, expected: str) -> TextError:
        """An error at the next token."""
        found = f"`{escape(self.token.text)}'" if self.token.kind != "end" else "end of text"
        return TextError(f"column {self.token.position + 1}: {found}, expected {expected}")

    def constant(self) -> Constant:
        """Read one constant."""
        token = self.token
        if token.kind == "string":
            value: Constant = self._string(token.text)
        elif token.kind == "number":
            value = self._number(token.text)
        elif token.kind == "id" and token.text in ("true", "false"):
            value = token.text == "true"
        else:
            raise self.error("a constant (text goes in double quotes)")
        self._next += 1
        return value

    def constant_set(self) -> list[Constant]:
        """Read one constant, or one or more in curly braces; the commas are optional, as in OVN."""
        if not self.match("{"):
            return [self.constant()]
        constants: list[Constant] = []
        while not constants or not self.match("}"):
            constants.append(self.constant())
            self.match(",")
        return constants

    def _string(self, text: str) -> str:
        try:
            return str(json.loads(text))
        except ValueError:
            raise self.error("a string with JSON's escapes") from None

    def _number(self, text: str) -> Constant:
        try:
            if re.fullmatch(r"0|[1-9][0-9]*", text):
                return int(text)
            if re.fullmatch(r"0[xX][0-9A-Fa-f]+", text):
                return Hex(text[2:])
            if re.fullmatch(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}", text):
                return bytes.fromhex(text.replace(":", ""))
            address, slash, mask = text.partition("/")
            if ":" in address:
                if not slash:
                    return IPv6Address(address)
                return IPv6Network((address, int(mask)), strict=False)
            if not slash:
                return IPv4Address(address)
            if "." in mask:
                mask = str(_prefix_length(IPv4Address(mask)))
            return IPv4Network((address, int(mask)), strict=False)
        except ValueError:
            raise self.error("a number, a MAC, an IP address or address/length") from None


def _prefix_length(mask: IPv4Address) -> int:
    zeros = int(mask) ^ 0xFFFFFFFF
    if zeros & (zeros + 1):
        raise ValueError(mask)
    return 32 - zeros.bit_length()


def parse_constants(text: str) -> list[Constant]:
    """Read all of `text`: constants and sets in curly braces, separated by commas."""
    lexer = Lexer(text)
    constants = lexer.constant_set()
    while lexer.match(","):
        constants += lexer.constant_set()
    lexer.take("end", "end of text")
    return constants


def format_constants(constants: list[Constant]) -> str:
    """The constants as OVN prints them: in curly braces unless there is just one."""
    texts = []
    for constant in constants:
        if isinstance(constant, str):
            texts.append(_quoted(constant))
        elif isinstance(constant, Hex):
            texts.append(f"0x{constant.digits}")
        elif isinstance(constant, bytes):
            texts.append(constant.hex(":"))
        else:
            texts.append(str(constant))
    return texts[0] if len(texts) == 1 else "{" + ", ".join(texts) + "}"


def _quoted(text: str) -> str:
    """As JSON, with JSON's escapes also for what a terminal would not show as it is."""
    quoted = json.dumps(text, ensure_ascii=False)
    if quoted.isprintable():
        return quoted
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in quoted)
