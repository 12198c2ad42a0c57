# SPDX-License-Identifier: Apache-2.0
"""All measurements by name, and what each of them is about."""

from __future__ import annotations

from bench import (
    crafted,
    flood,
    hosts,
    in_process,
    northbound,
    onlookers,
    restart,
    scale,
    storm,
    throughput,
)
from bench.results import Measurement

MEASUREMENTS: dict[str, tuple[Measurement, str]] = {
    "throughput": (throughput, "replies a second, latency and CPU under steady load"),
    "storm": (storm, "many guests at once after a start"),
    "onlookers": (onlookers, "what it costs guests that somebody looks on"),
    "scale": (scale, "thousands of ports"),
    "northbound": (northbound, "changes in OVN's Northbound database"),
    "in-process": (in_process, "what answering costs, without a switch"),
    "crafted": (crafted, "what requests cost that are made up to take long"),
    "restart": (restart, "how soon guests are answered after a restart"),
    "hosts": (hosts, "many hosts on one Northbound database, directly and through relays"),
    "flood": (flood, "what a flood of one port costs another (a quarter of an hour)"),
}
