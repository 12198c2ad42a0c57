# SPDX-License-Identifier: Apache-2.0
"""A packet's course as ``ofproto/trace`` of ovs-vswitchd tells it, and what to ask for it.

It prints a block for each bridge, in it a line for each flow met, `` 0. MATCH, priority N, cookie
0x…``, with its actions below; then ``Final flow:`` and ``Datapath actions:`` (Open vSwitch's
ofproto/ofproto-dpif-trace.c).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ovs_dhcpd.controller.tracing.course import Course, Step
from ovs_dhcpd.controller.tracing.packet_fields import fields_of
from ovs_dhcpd.flows.pipeline import flow as f
from ovs_dhcpd.flows.pipeline.flow import show_port
from ovs_dhcpd.flows.pipeline.tables import RESPONSE

_STEP = re.compile(
    r" *(?P<table>[0-9]+)\. "
    r"(?:(?P<match>.*), )?priority (?P<priority>[0-9]+)(?:, cookie 0x(?P<cookie>[0-9a-f]+))?"
)
_NO_MATCH = re.compile(r" *(?P<table>[0-9]+)\. (?P<match>No match\.)")
_USERDATA = re.compile(
    r"controller\((?:[^()]*,)?userdata=(?P<hex>(?:[0-9a-f]{2}\.?)+)(?:,[^()]*)?,pause\b"
)
_NEEDED = (f.ETH_TYPE, f.IP_PROTO, f.ICMPV6_TYPE)
# In a match ``tp_src`` and ``icmp_type`` are what its protocol says; in a flow they are not.
_IN_FLOWS = {
    **{f.UDP_SRC: "udp_src", f.UDP_DST: "udp_dst"},
    **{f.ICMPV6_TYPE: "icmpv6_type", f.ICMPV6_CODE: "icmpv6_code"},
}
_ABSENT_AS_0 = (f.VLAN_VID, f.ND_SLL, f.ND_TLL)
_PARENTHESES = re.compile(r"\([^()]*\)")
_PORT = re.compile(r" +(?P<name>\S+) [0-9]+/(?P<number>[0-9]+): ")

Ask = Callable[..., str]  # a command of ovs-vswitchd and its arguments to its answer


class LiveBridge:
    """A running bridge; the packets come from its port ``ofport``.

    It is told their fields alone: with a packet, Open vSwitch does all that it says but to output,
    and the daemon would be asked.  ``ask`` has ovs-vswitchd carry out a command, and raises
    :exc:`OSError` where it cannot.
    """

    def __init__(self, ask: Ask, bridge: str, ofport: int) -> None:
        self._ask = ask
        self._bridge = bridge
        self._in_port = f"in_port={show_port(ofport)}"
        self._names = decode_ports(ask("dpif/show"))

    def enter(self, frame: bytes) -> Course:
        """As :meth:`controller.tracing.course.Bridge.enter`."""
        said = self._ask("ofproto/trace", self._bridge, self._flow(frame))
        return decode_trace(said, self._names)

    def resume(self, frame: bytes, registers: Mapping[str, int]) -> Course:
        """As :meth:`controller.tracing.course.Bridge.resume`."""
        # A packet has no registers when it comes in: they are set, then it goes on.
        actions = [f"set_field:{value:#x}->{name}" for name, value in registers.items()]
        actions.append(f"resubmit(,{RESPONSE.number})")
        said = self._ask(
            "ofproto/trace-packet-out", self._bridge, self._flow(frame), ",".join(actions)
        )
        return decode_trace(said, self._names)

    def _flow(self, frame: bytes) -> str:
        """The frame as a flow; what others need to be there comes first (ovs-fields(7))."""
        fields = fields_of(frame)
        terms = [self._in_port]
        for field in sorted(fields, key=lambda each: each not in _NEEDED):
            if fields[field] or field not in _ABSENT_AS_0:
                terms.append(f"{_IN_FLOWS.get(field, field.match)}={field.show(fields[field])}")
        return ",".join(terms)


def decode_ports(dpif_show: str) -> dict[str, str]:
    """The names of the datapath's ports by their numbers, as ``dpif/show`` has them.

    A port is a line ``NAME OFPORT/NUMBER: (TYPE)``; a patch port is none of the datapath's.
    """
    found = map(_PORT.match, dpif_show.split("\n"))
    return {port["number"]: port["name"] for port in found if port}


def decode_trace(said: str, names: Mapping[str, str]) -> Course:
    """The course; ``names`` are those of the datapath's ports by their numbers."""
    steps: list[Step] = []
    actions: list[str] = []
    fields: dict[str, str] = {}
    leaves_by: tuple[str, ...] = ()
    userdata = None
    for line in said.split("\n"):
        key, colon, rest = line.partition(": ")
        if colon and key in ("Flow", "Final flow"):
            fields = _fields(rest) if rest != "unchanged" else fields
        elif colon and key == "Datapath actions":
            leaves_by = tuple(_outputs(rest, names))
        elif found := _STEP.fullmatch(line) or _NO_MATCH.fullmatch(line):
            step = found.groupdict()
            actions = []
            steps.append(
                Step(
                    int(step["table"]),
                    step["match"] or "",
                    int(step.get("priority") or 0),
                    int(step.get("cookie") or "0", 16),
                    (),
                )
            )
        elif steps and line.startswith("    "):
            actions.append(line.strip())
            steps[-1] = steps[-1]._replace(actions=tuple(actions))
            if paused := _USERDATA.search(line):
                userdata = bytes.fromhex(paused["hex"].replace(".", ""))
    return Course(tuple(steps), fields, userdata, leaves_by if userdata is None else ())


def _fields(flow: str) -> dict[str, str]:
    terms = (term.partition("=") for term in flow.split(","))
    return {name: value for name, equals, value in terms if equals}


def _outputs(actions: str, names: Mapping[str, str]) -> list[str]:
    """The ports that datapath actions send a packet to: numbers that stand by themselves."""
    while "(" in actions and (without := _PARENTHESES.sub("", actions)) != actions:
        actions = without
    return [names.get(each, each) for each in actions.split(",") if each.isdecimal()]
