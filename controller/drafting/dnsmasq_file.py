# SPDX-License-Identifier: Apache-2.0
r"""The lines of dnsmasq.conf: options with their values, cut at commas (dnsmasq's `read_file`).

What is in double quotes is not cut, and has C's escapes; a ``#`` begins a comment where white space
or nothing is in front of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

# White space in quotes is the word's own: it is something else until the rest has been taken off.
_KEPT = {ord(each): 0xE000 + ord(each) for each in " \t\n\b\r\v\f"}
_BACK = {kept: each for each, kept in _KEPT.items()}
_ESCAPES = {"t": "\t", "n": "\n", "b": "\b", "r": "\r", "e": "\x1b"}


@dataclass(frozen=True, slots=True)
class Line:
    """One option: its name without ``--``, its words, and the number of the line."""

    number: int
    name: str
    words: tuple[str, ...]


def read(text: str) -> Iterator[Line]:
    """The options of a file, in its order."""
    for number, line in enumerate(text.split("\n"), 1):
        name, *values = _words(line)
        name, is_given, first = name.partition("=")
        name = name.strip().removeprefix("--")
        if name:
            words = (first, *values) if is_given else ()
            yield Line(number, name, tuple(each.strip().translate(_BACK) for each in words))


def _words(line: str) -> list[str]:
    """The line without its comment, cut at the commas that are not in quotes."""
    words, word = list[str](), list[str]()
    is_quoted, is_escaped, before = False, False, " "
    for character in line:
        if is_escaped:
            word.append(_ESCAPES.get(character, character).translate(_KEPT))
            is_escaped = False
        elif is_quoted and character == "\\":
            is_escaped = True
        elif character == '"':
            is_quoted = not is_quoted
        elif is_quoted:
            word.append(character.translate(_KEPT))
        elif character == "#" and before.isspace():
            break
        elif character == ",":
            words.append("".join(word))
            word = []
        else:
            word.append(character)
        before = character
    return [*words, "".join(word)]
