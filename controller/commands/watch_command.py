# SPDX-License-Identifier: Apache-2.0
"""``ovs-dhcpd watch``: a line for each request and what became of it, as they happen."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from ovs_dhcpd.controller.commands.ask import add_rundir, ask_for_json
from ovs_dhcpd.controller.leases.document import normal
from ovs_dhcpd.controller.texts.bindings_list import bound_of
from ovs_dhcpd.controller.texts.transaction_line import Transaction, show_line
from ovs_dhcpd.controller.why.find import mac_or_address
from ovs_dhcpd.flows.options.wording import escape, hint

from ovs_dhcpd import PROGRAM

LOOK_S = 0.2


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is watched, and how it is shown."""
    parser.add_argument(
        "names",
        metavar="PORT|MAC|ADDRESS|NETWORK",
        nargs="*",
        help="what these ask and are answered alone; a bridge's name is all of its ports",
    )
    parser.add_argument(
        "-f",
        "--format",
        choices=("line", "json"),
        default="line",
        help="a line of text, or a JSON object a line (default: line)",
    )
    parser.add_argument(
        "-n", "--count", metavar="N", type=_count, help="end after so many (default: when stopped)"
    )
    parser.add_argument(
        "--pcap", metavar="FILE", type=Path, help="write requests and replies there, too"
    )
    add_rundir(parser)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r}, expected a number from 1 on")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Watch until stopped; 0 then, and 1 where the daemon cannot be asked any more."""
    left = args.count
    words = ["packets"] if args.pcap else []
    number = ask_for_json(args.ovs_rundir, "watch/read", *words)["next"]
    end = "Ctrl-C" if left is None else f"{left} line{'' if left == 1 else 's'}"
    names = [*_names(args)]
    print(f"watching; it ends with {end}", file=sys.stderr)
    with ExitStack() as stack:
        capture = stack.enter_context(args.pcap.open("wb")) if args.pcap else None
        if capture:
            from ovs_dhcpd.controller.wire.pcap import pcap_header

            capture.write(pcap_header())
        while left is None or left > 0:
            found = ask_for_json(args.ovs_rundir, "watch/read", *words, str(number))
            number = found["next"]
            if found["missed"]:
                print(f"{found['missed']} more that this was too slow for", file=sys.stderr)
            chosen = [each for each in found["transactions"] if is_of(each, names)][:left]
            for each in chosen:
                print(json.dumps(each) if args.format == "json" else show_line(each))
                if capture:
                    _write(capture, each)
            sys.stdout.flush()
            if left is not None:
                left -= len(chosen)
            if not found["transactions"]:
                time.sleep(LOOK_S)
    return 0


def _names(args: argparse.Namespace) -> Iterator[str]:
    """What the words are called in transactions; a name that nobody has now is said to be none.

    A port may be called so later; an interface that is plugged in later is not looked for.
    """
    bindings = bound_of(ask_for_json(args.ovs_rundir, "bindings/show")) if args.names else []
    ports = {each.interface: each.port for each in bindings}
    known = {name for each in bindings for name in (each.port, each.network, each.bridge)}
    for word in args.names:
        name = word if word in known else ports.get(word, normal(word))
        if name not in known and mac_or_address(name) == (None, None):
            what = f"no port, interface or network is {escape(name)} now"
            what += (
                hint(name, known | ports.keys())
                or ": what a port asks that gets this name is shown"
            )
            print(f"{PROGRAM}: {what}", file=sys.stderr)
        yield name


def is_of(transaction: Transaction, names: list[str]) -> bool:
    """Whether it is about one of these, or nobody is named."""
    keys = ("port", "network", "bridge", "mac", "address")
    return not names or any(transaction[key] in names for key in keys)


def _write(capture: BinaryIO, transaction: Transaction) -> None:
    from ovs_dhcpd.controller.wire.pcap import pcap_packet

    moment = datetime.fromisoformat(transaction["time"].removesuffix("Z") + "+00:00")
    now_us = int(moment.timestamp() * 1e6)
    capture.write(pcap_packet(bytes.fromhex(transaction["request"]), now_us))
    if transaction["reply"]:
        reply = bytes.fromhex(transaction["reply"])
        capture.write(pcap_packet(reply, now_us + transaction["took_us"]))
    capture.flush()
