# SPDX-License-Identifier: Apache-2.0
"""`ovs-dhcpd import`: another server's configuration as one of ours, on standard output.

What could not be said is in comments at its top, and on standard error; the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import sys
from ipaddress import ip_interface
from pathlib import Path
from typing import TYPE_CHECKING

from ovs_dhcpd.flows.options.wording import printable, show, trouble

from ovs_dhcpd import PROGRAM

if TYPE_CHECKING:
    from ovs_dhcpd.controller.drafting.draft import Draft, Interface

MAX_SIZE = 4 << 20  # of a file: more than 50,000 guests
KINDS = ("dnsmasq", "libvirt", "kea")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of its command line."""
    parser.add_argument("kind", metavar="KIND", choices=KINDS, help=" or ".join(KINDS))
    parser.add_argument(
        "theirs",
        metavar="FILE",
        nargs="+",
        help="dnsmasq.conf, what virsh net-dumpxml prints, or kea-dhcp4.conf and kea-dhcp6.conf "
        "together; - is standard input",
    )
    parser.add_argument(
        "--bridge", metavar="BRIDGE", default="", help="the bridge that the guests are plugged into"
    )
    parser.add_argument(
        "--address",
        metavar="ADDRESS/LENGTH",
        type=_interface,
        action="append",
        default=[],
        help="what the server's own interface has, for files that do not say it: dnsmasq tells it "
        "as router and as DNS server; may be given several times",
    )


def run(args: argparse.Namespace) -> int:
    """Print the configuration; the exit status is 1 if not all could be said."""
    from ovs_dhcpd.controller.drafting.draft import DraftError

    if len(args.theirs) > 1 and args.kind != "kea":
        args.usage_error(f"{args.kind}: expected one FILE")
    try:
        draft = _read(args)
        command = f"{PROGRAM} import {args.kind} {' '.join(args.theirs)}"
        text = draft.text([f"Made by: {command}"])
    except DraftError as error:
        print(f"{PROGRAM}: {printable(str(error))}", file=sys.stderr)
        return 1
    for line in draft.unsaid.lines():
        print(f"{PROGRAM}: could not be said: {line}", file=sys.stderr)
    sys.stdout.write(text)
    return 1 if draft.unsaid else 0


def _read(args: argparse.Namespace) -> Draft:
    from ovs_dhcpd.controller.drafting.dnsmasq import read_dnsmasq
    from ovs_dhcpd.controller.drafting.kea import read_kea
    from ovs_dhcpd.controller.drafting.libvirt import read_libvirt

    contents = [_contents(file) for file in args.theirs]
    first = args.theirs[0]
    if args.kind == "libvirt":
        return read_libvirt(contents[0], first, args.bridge)
    texts = [each.decode(errors="replace") for each in contents]
    if args.kind == "dnsmasq":
        return read_dnsmasq(texts[0], first, args.address, args.bridge)
    return read_kea([*zip(args.theirs, texts, strict=True)], args.address, args.bridge)


def _contents(file: str) -> bytes:
    """The bytes of the file.  Raises DraftError."""
    from ovs_dhcpd.controller.drafting.draft import DraftError

    try:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_SIZE + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(MAX_SIZE + 1)
    except OSError as error:
        raise DraftError(trouble(error)) from None
    if len(data) > MAX_SIZE:
        raise DraftError(f"{file}: is too large, expected {MAX_SIZE >> 20} MB at most")
    return data


def _interface(text: str) -> Interface:
    try:
        if "%" in text or "/" not in text:
            raise ValueError
        return ip_interface(text)
    except ValueError:
        what = f"{show(text)}, expected address/length, as in 192.168.1.1/24"
        raise argparse.ArgumentTypeError(what) from None
