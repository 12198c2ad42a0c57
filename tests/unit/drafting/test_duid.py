# SPDX-License-Identifier: Apache-2.0
"""A MAC in the name of a client of DHCPv6."""

from __future__ import annotations

from ovs_dhcpd.controller.drafting.duid import mac_in

MAC = "52:54:00:00:00:01"


def test_a_mac_in_a_duid() -> None:
    assert mac_in("00:03:00:01:52:54:00:00:00:01") == MAC
    assert mac_in("0:1:0:1:18:aa:bb:cc:52:54:0:0:0:1") == MAC
    assert mac_in("00:02:00:00:ab:11:52:54:00:00:00:01") == ""
    assert mac_in("") == ""
