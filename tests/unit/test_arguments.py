# SPDX-License-Identifier: Apache-2.0
"""The arguments that several commands have."""

from __future__ import annotations

import argparse

import pytest
from ovs_dhcpd.controller.arguments import add_files, gather_files


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
