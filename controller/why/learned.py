# SPDX-License-Identifier: Apache-2.0
"""Which MACs the bridge has learned behind a port that has not asked, and in which VLANs.

It is the command line that adds this to a chain: ovs-vswitchd, which knows it, may be busy, and is
not to be waited for by the daemon.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ovs_dhcpd.controller.why.chain import Verdict, not_served, rewrite
from ovs_dhcpd.flows.bindings.probe import is_probing_mac
from ovs_dhcpd.flows.options.wording import escape

NAMED = 3  # MACs behind a port: a guest may send from thousands

# Of `fdb/show`: port, VLAN (0: none), MAC and age.
_ROW = re.compile(r" *(\S+) +([0-9]+) +([0-9a-f]{2}(?::[0-9a-f]{2}){5}) +\S+")

# Of `dpif/show`: a bridge, and below it its ports with their numbers, and what they are.
_BRIDGE = re.compile(r"  (\S+):")
_PORT = re.compile(r"    (\S+) ([0-9]+)/\S+: \((.*)\)")
_LOCAL = "65534"  # which `fdb/show` has by its name


class Heard(NamedTuple):
    """A MAC, and the VLAN in which it has sent; 0: in none."""

    mac: str
    vlan: int


def is_missing(chain: Mapping[str, Any]) -> bool:
    """Whether the bridge has learned more than ``chain`` says (:mod:`controller.why.document`)."""
    broken = (link for link in chain["links"] if link["verdict"] == Verdict.BROKEN.value)
    first = next(broken, None)
    return first is not None and first["link"] == "asked"


def heard_behind(ofport: int, table: str) -> list[Heard]:
    """What ``fdb/show`` lists there, but for daemons: they ask for addresses as if by the port."""
    rows = filter(None, map(_ROW.fullmatch, table.splitlines()))
    found = [Heard(row[3], int(row[2])) for row in rows if row[1] == str(ofport)]
    return [each for each in found if not is_probing_mac(bytes.fromhex(each.mac.replace(":", "")))]


def ports_of(table: str) -> dict[str, dict[str, str]]:
    """The interfaces of each bridge by their numbers, as ``dpif/show`` lists them.

    Patch ports are left out: who is heard by one is behind a port of the other bridge.
    """
    found: dict[str, dict[str, str]] = {}
    ports: dict[str, str] = {}
    for line in table.splitlines():
        if bridge := _BRIDGE.fullmatch(line):
            ports = found[bridge[1]] = {}
        elif (port := _PORT.fullmatch(line)) and not port[3].startswith("patch"):
            ports["LOCAL" if port[2] == _LOCAL else port[2]] = port[1]
    return found


def port_with(mac: bytes, table: str) -> str:
    """The number of the port behind which ``fdb/show`` lists this MAC; empty: it does not."""
    rows = filter(None, map(_ROW.fullmatch, table.splitlines()))
    return next((row[1] for row in rows if row[3] == mac.hex(":")), "")


def found_behind(chain: Mapping[str, Any], mac: str, name: str) -> Mapping[str, Any]:
    """The chain of the interface ``name``, behind which ``mac`` is that was asked for.

    One that is served nothing may be an uplink, and the guest another host's.
    """
    if chain["bindings"]:
        return {**chain, "asked_for": mac}
    name = escape(name)
    headline = not_served(mac, f"it is behind {name}, and {chain['headline']}")
    mend = f"where {name} leads to another host, ask there"
    if chain["mend"]:
        mend += f", else type: {chain['mend']}"
    return {**chain, "asked_for": mac, "headline": headline, "mend": mend}


def amend(chain: Mapping[str, Any], heard: Sequence[Heard]) -> Mapping[str, Any]:
    """The chain, where this has been learned and is not what is served."""
    served = {binding["mac"] for binding in chain["bindings"]}
    macs = [*dict.fromkeys(each.mac for each in heard)]
    tagged = next((each for each in heard if each.vlan and not chain["vlan"]), None)
    if tagged:
        text = "nobody has asked without a tag, and "
        text += f"{tagged.mac} sends with that of VLAN {tagged.vlan}"
        mend = "ask in the guest without the tag, or serve that VLAN: docs/configuration.md, VLANs"
        return _replaced(chain, "asked", text, mend)
    if not macs or served & {None, *macs}:
        return chain
    named, more = macs[:NAMED], len(macs) - NAMED
    are = "is" if len(macs) == 1 else "are"
    others = f"{' and '.join(named)}{f' and {more} more' if more > 0 else ''} {are}"
    text = f"{' and '.join(sorted(served))} is served, and {others} behind the port"
    addresses = " ".join(each for binding in chain["bindings"] for each in binding["addresses"])
    return _replaced(chain, "MAC", text, rewrite("where it is named", macs[0], addresses))


def _replaced(chain: Mapping[str, Any], name: str, text: str, mend: str) -> Mapping[str, Any]:
    """The chain in which this is what is broken at the link ``name``."""
    broken = {"link": name, "verdict": Verdict.BROKEN.value, "text": text, "mend": mend}
    links = [broken if link["link"] == name else link for link in chain["links"]]
    headline = not_served(chain["asked_for"], text)
    return {**chain, "headline": headline, "mend": mend, "links": links}
