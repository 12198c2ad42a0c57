# SPDX-License-Identifier: Apache-2.0
"""A boot storm: many guests ask for the first time, right after the controller's start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench import results
from bench.contenders import Contender, all_there, build
from bench.results import WHO, Effort, Row
from bench.served import Served

WINDOW = 64
PAUSE_S = 1.0  # between the first time and the second
FIRST_MESSAGE = {"dhcpv4": "discover", "dhcpv6": "solicit", "ra": "solicitation"}
STORMS = {
    "DHCPv4, 100": Served(100),
    "DHCPv4, 1,000": Served(1000),
    "DHCPv4, 2,000": Served(2000),
    "DHCPv4, 1,000, 20 networks": Served(1000, networks=20),
    "DHCPv4, 1,000, each with a host name": Served(1000, hostnames=True),
    "DHCPv6, 1,000": Served(1000, protocols=("dhcpv6",)),
    "router solicitations, 1,000": Served(1000, protocols=("ra",)),
}
QUICK_STORMS = {"DHCPv4, 100": Served(100)}
FIGURES = {
    "guests/s": "rate",
    "p50 µs": "p50_us",
    "p99 µs": "p99_us",
    "CPU µs/reply": "cpu_us",
    "sent again": "again",
    "unserved": "unserved",
    "memory MB": "memory_mb",
}  # by column, as `_figures` calls them


def measure(effort: Effort) -> Iterator[Row]:
    """Of each storm, what the first and the second time took, on fresh starts in turn."""
    for name, served in (QUICK_STORMS if effort.quick else STORMS).items():
        with all_there(served, served.plug_in_all) as contenders:
            rows = {
                (time, contender.name): Row(
                    {"guests": name, "time": time, WHO: contender.name},
                    {title: [] for title in FIGURES},
                )
                for time in ("first", "again")
                for contender in contenders
            }
            for _ in range(2 if effort.quick else effort.rounds):
                for contender in contenders:
                    contender.restart()
                    for time in ("first", "again"):
                        found = _figures(contender, served)
                        for title, figure in FIGURES.items():
                            rows[time, contender.name].figures[title].append(found[figure])
            yield from rows.values()


def _figures(contender: Contender, served: Served) -> dict[str, float]:
    (protocol,) = served.protocols
    message = FIRST_MESSAGE[protocol]
    found = contender.ask(build("storm"), message, served.guests, WINDOW, then_s=PAUSE_S)
    return {**found, "memory_mb": contender.memory_mb()}


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each storm, time and contender."""
    return results.table(rows)
