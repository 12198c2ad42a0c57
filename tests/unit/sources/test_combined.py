# SPDX-License-Identifier: Apache-2.0
"""Several sources: a fault in one of them is no other's."""

from __future__ import annotations

from pathlib import Path

import pytest
from ovs_dhcpd.controller.sources.combined import Combined
from ovs_dhcpd.controller.sources.files import ConfigurationFiles

EXAMPLE = Path(__file__).parents[2] / "examples" / "finance-network1.yaml"


def test_a_fault_costs_what_is_new_of_one_source(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (ConfigurationFiles([EXAMPLE], "") for _ in range(2))
    other.watch("vm1", True)
    other.reread()
    combined = Combined([one, other])
    with monkeypatch.context() as broken:
        broken.setattr(one, "run", lambda: 1 // 0)
        assert combined.run() == {"vm1"}
    what = "internal error (the log has more); what it last said stays in force"
    assert combined.mistakes == [f"{EXAMPLE}: {what}"]
    (fault,) = combined.take_faults()
    assert (fault.where, type(fault.error)) == (str(EXAMPLE), ZeroDivisionError)
    combined.run()
    assert combined.mistakes == []
    assert combined.take_faults() == []
