# SPDX-License-Identifier: Apache-2.0
"""Settings as somebody wrote them: names and values that know where they stand, and mistakes."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from flows.bindings import Place


class ConfigError(ValueError):
    """The configuration cannot be used; `errors` has one line for each mistake."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = list(errors)
        super().__init__("\n".join(self.errors))


class Section(dict[str, object]):
    """Settings that stand together, name to value, and the line each name is on.

    A value is a str, int, bool or None, a list of values, or a further Section.
    """

    __slots__ = ("file", "line", "lines")

    def __init__(self, file: str, line: int) -> None:
        self.file = file
        self.line = line
        self.lines: dict[str, int] = {}

    def place(self, name: str) -> Place:
        """Where `name` is written; where the section begins if it is not there."""
        return Place(self.file, self.lines.get(name, self.line))


class Mistakes:
    """Collects what is wrong, so that the user sees all of it at once."""

    def __init__(self) -> None:
        self._found: list[tuple[Place, str]] = []

    def add(self, place: Place, text: str) -> None:
        """Note a mistake: "NAME: what was wrong, expected …"."""
        self._found.append((place, text))

    def refuse(self, section: Section, owner: str, name: str, what: str) -> None:
        """Note that `name` in `section`, which says what `owner` has, is wrong."""
        self.add(section.place(name), f"{owner}: {name}: {what}" if owner else f"{name}: {what}")

    def raise_if_any(self) -> None:
        """Raise ConfigError with everything noted, file by file in the order of the lines."""
        if self._found:
            found = sorted(self._found, key=lambda each: (each[0].file, each[0].line))
            raise ConfigError(f"{place}: {text}" for place, text in found)


def section_of(section: Section, owner: str, name: str, mistakes: Mistakes) -> Section | None:
    """The section called `name` in `section`; None, and a mistake, if there is none."""
    value = section.get(name)
    if isinstance(value, Section):
        return value
    what = f"{show(value)}, expected a mapping" if name in section else "is missing"
    mistakes.refuse(section, owner, name, what)
    return None


def check_names(
    section: Section,
    owner: str,
    expected: Collection[str],
    mistakes: Mistakes,
) -> None:
    """Whether all names in `section` are expected."""
    for name in section:
        if name not in expected:
            what = f"unknown, expected {' or '.join(expected)}{hint(name, expected)}"
            mistakes.refuse(section, owner, name, what)


def check_printable(section: Section, name: str, mistakes: Mistakes) -> None:
    """Whether a name of the user's can stand in the text of a logical flow."""
    if not name or not name.isprintable() or '"' in name or "\\" in name:
        what = f'{name!r}: not a name, expected printable characters without " and \\'
        mistakes.add(section.place(name), what)


def hint(name: str, known: Collection[str]) -> str:
    """Which known name was meant, if `name` is none but is like one."""
    close = [] if name in known else difflib.get_close_matches(name, known, 1)
    return f" (did you mean {close[0]}?)" if close else ""


def show(value: object) -> str:
    """The value as the user may recognise it, in a few words."""
    if value is None:
        return "nothing"
    if isinstance(value, (Section, list)):
        return "a mapping" if isinstance(value, Section) else "a list"
    return repr(value if len(str(value)) < 60 else str(value)[:60] + "…")
