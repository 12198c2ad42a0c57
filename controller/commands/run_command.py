# SPDX-License-Identifier: Apache-2.0
"""``ovs-dhcpd run``: its command line, up to the daemon that it starts.

The options that every daemon of Open vSwitch has (``--pidfile``, ``--detach``, ``--log-file``,
``--verbose`` …) are python-ovs's own.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import os
import re
import signal
import ssl
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from ovs_dhcpd.controller.commands.arguments import add_files
from ovs_dhcpd.controller.commands.ask import default_rundir
from ovs_dhcpd.controller.first_look import MAY_NOT_WRITE, look_at
from ovs_dhcpd.controller.notify import Notifier
from ovs_dhcpd.controller.pidfile import look_at as look_at_pidfile
from ovs_dhcpd.flows.bindings.rate_limit import DEFAULT_RATE_LIMIT
from ovs_dhcpd.flows.configuration.rate_limit import rate_limit_of
from ovs_dhcpd.flows.configuration.section import ConfigError
from ovs_dhcpd.flows.options.wording import trouble

from ovs_dhcpd import PROGRAM

if TYPE_CHECKING:
    from ovs_dhcpd.controller.http.port import HttpPort
    from ovs_dhcpd.controller.http.server import Where
    from ovs_dhcpd.controller.sources.combined import Combined
    from ovs_dhcpd.controller.sources.source import Source
    from ovs_dhcpd.controller.switch.listener import ListenOn
    from ovs_dhcpd.flows.bindings.rate_limit import RateLimit

OPENFLOW = ("1.5", "1.4", "1.3")
# Where distributions have these; a python-ovs from elsewhere does not know.
LOGDIR = "/var/log/openvswitch"
OVN_RUNDIR = "/var/run/ovn"
HTTP = "127.0.0.1:9167"
# New objects between two looks of the collector at them, each of which keeps all packets waiting
# for some of their answers' time: two thousand guests that boot at once leave 30,000 for a while.
YOUNG_OBJECTS = 50_000


def add_options(parser: argparse.ArgumentParser, argv: list[str]) -> None:
    """The options of the daemon, among them those that every daemon of Open vSwitch has."""
    import ovs.daemon
    import ovs.dirs
    import ovs.util
    import ovs.vlog

    # The default names of pidfile, control socket and log are made from these, some in add_args().
    ovs.util.PROGRAM_NAME = PROGRAM
    ovs.dirs.RUNDIR = str(default_rundir())
    ovs.dirs.LOGDIR = os.environ.get("OVS_LOGDIR", LOGDIR)
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--ovs-rundir")
    with (
        contextlib.suppress(argparse.ArgumentError, SystemExit),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        ovs.dirs.RUNDIR = first.parse_known_args(argv)[0].ovs_rundir or ovs.dirs.RUNDIR

    parser.allow_abbrev = False
    add_files(parser)
    parser.add_argument(
        "--nb",
        metavar="REMOTES",
        type=_remotes,
        help="OVN's Northbound database, alone or beside files; its servers with commas in between",
    )
    parser.add_argument(
        "--external",
        metavar="PORT",
        default="",
        help="with --nb: serve ports of type external, which come in by this port of BRIDGE",
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
        "--db",
        metavar="REMOTE",
        type=_remotes,
        help="the Open_vSwitch database (default: unix:DIR/db.sock)",
    )
    parser.add_argument(
        "--listen",
        metavar="tcp:ADDR:PORT|ssl:ADDR:PORT",
        type=_remote,
        help="wait for the switch to connect (ovs-vsctl set-controller), instead of BRIDGE.mgmt",
    )
    parser.add_argument(
        "--http",
        metavar="ADDR:PORT",
        type=_http_address,
        nargs="?",
        const=HTTP,
        help=f"serve a page for browsers there ({HTTP} if not given), and /metrics for Prometheus, "
        "to whoever can connect there",
    )
    for name in ("--private-key", "--certificate", "--ca-cert"):
        parser.add_argument(name, metavar="PEM", help="for --listen ssl: and --nb ssl:")
    parser.add_argument(
        "--openflow",
        choices=OPENFLOW,
        help="speak this version only (default: the greatest of them that the bridge speaks)",
    )
    parser.add_argument(
        "--rate-limit",
        metavar="PPS[:BURST]",
        type=_rate_limit,
        default=DEFAULT_RATE_LIMIT,
        help="how many requests a second each port of --nb, or each flow with --serve-only, may "
        "make, and how many at once beyond that, or none for no limit (default: "
        f"{DEFAULT_RATE_LIMIT.pps}:{DEFAULT_RATE_LIMIT.burst}); files say it themselves",
    )
    parser.add_argument(
        "--write-state",
        action="store_true",
        help="write how each port's leases are into its interface's external_ids: dhcp-state "
        "(dhcp6-state), dhcp-since and dhcp-expires",
    )
    parser.add_argument(
        "--on-change",
        metavar="COMMAND",
        type=_command,
        default=(),
        help="run this, without a shell, when a lease has changed; it is told in JSON on its "
        "standard input",
    )
    parser.add_argument(
        "--hosts-file",
        metavar="FILE",
        type=Path,
        help="keep names and addresses of the ports that are served there, as in hosts(5)",
    )
    parser.add_argument("--cleanup", action="store_true", help="delete the flows at the end")
    ovs.daemon.add_args(parser)
    ovs.vlog.add_args(parser)


def run(args: argparse.Namespace) -> int:
    """Run the daemon that the command line asks for; returns its exit status.

    What answers is imported first, then the process goes into the background if it is told to, then
    it answers, and what decides is imported meanwhile.
    """
    import ovs.daemon
    from ovs.vlog import Vlog
    from ovs_dhcpd.controller import log

    for option, value in (("--pidfile", args.pidfile), ("--log-file", args.log_file)):
        if Path(value or "").suffix in (".yaml", ".yml"):  # it has taken the FILE behind it
            args.usage_error(f"{option} {value}: expected {option} behind FILE, or {option}=FILE")
    if not (args.config or args.nb or args.serve_only):
        return _say_nothing_is_to_be_served(args)
    if args.external and not args.nb:
        args.usage_error("--external: only with --nb")
    gc.set_threshold(YOUNG_OBJECTS)
    start = _serve_only(args) if args.serve_only else _serve_configuration(args)
    ovs.daemon.handle_args(args)
    _start_log(args)
    try:
        look_at(args.ovs_rundir)
        if args.pidfile:
            look_at_pidfile(Path(ovs.daemon._pidfile), overwrites=args.overwrite_pidfile)
        # With --monitor this is where the monitor stays, whose words stand nowhere else.
        with contextlib.nullcontext() if args.monitor else log.off_console("daemon"):
            ovs.daemon.daemonize_start()
        # Until the daemon has its own, SIGTERM ends the process in order; SIGHUP has nothing read
        # anew.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        return start()
    except (ConfigError, OSError) as error:  # standard error is told by who called us
        lines = error.errors if isinstance(error, ConfigError) else [trouble(error)]
        vlog = Vlog("daemon")
        with log.off_console(vlog.name):
            for line in lines:
                vlog.err(line)
        raise


def _say_nothing_is_to_be_served(args: argparse.Namespace) -> int:
    """Say so in the log too: a unit may have been left without its configuration."""
    from ovs.vlog import Vlog
    from ovs_dhcpd.controller import log

    what = "nothing to serve, expected FILE, --nb REMOTES or --serve-only"
    line = f"{what}; type: {PROGRAM} run --help"
    _start_log(args)
    with log.off_console("daemon"):
        Vlog("daemon").err(line)
    print(f"{PROGRAM}: {line}", file=sys.stderr)
    return 2


def _start_log(args: argparse.Namespace) -> None:
    """Log from now on.  Raises OSError where the log cannot be opened, which python-ovs hides."""
    import ovs.dirs
    import ovs.vlog
    from ovs_dhcpd.controller import log, log_text

    if args.log_file == "default":
        args.log_file = f"{ovs.dirs.LOGDIR}/{PROGRAM}.log"
    if args.log_file:
        try:
            with open(args.log_file, "ab"):
                pass
        except PermissionError as error:
            what = f"{error.strerror}, {MAY_NOT_WRITE}"
            raise PermissionError(error.errno, what, error.filename) from None
    levels = ["any:any:dbg"] if args.verbose == [] else args.verbose or []
    args.verbose = None
    log.admit_late_modules()
    log.mend_times()
    log.remember_errors()
    log.limit_lines_about_peers()
    log_text.make_printable()
    ovs.vlog.handle_args(args)
    in_journal = log.write_to_the_journal()
    try:
        log.set_levels(levels)
    except ValueError as error:
        args.usage_error(f"--verbose: {error}")
    # python-ovs spends 75 µs on a line for each destination, also for one that is not there, and
    # syslog is the journal again.
    if args.log_file is None:
        ovs.vlog.Vlog.set_level("any", "file", "off")
    if in_journal or not Path("/dev/log").exists():
        ovs.vlog.Vlog.set_level("any", "syslog", "off")


def _serve_configuration(args: argparse.Namespace) -> Callable[[], int]:
    from ovs_dhcpd.controller.connections import Connections

    # Paths are made absolute: a detached daemon is in another directory.
    rundir = args.ovs_rundir.absolute()
    files = [Path(file).absolute() for file in args.config]
    listen = _listen_on(args)
    http = _http_port(args.http, rundir) if args.http else None
    tls = _tls_files(args, "--nb") if args.nb and "ssl:" in args.nb else ()
    openflow = (args.openflow,) if args.openflow else OPENFLOW
    notifier = Notifier.of()
    # By this a later process knows what it may answer at once.
    owner = crc32(
        repr((files, args.nb, args.bridge, args.external)).encode("utf-8", "surrogateescape")
    )
    if args.overwrite_pidfile and files:
        # The pidfile is made before they are read, and is another's: a mistake must not take it.
        from ovs_dhcpd.controller.sources import yaml_file

        yaml_file.load(*files, bridge=args.bridge)

    def start() -> int:
        with Connections(rundir, openflow, owner, listen) as connections:
            connections.resume()
            from ovs_dhcpd.controller.daemon import Settings, run

            settings = Settings(
                database=args.db or f"unix:{rundir / 'db.sock'}",
                openflow=openflow,
                clean_up=args.cleanup,
                write_state=args.write_state,
                on_change=args.on_change,
                hosts_file=args.hosts_file and args.hosts_file.absolute(),
                http=http,
                listening=listen is not None,
                notifier=notifier,
            )
            return run(settings, _open_sources(args, files, tls), connections)

    return start


def _open_sources(
    args: argparse.Namespace, files: Sequence[Path], tls_files: Sequence[Path]
) -> Callable[[], Combined]:
    from ovs_dhcpd.controller.sources.combined import Combined
    from ovs_dhcpd.controller.sources.files import ConfigurationFiles
    from ovs_dhcpd.controller.sources.northbound import OvnNorthbound, Tls

    opens: list[Callable[[], Source]] = []
    if files:
        opens.append(partial(ConfigurationFiles, files, args.bridge))
    if args.nb:
        tls = Tls(*(str(file.absolute()) for file in tls_files)) if tls_files else None
        external = args.external
        opens.append(partial(OvnNorthbound, args.nb, args.bridge, tls, args.rate_limit, external))
    return lambda: Combined([open_source() for open_source in opens])


def _serve_only(args: argparse.Namespace) -> Callable[[], int]:
    if args.config or args.nb or args.db or args.listen or args.cleanup or args.http:
        args.usage_error(
            "--serve-only: not with --config, --nb, --db, --listen, --cleanup or --http"
        )
    if args.write_state or args.on_change or args.hosts_file:
        args.usage_error("--serve-only: not with --write-state, --on-change or --hosts-file")

    from ovs_dhcpd.controller.serve_only import Settings, run

    settings = Settings(
        bridge=args.bridge or "br-int",
        rundir=args.ovs_rundir.absolute(),
        pidfile=args.ovn_rundir.absolute() / "ovn-controller.pid",
        openflow=(args.openflow,) if args.openflow else OPENFLOW,
        rate_limit=args.rate_limit,
        notifier=Notifier.of(),
    )
    return partial(run, settings)


def _remote(text: str, expected: str = "tcp:ADDR:PORT or ssl:ADDR:PORT") -> tuple[str, str, int]:
    """Protocol, address and port of "tcp:ADDR:PORT"; an IPv6 address stands in brackets."""
    found = re.fullmatch(r"(tcp|ssl):(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+)):([0-9]{1,5})", text)
    if not found or not 0 < int(found[4]) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r}, expected {expected}")
    return found[1], found[2] or found[3], int(found[4])


def _command(text: str) -> tuple[str, ...]:
    """The words of a command; its program is a path, or found on PATH now."""
    import shlex
    import shutil

    try:
        program, *words = shlex.split(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a command") from None
    found = shutil.which(program)
    if found is None:
        raise argparse.ArgumentTypeError(f"{program!r} is no program, expected one that can be run")
    return os.path.abspath(found), *words


def _http_address(text: str) -> Where:
    """Where to listen, from "127.0.0.1:9167" or "[::1]:9167"."""
    from ovs_dhcpd.controller.http.server import Where

    try:
        return Where.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _rate_limit(text: str) -> RateLimit | None:
    try:
        return rate_limit_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


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
    tls = _tls_server(*_tls_files(args, "--listen")) if protocol == "ssl" else None

    from ovs_dhcpd.controller.switch.listener import ListenOn

    return ListenOn(host, port, tls)


def _http_port(where: Where, rundir: Path) -> HttpPort:
    """Where --http listens.  Raises :exc:`OSError`."""
    from ovs_dhcpd.controller.http.port import HttpPort

    return HttpPort(where, rundir)


def _tls_server(private_key: Path, certificate: Path, ca_cert: Path) -> ssl.SSLContext:
    """Who connects has to show a certificate of that CA.  Raises :exc:`OSError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(certificate, private_key)
    except ssl.SSLError as error:
        text = f"{certificate}, {private_key}: no certificate and its key in PEM ({error.reason})"
        raise OSError(text) from error
    try:
        context.load_verify_locations(ca_cert)
    except ssl.SSLError as error:
        raise OSError(f"{ca_cert}: no certificates in PEM ({error.reason})") from error
    return context
