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
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.sections import ConfigError

if TYPE_CHECKING:
    from controller.app import ListenOn
    from controller.sources.several import Several
    from controller.sources.source import Source
    from flows.bindings import Network, Port

VERSION = "0.1.0"
PROGRAM = "ovs-dhcpd"

# Where distributions have Open vSwitch put its files; a python-ovs from elsewhere does not know.
RUNDIR = "/var/run/openvswitch"
LOGDIR = "/var/log/openvswitch"
OVN_RUNDIR = "/var/run/ovn"

_MAX_OFPORT = 0xFEFF  # from 0xff00 on they are reserved (OpenFlow 1.0's OFPP_MAX)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status, except that wrong usage ends here with 2."""
    args = _parse_arguments(list(sys.argv[1:] if argv is None else argv))
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
    except ConfigError as error:
        return _fail(error.errors)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail([f"{PROGRAM}: {where}{error.strerror or error}"])


def _parse_arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="DHCP on an Open vSwitch bridge, served from its own flows."
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, function: object, help: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        command.set_defaults(function=function)
        return command

    run = add("run", _run, "serve the ports of bridges: the daemon")
    if argv[:1] == ["run"]:
        _add_run_options(run, argv[1:])

    check = add("check", _check, "validate a configuration, of one or more files")
    check.add_argument("files", metavar="FILE", nargs="+")

    flows = add("flows", _flows, "print the OpenFlow flows, as ovs-ofctl add-flows takes them")
    flows.add_argument("files", metavar="FILE", nargs="+")
    flows.add_argument(
        "--ofport",
        metavar="ID=N",
        type=_ofport,
        action="append",
        default=[],
        help="the port ID is plugged in as OpenFlow port N, and those not named are not; "
        "without any --ofport all ports are numbered from 1 in the order of the file",
    )

    lflows = add("lflows", _lflows, "print the logical flows, as ovn-sbctl lflow-list does")
    lflows.add_argument("files", metavar="FILE", nargs="+")

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
    return parser.parse_args(argv)


def _fail(errors: Iterable[str]) -> int:
    for error in errors:
        print(error, file=sys.stderr)
    return 1


# -- run


def _add_run_options(parser: argparse.ArgumentParser, argv: list[str]) -> None:
    """The options of the daemon, among them those that every daemon of Open vSwitch has."""
    # python-ovs imports eventlet where it finds it, at 0.2 s and 15 MB; os-ken runs on threads.
    sys.modules.setdefault("eventlet", None)  # type: ignore[arg-type]
    import ovs.daemon
    import ovs.dirs
    import ovs.util
    import ovs.vlog

    # The default names of pidfile, control socket and log are made from these, some in add_args().
    ovs.util.PROGRAM_NAME = PROGRAM
    ovs.dirs.RUNDIR = os.environ.get("OVS_RUNDIR", RUNDIR)
    ovs.dirs.LOGDIR = os.environ.get("OVS_LOGDIR", LOGDIR)
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--ovs-rundir")
    with (
        contextlib.suppress(argparse.ArgumentError, SystemExit),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        ovs.dirs.RUNDIR = first.parse_known_args(argv)[0].ovs_rundir or ovs.dirs.RUNDIR

    parser.allow_abbrev = False
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="what the ports may have; several files are taken together",
    )
    parser.add_argument(
        "--nb",
        metavar="REMOTES",
        type=_remotes,
        help="OVN's Northbound database, alone or beside files; its servers with commas in between",
    )
    parser.add_argument(
        "--serve-only",
        action="store_true",
        help="install nothing: answer the flows of ovn-controller while it does not run",
    )
    parser.add_argument(
        "--bridge",
        metavar="BRIDGE",
        default="",
        help="instead of what files name for all their networks; for --nb and --serve-only "
        "instead of br-int",
    )
    parser.add_argument(
        "--ovs-rundir",
        metavar="DIR",
        type=Path,
        default=Path(ovs.dirs.RUNDIR),
        help="where BRIDGE.mgmt and db.sock are (default: OVS_RUNDIR, else %(default)s)",
    )
    parser.add_argument(
        "--ovn-rundir",
        metavar="DIR",
        type=Path,
        default=Path(os.environ.get("OVN_RUNDIR", OVN_RUNDIR)),
        help="with --serve-only: where ovn-controller.pid is "
        "(default: OVN_RUNDIR, else %(default)s)",
    )
    parser.add_argument(
        "--db", metavar="REMOTE", help="the Open_vSwitch database (default: unix:DIR/db.sock)"
    )
    parser.add_argument(
        "--listen",
        metavar="tcp:ADDR:PORT|ssl:ADDR:PORT",
        type=_remote,
        help="wait for the switch to connect (ovs-vsctl set-controller), instead of BRIDGE.mgmt",
    )
    for name in ("--private-key", "--certificate", "--ca-cert"):
        parser.add_argument(name, metavar="PEM", help="for --listen ssl: and --nb ssl:")
    parser.add_argument("--openflow", choices=("1.5", "1.3"), default="1.5")
    parser.add_argument("--cleanup", action="store_true", help="delete the flows at the end")
    ovs.daemon.add_args(parser)
    ovs.vlog.add_args(parser)
    parser.set_defaults(usage_error=parser.error)


