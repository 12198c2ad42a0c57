# SPDX-License-Identifier: Apache-2.0
"""The `ovs-dhcpd` command: one function per subcommand.

What is slow to import, a subcommand imports when it runs: those that convert text start fast.
Exit status: 0 done, 1 a mistake in what was given or a failure, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ovs_dhcpd.controller.commands.arguments import Parser, add_files, add_port, gather_files
from ovs_dhcpd.controller.commands.ask import (
    AskError,
    NobodyError,
    add_rundir,
    ask,
    ask_for_json,
    ask_switch,
    default_rundir,
)
from ovs_dhcpd.flows.configuration.section import ConfigError
from ovs_dhcpd.flows.options.wording import escape, printable, trouble

from ovs_dhcpd import PROGRAM, __version__

if TYPE_CHECKING:
    from ovs_dhcpd.controller.texts.bindings_list import Bound
    from ovs_dhcpd.flows.bindings.network import Configuration, Network, Port

# Commands whose options are in modules of their own.
LATE = ("run", "init", "import", "trace", "watch")
SHELLS = ("bash", "zsh", "fish")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status, except that wrong usage ends here with 2."""
    words = list(sys.argv[1:] if argv is None else argv)
    _print_any_text(is_file=words[:1] in (["init"], ["import"]))
    if words[:2] == ["completion", "words"]:
        return _complete(words[2:])
    args = _parse_arguments(words)
    try:
        status: int = args.function(args)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has had enough. Python must not try to write the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except NobodyError as error:
        return _fail([f"{PROGRAM}: {error.with_mend(words)}"])
    except AskError as error:
        return _fail([f"{PROGRAM}: {error}"])
    except ConfigError as error:
        return _fail(error.errors)
    except OSError as error:
        return _fail([f"{PROGRAM}: {trouble(error)}"])


