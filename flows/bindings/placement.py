# SPDX-License-Identifier: Apache-2.0
"""On which host, and by which interface, a port is served: OVN's words for it.

As ovn-controller has it (`lport_can_bind_on_this_chassis` and
`ovs_iface_matches_lport_iface_id_ver` in its controller/): a port that says nothing is everybody's,
and additional hosts, to which it is on its way, serve it beside the main one.  An external port is
its group's (:mod:`flows.configuration.external`).
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from ovs_dhcpd.flows.options.wording import escape


@dataclass(frozen=True, slots=True)
class Placement:
    """What `options` of a logical port say; the rest of them is not looked at.

    `hosts` are those of requested-chassis, the main one first, by system-id or hostname; none: all.
    `activated_later`: on additional hosts the port says nothing until it has moved there.
    `group` are the hosts of its ha_chassis_group, the first of which serves it; None: it has none.
    """

    version: str | None = None
    hosts: tuple[str, ...] = ()
    activated_later: bool = False
    group: tuple[str, ...] | None = None

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Placement:
        """The placement that is among a port's options."""
        hosts = options.get("requested-chassis", "").split(",")
        return cls(
            options.get("iface-id-ver"),
            tuple(filter(None, hosts)),
            bool(options.get("activation-strategy")),
        )

    def why_not(self, version: str | None, host: Set[str]) -> str:
        """Why it is not served by an interface of `version` on the host that has these names.

        Empty if it is.
        """
        if self.version is not None and version != self.version:
            there = "none" if version is None else escape(version)
            what = f"{escape(self.version)}, expected the interface's, {there}"
            return f"options: iface-id-ver: {what}"
        here = " or ".join(escape(name) for name in sorted(host))
        if self.hosts and host.isdisjoint(self.hosts):
            wanted = escape(",".join(self.hosts))
            return f"options: requested-chassis: {wanted}, expected this host, {here}"
        if self.activated_later and self.hosts and self.hosts[0] not in host:
            what = f"is waited for while requested-chassis begins with {escape(self.hosts[0])}"
            return f"options: activation-strategy: {what}"
        if self.group is not None and host.isdisjoint(self.group[:1]):
            what = f"{escape(self.group[0])} comes first in it" if self.group else "is empty"
            return f"ha_chassis_group: {what}, expected this host, {here}"
        return ""
