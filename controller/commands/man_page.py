# SPDX-License-Identifier: Apache-2.0
"""The manual page: what ``--help`` says, of the parser of the command line, in man(7).

What that does not say is here: the variables and files that a user may meet, and examples.
"""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from ovs_dhcpd.controller import journald, notify
from ovs_dhcpd.controller.commands import ask, init_command, run_command
from ovs_dhcpd.controller.switch.lock import lock_path

from ovs_dhcpd import PROGRAM, __version__

_WIDTH = 78  # of a line of the source
_SEE_ALSO = ("ovs-appctl(8)", "ovs-ofctl(8)", "ovs-vsctl(8)", "ovs-vswitchd(8)", "ovn-nb(5)")

DESCRIPTION = (
    f"{PROGRAM} run serves DHCPv4, DHCPv6 and router advertisements to what is plugged into "
    "bridges of Open vSwitch. What each port may have stands in flows that it adds to the bridge: "
    "by these the switch pauses a guest's request and asks, and the answer goes back the way the "
    "request came. There is no lease file, and flows of others are left alone. "
    "leases, why, status, watch, trace, decode and lflows --running ask the daemon that runs."
)
ENVIRONMENT = {
    "OVS_RUNDIR": f"where Open vSwitch's sockets are, and ours; {ask.RUNDIR} if not set",
    "OVS_LOGDIR": f"where --log-file writes; {run_command.LOGDIR} if not set",
    "OVN_RUNDIR": f"where ovn-controller's pidfile is; {run_command.OVN_RUNDIR} if not set",
    "NO_COLOR": "if set, nothing is in colour",
    "TERM": "dumb: nothing is in colour",
    "PATH": f"where init looks for the program ip, beside {init_command.SBIN}",
    notify.SOCKET: "the service manager, which run tells how it goes, as sd_notify(3) does",
    journald.STREAM: "if standard error is the journal, its lines have priorities and no time",
    "SOURCE_DATE_EPOCH": "the day that this page is of, in seconds since 1970",
}
FILES = {
    ask.CONFIGURATION: "what the service serves",
    f"/etc/default/{PROGRAM}": "options of the service, as OVS_DHCPD_OPTIONS",
    f"{ask.RUNDIR}/db.sock": "Open vSwitch's database",
    f"{ask.RUNDIR}/BRIDGE.mgmt": "the bridge, by which it is reached",
    f"{ask.RUNDIR}/{PROGRAM}.pid": "with --pidfile: the pid of the daemon, by which ovs-appctl -t "
    f"{PROGRAM} finds it",
    f"{ask.RUNDIR}/{PROGRAM}.PID.ctl": "the socket at which it is asked",
    str(lock_path(Path(ask.RUNDIR), "BRIDGE")): "locked by the daemon whose turn it is on BRIDGE",
    f"{run_command.LOGDIR}/{PROGRAM}.log": "the log, with --log-file",
}
EXAMPLES = {
    ask.MAKE_CONFIGURATION: "Write a configuration for what is plugged in now.",
    ask.START_SERVICE: "Have the service serve it.",
    ask.START: "Without the service: serve FILE, in the background.",
    f"{PROGRAM} run --nb tcp:10.1.0.1:6641": "Serve what OVN's Northbound database has.",
    f"{PROGRAM} leases": "Who has which address?",
    f"{PROGRAM} why 02:00:00:00:00:01": "Why has this guest no address, and what is to be done?",
    f"{PROGRAM} watch vm1": "Show what the port vm1 asks and is answered, until Ctrl-C.",
    f"{PROGRAM} trace vm1 renew": "What would it be answered, and by which flows?",
    f"ovs-ofctl dump-flows br-int | {PROGRAM} decode --short": "Whose is each flow?",
    f"ovs-appctl -t {PROGRAM} exit cleanup": "End the daemon, and delete its flows.",
}


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
    yield _text(DESCRIPTION)
    yield ".SH OPTIONS"
    yield from _arguments(parser, argparse._SubParsersAction)
    yield ".SH COMMANDS"
    for name, command in _commands(parser).items():
        yield f'.SS "{_text(f"{PROGRAM} {name}")}"'
        yield _text(command.description or "")
        yield ".PP"
        yield from _usage(command)
        yield from _arguments(command, argparse._HelpAction)
    yield ".SH EXIT STATUS"
    yield _text(parser.epilog or "")
    yield ".SH ENVIRONMENT"
    yield from _list(ENVIRONMENT)
    yield ".SH FILES"
    yield from _list(FILES)
    yield ".SH EXAMPLES"
    for number, (example, what) in enumerate(EXAMPLES.items()):
        yield from [".PP"] if number else []
        yield from (_text(what), ".PP", ".in +4", ".nf", _escape(example), ".fi", ".in")
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


def _list(entries: Mapping[str, str]) -> Iterator[str]:
    """Names, and what they mean."""
    for name, meaning in entries.items():
        yield from (".TP", f"\\fI{_escape(name)}\\fR", _text(meaning))


def _metavar(action: argparse.Action) -> str:
    """What stands for a value that has no name of its own."""
    return action.dest.upper() if action.option_strings else action.dest


def _italic(text: str) -> str:
    return re.sub(r"[A-Za-z0-9_.:=|-]+", lambda word: f"\\fI{_text(word[0])}\\fR", text)


def _text(text: str) -> str:
    """The text in lines, in which nothing is a request or an escape."""
    lines = textwrap.fill(_escape(text), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return re.sub(r"(?m)^(?=[.'])", r"\\&", lines)


def _escape(text: str) -> str:
    """The text, in which nothing is an escape."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in text)