def _print_any_text(*, is_file: bool) -> None:
    """Have what the terminal's encoding has no character for, as a guest's name may, escaped.

    A configuration ``is_file``: that is UTF-8, whatever the terminal has.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding = "utf-8" if is_file else None
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")


def _parse_arguments(argv: list[str]) -> argparse.Namespace:
    parser, commands = _parser(argv, argv[:1])
    if argv and argv[0] in commands:
        # What stands behind options, or between them, is a positional argument all the same.
        args = commands[argv[0]].parse_intermixed_args(argv[1:])
        gather_files(args)
        return args
    return parser.parse_args(argv)


def _parser(
    argv: list[str], late: Collection[str]
) -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """What understands the command line ``argv``, and each command's part of it.

    Of those commands that have modules of their own, `LATE`, the ones in ``late`` have their
    options.
    """
    parser = Parser(
        prog=PROGRAM,
        description="DHCP on an Open vSwitch bridge, served from its own flows.",
        epilog="The exit status is 0 when done, 1 after a mistake in what was given, a failure, or "
        "an answer that is no, and 2 after wrong usage.",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"{PROGRAM} {__version__}",
        help="print the version, and end",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, function: object, help: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        command.set_defaults(function=function, usage_error=command.error)
        return command

    run = add("run", None, "serve the ports of bridges: the daemon")
    if "run" in late:
        from ovs_dhcpd.controller.commands import run_command

        run_command.add_options(run, argv[1:])
        run.set_defaults(function=run_command.run)

    check = add("check", _check, "validate a configuration, of one or more files")
    add_files(check)

    init = add("init", None, "print a configuration for what is plugged into the switch now")
    if "init" in late:
        from ovs_dhcpd.controller.commands import init_command

        init_command.add_options(init)
        init.set_defaults(function=init_command.run)

    import_ = add("import", None, "print another server's configuration as one of ours")
    if "import" in late:
        from ovs_dhcpd.controller.commands import import_command

        import_command.add_options(import_)
        import_.set_defaults(function=import_command.run)

    flows = add("flows", _flows, "print the OpenFlow flows, as ovs-ofctl add-flows takes them")
    add_files(flows)
    flows.add_argument(
        "--ofport",
        metavar="ID=N",
        type=_ofport,
        action="append",
        default=[],
        help="the port ID is plugged in as OpenFlow port N, and those not named are not; "
        "without any --ofport all ports are numbered from 1 in the order of the file",
    )
    flows.add_argument(
        "--meters",
        action="store_true",
        help="print the meters of these flows instead, as ovs-ofctl add-meter takes them; they "
        "must be there before the flows, and ovs-ofctl needs -O OpenFlow13 for both",
    )

    lflows = add("lflows", _lflows, "print the logical flows, as ovn-sbctl lflow-list does")
    add_files(lflows)
    lflows.add_argument(
        "--running",
        metavar="TARGET",
        nargs="?",
        const=PROGRAM,
        help="instead of a file's: those of what the running daemon serves now, pools and OVN's "
        f"Northbound database included; TARGET is as in ovs-appctl -t ({PROGRAM} if not given)",
    )

    why = add("why", _why, "explain why a port is served, or is not, and what to do about it")
    add_port(why)
    _add_format(why, "text", "json")
    add_rundir(why)

    status = add("status", _status, "say how the running daemon is; the exit status is 0 if well")
    _add_format(status, "text", "json")
    add_rundir(status)

    trace = add("trace", None, "say what becomes of a client's packet, step by step")
    if "trace" in late:
        from ovs_dhcpd.controller.commands import trace_command

        trace_command.add_options(trace)
        trace.set_defaults(function=trace_command.run)

    watch = add("watch", None, "show each request and what became of it, as they happen")
    if "watch" in late:
        from ovs_dhcpd.controller.commands import watch_command

        watch_command.add_options(watch)
        watch.set_defaults(function=watch_command.run)

    leases = add("leases", _leases, "list who has which address, as the running daemon knows it")
    leases.add_argument(
        "names",
        metavar="PORT|MAC|ADDRESS|NETWORK",
        nargs="*",
        help="of these alone; an interface, a prefix or a bridge names its leases too",
    )
    _add_format(leases, "table", "json", "csv")
    add_rundir(leases)

    encode = add("encode", _encode, "print the OpenFlow action for a logical one")
    encode.add_argument("action", metavar="ACTION", help="'reg0[3] = put_dhcp_opts(…);'")

    decode = add("decode", _decode, "explain userdata, or every userdata in a dump of flows")
    decode.add_argument(
        "userdata",
        metavar="HEX",
        nargs="*",
        help="userdata, as in 00.00.00.02…; without any, ovs-ofctl's output is read from "
        "standard input and annotated",
    )
    decode.add_argument(
        "--short",
        action="store_true",
        help="of that output each flow in one line, without what is in hexadecimal",
    )
    add_rundir(decode)

    completion = add("completion", _completion, "print what makes a shell complete this command")
    completion.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))

    add("schema", _schema, "print the JSON Schema of a configuration file, for editors")

    add("man", _man, "print the manual page, for man -l -")
    return parser, commands.choices


def _add_format(command: argparse.ArgumentParser, *formats: str) -> None:
    command.add_argument(
        "-f",
        "--format",
        choices=formats,
        default=formats[0],
        help=f"how it is printed (default: {formats[0]})",
    )


def _fail(errors: Iterable[str]) -> int:
    for error in errors:
        print(printable(error), file=sys.stderr)
    return 1


# -- check, flows, lflows


def _check(args: argparse.Namespace) -> int:
    if not args.config:
        args.usage_error("expected FILE")
    from ovs_dhcpd.controller.sources import yaml_file

    configuration = yaml_file.load(*args.config)
    for line in configuration.warnings:
        print(line, file=sys.stderr)
    networks = configuration.networks
    ports = sum(len(network.ports) for network in networks)
    pools = sum(network.pool is not None for network in networks)
    counts = f"networks: {len(networks)}, ports: {ports}, pools: {pools}"
    print(f"{printable(', '.join(args.config))}: valid, {counts}")
    return 0


def _ofport(text: str) -> tuple[str, int]:
    from ovs_dhcpd.controller.ovsdb.rows import MAX_OFPORT

    name, _, number = text.rpartition("=")
    if not name or not re.fullmatch("[0-9]{1,5}", number) or not 0 < int(number) <= MAX_OFPORT:
        what = f"{text!r}, expected iface-id=number, from 1 to {MAX_OFPORT}"
        raise argparse.ArgumentTypeError(what)
    return name, int(number)


def _flows(args: argparse.Namespace) -> int:
    if not args.config:
        args.usage_error("expected FILE")
    from ovs_dhcpd.controller.sources import yaml_file
    from ovs_dhcpd.flows.pipeline import build as pipeline
    from ovs_dhcpd.flows.pipeline.meter import port_meter

    configuration = yaml_file.load(*args.config)
    numbered = configuration.numbered()
    ofports = dict(args.ofport)
    if unknown := [name for name in ofports if name not in numbered]:
        what = "no such port, expected an iface-id of the file"
        return _fail(f"{PROGRAM}: --ofport {name}: {what}" for name in unknown)
    if not ofports:
        ofports = numbered
        note = "no --ofport: the ports are numbered from 1 in the order of the file"
        print(f"{PROGRAM}: {note}", file=sys.stderr)
    if args.meters:
        users: dict[str, list[Network]] = {}
        for network in configuration.networks:
            for port in network.ports:
                users.setdefault(port.plugged_as, []).append(network)
        plugged = {ofports[name]: found for name, found in users.items() if name in ofports}
        _print_all(filter(None, [port_meter(found, each) for each, found in plugged.items()]))
        return 0
    _print_all(pipeline.bridge_flows())
    for network in configuration.networks:
        _print_all(pipeline.network_flows(network))
        for port in _with_addresses(configuration, network):
            if ofport := ofports.get(port.plugged_as):
                _print_all(pipeline.port_flows(network, port, ofport))
    return 0


def _lflows(args: argparse.Namespace) -> int:
    if bool(args.config) == bool(args.running):
        args.usage_error("expected either FILE or --running")
    if args.running == PROGRAM:  # which ovs-appctl finds by a pidfile only
        print(ask(default_rundir(), "lflows/show"), end="")
        return 0
    if args.running:
        import subprocess

        return subprocess.run(["ovs-appctl", "-t", args.running, "lflows/show"]).returncode
    from ovs_dhcpd.controller.sources import yaml_file
    from ovs_dhcpd.flows.pipeline.lflow_list import lflow_list

    configuration = yaml_file.load(*args.config)
    for network in configuration.networks:
        ports = (None, *_with_addresses(configuration, network))
        _print_all(lflow_list((network, port) for port in ports))
    return 0


def _with_addresses(configuration: Configuration, network: Network) -> Iterator[Port]:
    """As :meth:`Configuration.ports_of`; the others are named on standard error."""
    for port in network.ports:
        if network.lacking(port):
            note = "is left out, its address is chosen when it is plugged in"
            print(f"{PROGRAM}: port {escape(port.name)}: {note}", file=sys.stderr)
    yield from configuration.ports_of(network)


def _print_all(lines: Iterable[object]) -> None:
    for line in lines:
        print(line)


# -- leases


def _leases(args: argparse.Namespace) -> int:
    import shutil

    from ovs_dhcpd.controller.texts.lease_list import as_csv, as_table
    from ovs_dhcpd.controller.texts.table import wants_colour

    if args.format == "json":
        print(ask(args.ovs_rundir, "leases/show", "-f", "json", *args.names), end="")
        return 0
    document = ask_for_json(args.ovs_rundir, "leases/show", *args.names)
    if args.format == "csv":
        _print_all(as_csv(document))
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        _print_all(as_table(document, colour=wants_colour(sys.stdout), width=width))
        if not document["leases"]:
            print(f"{PROGRAM}: no port is served; type: {PROGRAM} status", file=sys.stderr)
    return 0


# -- status, why


def _status(args: argparse.Namespace) -> int:
    import json

    from ovs_dhcpd.controller.texts.status import as_text, unanswered

    try:
        found = ask_for_json(args.ovs_rundir, "status")
    except NobodyError as error:
        found = unanswered(error.with_mend(["status"]))
    if args.format == "json":
        print(json.dumps(found, indent=2))
    else:
        _print_all(map(printable, as_text(found)))
    return 0 if found["healthy"] else 1


def _why(args: argparse.Namespace) -> int:
    import json

    from ovs_dhcpd.controller.commands.behind import interface_with
    from ovs_dhcpd.controller.texts.table import wants_colour
    from ovs_dhcpd.controller.texts.why_text import to_text
    from ovs_dhcpd.controller.why.chain import no_daemon
    from ovs_dhcpd.controller.why.document import document
    from ovs_dhcpd.controller.why.learned import amend, found_behind, heard_behind, is_missing

    try:
        chain = ask_for_json(args.ovs_rundir, "why", args.port)
        if chain["port"] is None and (name := interface_with(args.port, args.ovs_rundir)):
            chain = found_behind(ask_for_json(args.ovs_rundir, "why", name), args.port, name)
    except NobodyError as error:
        chain = document(no_daemon(args.port, str(error), error.mend(["why", args.port])))
    if is_missing(chain):
        with contextlib.suppress(AskError):  # then it is not known
            learned = ask_switch(args.ovs_rundir, "fdb/show", chain["bridge"])
            chain = amend(chain, heard_behind(chain["ofport"], learned))
    if args.format == "json":
        print(json.dumps(chain, indent=2))
    else:
        _print_all(to_text(chain, coloured=wants_colour(sys.stdout)))
    return 0 if chain["served"] else 1


# -- encode, decode


def _encode(args: argparse.Namespace) -> int:
    from ovs_dhcpd.flows.pipeline.flow import Pause
    from ovs_dhcpd.flows.userdata.action_text import ActionError, parse_action
    from ovs_dhcpd.flows.userdata.codec import encode_userdata
    from ovs_dhcpd.flows.userdata.cursor import UserdataError

    try:
        print(Pause(encode_userdata(parse_action(args.action))))
    except (ActionError, UserdataError) as error:
        return _fail([f"{PROGRAM}: {error}"])
    return 0


def _decode(args: argparse.Namespace) -> int:
    from ovs_dhcpd.controller.texts.flow_dump import Owners, annotate, shorten
    from ovs_dhcpd.flows.userdata.annotate import HexError, explain, parse_hex
    from ovs_dhcpd.flows.userdata.codec import UnknownOpcode, decode_userdata
    from ovs_dhcpd.flows.userdata.cursor import UserdataError

    status = 0
    for text in args.userdata:
        try:
            userdata = parse_hex(text)
            with contextlib.suppress(UnknownOpcode):
                decode_userdata(userdata)
            print(explain(userdata))
        except (HexError, UserdataError) as error:
            status = _fail([f"{PROGRAM}: {error}"])
    if not args.userdata:
        for stream in (sys.stdin, sys.stdout):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="surrogateescape")  # the dump is passed on as it came
        owners = Owners(partial(_bindings, args.ovs_rundir))
        explained = shorten if args.short else annotate
        for line in sys.stdin:
            for each in explained(line.rstrip("\n"), owners):
                print(each)
            sys.stdout.flush()
    return status


def _bindings(rundir: Path) -> list[Bound]:
    """What the daemon serves; nothing where there is none."""
    from ovs_dhcpd.controller.texts.bindings_list import bound_of

    with contextlib.suppress(AskError):
        return bound_of(ask_for_json(rundir, "bindings/show"))
    return []


# -- completion, schema, man


def _completion(args: argparse.Namespace) -> int:
    from ovs_dhcpd.controller.commands.completion import script

    print(script(args.shell), end="")
    return 0


def _complete(words: list[str]) -> int:
    """What a script of `completion` asks for: what the last of ``words`` may be."""
    from ovs_dhcpd.controller.commands.completion import FILES_STATUS, FilesExpected, candidates

    parser, _ = _parser(words, LATE)
    try:
        for word, meaning in candidates(parser, words, _names):
            print(word, meaning, sep="\t")
    except FilesExpected:
        return FILES_STATUS
    return 0


def _names(given: Mapping[str, str]) -> list[tuple[str, str]]:
    """The ports that the daemon serves, and what they are; none where there is no daemon."""
    found = {}
    for each in _bindings(Path(given.get("ovs_rundir", default_rundir()))):
        found[each.port] = f"{each.interface}, {each.network}"
        found[each.interface] = f"{each.port}, {each.network}"
    return [*found.items()]


def _schema(args: argparse.Namespace) -> int:
    import json

    from ovs_dhcpd.flows.configuration.schema import schema

    print(json.dumps(schema(), indent=2))
    return 0


def _man(args: argparse.Namespace) -> int:
    from datetime import datetime, timezone

    from ovs_dhcpd.controller.commands.man_page import man_page

    parser, _ = _parser([], LATE)
    seconds = os.environ.get("SOURCE_DATE_EPOCH")  # of builds that are to be the same again
    try:
        now = datetime.fromtimestamp(int(seconds), timezone.utc) if seconds else datetime.now()
    except (ValueError, OverflowError):
        text = f"SOURCE_DATE_EPOCH: {seconds!r}, expected seconds since 1970"
        return _fail([f"{PROGRAM}: {text}"])
    _print_all(man_page(parser, now.date()))
    return 0
