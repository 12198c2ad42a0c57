# SPDX-License-Identifier: Apache-2.0
"""The commands, as the user sees them: what they print, where, and the exit status."""

from __future__ import annotations

import fcntl
import io
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ovs_dhcpd.controller.commands import cli
from ovs_dhcpd.flows.bindings.rate_limit import DEFAULT_RATE_LIMIT, RateLimit

from ovs_dhcpd import PROGRAM, __version__

ROOT = Path(__file__).parents[3]
EXAMPLE = str(ROOT / "tests" / "examples" / "finance-network1.yaml")
PORT = "0029ead2-8124-439b-9ec0-9579d9f601ea"
ACTION = (
    "reg0[3] = put_dhcp_opts(offerip = 192.168.1.7, classless_static_route = "
    "{169.254.169.254/32, 192.168.1.2, 0.0.0.0/0, 192.168.1.1}, dns_server = 172.25.250.254, "
    "lease_time = 43200, mtu = 1442, netmask = 255.255.255.0, router = 192.168.1.1, "
    "server_id = 192.168.1.1);"
)
USERDATA = (
    "00.00.00.02.00.00.00.00.00.01.de.10.00.00.00.63.c0.a8.01.07.79.0e.20.a9.fe.a9.fe.c0.a8.01."
    "02.00.c0.a8.01.01.06.04.ac.19.fa.fe.33.04.00.00.a8.c0.1a.02.05.a2.01.04.ff.ff.ff.00.03.04."
    "c0.a8.01.01.36.04.c0.a8.01.01"
)
Capture = pytest.CaptureFixture[str]


