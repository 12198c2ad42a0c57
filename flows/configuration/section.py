# SPDX-License-Identifier: Apache-2.0
"""Settings as somebody wrote them: names and values that know where they stand, and mistakes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from ovs_dhcpd.flows.options.wording import (
    LINES,
    either,
    escape,
    first_lines,
    meant,
    printable,
    show,
)


class Place(NamedTuple):  # a dataclass takes as long to import as all of a command's own
    """Where something was written; `str()` is ``file:line``."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{printable(self.file)}:{self.line}"


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
    """Collects what is wrong, so that the user sees all of it at once, or the first of it."""

    def __init__(self) -> None:
        self._found: list[tuple[Place, str]] = []
        self._count = 0
        self._warnings: list[tuple[Place, str]] = []

    @property
    def are_enough(self) -> bool:
        """Whether what is noted from now on is only counted: its words need not be well chosen."""
        return self._count >= LINES

    def add(self, place: Place, text: str) -> None:
        """Note a mistake: "NAME: what was wrong, expected …"."""
        if not self.are_enough:
            self._found.append((place, text))
        self._count += 1

    def refuse(self, section: Section, owner: str, name: str, what: str) -> None:
        """Note that `name` in `section`, which says what `owner` has, is wrong."""
        names = () if self.are_enough else (escape(each) for each in (owner, name) if each)
        self.add(section.place(name), ": ".join([*names, what]))

    def warn(self, section: Section, owner: str, name: str, what: str) -> None:
        """Note that `name` may be meant, and most likely is not; :meth:`refuse` says of what."""
        if len(self._warnings) < LINES:
            names = [escape(each) for each in (owner, name) if each]
            self._warnings.append((section.place(name), ": ".join([*names, what])))

    @property
    def warnings(self) -> list[str]:
        """What was warned of first, file by file in the order of the lines."""
        found = sorted(self._warnings, key=lambda each: (each[0].file, each[0].line))
        return [f"{place}: warning: {text}" for place, text in found]

    @property
    def lines(self) -> list[str]:
        """What was noted first, without places, and how much more there is."""
        return first_lines([text for _, text in self._found], self._count)

    def raise_if_any(self) -> None:
        """Raise ConfigError with what was noted, file by file in the order of the lines."""
        if self._found:
            found = sorted(self._found, key=lambda each: (each[0].file, each[0].line))
            lines = [f"{place}: {text}" for place, text in found]
            raise ConfigError(first_lines(lines, self._count))


class Reader:
    """A section as it is read: whose settings stand in it, and where their mistakes are noted.

    The names in it are looked up as in the section itself.
    """

    def __init__(
        self, section: Section, owner: str, mistakes: Mistakes, *, takes_units: bool = False
    ) -> None:
        """For the settings of `owner`; empty where they are nobody's but the file's.

        `takes_units`: times in it may have units.
        """
        self.section = section
        self.owner = owner
        self.mistakes = mistakes
        self.takes_units = takes_units
        # Names that are not known as they are written in another way, or with a mistake, which has
        # been noted: that they are missing, or what does not go with them, is no second one.
        self.unclear: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.section

    def __iter__(self) -> Iterator[str]:
        return iter(self.section)

    def __getitem__(self, name: str) -> object:
        return self.section[name]

    def get(self, name: str, default: object = None) -> object:
        """The value of `name`, or `default` where it is not there."""
        return self.section.get(name, default)

    def refuse(self, name: str, what: str) -> None:
        """Note that the value of `name` is wrong: "what was wrong, expected …"."""
        self.mistakes.refuse(self.section, self.owner, name, what)

    def warn(self, name: str, what: str) -> None:
        """Note that the value of `name` may be meant, and most likely is not."""
        self.mistakes.warn(self.section, self.owner, name, what)

    def inside(self, name: str, owner: str | None = None) -> Reader | None:
        """The section called `name`; None, and a mistake, if there is none.

        What stands there is `owner`'s, or whose this section is.
        """
        value = self.get(name)
        if isinstance(value, Section):
            owner = self.owner if owner is None else owner
            return Reader(value, owner, self.mistakes, takes_units=self.takes_units)
        if name in self:
            self.refuse(name, f"{show(value)}, expected a mapping")
        elif name not in self.unclear:
            self.refuse(name, "is missing")
        return None

    def flag(self, name: str, *, default: bool = False) -> bool:
        """The value of `name`, `default` if it is not there; false if it is a mistake."""
        value = self.get(name, default)
        if not isinstance(value, bool):
            self.refuse(name, f"{show(value)}, expected true or false")
        return value is True

    def hint(self, name: str, known: Collection[str]) -> str:
        """Which known name was meant by the unknown `name`, as the end of a sentence.

        It is looked for while somebody will read it, as that takes its time.
        """
        found = "" if self.mistakes.are_enough else meant(name, known)
        if not found:
            return ""
        self.unclear.add(found)
        return f" (did you mean {escape(found)}?)"

    def refuse_unknown(
        self, expected: Collection[str], inside: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Note each name that is none of `expected`; `inside` has which of these it belongs in."""
        for name in self:
            if name in expected:
                continue
            if name in inside:
                self.refuse(name, f"belongs in {inside[name]}, expected below that and indented")
            else:
                close = self.hint(name, expected)
                self.refuse(name, f"unknown, expected {either(expected)}{close}")

    def refuse_unprintable(self, name: str) -> None:
        """Note a name of the user's that cannot stand in the text of a logical flow."""
        if not name or not name.isprintable() or '"' in name or "\\" in name:
            what = f'{show(name)}: not a name, expected printable characters without " and \\'
            self.mistakes.add(self.section.place(name), what)
