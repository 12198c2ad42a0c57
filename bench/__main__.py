# SPDX-License-Identifier: Apache-2.0
"""``python -m bench [MEASUREMENT …] [--quick] [--json FILE]``: measure, and print tables."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.machine import about
from bench.measurements import MEASUREMENTS
from bench.results import Effort, Run, write

UNASKED = [name for name in MEASUREMENTS if name not in ("flood", "hosts")]


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure, and print tables.",
        epilog="\n".join(f"{name:11} {what}" for name, (_, what) in MEASUREMENTS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "measurements",
        nargs="*",
        metavar="MEASUREMENT",
        help="those below; all but flood and hosts unless given",
    )
    parser.add_argument("--quick", action="store_true", help="a first impression")
    parser.add_argument("--rounds", type=int, default=Effort.rounds)
    parser.add_argument("--seconds", type=float, default=Effort.seconds, help="of each run")
    parser.add_argument(
        "--hosts", type=int, metavar="N", help=f"with hosts: {Effort.hosts} if not given"
    )
    parser.add_argument("--relays", type=int, metavar="M", default=Effort.relays, help="with hosts")
    parser.add_argument(
        "--minutes", type=float, metavar="M", default=0, help="with onlookers: one turn of each"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    args = parser.parse_args()
    if unknown := sorted({*args.measurements} - {*MEASUREMENTS}):
        parser.error(f"no measurement is called {unknown[0]!r}")

    hosts = Effort.hosts if args.hosts is None else args.hosts
    if hosts < 1 or args.relays < 0:
        parser.error("expected one host or more, and no relay or more")
    names = args.measurements or (UNASKED if args.hosts is None else ["hosts"])
    effort = Effort(args.quick, args.rounds, args.seconds, hosts, args.relays, args.minutes)
    run = Run(about(), {})
    print("; ".join(f"{name} {value}" for name, value in run.about.items()), flush=True)
    for name in names:
        measurement, what = MEASUREMENTS[name]
        rows = run.measured[name] = []
        for row in measurement.measure(effort):
            rows.append(row.rounded())
            print(f"{name}: {row}", file=sys.stderr, flush=True)
            if args.json:  # each time, so that a failure later on loses nothing
                write(args.json, run)
        print(f"\n{name}: {what}\n\n" + "\n".join(measurement.table(rows)), flush=True)


main()
