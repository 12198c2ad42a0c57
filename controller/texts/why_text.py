# SPDX-License-Identifier: Apache-2.0
"""What ``why`` answers to a person, from what it answers to a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ovs_dhcpd.controller.texts.table import GREEN, RED, YELLOW, table
from ovs_dhcpd.controller.why.chain import TYPE, Verdict
from ovs_dhcpd.flows.options.wording import printable

COLOURS = {
    Verdict.OK.value: GREEN,
    Verdict.WARNING.value: YELLOW,
    Verdict.UNKNOWN.value: YELLOW,
    Verdict.BROKEN.value: RED,
}


def to_text(chain: Mapping[str, Any], *, coloured: bool = False) -> Iterator[str]:
    """The lines for a person: what it comes to, what to do, then each link."""
    yield printable(chain["headline"])
    if chain["mend"]:
        yield printable(f"mend: {chain['mend']}")
    if chain["others"]:
        yield printable(f"also: {', '.join(chain['others'])}")
    if len(chain["links"]) == 1:  # which has been said
        return
    yield ""
    rows = [(each["link"], each["verdict"], _found(each, chain["mend"])) for each in chain["links"]]
    yield from table(("link", "verdict", "found"), rows, COLOURS if coloured else None)


def _found(link: Mapping[str, Any], said: str) -> str:
    mend = link["mend"]
    return f"{link['text']}{TYPE}{mend}" if mend and mend != said else link["text"]
