# SPDX-License-Identifier: Apache-2.0
"""What it costs guests that somebody looks on, in turn on one daemon: nobody, `watch`, `leases`.

With ``--minutes`` each has one turn, so long, with one request outstanding.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from tempfile import TemporaryFile
from typing import BinaryIO

from bench import results
from bench.contenders import Contender, build, ovs_dhcpd
from bench.results import WHO, Effort, Row
from bench.served import Served
from bench.throughput import FIGURES
from tests.lab.daemon import ROOT
from tests.lab.process import wait_until

SERVED = Served(rate_limit="none")
OUTSTANDING: Sequence[int] = (1, 64)


def _command(contender: Contender, word: str, errors: BinaryIO) -> subprocess.Popen[bytes]:
    """A command of ours, at the daemon that is measured; what it prints is seen by nobody."""
    rundir = str(contender.switch.run_dir)
    return subprocess.Popen(
        [sys.executable, "-m", "ovs_dhcpd", word, "--ovs-rundir", rundir],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=errors,
    )


@contextmanager
def _watching(contender: Contender) -> Iterator[None]:
    with TemporaryFile() as errors, _command(contender, "watch", errors) as watcher:
        try:
            # It says so when it does, and else nothing before it is asked something.
            wait_until(lambda: os.fstat(errors.fileno()).st_size > 0, "watch to begin")
            yield
            assert watcher.poll() is None, "watch has ended"
        finally:
            watcher.terminate()


@contextmanager
def _listing(contender: Contender) -> Iterator[None]:
    is_over = threading.Event()
    statuses: list[int] = []

    def list_again() -> None:
        while not is_over.is_set():
            with TemporaryFile() as errors:
                statuses.append(_command(contender, "leases", errors).wait())

    thread = threading.Thread(target=list_again)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
    assert statuses, "nothing was listed"
    assert not any(statuses), "leases has failed"


ONLOOKERS: dict[str, Callable[[Contender], AbstractContextManager[None]]] = {
    "nobody": lambda _: nullcontext(),
    "`watch`": _watching,
    "`leases`, again and again": _listing,
}


def measure(effort: Effort) -> Iterator[Row]:
    """The same load with each onlooker."""
    program = build("load")
    rounds, seconds, all_outstanding = effort.rounds, effort.seconds, OUTSTANDING
    if effort.quick:
        rounds, seconds = 2, 0.3
    if effort.minutes:
        rounds, seconds, all_outstanding = 1, 60 * effort.minutes, OUTSTANDING[:1]
    with ovs_dhcpd(SERVED, SERVED.plug_in_one) as contender:
        for outstanding in all_outstanding:
            labels = {"request": "DISCOVER, each different", "outstanding": str(outstanding)}
            rows = {
                who: Row({**labels, WHO: who}, {title: [] for title in FIGURES})
                for who in ONLOOKERS
            }
            for _ in range(rounds):
                for who, looks_on in ONLOOKERS.items():
                    with looks_on(contender):
                        found = contender.ask(
                            program, seconds, "discover", outstanding, "different", for_s=seconds
                        )
                    for title, figure in FIGURES.items():
                        rows[who].figures[title].append(found[figure])
            yield from rows.values()


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each number of requests outstanding, and onlooker."""
    return results.table(rows)
