# SPDX-License-Identifier: Apache-2.0
"""The arguments that several commands have."""

from __future__ import annotations

import argparse

import pytest
from ovs_dhcpd.controller.commands.arguments import Parser, add_files, gather_files


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], []),
        (["a"], ["a"]),
        (["-c", "a"], ["a"]),
        (["a", "--config", "b", "c"], ["b", "a", "c"]),
    ],
)
def test_files_are_named_in_either_way(argv: list[str], expected: list[str]) -> None:
    parser = argparse.ArgumentParser()
    add_files(parser)
    args = parser.parse_intermixed_args(argv)
    gather_files(args)
    assert args.config == expected


def test_who_has_no_files_has_none() -> None:
    args = argparse.Namespace(names=["a"])
    gather_files(args)
    assert vars(args) == {"names": ["a"]}


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "expected KIND"),
        (["a", "b"], "unknown: b"),
        (["a", "--confg=x", "-y"], "unknown: --confg=x -y (did you mean --config?)"),
        (["a", "--zzz"], "unknown: --zzz"),
        (["biuld"], "KIND: 'biuld' is none, expected a or build"),
        (["a", "--many=seven"], "--many: 'seven' is none (did you mean even?)"),
        (["a", "--many=9"], "--many: '9' is none, expected one of 1, 2, 3, 4, 5, even"),
        (["a", "--config"], "--config: expected one argument"),
        (["a\x1b[2J"], "KIND: 'a\\x1b[2J' is none, expected a or build"),
    ],
)
def test_wrong_usage_is_one_line(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = Parser(prog="it")
    parser.add_argument("kind", metavar="KIND", choices=("a", "build"))
    parser.add_argument("--config")
    parser.add_argument("--many", choices=(*"12345", "even"))
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(argv)
    assert ended.value.code == 2
    assert capsys.readouterr() == ("", f"it: {said}; type: it --help\n")
