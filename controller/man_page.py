# SPDX-License-Identifier: Apache-2.0
"""The manual page, made of the parser of the command line: what ``--help`` says, in man(7)."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator
from datetime import date

from ovs_dhcpd import PROGRAM, __version__

_WIDTH = 78  # of a line of the source
_SEE_ALSO = ("ovs-appctl(8)", "ovs-ofctl(8)", "ovs-vsctl(8)", "ovs-vswitchd(8)", "ovn-nb(5)")


def man_page(parser: argparse.ArgumentParser, day: date) -> Iterator[str]:
    """The lines of the page, as of ``day``; ``parser`` has the options of all commands."""
    yield f'.TH {PROGRAM.upper()} 8 {day.isoformat()} "{PROGRAM} {__version__}"'
    yield ".nh"  # what is broken with a hyphen cannot be copied
    yield ".ad l"
    yield ".SH NAME"
    yield f"{_text(PROGRAM)} \\- {_text((parser.description or '').rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield from _usage(parser)
    yield ".SH DESCRIPTION"
    yield _text(parser.epilog or "")
    yield ".SH OPTIONS"
    yield from _arguments(parser, argparse._SubParsersAction)
    yield ".SH COMMANDS"
    for name, command in _commands(parser).items():
        yield f'.SS "{_text(f"{PROGRAM} {name}")}"'
        yield _text(command.description or "")
        yield ".PP"
        yield from _usage(command)
        yield from _arguments(command, argparse._HelpAction)
    yield ".SH SEE ALSO"
    yield ",\n".join(f".BR {name[:-3]} {name[-3:]}" for name in _SEE_ALSO)


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._get_positional_actions():
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _usage(parser: argparse.ArgumentParser) -> Iterator[str]:
    """How a command is called, its name in bold."""
    words = parser.format_usage().removeprefix("usage: ").split()
    usage = " ".join(words).removeprefix(parser.prog)
    yield f".B {_text(parser.prog)}"
    yield _text(usage.strip())


def _arguments(parser: argparse.ArgumentParser, but: type[argparse.Action]) -> Iterator[str]:
    """What may be given, `but` for what is said elsewhere, and what it means."""
    formatter = parser._get_formatter()
    for action in [*parser._get_positional_actions(), *parser._get_optional_actions()]:
        if isinstance(action, but):
            continue
        values = formatter._format_args(action, _metavar(action))
        yield ".TP"
        if action.option_strings:
            value = f" {_italic(values)}" if action.nargs != 0 else ""
            yield ", ".join(f"\\fB{_text(each)}\\fR{value}" for each in action.option_strings)
        else:
            yield _italic(values)
        yield _text(formatter._expand_help(action) if action.help else "")


def _metavar(action: argparse.Action) -> str:
    """What stands for a value that has no name of its own."""
    return action.dest.upper() if action.option_strings else action.dest


def _italic(text: str) -> str:
    return re.sub(r"[A-Za-z0-9_.:=|-]+", lambda word: f"\\fI{_text(word[0])}\\fR", text)


def _text(text: str) -> str:
    """The text, in which nothing is a request or an escape."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in text)
    lines = textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return re.sub(r"(?m)^(?=[.'])", r"\\&", lines)
