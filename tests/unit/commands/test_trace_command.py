# SPDX-License-Identifier: Apache-2.0
"""``ovs-dhcpd trace`` of files: what it prints and writes, its exit status, its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from ovs_dhcpd.controller.commands import cli
from ovs_dhcpd.controller.tracing.frame_text import show_frame

from tests.lab.pcap import decode_pcap

Capture = pytest.CaptureFixture[str]

CONFIGURATION = """
networks:
  blue:
    dhcpv4: {cidr: 10.0.0.0/24}
    ports:
      vm1: {addresses: "fa:16:3e:00:00:01 10.0.0.5"}
      vm1-100: {addresses: "fa:16:3e:00:00:02 10.0.0.6", parent: vm1, tag: 100}
      vm2: {addresses: "fa:16:3e:00:00:03 10.0.0.7"}
  pool:
    dhcpv4: {cidr: 10.1.0.0/24}
    pool: 10.1.0.100-10.1.0.199
    ports:
      vm3: {addresses: "fa:16:3e:00:00:04 dynamic"}
  other:
    bridge: br-x
    dhcpv4: {cidr: 10.2.0.0/24}
    ports:
      vm4: {addresses: "fa:16:3e:00:00:05 10.2.0.5"}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "c.yaml"
    path.write_text(CONFIGURATION)
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "status", "first", "verdict"),
    [
        (["vm1"], 0, "# br-int port 1: vm1 of blue", "verdict: DHCPOFFER 10.0.0.5"),
        (["vm2", "renew"], 0, "# br-int port 2: vm2 of blue", "verdict: DHCPACK 10.0.0.7"),
        (["FA:16:3E:00:00:03"], 0, "# br-int port 2: vm2 of blue", "verdict: DHCPOFFER 10.0.0.7"),
        (["10.2.0.5"], 0, "# br-x port 4: vm4 of other", "verdict: DHCPOFFER 10.2.0.5"),
        (
            *(["vm1-100", "request"], 0),
            *("# br-int port 1: vm1-100 of blue, VLAN 100", "verdict: DHCPACK 10.0.0.6"),
        ),
        (["vm4"], 0, "# br-x port 4: vm4 of other", "verdict: DHCPOFFER 10.2.0.5"),
        (
            *(["vm1", "release"], 1),
            *("# br-int port 1: vm1 of blue", "verdict: no answer: address released 10.0.0.5"),
        ),
        (
            *(["vm1", "rs"], 1),
            *("# br-int port 1: vm1 of blue", "not answered: no flow of ovs-dhcpd waits for it"),
        ),
        (
            *(["vm1", "renew", "--mac", "02:00:00:00:00:09"], 1),
            *("# br-int port 1: vm1 of blue", "not answered: no flow of ovs-dhcpd waits for it"),
        ),
    ],
)
def test_a_port_of_a_file(
    file: str, capsys: Capture, arguments: list[str], status: int, first: str, verdict: str
) -> None:
    assert cli.main(["trace", arguments[0], "--config", file, *arguments[1:]]) == status
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == first
    assert verdict in out.splitlines()
    assert err == ""


def test_what_a_client_asks_first_is_shown_where_that_fails(file: str, capsys: Capture) -> None:
    cli.main(["trace", "vm1", "renew", "--mac", "02:00:00:00:00:09", "--config", file])
    lines = capsys.readouterr()[0].splitlines()
    assert lines[1:3] == [
        *("# renew comes after discover, to which there is no answer:", "DHCPDISCOVER"),
    ]


def test_request_and_reply_are_written_as_a_capture(
    file: str, tmp_path: Path, capsys: Capture
) -> None:
    pcap = tmp_path / "trace.pcap"
    assert cli.main(["trace", "vm1-100", "request", "--pcap", str(pcap), "--config", file]) == 0
    out = capsys.readouterr()[0]
    (asked_us, request), (answered_us, reply) = decode_pcap(pcap.read_bytes())
    assert asked_us < answered_us
    for frame in (request, reply):
        assert "\n".join(f"    {line}" for line in show_frame(frame)) in out
    assert cli.main(["trace", "vm1", "release", "--pcap", str(pcap), "--config", file]) == 1
    assert len(decode_pcap(pcap.read_bytes())) == 1


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        (["vmm1"], "ovs-dhcpd trace: vmm1: no such port in {file} (did you mean vm1?)"),
        (
            ["vm3"],
            "ovs-dhcpd trace: port vm3: its address is chosen when it is plugged in, expected to "
            "trace the daemon, without --config",
        ),
        (
            ["vm1", "--set", "hostnam=a"],
            "ovs-dhcpd trace: --set hostnam: unknown option, expected the name of a DHCPv4 option "
            "or option_NNN (did you mean hostname?)",
        ),
        (["vm1", "--pcap", "/nowhere/x"], "ovs-dhcpd: /nowhere/x: No such file or directory"),
    ],
)
def test_mistakes_are_one_line(
    file: str, capsys: Capture, arguments: list[str], mistake: str
) -> None:
    assert cli.main(["trace", *arguments, "--config", file]) == 1
    assert capsys.readouterr()[1] == mistake.format(file=file) + "\n"


@pytest.mark.parametrize("arguments", [["vm1", "nonsense"], ["vm1", "--mac", "x"], []])
def test_wrong_usage(file: str, capsys: Capture, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["trace", *arguments, "--config", file])
    assert ended.value.code == 2
    assert "; type: ovs-dhcpd trace --help\n" in capsys.readouterr()[1]


def test_without_a_daemon_it_says_so(tmp_path: Path, capsys: Capture) -> None:
    assert cli.main(["trace", "vm1", "--ovs-rundir", str(tmp_path)]) == 1
    assert capsys.readouterr() == (
        "",
        f"ovs-dhcpd: {tmp_path}: nobody to ask, expected the socket of a running ovs-dhcpd there "
        "(--ovs-rundir DIR); type: ovs-dhcpd run --config FILE --detach --pidfile --log-file\n",
    )
