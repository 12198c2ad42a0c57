# SPDX-License-Identifier: Apache-2.0
"""DHCP on a plain Open vSwitch bridge, served from the bridge's own flows."""

__version__ = "0.1.0"

PROGRAM = "ovs-dhcpd"
