# SPDX-License-Identifier: Apache-2.0
"""The manual page: that it has all that ``--help`` has, and that readers of man(7) take it."""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from ovs_dhcpd.controller.commands import cli
from ovs_dhcpd.controller.commands.man_page import ENVIRONMENT, EXAMPLES, FILES, man_page

ROOT = Path(__file__).parents[3]
DAY = date(2026, 11, 30)


@pytest.fixture
def page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Path:
    assert cli.main(["man"]) == 0
    path = tmp_path / "ovs-dhcpd.8"
    path.write_text(capsys.readouterr()[0])
    return path


def test_text_is_no_request() -> None:
    parser = argparse.ArgumentParser(prog="it", description=".x a\\b …")
    parser.add_argument("--a-b", help="'tis %(prog)s's (default: %(default)s)", default=1)
    lines = [*man_page(parser, DAY)]
    assert "\\&.x a\\eb \\[u2026]" in "\n".join(lines)
    option = lines.index("\\fB\\-\\-a\\-b\\fR \\fIA_B\\fR")
    assert lines[option + 1] == "\\&'tis it's (default: 1)"


def test_the_day_is_that_of_the_source_where_a_build_says_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert cli.main(["man"]) == 0
    assert " 8 2001-09-09 " in capsys.readouterr()[0].splitlines()[0]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "today")
    assert cli.main(["man"]) == 1
    (line,) = capsys.readouterr()[1].splitlines()
    assert line == "ovs-dhcpd: SOURCE_DATE_EPOCH: 'today', expected seconds since 1970"


def read_from_the_environment() -> Iterator[str]:
    """The variables that the source reads; where a constant has the name, that one's value."""
    for path in (ROOT / "controller").rglob("*.py"):
        module = ast.parse(path.read_text())
        constants = {
            target.id: node.value.value
            for node in module.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(module):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if ast.unparse(node.func.value) in ("os.environ", "environment"):
                name = node.args[0]
                assert isinstance(name, (ast.Constant, ast.Name))
                yield str(constants[name.id] if isinstance(name, ast.Name) else name.value)


def test_it_has_each_variable_that_is_read() -> None:
    assert ENVIRONMENT.keys() == {*read_from_the_environment()}


def test_what_it_says_of_the_service_is_so() -> None:
    unit = (ROOT / "debian" / "ovs-dhcpd.service").read_text()
    configuration, options, *_ = FILES
    assert f"\nConditionPathExists={configuration}\n" in unit
    assert f"\nEnvironmentFile=-{options}\n" in unit
    assert "$OVS_DHCPD_OPTIONS\n" in unit
    assert "OVS_DHCPD_OPTIONS" in FILES[options]


@pytest.mark.parametrize(
    "words",
    [
        words
        for example in EXAMPLES
        for part in re.split("[|>]|&&", example)
        if (words := part.split())[0] == "ovs-dhcpd"
    ],
    ids=" ".join,
)
def test_its_examples_are_understood(words: list[str]) -> None:
    assert cli._parse_arguments(words[1:]).function


@pytest.mark.needs_programs("man")
def test_it_has_every_command_and_every_option(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env = {"LC_ALL": "C.UTF-8", "MANWIDTH": "80", "PATH": "/usr/bin:/bin"}
    argv = ["man", "--warnings", "-l", str(page)]
    done = subprocess.run(argv, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.raises(SystemExit):
        cli.main(["run", "--help"])
    options = [word for word in capsys.readouterr()[0].split() if word.startswith("--")]
    assert len(options) > 20
    assert [option for option in options if option.strip(",):;") not in done.stdout] == []
    for command in ("run", "check", "why", "trace", "watch", "man"):
        assert f"ovs-dhcpd {command}\n" in done.stdout
    headings = [line for line in done.stdout.splitlines() if re.fullmatch("[A-Z ]+", line)]
    assert headings[2:] == [
        *("DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES"),
        *("EXAMPLES", "SEE ALSO"),
    ]
    for each in (*EXAMPLES, *FILES, *ENVIRONMENT):
        assert f" {each}\n" in done.stdout or f" {each} " in done.stdout


@pytest.mark.needs_programs("mandoc")
def test_mandoc_finds_nothing_wrong(page: Path) -> None:
    done = subprocess.run(["mandoc", "-T", "lint", str(page)], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
