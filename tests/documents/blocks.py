# SPDX-License-Identifier: Apache-2.0
"""The fenced blocks of a page, and what is to become of each.

A block of language `sh` is commands; of `console` it is commands behind `$ `, each with what it
prints.  They are typed in order, on the host of their page (`stages.py`), unless a comment in the
line before says otherwise:

    <!-- not run: WHY -->         nobody types it
    <!-- not run: WHY; instead: COMMAND -->  this is typed in its place
    <!-- run by FILE -->          a test or script types it: FILE has each of its commands
    <!-- file: NAME -->           it is written into this file; so is a block of any language

`<!-- host: NAME -->` in a line of its own says that what follows is typed on another host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMANDS = ("sh", "console")
SHOWN = ("text", "yaml", "ini", "xml", "json", "python")  # to be read, or written into a file
_HOST = re.compile(r"<!-- host: (.+) -->")
_MARK = re.compile(r"<!-- (not run|run by|file):? (.+) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its text, and the mark before it."""

    page: str
    line: int
    language: str
    text: str
    mark: str = ""
    argument: str = ""
    host: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def instead(self) -> str:
        """What is typed in its place."""
        return self.argument.partition("; instead: ")[2] if self.mark == "not run" else ""

    @property
    def is_commands(self) -> bool:
        """Whether it is to be typed by somebody, and not written into a file."""
        return self.language in COMMANDS and self.mark != "file"


@dataclass(frozen=True)
class Exchange:
    """What is typed, and the lines that are shown to come of it; None: nothing is shown."""

    command: str
    output: tuple[str, ...] | None = None


def pages() -> list[str]:
    """README and the pages that somebody reads who uses or changes this."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def read(page: str) -> list[Block]:
    """The blocks of a page of the repository."""
    return parse(page, (ROOT / page).read_text(encoding="utf-8"))


def parse(page: str, text: str) -> list[Block]:
    """The blocks of a page."""
    blocks: list[Block] = []
    begin: int | None = None
    indent = language = mark = argument = host = ""
    inside: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if begin is None:
            if fence := re.fullmatch(r"( *)```(\w*)", line):
                begin, inside, (indent, language) = number, [], fence.groups()
            elif there := _HOST.fullmatch(line):
                host = there[1]
            elif line.strip():
                found = _MARK.fullmatch(line.strip())
                mark, argument = found.groups() if found else ("", "")
        elif line == f"{indent}```":
            body = "".join(f"{each.removeprefix(indent)}\n" for each in inside)
            blocks.append(Block(page, begin, language, body, mark, argument, host))
            begin, mark, argument = None, "", ""
        else:
            inside.append(line)
    return blocks


def indented(text: str) -> list[str]:
    """Lines that Markdown takes for a block though no fence is around them."""
    plain = re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"(?:\A|\n\n)( {4}\S.*)", plain)


def exchanges(block: Block) -> list[Exchange]:
    """A block of commands, as what is typed at once."""
    if block.language == "sh":
        return [Exchange(block.text)]
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and not found[-1][1] and found[-1][0].endswith("\\"):
            found[-1] = (f"{found[-1][0]}\n{line}", [])
        else:
            found[-1][1].append(line)
    return [Exchange(command, tuple(output)) for command, output in found]


def commands(block: Block) -> list[str]:
    """Each command line, without its comment and with one space between words."""
    lines = "\n".join(each.command for each in exchanges(block)).replace("\\\n", " ").splitlines()
    plain = (re.sub(r"(^|\s)#.*", "", line) for line in lines)
    return [" ".join(line.split()) for line in plain if line.strip()]
