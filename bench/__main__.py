# SPDX-License-Identifier: Apache-2.0
"""``python -m bench [--quick|--northbound]``: measure and print the tables of the README."""

from __future__ import annotations

import argparse
import os
import platform
from pathlib import Path

from bench import contenders, northbound, scale, throughput


def machine() -> str:
    """The machine's shape, in one line."""
    cpu = Path("/proc/cpuinfo").read_text().partition("model name\t: ")[2].partition("\n")[0]
    software = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} CPUs ({cpu}), {software}"


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a first impression")
    parser.add_argument(
        "--northbound", action="store_true", help="only changes in OVN's Northbound database"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each run")
    args = parser.parse_args()
    if args.northbound:
        print(f"{machine()}; medians of {args.rounds} changes\n")
        print("\n".join(northbound.run_all(args.rounds)))
        return
    rounds, seconds = (2, 0.5) if args.quick else (args.rounds, args.seconds)
    print(f"{machine()}; medians of {rounds} rounds of {seconds} s in turn\n")
    program = contenders.build("load")
    with contenders.all_there() as there:
        measured = throughput.measure(program, there, rounds, seconds)
        print("\n".join(throughput.table(measured, there)), flush=True)
    counts, more_ports = ([100, 500], 3) if args.quick else ([500, 1000, 2000], 15)
    print("\n" + "\n".join(scale.run_all(program, counts, seconds, more_ports)))


main()
