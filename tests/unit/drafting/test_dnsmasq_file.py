# SPDX-License-Identifier: Apache-2.0
"""The lines of dnsmasq.conf."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.drafting.dnsmasq_file import Line, read


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dhcp-range=1.2.3.4,1.2.3.9,12h", ("dhcp-range", ("1.2.3.4", "1.2.3.9", "12h"))),
        (" domain = example.org # ours", ("domain", ("example.org",))),
        ("--enable-ra", ("enable-ra", ())),
        ('dhcp-option=15,"a,b #c"', ("dhcp-option", ("15", "a,b #c"))),
        ('dhcp-option=252,"\\n"', ("dhcp-option", ("252", "\n"))),
        ('dhcp-option=17,"a\\"b\\\\"', ("dhcp-option", ("17", 'a"b\\'))),
        ("server=1.2.3.4#53", ("server", ("1.2.3.4#53",))),
        ("dhcp-boot=a , b", ("dhcp-boot", ("a", "b"))),
        ("dhcp-option=3", ("dhcp-option", ("3",))),
        ('x="unclosed', ("x", ("unclosed",))),
    ],
)
def test_a_line(line: str, expected: tuple[str, tuple[str, ...]]) -> None:
    assert [*read(f"\n# nothing\n{line}")] == [Line(3, *expected)]


def test_nothing_is_in_comments_and_empty_lines() -> None:
    assert [*read("# a=b\n   \n\t#c\n=x\n")] == []
