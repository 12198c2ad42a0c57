# SPDX-License-Identifier: Apache-2.0
"""What a course says of itself."""

from __future__ import annotations

from ovs_dhcpd.controller.tracing.course import Course, Step


def test_registers_are_read_from_the_fields() -> None:
    fields = {"reg0": "0x48", "reg11": "0x1", "metadata": "0x30691e09", "dl_vlan": "1"}
    course = Course((), fields | {"reg3": "?", "registry": "0x1"})
    assert course.registers == {"reg0": 0x48, "reg11": 1, "metadata": 0x30691E09}


def test_a_flow_is_ours_by_its_cookie() -> None:
    assert Step(0, "", 1, 0x6468_0000_0000_0001, ()).is_ours
    assert not Step(0, "", 1, 0x6469_0000_0000_0001, ()).is_ours
    assert not Step(0, "", 1, 0, ()).is_ours
