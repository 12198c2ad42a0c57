# SPDX-License-Identifier: Apache-2.0
"""The rate limit of a network, as it is written down."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ovs_dhcpd.flows.bindings.rate_limit import DEFAULT_RATE_LIMIT, RateLimit
from ovs_dhcpd.flows.configuration.rate_limit import rate_limit_of
from ovs_dhcpd.flows.options.wording import show

from tests.unit.configuration.file import NETWORK, errors, load

UNKNOWN = "unknown, expected pps or burst"


def text(line: str) -> str:
    return NETWORK % "mtu: 1442" + f"    rate_limit: {line}\n"


@pytest.mark.parametrize(
    ("line", "limit"),
    [
        ("{pps: 10, burst: 20}", RateLimit(10, 20)),
        ("{pps: 10}", RateLimit(10, DEFAULT_RATE_LIMIT.burst)),
        ("{burst: 1000000}", RateLimit(DEFAULT_RATE_LIMIT.pps, 1000000)),
        ("none", None),
    ],
)
def test_a_rate_limit(tmp_path: Path, line: str, limit: RateLimit | None) -> None:
    (network,) = load(tmp_path, text(line)).networks
    assert network.rate_limit == limit


def test_there_is_one_if_nothing_is_said(tmp_path: Path) -> None:
    (network,) = load(tmp_path, NETWORK % "mtu: 1442").networks
    assert network.rate_limit == DEFAULT_RATE_LIMIT == RateLimit(50, 100)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("50", "rate_limit: 50, expected {pps: 50, burst: 100}, or none"),
        ("no", "rate_limit: 'no', expected {pps: 50, burst: 100}, or none"),
        ("[50, 100]", "rate_limit: a list, expected {pps: 50, burst: 100}, or none"),
        ("{pps: 0}", "pps: 0, expected packets, from 1 to 1000000"),
        ("{pps: 1000001}", "pps: 1000001, expected packets, from 1 to 1000000"),
        ("{burst: -1}", "burst: -1, expected packets, from 1 to 1000000"),
        ("{burst: true}", "burst: True, expected packets, from 1 to 1000000"),
        ("{pps: 1.5}", "pps: '1.5', expected packets, from 1 to 1000000"),
        ("{pbs: 1}", f"pbs: {UNKNOWN} (did you mean pps?)"),
    ],
)
def test_a_mistake_in_it(tmp_path: Path, line: str, what: str) -> None:
    (error,) = errors(tmp_path, text(line))
    assert error == f"c.yaml:11: red: {what}"


@pytest.mark.parametrize(
    ("words", "limit"),
    [("10:20", RateLimit(10, 20)), ("10", RateLimit(10, DEFAULT_RATE_LIMIT.burst)), ("none", None)],
)
def test_one_on_the_command_line(words: str, limit: RateLimit | None) -> None:
    assert rate_limit_of(words) == limit


@pytest.mark.parametrize(
    "words", ["", "off", "10:", ":10", "1:2:3", "-1", "0", "1:0", "1000001", "\u0661"]
)
def test_what_is_none_on_the_command_line(words: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(show(words))}, expected p?"):
        rate_limit_of(words)
