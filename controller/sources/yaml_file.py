# SPDX-License-Identifier: Apache-2.0
"""The configuration files: YAML to sections that know the line of every name.

Only the parser of PyYAML is used. Its constructors forget lines, keep the last of two equal
names, read 10:20:30:40:50:60 as a number and `no` as false; none of this suits a configuration of
MACs and names. A plain scalar is a null, true, false or a decimal integer; all else is text.
Anchors, aliases and merge keys (`<<`) work; tags do not.
"""

from __future__ import annotations

import os
import pwd
import re
import stat
from dataclasses import dataclass
from pathlib import Path

import yaml
from ovs_dhcpd.flows.bindings.network import Configuration
from ovs_dhcpd.flows.configuration.networks import parse_configuration
from ovs_dhcpd.flows.configuration.section import ConfigError, Mistakes, Place, Section
from ovs_dhcpd.flows.options.wording import escape

__all__ = ["ConfigError", "load"]

# The parser that PyYAML builds on libyaml is six times as fast, where it is there.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_DEPTH = 16  # the configuration needs 7
# A bridge has 65,279 ports at most (OpenFlow), and each takes some 100 bytes of YAML and 1.5 kB of
# memory: this is enough for two such bridges.
MAX_SIZE = 16 << 20
# Aliases let a small file stand for a huge one.  This is enough for two such bridges too, with 15
# options of each port from an alias; to merge (`<<`) them takes up to 140 MB and a second or two.
MAX_ALIASED = 2_000_000

# What is not read: it would block, never end, or do something by being opened.
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)


def load(*paths: str | Path, bridge: str = "") -> Configuration:
    """Read and check the files, which together are one configuration.

    Networks that do not name a bridge themselves are on ``bridge`` if it is given.  Raises
    ConfigError, with one line for each mistake.
    """
    mistakes = Mistakes()
    documents = [parse(str(path), _read(path), mistakes) for path in paths]
    return parse_configuration(documents, mistakes, bridge)


def parse(path: str, text: bytes, mistakes: Mistakes) -> Section:
    """The text of a file as settings that are not checked yet; raises ConfigError if it is none."""
    return _Builder(path, mistakes).build(text)


def _user() -> str:
    """Who we are, by name if there is one."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _read(path: str | Path) -> bytes:
    """The bytes of the file; raises ConfigError if it is none, or is too large."""
    try:
        _refuse_special(path, os.stat(path).st_mode)
        # Who replaces it now by a FIFO shall not block us.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            _refuse_special(path, os.fstat(file.fileno()).st_mode)
            text = file.read(MAX_SIZE + 1)
    except OSError as error:
        what = f"{path}: cannot be read: {error.strerror}"
        if isinstance(error, PermissionError):
            what += f", expected that the user {_user()} may"
        raise ConfigError([what]) from None
    if len(text) > MAX_SIZE:
        raise ConfigError([f"{path}: is too large, expected {MAX_SIZE >> 20} MB at most"])
    return text


def _refuse_special(path: str | Path, mode: int) -> None:
    if kind := _KINDS.get(stat.S_IFMT(mode)):
        raise ConfigError([f"{path}: is {kind}, expected a file"])


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet; `name` is the name that awaits its value.

    `before` is how many values were in the file before it.
    """

    container: Section | list[object]
    anchor: str | None
    before: int
    name: str | None = None


