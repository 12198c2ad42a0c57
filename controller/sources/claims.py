# SPDX-License-Identifier: Apache-2.0
"""Who says that a MAC or an address is his, and who says so too."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Set

from flows.pool import Address

Claim = bytes | Address  # a MAC or an address


class Claims:
    """The MACs and addresses of ports, each known by the UUID of its row."""

    def __init__(self) -> None:
        self._claims: dict[uuid.UUID, Set[Claim]] = {}
        self._claimants: dict[Claim, set[uuid.UUID]] = {}
        self._disputed: set[Claim] = set()

    def put(self, port: uuid.UUID, claims: Set[Claim]) -> None:
        """The port claims these from now on, and no others."""
        for claim in self._claims.pop(port, ()):
            claimants = self._claimants[claim]
            claimants.remove(port)
            if len(claimants) < 2:
                self._disputed.discard(claim)
            if not claimants:
                del self._claimants[claim]
        if claims:
            self._claims[port] = claims
        for claim in claims:
            claimants = self._claimants.setdefault(claim, set())
            claimants.add(port)
            if len(claimants) > 1:
                self._disputed.add(claim)

    @property
    def disputed(self) -> set[uuid.UUID]:
        """The ports that claim what another one claims."""
        return set[uuid.UUID]().union(*(self._claimants[claim] for claim in self._disputed))

    def rivals(self, port: uuid.UUID) -> Iterator[tuple[uuid.UUID, Claim]]:
        """Who else claims something that the port does, and what that is."""
        for claim in self._claims.get(port, ()):
            for other in self._claimants[claim] - {port}:
                yield other, claim
