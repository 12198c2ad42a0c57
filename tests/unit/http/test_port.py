# SPDX-License-Identifier: Apache-2.0
"""The port of --http: whose it is, and who waits for it."""

from __future__ import annotations

import contextlib
import queue
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from ovs_dhcpd.controller.http.port import HttpPort
from ovs_dhcpd.controller.http.server import PortTaken, Where, listen
from ovs_dhcpd.controller.switch.lock import lock_path

from tests.unit.switch.processes import holders

WAIT_S = 60.0  # more than anything here takes


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with listen(Where(ip_address("127.0.0.1"), 0)) as listener:
        yield listener


@pytest.fixture
def where(taken: socket.socket) -> Where:
    return Where(ip_address("127.0.0.1"), taken.getsockname()[1])


def serve(port: HttpPort) -> queue.SimpleQueue[socket.socket]:
    started: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
    port.serve(started.put)
    return started


@pytest.mark.parametrize("rundir", ["", "not there"])
def test_a_free_port_is_ours_at_once(
    where: Where, taken: socket.socket, rundir: str, tmp_path: Path
) -> None:
    taken.close()
    with serve(HttpPort(where, tmp_path / rundir)).get_nowait() as listener:
        assert listener.getsockname()[1] == where.port


def test_that_of_another_program_is_not_waited_for(where: Where, tmp_path: Path) -> None:
    with pytest.raises(PortTaken):
        HttpPort(where, tmp_path)


def test_that_of_another_daemon_is_ours_at_its_end(
    where: Where, taken: socket.socket, tmp_path: Path
) -> None:
    with contextlib.ExitStack() as other:
        other.enter_context(holders(lock_path(tmp_path, str(where), "http")))
        started = serve(HttpPort(where, tmp_path))
        assert started.empty()
        taken.close()
        assert started.empty()  # it has the lock still
    started.get(timeout=WAIT_S).close()


def test_who_has_it_in_another_network_is_in_nobodys_way(
    where: Where, taken: socket.socket, tmp_path: Path
) -> None:
    taken.close()
    with holders(lock_path(tmp_path, str(where), "http")):
        serve(HttpPort(where, tmp_path)).get_nowait().close()
