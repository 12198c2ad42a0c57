# SPDX-License-Identifier: Apache-2.0
"""Each page is gone through from its first line to its last, on a host as it supposes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby

import pytest

from tests.lab.ovn import PrivateOvn
from tests.lab.process import LabError, wait_until
from tests.lab.requirements import require
from tests.lab.switch import PrivateOvs

from . import blocks, output
from .blocks import Block
from .host import Host
from .stages import STAGES, Stage

PAGES = [
    page
    for page in blocks.pages()
    if any(each.is_commands and not each.mark for each in blocks.read(page))
]


@contextmanager
def host(stage: Stage) -> Iterator[Host]:
    """The host that the stage describes, for as long as the page is gone through."""
    kind: type[PrivateOvs] = PrivateOvn if stage.ovn else PrivateOvs
    require(*kind.programs, *stage.programs)
    with kind(bridge=stage.bridge) as switch:
        there = Host(switch)
        for guest in stage.guests:
            plugged = switch.guest(guest.name, guest.mac, guest.iface_id or None, port=guest.port)
            if guest.iface_id == "":
                switch.vsctl("remove", "interface", guest.port, "external_ids", "iface-id")
            if guest.attached_mac:
                switch.vsctl("set", "interface", guest.port,
                             f'external_ids:attached-mac="{guest.mac}"')  # fmt: skip
            if guest.asks:
                there.start_client(plugged, again=guest.asks == "again")
        for name, text in stage.files.items():
            there.write(name, text)
        if stage.before:
            status, printed = there.type(stage.before)
            assert status == 0, printed
        yield there


def go_through(block: Block, there: Host) -> None:
    """Do what a reader does with this block."""
    if block.mark == "file":
        there.write(block.argument, block.text)
    elif block.instead:
        status, printed = there.type(block.instead)
        assert status == 0, f"{block}: status {status}\n{block.instead}\n{printed}"
    elif block.is_commands and not block.mark:
        for each in blocks.exchanges(block):
            if each.output is None:
                status, printed = there.type(each.command)
                assert status == 0, f"{block}: status {status}\n{each.command}\n{printed}"
            else:
                see(block, each.command, each.output, there)


def see(block: Block, command: str, shown: tuple[str, ...], there: Host) -> None:
    """Type a command until it prints what is shown, as one does who has just changed something."""
    printed = ""

    def as_shown() -> bool:
        nonlocal printed
        _, printed = there.type(command)
        return output.agrees(shown, printed)

    try:
        wait_until(as_shown, "what is shown", 20)
    except LabError:
        text = "\n".join(shown)
        pytest.fail(f"{block}: {command}\nis shown to print\n{text}\nand prints\n{printed}")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_to_type_does_what_it_says(page: str) -> None:
    for name, on_host in groupby(blocks.read(page), lambda block: block.host or page):
        with host(STAGES.get(name, Stage())) as there:
            for block in on_host:
                go_through(block, there)
