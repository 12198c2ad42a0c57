# SPDX-License-Identifier: Apache-2.0
"""Which meter a port has."""

from __future__ import annotations

from dataclasses import replace

from ovs_dhcpd.flows.bindings.network import Network
from ovs_dhcpd.flows.bindings.rate_limit import DEFAULT_RATE_LIMIT, RateLimit
from ovs_dhcpd.flows.pipeline.flow import LOCAL
from ovs_dhcpd.flows.pipeline.meter import PortMeter, is_ours, meter_id, ofport_of, port_meter

NETWORK = Network("red", None, (), False)
UNLIMITED = replace(NETWORK, rate_limit=None)
WIDE = replace(NETWORK, rate_limit=RateLimit(60, 10))


def test_no_two_ports_have_the_same_number_and_all_are_ours() -> None:
    ports = (1, 5, 0xFEFF, LOCAL)  # numbers of OpenFlow 1.0's ports end at 0xff00
    numbers = [meter_id(ofport) for ofport in ports]
    assert numbers == [0x64680001, 0x64680005, 0x6468FEFF, 0x6468FFFE]
    assert all(map(is_ours, numbers))
    assert [ofport_of(number) for number in numbers] == [*ports]
    assert not any(map(is_ours, (1, 0x6468, 0x64690001, 0x63680001, 0xFFFFFFFF)))


def test_a_port_has_the_widest_limit_of_its_networks() -> None:
    assert port_meter([NETWORK], 5) == PortMeter(meter_id(5), DEFAULT_RATE_LIMIT)
    assert port_meter([NETWORK, WIDE, UNLIMITED], 5) == PortMeter(meter_id(5), RateLimit(60, 10))
    assert port_meter([UNLIMITED], 5) is None
    assert port_meter([], 5) is None


def test_its_text_is_what_ovs_ofctl_takes() -> None:
    expected = "meter=7 pktps burst stats bands=type=drop rate=50 burst_size=100"
    assert str(PortMeter(7, DEFAULT_RATE_LIMIT)) == expected
