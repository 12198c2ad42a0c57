# SPDX-License-Identifier: Apache-2.0
"""Times with units: in every setting of a file that is a time, and in no row of a database."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.flows.configuration.section import Mistakes, Reader, Section
from ovs_dhcpd.flows.configuration.times import PATTERN, UNITS_S, seconds
from ovs_dhcpd.flows.options.table import (
    DHCPV4,
    DHCPV4_EXTENSION,
    DHCPV6,
    DHCPV6_EXTENSION,
    ROUTER_ADVERTISEMENT,
)

from tests.unit.configuration.file import NETWORK, errors, load

WITH_UNITS = """\
networks:
  red:
    dhcpv4:
      cidr: 10.0.0.0/24
      lease_time: 1h30m
      T1: 30m
      T2: 1h
      arp_cache_timeout: 90s
      tcp_keepalive_interval: 2h
      ipv6_only_preferred: 30m
    dhcpv6:
      cidr: fd00::/64
      preferred_lifetime: 1d
      valid_lifetime: infinity
      t1: 1d
      t2: 1d12h
      information_refresh_time: 10m
      sol_max_rt: 1h
      inf_max_rt: 1d
    ra:
      prefix: fd00::/64
      slla: "02:00:00:00:00:02"
      router_lifetime: 30m
      preferred_lifetime: 4h
      valid_lifetime: infinity
      dns_lifetime: 20m
      route_lifetime: infinity
      interval: [5m, 10m]
    pool: 10.0.0.9
    decline_probation_period: 12h
    ports:
      vm1:
        addresses: "02:00:00:00:00:01 10.0.0.5 fd00::5"
        options: {lease_time: infinity}
        options6: {information_refresh_time: infinity}
"""


def in_seconds(found: re.Match[str]) -> str:
    if found[0] == "infinity":
        return "4294967295"
    parts = re.findall("([0-9]+)([dhms])", found[0])
    return str(sum(int(number) * UNITS_S[unit] for number, unit in parts))


def test_a_time_may_have_units(tmp_path: Path) -> None:
    plain = re.sub(r"\b(?:(?:[0-9]+[dhms])+|infinity)\b", in_seconds, WITH_UNITS)
    assert "lease_time: 5400\n" in plain
    assert "interval: [300, 600]" in plain
    assert load(tmp_path, WITH_UNITS) == load(tmp_path, plain)


def test_every_time_is_tried() -> None:
    tables = (DHCPV4, DHCPV4_EXTENSION, DHCPV6, DHCPV6_EXTENSION, ROUTER_ADVERTISEMENT)
    times = {row.name for table in tables for row in table.by_name.values() if row.is_time}
    assert {name for name in times if f"{name}: " not in WITH_UNITS} == set()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("lease_time: 1x", "lease_time: '1x', expected {}, or infinity"),
        ("lease_time: 1m1h", "lease_time: '1m1h', expected {}, or infinity"),
        ("lease_time: 1.5h", "lease_time: '1.5h', expected {}, or infinity"),
        ("lease_time: 1 h", "lease_time: '1 h', expected {}, or infinity"),
        ("lease_time: 1H", "lease_time: '1H', expected {}, or infinity"),
        ("lease_time: ''", "lease_time: '', expected {}, or infinity"),
        ("lease_time: forever", "lease_time: 'forever', expected {}, or infinity"),
        ("T1: infinity", "T1: 'infinity', expected {}"),
        ("arp_cache_timeout: 1w", "arp_cache_timeout: '1w', expected {}"),
        (
            "lease_time: 50000d",
            "lease_time: 4320000000 does not fit, expected a number from 0 to 4294967295",
        ),
        ("mtu: 30m", "mtu: '30m': column 1: `30m', expected a number, a MAC, an IP address or "
         "address/length; expected 68 to 65535 (RFC 2132 §5.1)"),
    ],
)  # fmt: skip
def test_what_is_no_time_is_named(setting: str, expected: str, tmp_path: Path) -> None:
    (error,) = errors(tmp_path, NETWORK % setting)
    what = "seconds, or a time as 45s, 30m, 12h, 7d or 1h30m"
    assert error == f"c.yaml:6: red: {expected.format(what)}"


@pytest.mark.parametrize("value", ["86400", "0x15180", "{86400}", 86400, True, None])
def test_what_was_a_number_is_one(value: object) -> None:
    reader = Reader(Section("c", 1), "", Mistakes(), takes_units=True)
    assert seconds(reader, value, endless=True) is value


@pytest.mark.parametrize("value", ["1h", "infinity", "x"])
def test_what_a_database_says_is_as_it_is(value: str) -> None:
    reader = Reader(Section("c", 1), "", Mistakes())
    assert seconds(reader, value, endless=True) is value


@given(st.dictionaries(st.sampled_from([*UNITS_S]), st.integers(0, 10**10 - 1), min_size=1))
def test_units_stand_in_their_order(parts: dict[str, int]) -> None:
    reader = Reader(Section("c", 1), "", Mistakes(), takes_units=True)
    text = "".join(f"{parts[unit]}{unit}" for unit in UNITS_S if unit in parts)
    assert re.fullmatch(PATTERN, text)
    assert seconds(reader, text) == sum(UNITS_S[unit] * number for unit, number in parts.items())
