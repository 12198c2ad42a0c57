# SPDX-License-Identifier: Apache-2.0
"""Whether those run to whom all is left is read from their locks."""

from __future__ import annotations

from pathlib import Path

from ovs_dhcpd.controller.serve_only import Deputy

from tests.unit.packet_ins import packet_in
from tests.unit.switch.processes import holders, owner


def test_nothing_is_resumed_while_ovn_controller_runs_or_another_of_us_with_flows(
    tmp_path: Path,
) -> None:
    pidfile = tmp_path / "ovn-controller.pid"
    lock = tmp_path / "ovs-dhcpd.br-int.lock"
    deputy = Deputy(None, pidfile, lock)
    assert deputy.resume(packet_in())
    with owner(pidfile):
        assert deputy.resume(packet_in()) is None
    assert deputy.resume(packet_in())
    with holders(lock):
        assert deputy.resume(packet_in()) is None
    assert deputy.resume(packet_in())


def test_nothing_is_resumed_while_it_cannot_be_seen_who_runs(tmp_path: Path) -> None:
    assert Deputy(None, tmp_path).resume(packet_in()) is None  # a folder cannot be opened as a file
