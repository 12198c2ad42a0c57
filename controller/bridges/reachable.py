# SPDX-License-Identifier: Apache-2.0
"""Why a bridge that is to be served cannot be, so far as the Open_vSwitch database says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from shlex import quote

from ovs_dhcpd.flows.options.wording import either, escape


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
        return no_such_bridge(bridge, bridges)
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


def no_such_bridge(bridge: str, others: Iterable[str], how: str = "") -> str:
    """Which ``others`` there are, which may have been meant, and how else there will be one.

    ``how`` says where to write them.
    """
    what, bridge = f"bridge {escape(bridge)}: does not exist", quote(bridge)
    if expected := either(sorted(others)):
        what += f", expected {expected}{how}; write that, or for a new bridge"
    else:
        what += ";"
    return f"{what} type: ovs-vsctl add-br {bridge}"
