# SPDX-License-Identifier: Apache-2.0
"""A packet's course through flows of ours that are on no bridge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ovs_dhcpd.controller.tracing.course import Course, Step
from ovs_dhcpd.controller.tracing.packet_fields import fields_of
from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.flow import (
    Action,
    Field,
    Flow,
    Is,
    Load,
    Move,
    OutputInPort,
    Pause,
    Resubmit,
    show_port,
)
from ovs_dhcpd.flows.pipeline.tables import OPTIONS, RESPONSE

_MAX_STEPS = 64  # as Open vSwitch has it of the depth of resubmits
_NO_MATCH = "No match."

# The fields that set_field names otherwise than a match does (ovs-actions(7)).
_SET = {
    **{"dl_src": "eth_src", "dl_dst": "eth_dst", "nw_src": "ip_src", "nw_dst": "ip_dst"},
    **{"tp_src": "udp_src", "tp_dst": "udp_dst"},
}


class FlowWalk:
    """A bridge that has ``flows`` and nothing else; the packets come from its port ``ofport``."""

    def __init__(self, flows: Iterable[Flow], ofport: int) -> None:
        self._tables: dict[int, list[Flow]] = {}
        for flow in flows:
            self._tables.setdefault(flow.table, []).append(flow)
        for table in self._tables.values():
            table.sort(key=lambda flow: -flow.priority)
        self._ofport = ofport

    def enter(self, frame: bytes) -> Course:
        """As :meth:`controller.tracing.course.Bridge.enter`."""
        return self._go(frame, {}, OPTIONS.number)

    def resume(self, frame: bytes, registers: Mapping[str, int]) -> Course:
        """As :meth:`controller.tracing.course.Bridge.resume`."""
        return self._go(frame, registers, RESPONSE.number)

    def _go(self, frame: bytes, registers: Mapping[str, int], table: int) -> Course:
        fields = fields_of(frame)
        fields[f.IN_PORT] = self._ofport
        for field in (f.REG0, f.METADATA):
            fields[field] = registers.get(field.match, 0)
        walk = _Walk(self._tables, fields)
        walk.look_up(table)
        shown = {
            field.match: field.show(value)
            for field, value in fields.items()
            if value or field not in (f.REG0, f.METADATA, f.VLAN_VID)
        }
        leaves_by = (show_port(self._ofport),) if walk.leaves else ()
        return Course(tuple(walk.steps), shown, walk.userdata, leaves_by)


class _Walk:
    """One packet on its way: its ``fields`` change with it."""

    def __init__(self, tables: Mapping[int, Sequence[Flow]], fields: dict[Field, int]) -> None:
        self.steps: list[Step] = []
        self.userdata: bytes | None = None
        self.leaves = False
        self._tables = tables
        self._fields = fields

    def look_up(self, number: int) -> None:
        """Do what the table's flow says."""
        if len(self.steps) >= _MAX_STEPS:
            return
        for flow in self._tables.get(number, ()):
            if self._is_met(flow):
                self._do(flow)
                return
        self.steps.append(Step(number, _NO_MATCH, 0, 0, ()))

    def _is_met(self, flow: Flow) -> bool:
        terms = flow.match
        if flow.protocol:
            terms += tuple(Is(field, value) for field, value in flow.protocol.fields)
        return all(self._is_true(term) for term in terms)

    def _is_true(self, term: Is) -> bool:
        has = self._fields.get(term.field)
        return has is not None and not (has ^ term.value) & (-1 if term.mask is None else term.mask)

    def _do(self, flow: Flow) -> None:
        match = [flow.protocol.name] if flow.protocol else []
        match += map(str, flow.match)
        step = len(self.steps)
        self.steps.append(Step(flow.table, ",".join(match), flow.priority, flow.cookie, ()))
        for action in flow.actions:
            self._say(step, _show(action))
            if isinstance(action, Load):
                self._load(action)
            elif isinstance(action, Move):
                value = self._fields[action.target] = self._fields[action.source]
                self._say(step, f"-> {action.target.nxm}[] is now {action.target.show(value)}")
            elif isinstance(action, Resubmit):
                self.look_up(action.table)
            elif isinstance(action, OutputInPort):
                self.leaves = True
            elif isinstance(action, Pause):
                self.userdata = action.userdata
            if self.userdata is not None:
                return
        if not flow.actions:
            self._say(step, "drop")

    def _say(self, step: int, text: str) -> None:
        """Have the step say this of its actions."""
        said = self.steps[step].actions
        self.steps[step] = self.steps[step]._replace(actions=(*said, text))

    def _load(self, load: Load) -> None:
        whole = (1 << 8 * load.field.size) - 1
        mask = ((1 << load.n_bits) - 1) << load.offset if load.n_bits else whole
        before = self._fields.get(load.field, 0)
        self._fields[load.field] = before & ~mask | load.value << load.offset & mask


def _show(action: Action) -> str:
    """As ``ofproto/trace`` shows what we send in OpenFlow 1.3 and later."""
    if not isinstance(action, Load):
        return str(action)
    name = _SET.get(action.field.match, action.field.match)
    if action.n_bits:
        mask = ((1 << action.n_bits) - 1) << action.offset
        return f"set_field:{action.value << action.offset:#x}/{mask:#x}->{name}"
    return f"set_field:{action.field.show(action.value)}->{name}"
