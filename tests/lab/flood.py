# SPDX-License-Identifier: Apache-2.0
"""Floods of one guest, of the kinds that cost a DHCP server most."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.lab import packets, packets6
from tests.lab.guest import Guest
from tests.lab.nd import mac_option, router_solicitation
from tests.lab.packets6 import duid_ll, frame_of, ia_na
from tests.lab.process import Process
from tests.lab.switch import PrivateOvs

SOURCE = Path(__file__).with_suffix(".c")
BUILD = SOURCE.parents[2] / "build"
DIFFERENT = 1000  # frames of a flood in which no two are the same


class Client(NamedTuple):
    """Who floods: the address of its card, the addresses that it has been given."""

    mac: str
    address: str
    server: str
    link_local: str


def _discovers(client: Client) -> list[bytes]:
    return [packets.request(packets.DISCOVER, client.mac)]


def _different(client: Client) -> list[bytes]:
    return [
        packets.request(
            packets.DISCOVER, client.mac, packets.option(12, b"host-%05d" % number), xid=number
        )
        for number in range(DIFFERENT)
    ]


def _naks(client: Client) -> list[bytes]:
    return [
        packets.request(
            packets.REQUEST, client.mac, packets.option(50, f"203.0.113.{number % 200}"),
            packets.option(54, client.server), xid=number,
        )
        for number in range(DIFFERENT)
    ]  # fmt: skip


def _empty_options(client: Client) -> list[bytes]:
    options = b"".join(packets.option(224, b"") for _ in range(565))
    return [packets.request(packets.DISCOVER, client.mac, options)]


def _solicit(client: Client, *options: bytes) -> bytes:
    message = bytes((packets6.SOLICIT,)) + b"\1\2\3"
    body = message + packets6.option(1, duid_ll(client.mac)) + b"".join(options)
    return frame_of(body, client.mac, ip_src=client.link_local)


def _ias(client: Client) -> list[bytes]:
    return [_solicit(client, *(ia_na(number) for number in range(85)))]


def _empty_options6(client: Client) -> list[bytes]:
    return [_solicit(client, ia_na(1), packets6.option(999) * 340)]


def _solicitations(client: Client) -> list[bytes]:
    return [router_solicitation(client.mac, client.link_local, mac_option(1, client.mac))]


KINDS: dict[str, Callable[[Client], list[bytes]]] = {
    "85 IA_NA": _ias,
    "340 empty DHCPv6 options": _empty_options6,
    "565 empty DHCPv4 options": _empty_options,
    "different DISCOVERs": _different,
    "NAKs": _naks,
    "router solicitations": _solicitations,
    "one DISCOVER again and again": _discovers,
}


def build() -> Path:
    """Compile the program that sends; returns it."""
    BUILD.mkdir(exist_ok=True)
    program = BUILD / "flood"
    subprocess.run(["cc", "-O2", "-o", program, SOURCE], check=True)
    return program


def start(
    switch: PrivateOvs, guest: Guest, frames: Sequence[bytes], rate: float, seconds: float
) -> Process:
    """Have the guest send `frames`, `rate` a second in all; it ends by itself."""
    file = guest.directory / "flood.frames"
    file.write_bytes(b"".join(len(frame).to_bytes(2, "big") + frame for frame in frames))
    return Process(
        guest.namespace.command(BUILD / "flood", "eth0", file, rate, seconds),
        switch.log_dir / f"flood-{guest.port}.log",
        switch.environment,
    )
