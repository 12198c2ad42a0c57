# SPDX-License-Identifier: Apache-2.0
"""Why a bridge that is to be served cannot be, so far as the Open_vSwitch database says."""

from __future__ import annotations

from collections.abc import Collection


def unreachable(bridge: str, protocols: Collection[str] | None, versions: Collection[str]) -> str:
    """What is wrong with ``bridge``, and what to type; empty: nothing.

    ``protocols`` is that column of its row (OpenFlow10 …; none of them: all), None where there is
    no such bridge.  ``versions`` are those that we speak, the best first (1.5 …).
    """
    if protocols is None:
        return f"bridge {bridge}: does not exist; type: ovs-vsctl add-br {bridge}"
    ours = [f"OpenFlow{version.replace('.', '')}" for version in versions]
    if not protocols or not {*ours}.isdisjoint(protocols):
        return ""
    return (
        f"bridge {bridge}: protocols={','.join(sorted(protocols))}, expected one of "
        f"{', '.join(ours)} among them; type: ovs-vsctl add bridge {bridge} protocols {ours[0]}"
    )
