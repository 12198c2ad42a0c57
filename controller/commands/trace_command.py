# SPDX-License-Identifier: Apache-2.0
"""``ovs-dhcpd trace``: its command line, the bridge that is asked, and what is written."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from ovs_dhcpd.controller.commands.arguments import add_port
from ovs_dhcpd.controller.commands.ask import add_rundir, ask_for_json, ask_switch
from ovs_dhcpd.controller.commands.behind import interface_with
from ovs_dhcpd.controller.leases.document import normal
from ovs_dhcpd.controller.texts.bindings_list import Bound, bound_of
from ovs_dhcpd.controller.tracing.requests import KINDS, Client, parse_settings
from ovs_dhcpd.flows.bindings.mac import parse_mac
from ovs_dhcpd.flows.configuration.section import ConfigError
from ovs_dhcpd.flows.options.table import OptionError
from ovs_dhcpd.flows.options.wording import escape, hint, printable
from ovs_dhcpd.flows.pipeline.flow import show_port

from ovs_dhcpd import PROGRAM

if TYPE_CHECKING:
    from ovs_dhcpd.controller.tracing.course import Bridge
    from ovs_dhcpd.flows.bindings.network import Configuration
    from ovs_dhcpd.flows.pipeline.flow import Flow


ANY_MAC = "02:00:00:00:00:01"  # who sends where anybody is served, if nobody says


class Subject(NamedTuple):
    """The port that a packet is of, and the bridge that it comes into."""

    bound: Bound
    bridge: Bridge


def add_options(parser: argparse.ArgumentParser) -> None:
    """What says which packet of whom, and through which flows."""
    add_port(parser)
    parser.add_argument(
        "kind",
        nargs="?",
        default="discover",
        choices=KINDS,
        metavar="KIND",
        help=f"what is sent: {', '.join(KINDS)} (default: discover)",
    )
    parser.add_argument(
        "--set",
        metavar="OPTION=VALUE",
        action="append",
        default=[],
        help="the message has this option, by its name or as option_NNN; without VALUE it has not",
    )
    parser.add_argument(
        "--mac",
        metavar="MAC",
        type=_mac,
        help="who sends, for a port that serves several or any (default: the MAC that is given for "
        f"the port, else the port's first, or {ANY_MAC})",
    )
    parser.add_argument(
        "--pcap", metavar="FILE", type=Path, help="write the request and the reply there"
    )
    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        action="append",
        default=[],
        help="the flows that these files come to, the ports numbered from 1 in their order, "
        "instead of those of the running daemon's bridge",
    )
    add_rundir(parser)


def _mac(text: str) -> bytes:
    try:
        return parse_mac(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(args: argparse.Namespace) -> int:
    """Trace it; 0: it is answered, 1: it is not, or it could not be traced."""
    from ovs_dhcpd.controller.tracing.transaction import show, trace

    try:
        settings = parse_settings(KINDS[args.kind], args.set)
    except OptionError as error:
        raise _mistake(f"--set {error}") from None
    with suppress(ValueError):
        args.mac = args.mac or parse_mac(normal(args.port))
    bound, bridge = _from_files(args) if args.config else _running(args)
    mac = args.mac or parse_mac(bound.mac or ANY_MAC)
    traced = trace(bridge, bound.ofport, args.kind, Client(mac, bound.tag), settings)
    where = f"{bound.bridge} port {show_port(bound.ofport)}"
    interface = f" ({bound.interface})" if bound.interface else ""
    tag = f", VLAN {bound.tag}" if bound.tag else ""
    print(printable(f"# {where}{interface}: {bound.port} of {bound.network}{tag}"))
    if traced.kind != args.kind:
        print(f"# {args.kind} comes after {traced.kind}, to which there is no answer:")
    for line in show(traced, where):
        print(printable(line))
    if args.pcap:
        _write(args.pcap, [traced.request, *([traced.reply] if traced.reply else [])])
    return 0 if traced.reply and traced.kind == args.kind else 1


def _mistake(what: str) -> ConfigError:
    return ConfigError([f"{PROGRAM} trace: {what}"])


def _write(path: Path, frames: list[bytes]) -> None:
    from ovs_dhcpd.controller.wire.pcap import pcap_header, pcap_packet

    now_us = time.time_ns() // 1000
    path.write_bytes(
        pcap_header() + b"".join(pcap_packet(frame, now_us + i) for i, frame in enumerate(frames))
    )


def _running(args: argparse.Namespace) -> Subject:
    """The port as the daemon serves it, and its bridge."""
    from ovs_dhcpd.controller.tracing.ofproto_trace import LiveBridge

    found = bound_of(ask_for_json(args.ovs_rundir, "bindings/show", args.port))
    if not found and (name := interface_with(args.port, args.ovs_rundir)):
        found = bound_of(ask_for_json(args.ovs_rundir, "bindings/show", name))
    if not found:
        names = {each.port for each in bound_of(ask_for_json(args.ovs_rundir, "bindings/show"))}
        what = f"the daemon serves no such port{hint(args.port, names)}"
        mend = f"type: {PROGRAM} why {quote(args.port)}"
        raise _mistake(f"{escape(args.port)}: {what}; {mend}")
    found.sort(key=lambda each: each.tag is not None)
    bound = _of_mac(found, args.mac)
    ask_bridge = partial(ask_switch, args.ovs_rundir)
    return Subject(bound, LiveBridge(ask_bridge, bound.bridge, bound.ofport))


def _of_mac(bindings: list[Bound], mac: bytes | None) -> Bound:
    """Of the first port the one with that MAC, else the first."""
    named = mac.hex(":") if mac else None
    port = [each for each in bindings if each.port == bindings[0].port]
    return next((each for each in port if each.mac == named), bindings[0])


def _from_files(args: argparse.Namespace) -> Subject:
    """The port as the files have it, and a bridge with the flows that they come to."""
    from ovs_dhcpd.controller.sources import yaml_file
    from ovs_dhcpd.controller.tracing.flow_walk import FlowWalk
    from ovs_dhcpd.controller.why.find import having

    configuration = yaml_file.load(*args.config)
    numbers = configuration.numbered()
    networks = configuration.networks
    ports = [(network, port) for network in networks for port in network.ports]
    found = [each for each in ports if each[1].name == args.port] or [*having(args.port, networks)]
    if not found:
        what = f"no such port in {', '.join(args.config)}"
        meant = hint(args.port, {port.name for _, port in ports})
        raise _mistake(f"{escape(args.port)}: {what}{meant}")
    network, port = found[0]
    if network.lacking(port):
        what = "its address is chosen when it is plugged in, expected to trace the daemon"
        raise _mistake(f"port {escape(port.name)}: {what}, without --config")
    ofport = numbers[port.plugged_as]
    bound = Bound(
        *(port.name, "", network.bridge, ofport, network.name),
        *(port.mac.hex(":") if port.mac else None, port.tag),
        [str(address) for address in port.addresses],
    )
    return Subject(bound, FlowWalk(_flows(configuration, network.bridge, numbers), ofport))


def _flows(configuration: Configuration, bridge: str, numbers: dict[str, int]) -> Iterator[Flow]:
    from ovs_dhcpd.flows.pipeline import build

    yield from build.bridge_flows()
    for network in configuration.networks:
        if network.bridge != bridge:
            continue
        yield from build.network_flows(network)
        for port in configuration.ports_of(network):
            yield from build.port_flows(network, port, numbers[port.plugged_as])