def _run(args: argparse.Namespace) -> int:
    import ovs.daemon
    import ovs.vlog

    if not (args.config or args.nb or args.serve_only):
        args.usage_error("one of --config, --nb and --serve-only is required")
    # What is to run is imported first: python-ovs takes no new log module afterwards.
    start = _serve_only(args) if args.serve_only else _serve_configuration(args)
    ovs.daemon.handle_args(args)
    ovs.vlog.handle_args(args)
    # python-ovs spends 75 µs on a line for each destination, also for one that is not there.
    if args.log_file is None:
        ovs.vlog.Vlog.set_level("any", "file", "off")
    if not Path("/dev/log").exists():
        ovs.vlog.Vlog.set_level("any", "syslog", "off")
    return start()


def _serve_configuration(args: argparse.Namespace) -> Callable[[], int]:
    listen = _listen_on(args)

    from controller.daemon import Settings, run

    settings = Settings(
        rundir=args.ovs_rundir.absolute(),
        database=args.db or f"unix:{args.ovs_rundir.absolute() / 'db.sock'}",
        listen=listen,
        openflow=args.openflow,
        clean_up=args.cleanup,
    )
    return partial(run, settings, _open_sources(args))


def _open_sources(args: argparse.Namespace) -> Callable[[], Several]:
    from controller.sources.configuration_files import ConfigurationFiles
    from controller.sources.ovn_northbound import OvnNorthbound, Tls
    from controller.sources.several import Several

    # Paths are made absolute: a detached daemon is in another directory.
    opens: list[Callable[[], Source]] = []
    if args.config:
        files = [file.absolute() for file in args.config]
        opens.append(partial(ConfigurationFiles, files, args.bridge))
    if args.nb:
        tls = None
        if "ssl:" in args.nb:
            tls = Tls(*(str(file.absolute()) for file in _tls_files(args, "--nb")))
        opens.append(partial(OvnNorthbound, args.nb, args.bridge, tls))
    return lambda: Several([open_source() for open_source in opens])


def _serve_only(args: argparse.Namespace) -> Callable[[], int]:
    if args.config or args.nb or args.db or args.listen or args.cleanup:
        args.usage_error("--serve-only: not with --config, --nb, --db, --listen or --cleanup")

    from controller.serve_only import Settings, run

    settings = Settings(
        bridge=args.bridge or "br-int",
        rundir=args.ovs_rundir.absolute(),
        pidfile=args.ovn_rundir.absolute() / "ovn-controller.pid",
        openflow=args.openflow,
    )
    return partial(run, settings)


def _remote(text: str, expected: str = "tcp:ADDR:PORT or ssl:ADDR:PORT") -> tuple[str, str, int]:
    """Protocol, address and port of "tcp:ADDR:PORT"; an IPv6 address stands in brackets."""
    found = re.fullmatch(r"(tcp|ssl):(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+)):([0-9]{1,5})", text)
    if not found or not 0 < int(found[4]) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r}, expected {expected}")
    return found[1], found[2] or found[3], int(found[4])


def _remotes(text: str) -> str:
    """The remotes of an OVSDB cluster, separated by commas; checked for their form only."""
    for remote in text.split(","):
        if not remote.startswith("unix:/"):
            _remote(remote, "tcp:ADDR:PORT, ssl:ADDR:PORT or unix:/PATH")
    return text


