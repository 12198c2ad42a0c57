# SPDX-License-Identifier: Apache-2.0
"""Names and addresses for a DNS server: of the configuration, whole, and in nobody else's file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ovs_dhcpd.controller.onlookers import hosts_file
from ovs_dhcpd.controller.onlookers.hosts_file import HEADER, HostsFile, hosts_lines
from ovs_dhcpd.controller.ports.binder import Served
from ovs_dhcpd.controller.sources import yaml_file

CONFIGURATION = """
networks:
  lab:
    dhcpv4: {cidr: 10.0.0.0/24, router: 10.0.0.1, domain_name: lab.example}
    dhcpv6: {cidr: "fd00::/64"}
    ports:
      vm1: {addresses: "02:00:00:00:00:01 10.0.0.5 fd00::5"}
      0029ead2-8124-439b-9ec0-9579d9f601ea:
        {addresses: "02:00:00:00:00:02 10.0.0.6", options: {hostname: web}}
      vm3: {addresses: "02:00:00:00:00:03 10.0.0.7", options: {hostname: db.other.example}}
      "not a name": {addresses: "02:00:00:00:00:04 10.0.0.8"}
      "x.": {addresses: "02:00:00:00:00:05 10.0.0.9"}
  plain:
    dhcpv4: {cidr: 10.1.0.0/24, router: 10.1.0.1}
    ports:
      vm9: {addresses: "02:00:00:00:00:09 10.1.0.5"}
"""
LINES = [
    "10.0.0.6 web.lab.example web",
    "10.0.0.5 vm1.lab.example vm1",
    "fd00::5 vm1.lab.example vm1",
    "10.0.0.7 db.other.example db",
    "10.1.0.5 vm9",
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Served]]:
    file = tmp_path_factory.mktemp("hosts") / "c.yaml"
    file.write_text(CONFIGURATION)
    networks = yaml_file.load(file).networks
    ports = [(network, port) for network in networks for port in network.ports]
    return [(each[1].name, Served("br-int", 1, (each,))) for each in ports]


def test_each_address_has_its_names_and_what_is_none_is_left_out(
    served: list[tuple[str, Served]],
) -> None:
    assert [*hosts_lines(served)] == LINES


def test_the_file_is_replaced_when_there_is_something_else_to_say(
    tmp_path: Path, served: list[tuple[str, Served]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts_file, "AGAIN_S", 0.0)
    path = tmp_path / "hosts"
    hosts = HostsFile(path)
    hosts.run(served)
    assert not path.exists()  # nobody has said that there is something
    assert hosts.wait_s() is None
    hosts.touch()
    assert hosts.wait_s() == 0.0
    hosts.run(served)
    assert path.read_text() == "\n".join([HEADER, *LINES, ""])
    first = path.stat().st_ino
    hosts.touch()
    hosts.run(served)
    assert path.stat().st_ino == first
    with path.open() as reader:  # who reads it has the old one whole
        hosts.touch()
        hosts.run(served[:1])
        assert reader.read() == "\n".join([HEADER, *LINES, ""])
    assert path.read_text().splitlines() == [HEADER, *LINES[1:3]]
    assert os.listdir(tmp_path) == ["hosts"]


def test_who_serves_names_may_read_it_whatever_the_umask(
    tmp_path: Path, served: list[tuple[str, Served]]
) -> None:
    before = os.umask(0o077)  # as the service has it
    try:
        hosts = HostsFile(tmp_path / "hosts")
        hosts.touch()
        hosts.run(served)
    finally:
        os.umask(before)
    assert (tmp_path / "hosts").stat().st_mode & 0o777 == 0o644


def test_another_file_is_never_replaced(
    tmp_path: Path, served: list[tuple[str, Served]], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(hosts_file.vlog, "warn", said.append)
    monkeypatch.setattr(hosts_file, "AGAIN_S", 0.0)
    path = tmp_path / "hosts"
    path.write_text("127.0.0.1 localhost\n")
    hosts = HostsFile(path)
    with pytest.raises(OSError, match="is not ours, expected a line"):
        hosts.check()
    for _ in range(2):
        hosts.touch()
        hosts.run(served)
    assert path.read_text() == "127.0.0.1 localhost\n"
    assert said == [f"--hosts-file: {path}: is not ours, expected a line {HEADER!r} first; "
                    "trying again"]  # fmt: skip
    path.write_text("")
    hosts.run(served)
    assert path.read_text().startswith(HEADER)
    hosts.check()


def test_a_directory_that_is_not_there_is_said_once(
    tmp_path: Path, served: list[tuple[str, Served]], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(hosts_file.vlog, "warn", said.append)
    hosts = HostsFile(tmp_path / "no" / "hosts")
    with pytest.raises(OSError, match="No such file or directory"):
        hosts.check()  # at the start
    hosts.touch()
    hosts.run(served)
    wait_s = hosts.wait_s()
    assert wait_s
    hosts.run(served)
    assert len(said) == 1
    assert "No such file or directory" in said[0]


def test_who_may_write_beside_it_cannot_have_us_write_elsewhere(
    tmp_path: Path, served: list[tuple[str, Served]]
) -> None:
    others = tmp_path / "others"
    others.write_text("theirs")
    path = tmp_path / "hosts"
    path.with_name(f".hosts.{os.getpid()}").symlink_to(others)
    hosts = HostsFile(path)
    hosts.touch()
    hosts.run(served)
    assert others.read_text() == "theirs"
    assert path.read_text() == "\n".join([HEADER, *LINES, ""])
    assert sorted(tmp_path.iterdir()) == [path, others]


def test_what_is_no_file_is_not_waited_for(
    tmp_path: Path, served: list[tuple[str, Served]]
) -> None:
    path = tmp_path / "hosts"
    os.mkfifo(path)
    hosts = HostsFile(path)
    with pytest.raises(FileExistsError, match="is not ours"):
        hosts.check()
    hosts.touch()
    hosts.run(served)
    assert path.is_fifo()
