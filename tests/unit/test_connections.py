# SPDX-License-Identifier: Apache-2.0
"""What a process answers at once, and what it takes to do so."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ovs_dhcpd.controller.connections import Connections, bridges_left
from ovs_dhcpd.controller.switch.listener import ListenOn
from ovs_dhcpd.controller.switch.lock import Lock, holder, lock_path, owner_of

OWNER, OTHER = 7, 8
# Os-ken, and a tenth of the time that it takes to import, and more; an answer needs none of them.
UNNEEDED = (
    *(
        "os_ken",
        "ovs.db.idl",
        "yaml",
        "ovs_dhcpd.controller.wire.events",
        "ovs_dhcpd.controller.wire.asked",
    ),
    *("ovs_dhcpd.controller.switch.listener", "ovs_dhcpd.flows.bindings.network"),
    *(
        "ovs_dhcpd.flows.pipeline.flow",
        "ovs_dhcpd.controller.ports",
        "ovs_dhcpd.controller.bridges",
    ),
)


def left(rundir: Path, bridge: str, owner: int) -> None:
    """`owner` has served the bridge, and has ended."""
    (rundir / f"{bridge}.mgmt").touch()
    lock = Lock(lock_path(rundir, bridge), owner)
    lock.take(wait=False)
    lock.close()


def test_bridges_are_left_by_who_has_the_same_command_line(tmp_path: Path) -> None:
    for bridge, owner in (
        ("br-int", OWNER),
        ("br.2", OWNER),
        ("br-other", OTHER),
        ("br-nobody", 0),
    ):
        left(tmp_path, bridge, owner)
    assert sorted(bridges_left(tmp_path, OWNER)) == ["br-int", "br.2"]
    assert list(bridges_left(tmp_path, OTHER)) == ["br-other"]


def test_a_bridge_that_is_gone_or_served_by_another_is_not_left(tmp_path: Path) -> None:
    for bridge in ("br-gone", "br-served"):
        left(tmp_path, bridge, OWNER)
    (tmp_path / "br-gone.mgmt").unlink()
    other = Lock(lock_path(tmp_path, "br-served"), OWNER)
    other.take(wait=False)
    lock_path(tmp_path, "br-folder").mkdir()
    lock_path(tmp_path, "br-old").write_bytes(b"4711            ")
    assert list(bridges_left(tmp_path, OWNER)) == []
    other.close()
    assert list(bridges_left(tmp_path, OWNER)) == ["br-served"]


def connections(rundir: Path) -> Connections:
    return Connections(rundir, ["1.5"], OWNER)


def test_who_comes_after_an_end_finds_what_was_joined(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "br-int.mgmt"))
        server.listen()
        with connections(tmp_path) as first:
            turn = first.join("br-int")
            assert turn.ours
            assert first.join("br-int") is turn
            assert holder(lock_path(tmp_path, "br-int"))
        assert not turn.ours
        with connections(tmp_path) as second:
            second.resume()
            assert second.bridges == {"br-int"}
            assert second.join("br-int").ours


def test_who_comes_after_does_not_find_what_was_left_for_good(tmp_path: Path) -> None:
    (tmp_path / "br-int.mgmt").touch()
    with connections(tmp_path) as first:
        turn = first.join("br-int")
        first.leave("br-int")
        assert not turn.ours
        assert first.bridges == set()
        assert owner_of(lock_path(tmp_path, "br-int")) == 0
        assert list(bridges_left(tmp_path, OWNER)) == []


def test_where_switches_connect_to_us_they_may_at_once_and_nothing_is_dialled(
    tmp_path: Path,
) -> None:
    left(tmp_path, "br-int", OWNER)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Connections(tmp_path, ["1.5"], OWNER, ListenOn("127.0.0.1", port)) as listening:
        listening.resume()
        socket.create_connection(("127.0.0.1", port)).close()
        assert listening.bridges == set()
        assert listening.join("br-int").ours
        assert listening.switches.trouble("br-int") == (
            f"its switch has not connected to tcp:127.0.0.1:{port}"
        )


@pytest.mark.parametrize("late", UNNEEDED)
def test_what_no_answer_needs_is_imported_later(late: str, modules: set[str]) -> None:
    assert late not in modules


@pytest.fixture(scope="module")
def modules() -> set[str]:
    """What has been imported when packets are answered for the first time."""
    program = "\n".join(
        (
            "import sys",
            "from ovs_dhcpd.controller import connections, log, log_text",
            "from ovs_dhcpd.controller.commands import cli, run_command",
            "print(*sys.modules)",
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())