def _tls_files(args: argparse.Namespace, option: str) -> tuple[Path, Path, Path]:
    """Private key, certificate and CA certificate, all of which can be read."""
    if not (args.private_key and args.certificate and args.ca_cert):
        args.usage_error(f"{option} ssl: needs --private-key, --certificate and --ca-cert")
    files = Path(args.private_key), Path(args.certificate), Path(args.ca_cert)
    for file in files:
        file.read_bytes()  # an error of the ssl module does not say which file it was
    return files


def _listen_on(args: argparse.Namespace) -> ListenOn | None:
    """What --listen and the options for TLS say."""
    if args.listen is None:
        return None
    protocol, host, port = args.listen
    tls: dict[str, Any] = {}
    if protocol == "ssl":
        private_key, certificate, ca_cert = _tls_files(args, "--listen")
        tls = {
            "ssl_ctx": ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
            "keyfile": str(private_key),
            "certfile": str(certificate),
            "ca_certs": str(ca_cert),
            "cert_reqs": ssl.CERT_REQUIRED,
        }

    from controller.app import ListenOn

    return ListenOn(host, port, tls)


# -- check, flows, lflows


def _check(args: argparse.Namespace) -> int:
    from controller.sources import yaml_file

    configuration = yaml_file.load(*args.files)
    networks = configuration.networks
    ports = sum(len(network.ports) for network in networks)
    pools = sum(network.pool is not None for network in networks)
    counts = f"networks: {len(networks)}, ports: {ports}, pools: {pools}"
    print(f"{', '.join(args.files)}: valid, {counts}")
    return 0


def _ofport(text: str) -> tuple[str, int]:
    name, _, number = text.rpartition("=")
    if not name or not re.fullmatch("[0-9]{1,5}", number) or not 0 < int(number) <= _MAX_OFPORT:
        what = f"{text!r}, expected iface-id=number, from 1 to {_MAX_OFPORT}"
        raise argparse.ArgumentTypeError(what)
    return name, int(number)


def _flows(args: argparse.Namespace) -> int:
    from controller.sources import yaml_file
    from flows import pipeline

    configuration = yaml_file.load(*args.files)
    names = [port.name for network in configuration.networks for port in network.ports]
    ofports = dict(args.ofport)
    if unknown := [name for name in ofports if name not in names]:
        what = "no such port, expected an iface-id of the file"
        return _fail(f"{PROGRAM}: --ofport {name}: {what}" for name in unknown)
    if not ofports:
        ofports = {name: number for number, name in enumerate(names, 1)}
        note = "no --ofport: the ports are numbered from 1 in the order of the file"
        print(f"{PROGRAM}: {note}", file=sys.stderr)
    _print_all(pipeline.bridge_flows())
    for network in configuration.networks:
        _print_all(pipeline.network_flows(network))
        for port in _with_addresses(network):
            if port.name in ofports:
                _print_all(pipeline.port_flows(network, port, ofports[port.name]))
    return 0


def _lflows(args: argparse.Namespace) -> int:
    from controller.sources import yaml_file
    from flows import pipeline

    configuration = yaml_file.load(*args.files)
    for network in configuration.networks:
        lflows = list(pipeline.network_lflows(network))
        for port in _with_addresses(network):
            lflows += pipeline.port_lflows(network, port)
        print(f'Datapath: "{network.name}"  Pipeline: ingress')
        lflows.sort(key=lambda lflow: lflow.table.number)
        _print_all(lflows)
    return 0


def _with_addresses(network: Network) -> Iterator[Port]:
    """The ports of which the file alone says what they have."""
    for port in network.ports:
        if network.lacking(port):
            note = "is left out, its address is chosen when it is plugged in"
            print(f"{PROGRAM}: port {port.name}: {note}", file=sys.stderr)
        else:
            yield port


def _print_all(lines: Iterable[object]) -> None:
    for line in lines:
        print(line)


# -- encode, decode


def _encode(args: argparse.Namespace) -> int:
    from flows.action_text import ActionError, parse_action
    from flows.cursor import UserdataError
    from flows.flow import Pause
    from flows.userdata import encode_userdata

    try:
        print(Pause(encode_userdata(parse_action(args.action))))
    except (ActionError, UserdataError) as error:
        return _fail([f"{PROGRAM}: {error}"])
    return 0


def _decode(args: argparse.Namespace) -> int:
    from flows.annotate import HexError, annotate_line, explain, parse_hex
    from flows.cursor import UserdataError
    from flows.userdata import UnknownOpcode, decode_userdata

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
        for line in sys.stdin:
            print(*annotate_line(line.rstrip("\n")), sep="\n", flush=True)
    return status
