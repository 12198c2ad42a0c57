# SPDX-License-Identifier: Apache-2.0
"""`ovs-dhcpd init`: look at the switch and its host, and print a configuration for what is there.

Nothing is written anywhere. What becomes of what is seen is decided in :mod:`controller.drafting`.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovs_dhcpd.controller.commands.ask import AskError, add_rundir, ask_switch
from ovs_dhcpd.flows.options.wording import either, escape, printable

from ovs_dhcpd import PROGRAM

if TYPE_CHECKING:
    import ovs.jsonrpc
    from ovs_dhcpd.controller.drafting.seen import Bridge, Link

ANSWER_S = 30.0
SBIN = "/usr/sbin:/sbin"  # where `ip` is, and what a plain user's PATH lacks
NO_BRIDGE = "no bridge in Open vSwitch, expected one; type: ovs-vsctl add-br br0"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of its command line."""
    parser.add_argument(
        "--bridge", metavar="BRIDGE", default="", help="look at this one alone (default: at all)"
    )
    parser.add_argument(
        "--db", metavar="REMOTE", help="the Open_vSwitch database (default: unix:DIR/db.sock)"
    )
    add_rundir(parser, "where Open vSwitch's sockets are")


def run(args: argparse.Namespace) -> int:
    """Print the configuration; the exit status is 1 where there is no bridge."""
    from ovs_dhcpd.controller.drafting.draft import DraftError
    from ovs_dhcpd.controller.drafting.seen import read_bridges
    from ovs_dhcpd.controller.drafting.switch import draft_switch

    bridges = read_bridges(_select(args.db or f"unix:{args.ovs_rundir / 'db.sock'}"))
    names = [each.name for each in bridges]
    if not names:
        return _fail(NO_BRIDGE)
    if args.bridge and args.bridge not in names:
        return _fail(f"--bridge {escape(args.bridge)}: no such bridge, expected {either(names)}")
    draft = draft_switch(bridges, _links(), _learned(args.ovs_rundir, bridges), args.bridge)
    try:
        text = draft.text(
            [
                f"Made by: {PROGRAM} init",
                "Look at router, dns_server and pool, then: ovs-dhcpd check FILE",
            ]
        )
    except DraftError as error:
        return _fail(str(error))
    for line in draft.unsaid.lines():
        print(f"{PROGRAM}: {line}", file=sys.stderr)
    if not draft.networks:
        print(f"{PROGRAM}: this host has no address on a bridge: fill in", file=sys.stderr)
    sys.stdout.write(text)
    return 0


def _fail(line: str) -> int:
    print(f"{PROGRAM}: {printable(line)}", file=sys.stderr)
    return 1


def _select(remote: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of the database at `remote`, by table.  Raises OSError."""
    import ovs.jsonrpc
    import ovs.stream
    from ovs_dhcpd.controller.drafting.seen import COLUMNS
    from ovs_dhcpd.controller.first_look import DENIED, NO_SWITCH
    from ovs_dhcpd.controller.ovsdb import json_parser

    json_parser.install()
    where = remote.removeprefix("unix:")
    error, stream = ovs.stream.Stream.open_block(ovs.stream.Stream.open(remote), ANSWER_S * 1000)
    if error:
        expected = (
            NO_SWITCH if where != remote else "expected Open vSwitch's database (--db REMOTE)"
        )
        if error == errno.EACCES:
            expected = f"{DENIED}; type: sudo {PROGRAM} init"
        what = f"{os.strerror(error) if error > 0 else 'no connection'}, {expected}"
        raise OSError(max(error, 0) or errno.EIO, what, where)
    selects = [
        {"op": "select", "table": table, "where": [], "columns": columns}
        for table, columns in COLUMNS.items()
    ]
    request = ovs.jsonrpc.Message.create_request("transact", ["Open_vSwitch", *selects])
    connection = ovs.jsonrpc.Connection(stream)
    reply, why = _ask(connection, request)
    connection.close()
    if not reply or reply.error or not isinstance(reply.result, list):
        raise OSError(errno.EIO, f"{why}, expected the Open_vSwitch database", where)
    rows = [each.get("rows", []) if isinstance(each, dict) else [] for each in reply.result]
    return dict(zip(COLUMNS, rows, strict=False))


def _ask(
    connection: ovs.jsonrpc.Connection, request: ovs.jsonrpc.Message
) -> tuple[ovs.jsonrpc.Message | None, str]:
    """The reply, if there is one within ANSWER_S, and what there is to say if it will not do."""
    import ovs.poller

    end_s = time.monotonic() + ANSWER_S
    connection.send(request)
    while (left_s := end_s - time.monotonic()) > 0:
        error, message = connection.recv()
        if message and message.id == request.id:
            return message, "no answer"
        if error not in (0, errno.EAGAIN):
            return None, "no answer"
        connection.run()
        poller = ovs.poller.Poller()
        connection.wait(poller)
        connection.recv_wait(poller)
        poller.timer_wait(math.ceil(left_s * 1000))
        poller.block()
    return None, f"no answer within {ANSWER_S:g} s"


def _links() -> list[Link]:
    """The interfaces of this host; none where nobody can say."""
    from ovs_dhcpd.controller.drafting.seen import read_links

    path = f"{os.environ.get('PATH', '')}:{SBIN}"
    try:
        shown = subprocess.run(
            ["ip", "-json", "-details", "address"],
            env={**os.environ, "PATH": path},
            capture_output=True,
            check=True,
            timeout=ANSWER_S,
        ).stdout
        return read_links(json.loads(shown))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"{PROGRAM}: ip -json address: {printable(str(error))}", file=sys.stderr)
        return []


def _learned(rundir: Path, bridges: Iterable[Bridge]) -> dict[tuple[str, int], list[str]]:
    """The MACs that each bridge has learned behind its ports, where it can be asked."""
    from ovs_dhcpd.controller.why.learned import heard_behind

    found = {}
    for bridge in bridges:
        table = ""
        with contextlib.suppress(AskError):
            table = ask_switch(rundir, "fdb/show", bridge.name)
        for each in bridge.plugged:
            if each.ofport:
                macs = dict.fromkeys(heard.mac for heard in heard_behind(each.ofport, table))
                found[bridge.name, each.ofport] = [*macs]
    return found
