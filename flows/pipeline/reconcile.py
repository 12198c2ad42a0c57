# SPDX-License-Identifier: Apache-2.0
"""What is wanted against what is installed: the difference, and nothing else.

A flow's cookie holds a hash of its content, so the cookies on the bridge say all
there is to know.  Additions come before deletions: a flow whose match is
unchanged is replaced in place by its new content, and the deletion of its old
cookie then finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from ovs_dhcpd.flows.pipeline.flow import Flow


@dataclass(frozen=True)
class Changes:
    """Flows to add, then cookies whose flows to delete."""

    add: tuple[Flow, ...] = ()
    delete: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.delete)


def index(flows: Iterable[Flow]) -> dict[int, Flow]:
    """The flows by cookie."""
    return {flow.cookie: flow for flow in flows}


def changes(wanted: Mapping[int, Flow], installed: Set[int]) -> Changes:
    """What turns the cookies ``installed`` into the flows ``wanted``."""
    return Changes(
        add=tuple(flow for cookie, flow in wanted.items() if cookie not in installed),
        delete=tuple(sorted(installed - wanted.keys())),
    )
