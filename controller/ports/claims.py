# SPDX-License-Identifier: Apache-2.0
"""Who says that something (a MAC, an address) is his, and who says so too."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Set
from typing import Generic, TypeVar

from ovs_dhcpd.controller.ports.index import Index

Claimant = TypeVar("Claimant", bound=Hashable)
Claim = TypeVar("Claim", bound=Hashable)


class Claims(Generic[Claimant, Claim]):
    """What each claimant claims; several may claim the same."""

    def __init__(self) -> None:
        self._claims: Index[Claimant, Claim] = Index()
        self._claimants: Index[Claim, Claimant] = Index()

    def add(self, claimant: Claimant, claim: Claim) -> None:
        """The claimant claims this too from now on."""
        self._claims.add(claimant, claim)
        self._claimants.add(claim, claimant)

    def withdraw(self, claimant: Claimant) -> Set[Claim]:
        """The claimant claims nothing from now on; returns what it claimed."""
        claims = self._claims.pop(claimant)
        for claim in claims:
            self._claimants.discard(claim, claimant)
        return claims

    def claimants(self, claim: Claim) -> Set[Claimant]:
        """Who claims it."""
        return self._claimants[claim]

    def rivals(self, claimant: Claimant) -> Iterator[tuple[Claimant, Claim]]:
        """Who else claims something that the claimant does, and what that is."""
        for claim in self._claims[claimant]:
            for other in self._claimants[claim] - {claimant}:
                yield other, claim
