# SPDX-License-Identifier: Apache-2.0
"""What is said where nothing is to be reached; as another user it is seen in tests/switch."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from ovs_dhcpd.controller.first_look import is_denied, look_at, why_no_bridge, why_no_database

MEND = "type: systemctl start openvswitch-switch"


def listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def test_there_has_to_be_a_run_directory(tmp_path: Path) -> None:
    look_at(tmp_path)
    with pytest.raises(OSError, match=f"No such file or directory, expected Open vSwitch.*{MEND}"):
        look_at(tmp_path / "no")


def test_a_database_that_is_absent_or_has_been_killed(tmp_path: Path) -> None:
    path = tmp_path / "db.sock"
    said = f"{path}: Open vSwitch does not run here, waiting for it; {MEND}"
    assert why_no_database(f"unix:{path}") == said
    with listen(path):
        assert why_no_database(f"unix:{path}") == ""
    assert path.exists()
    assert why_no_database(f"unix:{path}") == said


@pytest.mark.parametrize("remote", ["tcp:127.0.0.1:1", "unix:/no,unix:/no"])
def test_of_other_databases_nothing_is_known_before(remote: str) -> None:
    assert why_no_database(remote) == ""


def test_a_name_too_long_for_a_socket_is_left_to_who_opens_it(tmp_path: Path) -> None:
    assert why_no_database(f"unix:{tmp_path / ('a' * 200)}") == ""


@pytest.mark.parametrize("name", ["absent.mgmt", f"{'a' * 300}.mgmt", "file/br-int.mgmt"])
def test_what_cannot_be_there_is_not_denied(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    assert not is_denied(tmp_path / name)


def test_a_bridge_that_does_not_exist(tmp_path: Path) -> None:
    path = tmp_path / "br-nope.mgmt"
    absent = f"{path}: Open vSwitch does not run here, waiting for it; {MEND}"
    assert why_no_bridge(tmp_path, "br-nope") == absent
    with listen(tmp_path / "br-b.mgmt"), listen(tmp_path / "br-a.mgmt"):
        what = "does not exist, expected br-a or br-b (--bridge BRIDGE)"
        mend = "write that, or for a new bridge type: ovs-vsctl add-br br-nope"
        said = f"bridge br-nope: {what}; {mend}"
        assert why_no_bridge(tmp_path, "br-nope") == said
        assert why_no_bridge(tmp_path, "br-a") == ""
        with listen(path):
            assert why_no_bridge(tmp_path, "br-nope") == ""
        assert why_no_bridge(tmp_path, "br-nope") == absent
