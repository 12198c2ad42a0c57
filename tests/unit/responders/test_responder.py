# SPDX-License-Identifier: Apache-2.0
"""Whose userdata has neither an address nor a host name of a port's own."""

from __future__ import annotations

import pytest
from ovs_dhcpd.controller.responders.dns_lookup import DnsLookupResponder
from ovs_dhcpd.controller.responders.responder import Responder

from tests.lab.packets_relay import TO_CLIENT, TO_SERVER


@pytest.mark.parametrize("responder", [DnsLookupResponder(), TO_CLIENT, TO_SERVER])
def test_it_serves_all_ports_of_its_network(responder: Responder) -> None:
    assert responder.of_neighbour(bytes(4), b"vm2") is responder
