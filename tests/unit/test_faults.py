# SPDX-License-Identifier: Apache-2.0
"""Faults of ours: all are counted, some are logged."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller import faults
from ovs_dhcpd.controller.faults import Faults
from ovs_dhcpd.controller.ports.fault import Fault


class Log:
    """What is logged, and the error whose traceback goes with it."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, object]] = []

    def err(self, line: str, exc_info: object) -> None:
        self.lines.append((line, exc_info))


def test_all_are_counted_and_some_are_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    log, now_s = Log(), 0.0
    monkeypatch.setattr(faults, "vlog", log)
    noted = Faults(lambda: now_s)
    assert noted.lines() == []
    error = KeyError("a fault")
    for _ in range(15):
        noted.note(Fault("port vm1", error))
    assert log.lines == [("port vm1: internal error", error)] * 10
    now_s = 1.0
    noted.note(Fault("port vm2", error))
    assert log.lines[10:] == [
        ("port vm2: internal error (dropped 5 log messages like this)", error)
    ]
    assert noted.lines()[0].split() == ["internal", "error", "16"]