class _Builder:
    """Puts parser events together, without recursion: the depth of a file is its author's."""

    def __init__(self, path: str, mistakes: Mistakes) -> None:
        self._path = path
        self._mistakes = mistakes
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[object, int]] = {}  # and how many values are in it
        self._values = 0  # an alias counts as what it stands for
        self._aliased = 0  # of these
        self._documents: list[object] = []

    def build(self, text: bytes) -> Section:
        """The file as one section; raises ConfigError if it is no YAML or something else."""
        try:
            text.decode()
            for event in yaml.parse(text, Loader=_Loader):
                if isinstance(event, yaml.NodeEvent):
                    self._node(event)
                elif isinstance(event, yaml.CollectionEndEvent):
                    self._end()
        except UnicodeDecodeError as error:
            raise self._error(text.count(b"\n", 0, error.start), "is not UTF-8") from None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line if mark else 0
            raise self._error(line, f"is not YAML: {_explain(text, line, error)}") from None
        except yaml.reader.ReaderError as error:
            line = text.count(b"\n", 0, error.position)
            raise self._error(line, f"is not YAML: {error.reason}") from None
        if len(self._documents) > 1:
            raise self._error(0, "has several documents, expected one")
        if not self._documents:
            raise self._error(0, "is empty, expected bridge and networks")
        (document,) = self._documents
        if not isinstance(document, Section):
            raise self._error(0, "is no mapping, expected bridge and networks")
        return document

    def _node(self, event: yaml.NodeEvent) -> None:
        line = event.start_mark.line if event.start_mark else 0
        top = self._stack[-1] if self._stack else None
        if top and isinstance(top.container, Section) and top.name is None:
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error(line, "is no name, expected text before the colon")
            self._open_name(top, top.container, event.value, line + 1)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                anchor = escape(str(event.anchor))
                raise self._error(line, f"*{anchor} is unknown, expected &{anchor} before")
            value, inside = self._anchors[event.anchor]
            self._aliased += inside
            if self._aliased > MAX_ALIASED:
                what = f"aliases stand for too much, expected {MAX_ALIASED} values at most"
                raise self._error(line, f"*{escape(event.anchor)}: {what}")
            self._values += inside
            self._place(value)
        elif (tag := getattr(event, "tag", None)) not in (None, "!"):
            raise self._error(line, f"tag {escape(tag)} is not supported, expected none")
        elif isinstance(event, yaml.ScalarEvent):
            value = _resolve(event.value) if event.implicit[0] else event.value
            if event.anchor:
                self._anchors[event.anchor] = value, 0
            self._place(value)
        else:
            if len(self._stack) == MAX_DEPTH:
                raise self._error(
                    line, f"is nested too deeply, expected {MAX_DEPTH} levels at most"
                )
            mapping = isinstance(event, yaml.MappingStartEvent)
            container: Section | list[object] = Section(self._path, line + 1) if mapping else []
            self._stack.append(_Open(container, event.anchor, self._values))

    def _open_name(self, top: _Open, section: Section, name: str, line: int) -> None:
        top.name = name
        if name in section.lines:
            what = f"{escape(name)}: is at {section.place(name)} too, expected it once"
            self._mistakes.add(Place(self._path, line), what)
        else:
            section.lines[name] = line

    def _place(self, value: object) -> None:
        """Put a finished value where the parser is."""
        self._values += 1
        if not self._stack:
            self._documents.append(value)
            return
        top = self._stack[-1]
        if isinstance(top.container, Section):
            assert top.name is not None  # `_node` takes care of that
            top.container.setdefault(top.name, value)
            top.name = None
        else:
            top.container.append(value)

    def _end(self) -> None:
        """The innermost mapping or list is complete."""
        top = self._stack.pop()
        if isinstance(top.container, Section) and "<<" in top.container:
            self._merge(top.container)
        if top.anchor:
            self._anchors[top.anchor] = top.container, self._values - top.before
        self._place(top.container)

    def _merge(self, section: Section) -> None:
        """Take over what the sections under `<<` have and `section` has not; the first wins."""
        line = section.lines.pop("<<")
        merged = section.pop("<<")
        for other in merged if isinstance(merged, list) else [merged]:
            if not isinstance(other, Section):
                raise self._error(line - 1, "<< is no mapping, expected *NAME of one")
            for name, value in other.items():
                section.setdefault(name, value)
                section.lines.setdefault(name, other.lines[name])

    def _error(self, line: int, what: str) -> ConfigError:
        """For line number `line`, counted from 0 as the parser does."""
        return ConfigError([f"{Place(self._path, line + 1)}: {what}"])


def _explain(text: bytes, line: int, error: yaml.MarkedYAMLError) -> str:
    """What the parser says of line number `line`, counted from 0, and what is most likely meant."""
    # YAML has line ends that bytes have not (U+2028), so there may be fewer lines here.
    lines = dict(enumerate(text.splitlines()))
    above, written = lines.get(line - 1, b""), lines.get(line, b"")
    indent, indent_above = (each[: len(each) - len(each.lstrip())] for each in (written, above))
    problem = escape(str(error.problem))
    if b"\t" in indent:
        return "a tab before the text, expected spaces"
    if "block mapping" in str(error.context):
        return f"{problem}, expected one that is indented as a line above"
    if "mapping values" in problem and len(indent) > len(indent_above):
        return f"{problem}, expected to be indented no more than the line above"
    return problem


def _resolve(text: str) -> object:
    """What a plain scalar stands for."""
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _INTEGER.fullmatch(text) else text
