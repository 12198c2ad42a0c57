# SPDX-License-Identifier: Apache-2.0
"""Which MACs the bridge has learned behind a port whose own has not asked.

It is the command line that adds this to a chain: ovs-vswitchd, which knows it, may be busy, and is
not to be waited for by the daemon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ovs_dhcpd.controller.why.chain import Verdict, not_served, rewrite


def is_missing(chain: Mapping[str, Any]) -> bool:
    """Whether what the bridge has learned says more than the ``chain`` (:mod:`why.as_json`)."""
    broken = (link for link in chain["links"] if link["verdict"] == Verdict.BROKEN.value)
    first = next(broken, None)
    unasked = first is not None and first["link"] == "asked"
    return unasked and all(binding["mac"] for binding in chain["bindings"])


def macs_behind(ofport: int, table: str) -> list[str]:
    """Those that ``fdb/show`` lists there: a header, then lines of port, VLAN, MAC and age."""
    rows = (line.split() for line in table.splitlines()[1:])
    return [row[2] for row in rows if len(row) == 4 and row[0] == str(ofport)]


def amend(chain: Mapping[str, Any], macs: Sequence[str]) -> Mapping[str, Any]:
    """The chain, where these MACs have been learned and none of them is served."""
    served = {binding["mac"] for binding in chain["bindings"]}
    if not macs or served & {*macs}:
        return chain
    text = f"{' and '.join(sorted(served))} is served, and {' and '.join(macs)} is behind the port"
    addresses = " ".join(each for binding in chain["bindings"] for each in binding["addresses"])
    mend = rewrite("where it is named", macs[0], addresses)
    broken = {"link": "MAC", "verdict": Verdict.BROKEN.value, "text": text, "mend": mend}
    links = [broken if link["link"] == "MAC" else link for link in chain["links"]]
    headline = not_served(chain["asked_for"], text)
    return {**chain, "headline": headline, "mend": mend, "links": links}
