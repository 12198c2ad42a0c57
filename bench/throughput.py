# SPDX-License-Identifier: Apache-2.0
"""Requests a second, latency and CPU, in turns: A B C, A B C, …

What "the same" and "different" requests have in common is in bench/load.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench import results
from bench.contenders import all_there, build
from bench.results import WHO, Effort, Row
from bench.served import Served

SERVED = Served(protocols=("dhcpv4", "dhcpv6", "ra"), rate_limit="none")
REQUESTS = {
    "DISCOVER, the same": (("discover",), (1, 16, 64, 256)),
    "DISCOVER, each different": (("discover", "different"), (1, 64, 256)),
    "SOLICIT, the same": (("solicit",), (1, 64, 256)),
    "SOLICIT, each different": (("solicit", "different"), (1, 64, 256)),
    "DHCPv6 REQUEST, the same": (("request6",), (1, 64, 256)),
    "DHCPv6 REQUEST, each different": (("request6", "different"), (1, 64, 256)),
    "router solicitation, of 1,024 hosts": (("solicitation",), (1, 64, 256)),
    "router solicitation, each different": (("solicitation", "different"), (1, 64, 256)),
}  # what bench/load.c is told, and how many are outstanding
QUICK_OUTSTANDING = 64
FIGURES = {
    "replies/s": "rate",
    "p50 µs": "p50_us",
    "p99 µs": "p99_us",
    "CPU µs/reply": "cpu_us",
    "lost": "lost",
}  # by column, as `Contender.ask` calls them


def measure(effort: Effort) -> Iterator[Row]:
    """All requests to all contenders, in turn."""
    rounds, seconds = (2, 0.3) if effort.quick else (effort.rounds, effort.seconds)
    program = build("load")
    with all_there(SERVED, SERVED.plug_in_one) as contenders:
        for request, (words, all_outstanding) in REQUESTS.items():
            for outstanding in (QUICK_OUTSTANDING,) if effort.quick else all_outstanding:
                labels = {"request": request, "outstanding": str(outstanding)}
                rows = [
                    Row({**labels, WHO: contender.name}, {title: [] for title in FIGURES})
                    for contender in contenders
                ]
                for _ in range(rounds):
                    for contender, row in zip(contenders, rows, strict=True):
                        message, *how = words
                        found = contender.ask(program, seconds, message, outstanding, *how)
                        for title, figure in FIGURES.items():
                            row.figures[title].append(found[figure])
                yield from rows


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each request, number of them outstanding, and contender."""
    return results.table(rows)
