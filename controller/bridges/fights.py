# SPDX-License-Identifier: Apache-2.0
"""How often what somebody else damages is repaired: at once, and ever more seldom if it goes on.

After each repair the next one of the same thing is not before 1 s, 2 s, 4 s … a minute later.
Who has left it alone for twice as long begins anew.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

MIN_DELAY_S, MAX_DELAY_S = 1.0, 60.0

Thing = TypeVar("Thing", bound=Hashable)


@dataclass
class Fight:
    """A thing that has been repaired `times` times, and is again at `next_s` at the earliest.

    `name` is what users are told of it.
    """

    name: str
    times: int
    delay_s: float
    next_s: float

    @property
    def over_s(self) -> float:
        """When it is over, if nothing happens until then."""
        return self.next_s + self.delay_s


class Fights(Generic[Thing]):
    """The things that were repaired of late."""

    def __init__(self) -> None:
        self._fights: dict[Thing, Fight] = {}

    def may_repair(self, thing: Thing, now_s: float) -> bool:
        """Whether ``thing``, which is damaged, is to be repaired now."""
        fight = self._fights.get(thing)
        return fight is None or now_s >= fight.next_s

    def repaired(self, thing: Thing, name: str, now_s: float) -> Fight:
        """``thing`` is repaired now."""
        fight = self._fights.get(thing)
        times, delay_s = (fight.times, 2 * fight.delay_s) if fight else (0, MIN_DELAY_S)
        delay_s = min(delay_s, MAX_DELAY_S)
        self._fights[thing] = found = Fight(name, times + 1, delay_s, now_s + delay_s)
        return found

    def end(self, now_s: float, damaged: Container[Thing]) -> None:
        """Forget the fights that are over; what is ``damaged`` now is still fought over."""
        over = [
            thing
            for thing, fight in self._fights.items()
            if now_s >= fight.over_s and thing not in damaged
        ]
        for thing in over:
            del self._fights[thing]

    def going_on(self) -> Iterator[Fight]:
        """The fights over things that were repaired more than once."""
        return (fight for fight in self._fights.values() if fight.times > 1)

    def next_s(self, now_s: float) -> float | None:
        """When next there is something to repair or to forget, after now; None: never."""
        times = [time for each in self._fights.values() for time in (each.next_s, each.over_s)]
        return min((time for time in times if time > now_s), default=None)
