# SPDX-License-Identifier: Apache-2.0
"""The difference between the flows that are wanted and those that are installed."""

from __future__ import annotations

from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.flow import Flow, Is, Pause, Resubmit
from ovs_dhcpd.flows.pipeline.reconcile import Changes, changes, index


def a_flow(port: int, userdata: bytes = b"\1") -> Flow:
    return Flow(0, 100, f.UDP, (Is(f.IN_PORT, port),), (Pause(userdata), Resubmit(201)))


def test_nothing_to_do_is_false() -> None:
    wanted = index([a_flow(1), a_flow(2)])
    assert not changes(wanted, wanted.keys())


def test_only_the_difference_is_changed() -> None:
    wanted = index([a_flow(1), a_flow(2, b"new")])
    installed = {a_flow(1).cookie, a_flow(2, b"old").cookie, a_flow(3).cookie}
    assert changes(wanted, installed) == Changes(
        add=(a_flow(2, b"new"),),
        delete=tuple(sorted([a_flow(2, b"old").cookie, a_flow(3).cookie])),
    )
