# SPDX-License-Identifier: Apache-2.0
"""Who is served what: what ``bindings/show`` answers, for the daemon and for who asks it.

    {"version": 1, "bindings": [{"port": …, "interface": …, "bridge": …, "ofport": 5,
      "network": …, "mac": …, "tag": 100, "addresses": [….]}, …]}

A port has one for each of its MACs.  ``interface`` is that behind which the port is, ``mac`` null
where any is served, ``tag`` null where its packets have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ovs_dhcpd.flows.options.wording import escape, printable_lines
from ovs_dhcpd.flows.pipeline.flow import show_port

if TYPE_CHECKING:
    from ovs_dhcpd.controller.ports.binder import Served

VERSION = 1
Document = dict[str, Any]


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


def bindings(served: Mapping[str, Served], interface_of: Callable[[str], str]) -> Document:
    """The document, in the order of ``served``.

    ``interface_of`` has the name of the interface that is plugged in as a port.
    """
    rows = [
        Bound(
            name,
            interface_of(port.plugged_as),
            what.bridge,
            what.ofport,
            network.name,
            port.mac.hex(":") if port.mac else None,
            port.tag,
            [str(address) for address in port.addresses],
        )._asdict()
        for name, what in served.items()
        for network, port in what.bindings
    ]
    return {"version": VERSION, "bindings": rows}


def bound_of(document: Document) -> list[Bound]:
    """What the document says; names that a later daemon adds are left out."""
    return [Bound(**{name: row[name] for name in Bound._fields}) for row in document["bindings"]]


def as_text(document: Document) -> str:
    """The document for people, a line for each binding."""
    return printable_lines(map(_line, bound_of(document)))


def _line(bound: Bound) -> str:
    where = f"{bound.bridge:<15} {show_port(bound.ofport):>5}"
    addresses = " ".join(bound.addresses) or "no address"
    tag = f" (tag {bound.tag})" if bound.tag else ""
    what = f"{bound.mac or 'any MAC':<17}  {escape(bound.network)}{tag}: {addresses}"
    return f"{escape(bound.port):<36} {where}  {what}"
