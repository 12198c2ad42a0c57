# SPDX-License-Identifier: Apache-2.0
"""Disputes about MACs and addresses, against a plain list of who claims what."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.ports.claims import Claims

PORTS = [uuid.UUID(int=number) for number in range(4)]
MACS = [bytes((2, 0, 0, 0, 0, number)) for number in range(4)]


@given(st.lists(st.tuples(st.sampled_from(PORTS), st.frozensets(st.sampled_from(MACS)))))
def test_who_is_in_dispute_with_whom(changes: list[tuple[uuid.UUID, frozenset[bytes]]]) -> None:
    claims: Claims[uuid.UUID, bytes] = Claims()
    model: dict[uuid.UUID, frozenset[bytes]] = dict.fromkeys(PORTS, frozenset())
    for port, claimed in changes:
        claims.withdraw(port)
        for claim in claimed:
            claims.add(port, claim)
        model[port] = claimed
        for one in PORTS:
            expected = {
                (two, mac) for two in PORTS if two != one for mac in model[one] & model[two]
            }
            assert set(claims.rivals(one)) == expected
