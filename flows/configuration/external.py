# SPDX-License-Identifier: Apache-2.0
"""Ports of type ``external``: guests without a port on the bridge, which come in by its uplink.

As ovn-northd has it (`build_lswitch_dhcp_options_and_response` in ovn northd/northd.c), their
packets are those of their MACs that come by the localnet port of their switch, with its ``tag``.
In OVN the first host of their ``ha_chassis_group`` that is alive serves them
(`ha_chassis_group_is_active` in ovn controller/ha-chassis.c); who is alive the Northbound database
does not know, so here it is the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ovs_dhcpd.flows.bindings.network import Parent
from ovs_dhcpd.flows.options.wording import escape

EXTERNAL, LOCALNET = "external", "localnet"  # types of ports

Localnet = tuple[str, int]  # the name of such a port and its tag, 0 if it has none
Chassis = tuple[int, str]  # priority and name of a host of a group


@dataclass(frozen=True, slots=True)
class Entrance:
    """By which port of the bridge the external ports of a switch come in.

    `localnets` are those of the switch, by name; None: which switch is not known yet.
    """

    port: str
    localnets: tuple[Localnet, ...] | None

    @property
    def parent(self) -> Parent:
        """Where such a port is, if there is a localnet port at all."""
        tag = self.localnets[0][1] if self.localnets else 0
        return Parent(self.port, tag, shared=True)

    @property
    def refused(self) -> Iterator[str]:
        """What is wrong with the switch, a line each."""
        first, *others = self.localnets or (("", 0),)
        for name, _ in others:
            what = f"{escape(name)} is one too, expected one; {escape(first[0])} is followed"
            yield f"localnet port of its switch: {what}"


def in_order(group: list[Chassis]) -> tuple[str, ...]:
    """The names of a group's hosts: of the highest priority first, of equal ones the last."""
    return tuple(name for _, name in sorted(group, reverse=True))
