# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.soak [--minutes M] [--seed N] [--other COMMIT]``: all that can happen.

For minutes and at random: a real Open vSwitch, the real daemon, and guests that ask it all the
time.  In the first half the daemon runs on through everything else, and must take no more of the
machine at its end; then it is restarted, and another takes over from it, too, with ``--other`` one
of that version from one of this, and back, in turn.  Prints what was done, what became of the
requests, and what is wrong; exit status 1 if anything is.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

from tests.lab.daemon import ROOT
from tests.lab.process import LabError
from tests.lab.switch import PrivateOvs
from tests.soak.health import Health
from tests.soak.other import unpack
from tests.soak.world import World

ASKS_A_SECOND = 4.0  # of each guest
WARM_S = 15.0  # of each half; then everything has been seen once
Step = Callable[[], str]


class Soak:
    """One run."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.began_s = time.monotonic()
        self.done: Counter[str] = Counter()

    def say(self, text: str) -> None:
        """One line with the time since the start."""
        print(f"{time.monotonic() - self.began_s:7.1f} s  {text}", flush=True)

    def do(self, step: Step) -> None:
        """One step, named by its method."""
        name = step.__name__.replace("_", " ")
        self.done[name] += 1
        began_s = time.monotonic()
        what = step()
        self.say(f"{name}: {what} ({time.monotonic() - began_s:.1f} s)")

    def at_random(self, steps: Sequence[Step], until_s: float) -> None:
        """Each of the steps once, then some of them, until it is `until_s`."""
        chance = self.world.chance
        first = chance.sample(steps, len(steps))
        while first or time.monotonic() < until_s:
            self.do(first.pop() if first else chance.choice(steps))
            time.sleep(chance.uniform(0.2, 1.5))

    def run(self, seconds: float) -> list[str]:
        """Do it; returns what is wrong."""
        world = self.world
        world.start()
        steps: list[Step] = [
            world.replug, world.edit, world.break_file, world.flood, world.damage,
            world.restart_ovsdb, world.restart_vswitchd,
        ]  # fmt: skip
        self.at_random(steps, time.monotonic() + min(WARM_S, seconds / 4))
        before = Health.of(world.dhcpd.process.pid)
        self.say(f"after warming up: {before}")
        self.at_random(steps, self.began_s + seconds / 2)
        time.sleep(1)
        after = Health.of(world.dhcpd.process.pid)
        self.say(f"after half of the time: {after}")
        self.at_random([*steps, world.restart_daemon, world.take_over], self.began_s + seconds)
        time.sleep(1)
        return [*after.grown(before), *world.what_is_wrong()]

    def summary(self) -> list[str]:
        """What became of the requests, and what was done."""
        tally = self.world.clients.tally
        slowest_s, question, guest = tally.slowest
        excused = ", ".join(f"{count} {why}" for why, count in sorted(tally.excused.items()))
        return [
            f"{sum(tally.asked.values())} requests: {sum(tally.answered.values())} answered, "
            f"the slowest ({question} of {guest}) in {slowest_s * 1000:.0f} ms; "
            f"{len(tally.lost)} lost, {len(tally.wrong)} wrong; "
            f"unanswered with an excuse: {excused or 'none'}",
            "steps: " + ", ".join(f"{count} {name}" for name, count in sorted(self.done.items())),
        ]


def main() -> int:
    """Run with the arguments of the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--other", metavar="COMMIT", help="take over from this version, and back")
    args = parser.parse_args()
    print(f"soak: {args.minutes:g} minutes, seed {args.seed}", flush=True)
    with PrivateOvs() as switch:
        trees = [unpack(args.other, switch.directory), ROOT] if args.other else []
        soak = Soak(World(switch, random.Random(args.seed), ASKS_A_SECOND, *trees))
        try:
            wrong = soak.run(60 * args.minutes)
        except (LabError, AssertionError) as error:
            wrong = [str(error), switch.logs()]
        finally:
            soak.world.clients.end()
        print("\n".join(soak.summary()))
        print("\n".join(f"WRONG: {each}" for each in wrong) or "nothing is wrong")
    return bool(wrong)


sys.exit(main())
