# SPDX-License-Identifier: Apache-2.0
"""Why a bridge that is to be served cannot be, so far as the Open_vSwitch database says."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ovs_dhcpd.flows.options.wording import either


def unreachable(
    bridge: str,
    bridges: Mapping[str, Collection[str]],
    versions: Collection[str],
    unmade: Collection[str] = (),
) -> str:
    """What is wrong with ``bridge``, and what to type; empty: nothing.

    ``bridges`` are those that there are, with the column ``protocols`` of their rows (OpenFlow10 …;
    none of them: all).  ``versions`` are those that we speak, the best first (1.5 …).
    ``unmade`` are those that ovs-vswitchd has been told of and does not have.
    """
    if bridge not in bridges:
        others = f", expected {either(sorted(bridges))}" if bridges else ""
        return f"bridge {bridge}: does not exist{others}; type: ovs-vsctl add-br {bridge}"
    if bridge in unmade:
        what = "ovs-vswitchd cannot make it, or does not run"
        return f"bridge {bridge}: {what}; type: tail /var/log/openvswitch/ovs-vswitchd.log"
    protocols = bridges[bridge]
    ours = [f"OpenFlow{version.replace('.', '')}" for version in versions]
    if not protocols or not {*ours}.isdisjoint(protocols):
        return ""
    return (
        f"bridge {bridge}: protocols={','.join(sorted(protocols))}, expected one of "
        f"{', '.join(ours)} among them; type: ovs-vsctl add bridge {bridge} protocols {ours[0]}"
    )
