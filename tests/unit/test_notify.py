# SPDX-License-Identifier: Apache-2.0
"""What the service manager gets: datagrams, as sd_notify(3) has them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from ovs_dhcpd.controller.notify import SOCKET, Notifier


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A socket's, as the manager names it."""
    return str(tmp_path / "notify") if request.param == "path" else f"@ovs-dhcpd-{os.getpid()}"


@pytest.fixture
def manager(address: str) -> Iterator[socket.socket]:
    """Who listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address.replace("@", "\0"))
        listening.setblocking(False)
        yield listening


def heard(manager: socket.socket) -> list[str]:
    found = []
    try:
        while True:
            found.append(manager.recv(4096).decode())
    except BlockingIOError:
        return found


def test_what_is_new_is_told_once(manager: socket.socket, address: str) -> None:
    notifier = Notifier(address)
    assert notifier
    for is_ready in (False, False, True, True):
        notifier.tell("br0: active", is_ready=is_ready)
    notifier.tell("br0: standby", is_ready=False)
    notifier.stopping()
    assert heard(manager) == [
        "STATUS=br0: active",
        "READY=1",
        "STATUS=br0: standby",
        "STOPPING=1",
    ]


def test_whatever_is_told_is_one_line(manager: socket.socket, address: str) -> None:
    notifier = Notifier(address)
    for _ in range(2):
        notifier.tell("waiting for /etc/\udcff\nREADY=1", is_ready=False)
    notifier.tell("é", is_ready=False)
    assert heard(manager) == ["STATUS=waiting for /etc/\\udcff\\nREADY=1", "STATUS=é"]


def test_who_does_not_listen_yet_is_told_later(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    notifier = Notifier(path)
    notifier.tell("active", is_ready=True)
    assert not notifier.is_ready
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as late:
        late.bind(path)
        notifier.tell("active", is_ready=True)
        assert late.recv(4096) == b"READY=1\nSTATUS=active"
    assert notifier.is_ready


def test_who_does_not_read_is_not_waited_for(manager: socket.socket, address: str) -> None:
    notifier = Notifier(address)
    for number in range(10_000):
        notifier.tell(f"{number}", is_ready=False)
    assert len(heard(manager)) < 10_000


def test_children_are_not_told_of_it() -> None:
    environment = {SOCKET: "/run/systemd/notify"}
    assert Notifier.of(environment)
    assert environment == {}
    assert not Notifier.of(environment)
    Notifier.of(environment).tell("nobody hears this", is_ready=True)
