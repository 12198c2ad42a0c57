# SPDX-License-Identifier: Apache-2.0
"""A chain as JSON: one object, documented in docs/troubleshooting.md.

``version`` is raised when a program that reads it would be misled; names may be added without that.
"""

from __future__ import annotations

from typing import Any

from ovs_dhcpd.controller.why.chain import Chain

VERSION = 1


def document(chain: Chain) -> dict[str, Any]:
    """The chain as values that :mod:`json` can write."""
    facts = chain.facts
    interface = facts.interface
    return {
        "version": VERSION,
        "asked_for": facts.asked_for,
        "port": facts.port if facts.found else None,
        "others": [*facts.others],
        "served": chain.served,
        "headline": chain.headline,
        "mend": chain.mend,
        "bridge": facts.bridge.name if facts.bridge else None,
        "interface": interface.name if interface else None,
        "ofport": interface.ofport if interface else None,
        "vlan": (interface.behind or interface.vlans.untagged or 0) if interface else None,
        "bindings": [
            {
                "network": network.name,
                "mac": port.mac.hex(":") if port.mac else None,
                "addresses": [str(address) for address in port.addresses],
            }
            for network, port in facts.served
        ],
        "links": [
            {
                "link": link.name,
                "verdict": link.verdict.value,
                "text": link.text,
                "mend": link.mend,
            }
            for link in chain.links
        ],
    }
