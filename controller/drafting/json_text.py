# SPDX-License-Identifier: Apache-2.0
"""JSON as Kea reads it: comments (``//``, ``#``, ``/* */``), spare commas, includes, ``.5``."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from ovs_dhcpd.controller.drafting.draft import DraftError
from ovs_dhcpd.flows.options.wording import escape

_TOKEN = re.compile(r'\s+|[^\s"#/<,{}\[\]:]+|//|/\*|<\?|.', re.DOTALL)
_FRACTION = re.compile(r"(-?)([0-9]*)\.([0-9]*)([eE][+-]?[0-9]+)?", re.ASCII)
_IN_STRING = re.compile(r'[^"\\]*', re.DOTALL)
_MAX_DIGITS = 20


def parse(text: str) -> tuple[Any, list[tuple[int, str]]]:
    """The document, and the files that it includes with their lines.

    Raises DraftError, which begins with the line.
    """
    plain, includes = _plain(text)
    try:
        return json.loads(plain, parse_constant=_refuse, parse_int=_integer), includes
    except json.JSONDecodeError as error:
        raise DraftError(f"{error.lineno}: is not JSON: {escape(error.msg)}") from None
    except RecursionError:
        raise DraftError("1: is not JSON: it is nested too deeply") from None
    except ValueError as error:
        raise DraftError(f"1: is not JSON: {escape(str(error))}") from None


def _plain(text: str) -> tuple[str, list[tuple[int, str]]]:
    """The text without what JSON has not, each line where it was, and what it includes."""
    parts, includes = list[str](), list[tuple[int, str]]()
    at, line = 0, 1
    before, comma = "", False  # the last token that counts, and whether a comma waits for the next
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found
        token, at = found[0], found.end()
        kept = token
        if token.isspace():
            kept = ""
        elif token == '"':
            end = _end_of_string(text, at)
            token = kept = text[at - 1 : end]
            at = end
        elif token in ("#", "//", "/*", "<?"):
            close = {"/*": "*/", "<?": "?>"}.get(token, "\n")
            end = text.find(close, at)
            end = len(text) if end < 0 else end + (len(close) if close != "\n" else 0)
            if token == "<?":
                includes.append((line, text[at : end - 2].strip()))
            kept = "null" if token == "<?" and before == ":" else ""
            token = text[at - len(token) : end]
            at = end
        elif (number := _FRACTION.fullmatch(token)) and (number[2] or number[3]):
            kept = f"{number[1]}{number[2] or 0}.{number[3] or 0}{number[4] or ''}"
        elif token == ",":
            kept, comma = "", comma or before not in ("", "{", "[", ",")
        if kept:
            if comma and kept not in ("}", "]"):
                parts.append(",")
            before, comma = kept, False
        # What is left out leaves its line ends, so that mistakes are found where they are.
        parts.append(kept or "\n" * token.count("\n") or " ")
        line += token.count("\n")
    return "".join(parts), includes


def _end_of_string(text: str, at: int) -> int:
    """Behind the quote that ends the string which begins before `at`; the end where none does."""
    while True:
        found = _IN_STRING.match(text, at)
        assert found
        at = found.end()
        if at >= len(text):
            return len(text)
        if text[at] == '"':
            return at + 1
        at += 2  # an escape


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")
