# SPDX-License-Identifier: Apache-2.0
"""Settings as YAML with comments, which reads back as it was (:mod:`controller.sources.yaml_file`).

What other readers of YAML may take for something else (``no``, ``1e3``, ``10:20``) is in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ovs_dhcpd.flows.configuration.section import Section
from ovs_dhcpd.flows.options.wording import printable

WIDTH = 96  # of a list; a longer one has a line for each value
INDENT = "  "
END = ""  # the name of the comments that come after everything else

# A colon in front of a space, or at the end, ends a name; in a name or a list it is not used plain.
_PLAIN = re.compile(r"[A-Za-z0-9_./](?:[A-Za-z0-9_./:-]*[A-Za-z0-9_./])?", re.ASCII)
_NUMBER = re.compile(r"[a-fA-FxoO_.:-]*[0-9][0-9a-fA-FxoO_.:-]*", re.ASCII)
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+(?:/\d+|-\d+\.\d+\.\d+\.\d+)?", re.ASCII)
_WORDS = {"", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan"}
_ESCAPES = {'"': '\\"', "\\": "\\\\"}


class Settings(Section):
    """Settings that are being put together; `notes` are comments that stand above a name."""

    __slots__ = ("notes",)

    def __init__(self, line: int = 0) -> None:
        super().__init__("", line)
        self.notes: dict[str, list[str]] = {}

    def note(self, name: str, text: str) -> None:
        """A comment above `name`, or below everything with the name `END`."""
        self.notes.setdefault(name, []).append(text)


def lines(settings: Settings, depth: int = 0) -> Iterator[str]:
    """The settings, each below its comments."""
    pad = INDENT * depth
    for name, value in settings.items():
        for note in settings.notes.get(name, ()):
            yield pad + comment(note)
        key = pad + scalar(name, is_inside=True) + ":"
        if isinstance(value, Settings) and (value or END in value.notes):
            yield key if value else f"{key} {{}}"
            yield from lines(value, depth + 1)
        elif isinstance(value, Settings):
            yield f"{key} {{}}"
        elif isinstance(value, list):
            inside = [scalar(each, is_inside=True) for each in value]
            line = f"{key} [{', '.join(inside)}]"
            if len(line) <= WIDTH:
                yield line
            else:
                yield key
                yield from (f"{pad}{INDENT}- {each}" for each in inside)
        else:
            yield f"{key} {scalar(value)}"
    for note in settings.notes.get(END, ()):
        yield pad + comment(note)


def comment(text: str) -> str:
    """One line that is no setting, whatever the text is."""
    return f"# {printable(text)}".rstrip()


def scalar(value: object, *, is_inside: bool = False) -> str:
    """One value; or with `is_inside` a name, or a value of a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if _is_plain(text) and not (is_inside and ":" in text):
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def flow(values: Iterable[tuple[str, object]]) -> str:
    """Settings in one line, as ``{cidr: 10.0.0.0/24, router: 10.0.0.1}``."""
    inside = (f"{scalar(name, is_inside=True)}: {scalar(each, is_inside=True)}"
              for name, each in values)  # fmt: skip
    return "{" + ", ".join(inside) + "}"


def _is_plain(text: str) -> bool:
    if not _PLAIN.fullmatch(text) or text.lower() in _WORDS or text.startswith("..."):
        return False
    return not _NUMBER.fullmatch(text) or _ADDRESS.fullmatch(text) is not None


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    number = ord(character)
    if 0xD800 <= number <= 0xDFFF:  # half of a character, which no file can have
        return "\\ufffd"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
