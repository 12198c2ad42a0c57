# SPDX-License-Identifier: Apache-2.0
"""MACs as text: which are one, and why others are not."""

from __future__ import annotations

import pytest
from ovs_dhcpd.flows.bindings.mac import parse_mac


@pytest.mark.parametrize("text", ["fa:16:3e:8b:ea:fd", "FA:16:3E:8B:EA:FD"])
def test_six_bytes_in_either_case(text: str) -> None:
    assert parse_mac(text) == bytes.fromhex("fa163e8beafd")


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("fa:16:3e:8b:ea", "'fa:16:3e:8b:ea' is no MAC, expected xx:xx:xx:xx:xx:xx"),
        ("fa-16-3e-8b-ea-fd", "'fa-16-3e-8b-ea-fd' is no MAC, expected xx:xx:xx:xx:xx:xx"),
        ("fa:16:3e:8b:ea:fd ", "'fa:16:3e:8b:ea:fd ' is no MAC, expected xx:xx:xx:xx:xx:xx"),
        (None, "nothing is no MAC, expected xx:xx:xx:xx:xx:xx"),
        (10, "10 is no MAC, expected xx:xx:xx:xx:xx:xx"),
        ("00:00:00:00:00:00", "00:00:00:00:00:00 is nobody's MAC, expected a unicast one"),
        ("01:00:00:00:00:01", "01:00:00:00:00:01 is nobody's MAC, expected a unicast one"),
        ("ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff is nobody's MAC, expected a unicast one"),
    ],
)
def test_what_is_no_macs_text_is_refused(value: object, error: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        parse_mac(value)
    assert str(raised.value) == error
