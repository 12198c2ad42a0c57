# SPDX-License-Identifier: Apache-2.0
"""What a word of the command line may be; the shells themselves are in tests/switch."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterable, Mapping

import pytest
from ovs_dhcpd.controller.commands import cli
from ovs_dhcpd.controller.commands.completion import FILES_STATUS, FilesExpected, candidates, script


def _parser() -> argparse.ArgumentParser:
    """A command line in which there is each kind of option."""
    parser = argparse.ArgumentParser(prog="it")
    parser.add_argument("--version", action="version", version="1")
    commands = parser.add_subparsers(metavar="COMMAND")
    show = commands.add_parser("show", help="show it")
    show.add_argument("port", metavar="PORT|MAC", help="whose")
    show.add_argument("kind", nargs="?", choices=("one", "two"))
    show.add_argument("-f", "--format", choices=("text", "json"), help="how (default: text)")
    show.add_argument("-c", "--config", metavar="FILE", action="append")
    show.add_argument("--rundir", metavar="DIR")
    show.add_argument("--quick", action="store_true", help="soon; or later")
    check = commands.add_parser("check", help="check it")
    check.add_argument("files", metavar="FILE", nargs="*")
    check.add_argument("--pidfile", nargs="?")
    check.add_argument("--levels", nargs="*", choices=("low", "high"))
    return parser


def _names(given: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    return [("vm1", f"in {given.get('rundir', 'it')}"), ("vm2", "")]


def words(line: str) -> list[str]:
    """The candidates behind a line, which ends with the word that is asked for."""
    return [word for word, _ in candidates(_parser(), line.split(" "), _names)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ["show", "check"]),
        ("s", ["show"]),
        ("x", []),
        ("-", ["--help", "--version"]),
        ("no-such ", []),
        ("show ", ["vm1", "vm2"]),
        ("show vm2", ["vm2"]),
        ("show vm1 ", ["one", "two"]),
        ("show vm1 one ", ["--help", "--format", "--config", "--rundir", "--quick"]),
        ("show --quick ", ["vm1", "vm2"]),
        ("show --f", ["--format"]),
        ("show --format ", ["text", "json"]),
        ("show -f j", ["json"]),
        ("show --format=", ["--format=text", "--format=json"]),
        ("show --format=json vm1 t", ["two"]),
        ("show -f json --", ["--help", "--config", "--rundir", "--quick"]),
        ("show -c a --c", ["--config"]),
        ("show -c -- v", ["vm1", "vm2"]),
        ("show -- --f", []),
        ("show -- v", ["vm1", "vm2"]),
        ("check --levels l", ["low"]),
        ("check --levels low h", ["high"]),
        ("check --levels --p", ["--pidfile"]),
    ],
)
def test_what_the_word_may_be(line: str, expected: list[str]) -> None:
    assert words(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        *("check ", "check a b", "check --pidfile ", "check --pidfile x", "show --config "),
        *("show -c x", "show --config=", "show --rundir x"),
    ],
)
def test_where_a_file_is_expected(line: str) -> None:
    with pytest.raises(FilesExpected):
        words(line)


def test_what_the_words_mean() -> None:
    assert candidates(_parser(), ["show", "--f"], _names) == [("--format", "how")]
    assert candidates(_parser(), ["show", "--q"], _names) == [("--quick", "soon")]
    assert candidates(_parser(), ["c"], _names) == [("check", "check it")]


def test_names_are_those_of_the_daemon_that_is_meant() -> None:
    asked = ["show", "--rundir", "/there", "vm1"]
    assert candidates(_parser(), asked, _names) == [("vm1", "in /there")]


@pytest.mark.parametrize("shell", cli.SHELLS)
def test_each_shell_has_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", shell]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == (script(shell), "")
    assert "completion words" in out
    assert {"PROGRAM", "STATUS"} & {*out.split()} == set()


def test_names_mean_nothing_to_bash() -> None:
    typed = "ovs-dhcpd why a"
    text = rf"""
{script("bash")}
ovs-dhcpd() {{ printf 'a;b $(c)\tsomething\na-1\t\n'; }}
COMP_LINE='{typed}' COMP_POINT={len(typed)} COMP_WORDS=({typed}) COMP_CWORD=2
_ovs_dhcpd 2>/dev/null
printf '%s\n' "${{COMPREPLY[@]}}"
"""
    found = subprocess.run(["bash", "-c", text], capture_output=True, check=True, text=True)
    assert found.stdout.splitlines() == [r"a\;b\ \$\(c\)", "a-1"]


def test_every_command_has_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    for words, expected in (
        (["run", "--he"], "--help\tshow this help message and exit\n"),
        (["run", "--cleanu"], "--cleanup\tdelete the flows at the end\n"),
        (["trace", "vm1", "dec"], "decline\t\ndecline6\t\n"),
        (["watch", "--format", "l"], "line\t\n"),
    ):
        assert cli.main(["completion", "words", *words]) == 0
        assert capsys.readouterr() == (expected, "")
    assert cli.main(["completion", "words", "run", "--config", ""]) == FILES_STATUS
    assert capsys.readouterr() == ("", "")