def run(*argv: str, stdin: bytes = b"", **environment: str) -> tuple[int, bytes, bytes]:
    """The command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "ovs_dhcpd", *argv],
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    return done.returncode, done.stdout, done.stderr


def test_what_the_terminal_has_no_character_for_is_escaped(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        "networks: {caf\u00e9\u2603: {dhcpv4: {cidr: 10.0.0.0/24}, ports: {vm1: {addresses: "
        '"02:00:00:00:00:01 10.0.0.5"}}}}',
        encoding="utf-8",
    )
    status, out, _ = run("lflows", str(path), PYTHONIOENCODING="latin-1")
    assert status == 0
    assert b"caf\xe9\\u2603" in out


def test_a_configuration_that_is_made_is_utf_8_on_any_terminal(tmp_path: Path) -> None:
    path = tmp_path / "dnsmasq.conf"
    path.write_text("dhcp-range=set:caf\u00e9\u2603,10.0.0.1,10.0.0.9\n", encoding="utf-8")
    _, out, _ = run("import", "dnsmasq", str(path), PYTHONIOENCODING="latin-1")
    assert "caf\u00e9\u2603" in out.decode()


def test_check_says_what_is_valid(capsys: Capture) -> None:
    assert cli.main(["check", EXAMPLE]) == 0
    assert capsys.readouterr() == (f"{EXAMPLE}: valid, networks: 1, ports: 1, pools: 0\n", "")


def test_check_warns_of_what_is_most_likely_not_meant(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        "networks:\n lan:\n  dhcpv4: {cidr: 10.0.0.0/24, router: 10.9.0.1}\n  pool: 10.0.0.9\n"
    )
    assert cli.main(["check", str(path)]) == 0
    out, warning = capsys.readouterr()
    assert out == f"{path}: valid, networks: 1, ports: 0, pools: 1\n"
    expected = "10.9.0.1 is not in cidr 10.0.0.0/24, so guests do not reach it"
    assert warning == f"{path}:3: warning: lan: router: {expected}\n"


@pytest.mark.parametrize("command", ["check", "flows", "lflows"])
def test_mistakes_in_the_file_go_to_standard_error(
    command: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("bridge: a/b\nnetworks: []\n")
    assert cli.main([command, str(path)]) == 1
    assert capsys.readouterr() == (
        "",
        f"{path}:1: bridge: 'a/b', expected the name of a bridge\n"
        f"{path}:2: networks: a list, expected a mapping\n",
    )


def test_encode_prints_the_openflow_action(capsys: Capture) -> None:
    assert cli.main(["encode", ACTION]) == 0
    assert capsys.readouterr() == (f"controller(userdata={USERDATA},pause)\n", "")


def test_encode_names_the_mistake(capsys: Capture) -> None:
    assert cli.main(["encode", "reg0[3] = put_dhcp_opts();"]) == 1
    assert capsys.readouterr() == ("", "ovs-dhcpd: put_dhcp_opts: offerip is missing\n")


def test_decode_prints_the_logical_action(capsys: Capture) -> None:
    other = "0000000700000000"
    assert cli.main(["decode", USERDATA, USERDATA.replace(".", ""), other]) == 0
    expected = f"{ACTION}\n{ACTION}\nopcode 7 (log)\n"
    assert capsys.readouterr() == (expected, "")


@pytest.mark.parametrize("text", ["00", "zz", "00000002000000010001de1000000063c0a80107"])
def test_decode_names_the_mistake_and_goes_on(text: str, capsys: Capture) -> None:
    assert cli.main(["decode", text, USERDATA]) == 1
    out, err = capsys.readouterr()
    assert out == f"{ACTION}\n"
    assert err.startswith("ovs-dhcpd: ")
    assert err.count("\n") == 1


def test_decode_annotates_a_dump_and_passes_on_the_rest() -> None:
    dump = f" in_port=1 actions=controller(userdata={USERDATA},pause)\n\xff\n".encode("latin-1")
    annotated = dump.replace(b"\n", f"\n    {ACTION}\n".encode(), 1)
    assert run("decode", stdin=dump) == (0, annotated, b"")


def test_decode_is_quiet_when_its_reader_leaves() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "ovs_dhcpd", "decode"],
        input=b"line\n",
        stdout=writer,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    class Interrupted(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object, /) -> int:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Interrupted())))
    assert cli.main(["decode"]) == 130
    assert capsys.readouterr() == ("", "")


def test_flows_has_those_of_the_ports_that_are_plugged_in(capsys: Capture) -> None:
    assert cli.main(["flows", EXAMPLE, "--ofport", f"{PORT}=42"]) == 0
    out, err = capsys.readouterr()
    lines = [line for line in out.splitlines() if "pause" in line]
    assert len(lines) == 3
    assert all("in_port=42," in line and f"userdata={USERDATA},pause" in line for line in lines)
    assert err == ""


def test_flows_leaves_out_the_ports_that_are_not_plugged_in(
    tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "c.yaml"
    another = '      vm2: {addresses: "02:00:00:00:00:02 192.168.1.8"}\n'
    path.write_text(Path(EXAMPLE).read_text(encoding="utf-8") + another)
    assert cli.main(["flows", str(path), "--ofport", "vm2=7"]) == 0
    out, _ = capsys.readouterr()
    assert out.count("in_port=") == out.count("in_port=7,") == 3


def test_flows_numbers_the_ports_where_nothing_is_said(capsys: Capture) -> None:
    assert cli.main(["flows", EXAMPLE]) == 0
    out, err = capsys.readouterr()
    assert out.count("in_port=1,") == 3
    assert err == (
        "ovs-dhcpd: no --ofport: the ports are numbered from 1 in the order of the file\n"
    )


@pytest.mark.parametrize("command", ["flows", "lflows"])
def test_ports_whose_address_is_not_in_the_file_are_left_out_and_named(
    tmp_path: Path, capsys: Capture, command: str
) -> None:
    path = tmp_path / "c.yaml"
    text = Path(EXAMPLE).read_text(encoding="utf-8")
    argv = [command, str(path), *(["--ofport", f"{PORT}=1"] if command == "flows" else [])]
    path.write_text(text)
    assert cli.main(argv) == 0
    expected, _ = capsys.readouterr()
    path.write_text(text + "      vm2: {addresses: dynamic}\n    pool: 192.168.1.100\n")
    assert cli.main(argv) == 0
    assert capsys.readouterr() == (
        expected,
        "ovs-dhcpd: port vm2: is left out, its address is chosen when it is plugged in\n",
    )


def test_flows_refuses_an_ofport_of_an_unknown_port(capsys: Capture) -> None:
    assert cli.main(["flows", EXAMPLE, "--ofport", "vm=1"]) == 1
    assert capsys.readouterr() == (
        "",
        "ovs-dhcpd: --ofport vm: no such port, expected an iface-id of the file\n",
    )


def test_lflows_are_written_as_ovn_does(capsys: Capture) -> None:
    assert cli.main(["lflows", EXAMPLE]) == 0
    out, err = capsys.readouterr()
    datapath, first, later, response = out.splitlines()
    assert datapath == 'Datapath: "finance-network1"  Pipeline: ingress'
    guest = f'inport == "{PORT}" && eth.src == fa:16:3e:8b:ea:fd'
    from_nobody = "ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255 && udp.src == 68"
    assert f"priority=100, match=({guest} && {from_nobody} && udp.dst == 67)" in first
    to_server = "ip4.dst == {192.168.1.1, 255.255.255.255}"
    assert f"priority=99, match=({guest} && {to_server} && udp.dst == 67)" in later
    for options in (first, later):
        assert options.endswith(f"action=({ACTION} next;)")
    assert "(ls_in_dhcp_response)" in response
    assert err == ""


@pytest.mark.parametrize("words", [[], [EXAMPLE, "--running"]])
def test_lflows_are_those_of_a_file_or_of_the_daemon(words: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["lflows", *words])
    assert ended.value.code == 2
    line = f"{PROGRAM} lflows: expected either FILE or --running; type: {PROGRAM} lflows --help\n"
    assert capsys.readouterr()[1] == line


def test_the_version_is_printed(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr() == (f"ovs-dhcpd {__version__}\n", "")


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["lease"],
        ["check"],
        ["flows", EXAMPLE, "--ofport", "vm"],
        ["flows", EXAMPLE, "--ofport", "vm=0"],
        ["flows", EXAMPLE, "--ofport", "vm=65280"],
        ["run", "--config", "c", "--openflow", "1.2"],
        ["run", "--config", "c", "--serve-only"],
        ["run", "--nb", "tcp:10.0.0.1"],
        ["run", "--nb", "tcp:10.0.0.1:6641,unix:nb.sock"],
        ["run", "--nb", "ssl:10.0.0.1:6641", "--private-key", "k"],
        ["run", "--serve-only", "--nb", "tcp:10.0.0.1:6641"],
        ["run", "--serve-only", "--cleanup"],
        ["run", "--serve-only", "--rate-limit", "0"],
        ["run", "--serve-only", "--rate-limit", "50:100:1"],
        ["run", "--nb", "tcp:10.0.0.1:6641", "--rate-limit", "off"],
        ["run", "--serve-only", "--db", "unix:/run/db.sock"],
        ["run", "--config", "c", "--external", "eth1"],
        ["run", "--config", "c", "--db", "/run/db.sock"],
        ["run", "--config", "c", "--db", "unix:db.sock"],
        ["run", "--config", "c", "--db", "punix:/run/db.sock"],
        ["run", "--config", "c", "--db", ""],
        ["run", "--serve-only", "--listen", "tcp:127.0.0.1:6653"],
        ["run", "--config", "c", "--listen", "tcp:1.1.1.1"],
        ["run", "--config", "c", "--listen", "tcp:::1:6653"],
        ["run", "--config", "c", "--listen", "tcp:1.1.1.1:65536"],
        ["run", "--config", "c", "--listen", "ssl:1.1.1.1:6653", "--private-key", "k"],
    ],
)
def test_wrong_usage_ends_with_2(argv: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(argv)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ovs-dhcpd")
    assert err.endswith(" --help\n")
    assert err.count("\n") == 1


def test_files_may_stand_anywhere() -> None:
    for argv in (
        ["run", "a", "--cleanup", "b"],
        ["run", "--cleanup", "-c", "a", "b"],
        ["run", "--config", "a", "--config=b"],
        ["check", "a", "-c", "b"],
        ["flows", "--meters", "a", "b"],
    ):
        assert sorted(cli._parse_arguments(argv).config) == ["a", "b"]


@pytest.mark.parametrize("option", ["--pidfile", "--log-file"])
def test_an_option_that_takes_the_file_behind_it_is_named(option: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", option, "a.yaml", "b.yaml"])
    assert ended.value.code == 2
    line = f"{option} a.yaml: expected {option} behind FILE, or {option}=FILE"
    said = f"{PROGRAM} run: {line}; type: {PROGRAM} run --help\n"
    assert capsys.readouterr()[1] == said


@pytest.mark.parametrize("command", ["check", "flows", "lflows"])
def test_nothing_to_read_is_wrong_usage(command: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([command])
    assert ended.value.code == 2
    (said,) = capsys.readouterr()[1].splitlines()
    assert said.startswith(f"{PROGRAM} {command}: expected ")
    assert "FILE" in said


def test_status_without_an_answer_says_no_more_than_that(capsys: Capture) -> None:
    assert cli.main(["status", "--ovs-rundir", "/no"]) == 1
    first, second = capsys.readouterr()[0].splitlines()
    assert first == f"{PROGRAM} {__version__}, and no daemon answers"
    assert second.startswith("not healthy: /no: nobody to ask, ")


def test_run_takes_its_defaults_from_the_run_directory(tmp_path: Path) -> None:
    argv = ["run", "--config", "c", "--pidfile", "--ovs-rundir", str(tmp_path)]
    args = cli._parse_arguments(argv)
    assert (args.ovs_rundir, args.pidfile) == (tmp_path, f"{tmp_path}/{PROGRAM}.pid")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp:127.0.0.1:6653", ("tcp", "127.0.0.1", 6653)),
        ("ssl:[::1]:6640", ("ssl", "::1", 6640)),
        ("tcp:switch.example.org:1", ("tcp", "switch.example.org", 1)),
    ],
)
def test_an_address_to_listen_on_is_understood(text: str, expected: tuple[str, str, int]) -> None:
    assert cli._parse_arguments(["run", "--config", "c", "--listen", text]).listen == expected


def test_a_rate_limit_is_understood() -> None:
    argv = ["run", "--nb", "tcp:10.0.0.1:6641"]
    assert cli._parse_arguments(argv).rate_limit == DEFAULT_RATE_LIMIT
    assert cli._parse_arguments([*argv, "--rate-limit", "none"]).rate_limit is None
    assert cli._parse_arguments([*argv, "--rate-limit", "5:6"]).rate_limit == RateLimit(5, 6)


def test_run_with_a_mistake_in_its_file_ends_with_1(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("networks: []\n")
    expected = f"{path}:1: networks: a list, expected a mapping\n".encode()
    status, out, err = run("run", "--config", str(path), "--ovs-rundir", str(tmp_path))
    assert (status, out, err) == (1, b"", expected)


def test_what_ends_the_start_is_one_line_and_in_the_log(tmp_path: Path) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    expected = {
        ("--ovs-rundir", f"{tmp_path}/no"): f"{tmp_path}/no: No such file or directory, expected "
        "Open vSwitch to run here (--ovs-rundir DIR); type: systemctl start openvswitch-switch",
        ("--ovs-rundir", f"{tmp_path}", "--listen", f"tcp:127.0.0.1:{port}"): f"--listen "
        f"tcp:127.0.0.1:{port}: Address already in use",
    }
    expected["--ovs-rundir", f"{tmp_path}/no", "--pidfile"] = next(iter(expected.values()))
    logged = []
    with taken:
        for words, line in expected.items():
            logged.append(line)
            said = f"{PROGRAM}: {line}\n".encode()
            assert run("run", "-c", EXAMPLE, *words) == (1, b"", said)
            argv = ["-c", EXAMPLE, *words, "--detach", f"--log-file={tmp_path}/log"]
            assert run("run", *argv) == (1, b"", said)
    written = (tmp_path / "log").read_text().splitlines()
    assert [line.split("|")[-1].strip() for line in written] == logged


def test_another_one_that_runs_is_named_in_one_line(tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    with pidfile.open("w") as file:
        file.write(f"{os.getpid()}\n")
        file.flush()
        fcntl.lockf(file, fcntl.LOCK_EX)
        argv = ["-c", EXAMPLE, "--ovs-rundir", str(tmp_path), f"--pidfile={pidfile}"]
        line = (
            f"{pidfile}: already running as pid {os.getpid()}, expected nobody; to stand by for it "
            "add --overwrite-pidfile"
        )
        said = f"{PROGRAM}: {line}\n".encode()
        assert run("run", *argv) == (1, b"", said)
        assert run("run", *argv, "--detach", f"--log-file={tmp_path}/log") == (1, b"", said)
    (logged,) = (tmp_path / "log").read_text().splitlines()
    assert logged.endswith(f"ERR | {line}")


def test_a_pidfile_that_cannot_be_made_is_named_as_it_was_given(tmp_path: Path) -> None:
    argv = ["-c", EXAMPLE, "--ovs-rundir", str(tmp_path), f"--pidfile={tmp_path}/no/pid"]
    said = f"{PROGRAM}: {tmp_path}/no: No such file or directory\n".encode()
    assert run("run", *argv) == (1, b"", said)
    (tmp_path / "no").touch()
    said = f"{PROGRAM}: {tmp_path}/no: Not a directory\n".encode()
    assert run("run", *argv) == (1, b"", said)


def test_who_waits_for_open_vswitch_says_so_first(tmp_path: Path) -> None:
    argv = ["run", "-c", EXAMPLE, "--ovs-rundir", str(tmp_path)]
    command = [sys.executable, "-m", "ovs_dhcpd", *argv]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stderr
        line = process.stderr.readline()
        process.terminate()
    what = "Open vSwitch does not run here, waiting for it; type: systemctl start"
    assert f"WARN | {tmp_path}/db.sock: {what} openvswitch-switch" in line


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("--log-file={there}/no/dhcpd.log", "{there}/no/dhcpd.log: No such file or directory"),
        ("--log-file={there}", "{there}: Is a directory"),
    ],
)
def test_a_log_that_cannot_be_opened_is_an_error(argument: str, line: str, tmp_path: Path) -> None:
    argv = ["--config", EXAMPLE, "--ovs-rundir", str(tmp_path), argument.format(there=tmp_path)]
    expected = f"{PROGRAM}: {line.format(there=tmp_path)}\n".encode()
    assert run("run", *argv) == (1, b"", expected)


def test_levels_of_the_log_that_are_none_are_wrong_usage(tmp_path: Path) -> None:
    argv = ["--config", EXAMPLE, "--ovs-rundir", str(tmp_path), "--verbose=FACILITY"]
    status, out, err = run("run", *argv)
    assert (status, out) == (2, b"")
    what = f"{PROGRAM} run: --verbose: 'FACILITY' is not understood"
    assert err == f"{what}; type: {PROGRAM} run --help\n".encode()
