# SPDX-License-Identifier: Apache-2.0
"""The standard library's JSON parser in the place of python-ovs's own.

python-ovs reads JSON character by character in Python where its C extension is
missing, as it is in the wheels: half a second for the 2,000 interfaces of a bridge,
seconds for a Northbound database.  Here only the end of a text is searched for, and
:mod:`json` does the rest.
"""

from __future__ import annotations

import json
from typing import Any

import ovs.json


def install() -> None:
    """Make python-ovs use :class:`Parser`, unless it has its C extension."""
    if ovs.json.PARSER == ovs.json.PARSER_PY:
        ovs.json.Parser = Parser


class Parser:
    """As :class:`ovs.json.Parser`: is fed a stream and stops at the end of one object."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._depth = 0
        self._in_string = False
        self._escaped = False  # the next character belongs to an escape
        self._done = False

    def feed(self, text: str) -> int:
        """Take in as much of ``text`` as belongs to the object; returns how much that is."""
        size = self._end(text)
        self._parts.append(text[:size])
        return size

    def is_done(self) -> bool:
        """Whether the object has ended."""
        return self._done

    def finish(self) -> Any:
        """The object; or what is wrong with it, as text."""
        try:
            return json.loads("".join(self._parts))
        except ValueError as error:
            return f"syntax error: {error}"

    def _end(self, text: str) -> int:
        """Where in ``text`` the object ends: behind the brace that closes the first one."""
        plain = self._without_escapes(text)
        at = 0
        for segment in plain.split('"'):  # in turns outside of strings and inside
            if not self._in_string:
                closing = segment.count("}")
                if closing >= self._depth and closing:  # it may end here: look closely
                    for offset, character in enumerate(segment):
                        self._depth += (character == "{") - (character == "}")
                        if self._depth <= 0 and character == "}":
                            self._done = True
                            return at + offset + 1
                else:
                    self._depth += segment.count("{") - closing
            at += len(segment) + 1
            self._in_string = not self._in_string
        self._in_string = not self._in_string  # no quote after the last segment
        return len(text)

    def _without_escapes(self, text: str) -> str:
        """``text`` with its escapes replaced, at the same length, by what is no quote."""
        if self._escaped:
            text = "." + text[1:]
        if "\\" in text:
            text = text.replace("\\\\", "..").replace('\\"', "..")
        self._escaped = text.endswith("\\")
        return text
