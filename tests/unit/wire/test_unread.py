# SPDX-License-Identifier: Apache-2.0
"""Options that nobody reads are passed over, up to the first that is not small or is read."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.wire.unread import none_of, pass_over

end_of_run = pass_over(none_of((0, 255, 53, 55)), padding=b"\\x00*")
end_of_run_v6 = pass_over(b"(?:\\x00%b|[^\\x00].)" % none_of((1, 3)), size=b"\\x00")


@pytest.mark.parametrize(
    ("passed", "left"),
    [
        ("", ""),
        ("0c00 0d0141", ""),
        ("0000 0c00 00 0d03414243 0000", "350101"),
        ("0c00", "3700"),
        ("0c00", "ff 0c00"),
        ("0c0f" + 15 * "0a", "0c10" + 16 * "0a"),  # what is not small is left to the reader
        ("0c00", "0c"),
        ("0c00", "0c0241"),  # and what runs past the end
        ("", "350101 0c00"),
    ],
)
def test_dhcpv4(passed: str, left: str) -> None:
    run = bytes.fromhex(passed)
    assert end_of_run(run + bytes.fromhex(left), 0) == len(run)
    assert end_of_run(b"\x35\x00" + run + bytes.fromhex(left), 2) == 2 + len(run)


@pytest.mark.parametrize(
    ("passed", "left"),
    [
        ("", ""),
        ("0000 0000 0008 0002 0a0a 0100 0000 0301 0001 0a", "0001 0000"),
        ("ffff 0000", "0003 0000"),
        ("0008 000f" + 15 * "0a", "0008 0010" + 16 * "0a"),
        ("", "0008 0100" + 256 * "0a"),
        ("0008 0000", "0008 00"),
        ("0008 0000", "0008 0002 0a"),
    ],
)
def test_dhcpv6(passed: str, left: str) -> None:
    run = bytes.fromhex(passed)
    assert end_of_run_v6(run + bytes.fromhex(left), 0) == len(run)
