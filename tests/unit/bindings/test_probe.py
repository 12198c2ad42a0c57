# SPDX-License-Identifier: Apache-2.0
"""From which MAC it is asked whether somebody has an address."""

from __future__ import annotations

from ovs_dhcpd.flows.bindings.probe import is_probing_mac, probing_mac


def test_each_daemon_has_a_mac_of_its_own_on_each_bridge() -> None:
    macs = {probing_mac(bridge, salt) for bridge in ("br0", "br1") for salt in (b"one", b"two")}
    assert len(macs) == 4
    assert probing_mac("br0", b"one") in macs
    for mac in macs:
        assert len(mac) == 6
        assert mac[0] & 0x03 == 0x02  # locally administered, of one host
        assert is_probing_mac(mac)
    assert not is_probing_mac(bytes.fromhex("020000000001"))
