# SPDX-License-Identifier: Apache-2.0
"""On which host, and by which interface, a port is served: OVN's words for it.

As ovn-controller has it (`lport_can_bind_on_this_chassis` and
`ovs_iface_matches_lport_iface_id_ver` in its controller/): a port that says nothing is everybody's,
and additional hosts, to which it is on its way, serve it beside the main one.
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
    """

    version: str | None = None
    hosts: tuple[str, ...] = ()
    activated_later: bool = False

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
            return f"iface-id-ver: {escape(self.version)}, expected the interface's, {there}"
        if self.hosts and host.isdisjoint(self.hosts):
            wanted = escape(",".join(self.hosts))
            here = " or ".join(escape(name) for name in sorted(host))
            return f"requested-chassis: {wanted}, expected this host, {here}"
        if self.activated_later and self.hosts and self.hosts[0] not in host:
            main = escape(self.hosts[0])
            return f"activation-strategy: is waited for while requested-chassis begins with {main}"
        return ""
