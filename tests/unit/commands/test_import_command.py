# SPDX-License-Identifier: Apache-2.0
"""`ovs-dhcpd import`: what is printed where, and the exit status."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from ovs_dhcpd.controller.commands import cli
from ovs_dhcpd.controller.commands.import_command import MAX_SIZE

from tests.unit.drafting.reading import accepted_text, dhcpv4

DNSMASQ = "dhcp-range=10.0.0.10,10.0.0.99,255.255.255.0\nport=0\ndhcp-option=3\n"
XML = """<network><name>n</name><forward/><ip address='10.0.0.1' prefix='24'><dhcp>
<range start='10.0.0.10' end='10.0.0.99'/></dhcp></ip></network>"""
SUBNET = {"subnet": "10.0.0.0/24", "pools": [{"pool": "10.0.0.10-10.0.0.99"}]}
KEA = json.dumps({"Dhcp4": {"subnet4": [SUBNET]}})
TEXTS = {"dnsmasq": DNSMASQ, "libvirt": XML, "kea": KEA}


@pytest.mark.parametrize("kind", TEXTS)
def test_where_all_is_said_the_status_is_0(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "theirs"
    path.write_text(TEXTS[kind])
    assert cli.main(["import", kind, str(path), "--bridge", "br9"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"# Made by: ovs-dhcpd import {kind} {path}\n")
    (network,) = accepted_text(out).networks
    assert (network.bridge, str(network.pool)) == ("br9", "10.0.0.10-10.0.0.99")


def test_where_not_all_is_said_it_is_1_and_both_say_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "theirs"
    path.write_text(DNSMASQ + "frob=1\n")
    assert cli.main(["import", "dnsmasq", str(path)]) == 1
    out, err = capsys.readouterr()
    assert err == f"ovs-dhcpd: could not be said: {path}:4: frob: cannot be said\n"
    assert f"#   {path}:4: frob: cannot be said\n" in out
    assert accepted_text(out).networks


def test_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(XML.encode())))
    assert cli.main(["import", "libvirt", "-"]) == 0
    assert accepted_text(capsys.readouterr()[0]).networks


def test_both_files_of_kea(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    four, six = tmp_path / "four", tmp_path / "six"
    four.write_text(KEA)
    pools = [{"pool": "fd00::10-fd00::99"}]
    six.write_text(json.dumps({"Dhcp6": {"subnet6": [{"subnet": "fd00::/64", "pools": pools}]}}))
    assert cli.main(["import", "kea", str(four), str(six), "--address", "10.0.0.7/24"]) == 0
    (network,) = accepted_text(capsys.readouterr()[0]).networks
    assert str(network.pool) == "10.0.0.10-10.0.0.99, fd00::10-fd00::99"
    assert str(dhcpv4(network).server_id) == "10.0.0.7"


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"\0" * 100, b"{" * 9999, b"<" * 9999])
def test_what_is_nothing_of_theirs_is_one_line(
    kind: str, data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "theirs"
    path.write_bytes(data)
    assert cli.main(["import", kind, str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("ovs-dhcpd: ")


def test_a_file_that_is_too_large_or_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "theirs"
    with path.open("wb") as file:
        file.truncate(MAX_SIZE + 1)
    assert cli.main(["import", "kea", str(path)]) == 1
    assert cli.main(["import", "kea", str(tmp_path / "no")]) == 1
    assert cli.main(["import", "kea", str(tmp_path)]) == 1
    assert [line.partition(": ")[2] for line in capsys.readouterr()[1].splitlines()] == [
        f"{path}: is too large, expected 4 MB at most",
        f"{tmp_path}/no: No such file or directory",
        f"{tmp_path}: Is a directory",
    ]


@pytest.mark.parametrize(
    "words",
    [["dhcpd", "x"], ["dnsmasq"], ["dnsmasq", "a", "b"], ["kea", "x", "--address", "10.0.0.1"],
     ["kea", "x", "--address", "fe80::1%1/64"]],
)  # fmt: skip
def test_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["import", *words])
    assert ended.value.code == 2
    assert "; type: " in capsys.readouterr()[1]
