# SPDX-License-Identifier: Apache-2.0
"""Arguments that several commands have, and what is said of wrong ones."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from ovs_dhcpd.flows.options.wording import either, hint, printable, show

_REPHRASED = {
    "the following arguments are required: ": "expected ",
    "unrecognized arguments: ": "unknown: ",
    "argument ": "",
}
_FEW = 5  # that can all be named where one was meant


class Parser(argparse.ArgumentParser):
    """As its base, but that wrong usage is said in one line, with what was meant."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with status 2."""
        for theirs, ours in _REPHRASED.items():
            if message.startswith(theirs):
                message = message.replace(theirs, ours, 1)
                break
        option = message.removeprefix("unknown: ").split()[:1]
        if message.startswith("unknown: --") and option:
            known = [each for each in self._option_string_actions if each.startswith("--")]
            message += hint(option[0].partition("=")[0], known)
        print(printable(f"{self.prog}: {message}; type: {self.prog} --help"), file=sys.stderr)
        sys.exit(2)

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """As the base has it, which lists all that it might be and does not say which."""
        if action.choices is not None and value not in action.choices:
            known = [str(each) for each in action.choices]
            expected = f", expected {either(known)}"
            if len(known) > _FEW:
                expected = hint(str(value), known) or f", expected one of {either(known, ', ')}"
            raise argparse.ArgumentError(action, f"{show(value)} is none{expected}")


def add_files(parser: argparse.ArgumentParser) -> None:
    """Let a command line name the files of a configuration, by themselves or with ``--config``."""
    what = "a configuration; several files are one together"
    parser.add_argument("files", metavar="FILE", nargs="*", help=what)
    parser.add_argument(
        "-c", "--config", metavar="FILE", action="append", default=[], help="the same as FILE"
    )


def add_port(parser: argparse.ArgumentParser) -> None:
    """Let a command line name a port, as users know it."""
    parser.add_argument(
        "port",
        metavar="PORT|MAC|ADDRESS",
        help="an iface-id, the name of an interface, or what its guest has or is served",
    )


def gather_files(args: argparse.Namespace) -> None:
    """Have all files in `config`, in whichever way they were named."""
    if "files" in args:
        args.config = [*args.config, *args.files]
