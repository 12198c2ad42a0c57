# SPDX-License-Identifier: Apache-2.0
"""What ``bindings/show -f json`` answers, for the daemon and for who asks it.

    {"version": 1, "bindings": [{"port": …, "interface": …, "bridge": …, "ofport": 5,
      "network": …, "mac": …, "tag": 100, "addresses": [….]}, …]}

A port has one for each of its MACs.  ``interface`` is that behind which the port is, ``mac`` null
where any is served, ``tag`` null where its packets have none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ovs_dhcpd.controller.ports.binder import Served

VERSION = 1


class Bound(NamedTuple):
    """A port as it is served."""

    port: str
    interface: str
    bridge: str
    ofport: int
    network: str
    mac: str | None
    tag: int | None
    addresses: list[str]


def encode_bindings(served: Mapping[str, Served], interfaces: Mapping[str, str]) -> str:
    """The answer; ``interfaces`` are the names of those behind which the ports are, by port."""
    bindings = [
        Bound(
            name,
            interfaces.get(port.plugged_as, ""),
            what.bridge,
            what.ofport,
            network.name,
            port.mac.hex(":") if port.mac else None,
            port.tag,
            [str(address) for address in port.addresses],
        )._asdict()
        for name, what in sorted(served.items())
        for network, port in what.bindings
    ]
    return json.dumps({"version": VERSION, "bindings": bindings})


def decode_bindings(answer: str) -> list[Bound]:
    """What the answer says; names that a later daemon adds are left out."""
    rows = json.loads(answer)["bindings"]
    return [Bound(**{name: row[name] for name in Bound._fields}) for row in rows]
