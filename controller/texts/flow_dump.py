# SPDX-License-Identifier: Apache-2.0
"""Lines of ``ovs-ofctl dump-flows``: whose a flow of ours is, and a flow without hexadecimal.

A cookie is a hash, and says no more than that the flow is ours.  Whose it is, its port, MAC, VLAN
and ``metadata`` say, to who knows what the daemon serves; a port's name stands in the dump itself
if that is made with ``--names``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ovs_dhcpd.controller.texts.bindings_list import Bound
from ovs_dhcpd.flows.options.wording import escape
from ovs_dhcpd.flows.pipeline.flow import COOKIE_PREFIX, show_port
from ovs_dhcpd.flows.pipeline.logical_flow import key_of
from ovs_dhcpd.flows.userdata.annotate import USERDATA, explain_hex

from ovs_dhcpd import PROGRAM

_OURS = re.compile(rf"\bcookie=0x{COOKIE_PREFIX:x}[0-9a-f]{{12}}\b")
_NAME = r'"(?:[^"\\]|\\.)*"|[^\s,]+'
_IN_PORT = re.compile(rf"\bin_port=({_NAME})")
_MAC = re.compile(r"\bdl_src=((?:[0-9a-f]{2}:){5}[0-9a-f]{2})(?=[\s,]|$)")
_TAG = re.compile(r"\bdl_vlan=([0-9]+)")
_NETWORK = re.compile(
    r"\bmetadata=0x([0-9a-f]+)|\bset_field:0x([0-9a-f]+)->metadata"
    r"|\bload:0x([0-9a-f]+)->OXM_OF_METADATA\[\]"
)
_LONG_HEX = re.compile(r"\b0x[0-9a-f]{17,}")
_REPLY = re.compile(r"[A-Z]+ST_FLOW reply \(")
# Of a flow's statistics how often it was met is what one looks for.
_LEFT_OUT = re.compile(r"(cookie|duration|n_bytes|idle_age|hard_age|idle_timeout|hard_timeout)=")


class _Said(NamedTuple):
    """What a line of a dump says of the owner of its flow."""

    in_port: str | None
    mac: str | None
    tag: int | None
    network_key: int | None

    def may_be_of(self, bound: Bound) -> bool:
        """Whether it says nothing else than the port has, but for its number."""
        if self.network_key is not None and key_of(bound.network) != self.network_key:
            return False
        return self.in_port is None or (self.tag == bound.tag and self.mac in (None, bound.mac))


class Owners:
    """Who owns a flow of ours.

    ``ask`` has what the daemon serves, nothing if it cannot be asked; it is called once, if there
    is a flow of ours.
    """

    def __init__(self, ask: Callable[[], Iterable[Bound]]) -> None:
        self._ask = ask
        self._bindings: list[Bound] | None = None
        self._at: dict[str, list[Bound]] = {}  # by number, and by the interface's name

    def of(self, line: str) -> str:
        """Whose the line's flow is, in a few words; empty if it is not ours."""
        if not _OURS.search(line):
            return ""
        said = _said(line)
        found = [bound for bound in self._candidates(said) if said.may_be_of(bound)]
        networks = {escape(bound.network) for bound in found}
        if said.in_port is None:
            return f"all of {networks.pop()}" if len(networks) == 1 else PROGRAM
        name = f"port {said.in_port}" if said.in_port.isdecimal() else escape(said.in_port)
        ports = {(escape(bound.port), escape(bound.interface)) for bound in found}
        if len(ports) != 1:
            return f"{PROGRAM}, {name}"
        ((port, interface),) = ports
        of = f" of {networks.pop()}" if len(networks) == 1 else ""
        where = f" ({interface})" if interface and interface != port else ""
        return f"{port}{of}{where}"

    def _candidates(self, said: _Said) -> list[Bound]:
        if self._bindings is None:
            self._bindings = list(self._ask())
            for bound in self._bindings:
                for name in {bound.interface, show_port(bound.ofport)}:
                    self._at.setdefault(name, []).append(bound)
        if said.in_port is not None:
            return self._at.get(said.in_port, [])
        return self._bindings if said.network_key is not None else []


def _said(line: str) -> _Said:
    in_port, mac, tag = _IN_PORT.search(line), _MAC.search(line), _TAG.search(line)
    key = _NETWORK.search(line)
    return _Said(
        in_port[1].strip('"') if in_port else None,
        mac[1] if mac else None,
        int(tag[1]) if tag else None,
        int(next(filter(None, key.groups())), 16) if key else None,
    )


def annotate(line: str, owners: Owners) -> Iterator[str]:
    """The line itself, then whose the flow is, and an indented line for each userdata in it."""
    yield line
    if who := owners.of(line):
        yield f"    # {who}"
    for found in USERDATA.finditer(line):
        yield f"    {explain_hex(found[1])}"


def shorten(line: str, owners: Owners) -> Iterator[str]:
    """The flow in one line, whose it is first, and without what is in hexadecimal.

    Each userdata is explained in its place.  What is no flow stays, but for the dump's own head.
    """
    head, actions_follow, actions = line.strip().partition(" actions=")
    if not actions_follow:
        if not _REPLY.match(line):
            yield line
        return
    terms = [term for term in head.split(", ") if not _LEFT_OUT.match(term)]
    match = [term for term in terms.pop().split(",") if "0x" not in term]
    shown = ", ".join([*terms, ",".join(match)] if match else terms)
    done = ", ".join(_action(each) for each in _split(actions) if not _is_hex(each))
    who = owners.of(line)
    yield f"{who}{': ' if who else ''}{shown} actions={done or 'drop'}"


def _is_hex(action: str) -> bool:
    return "0x" in action or action == "set_field:0->metadata"


def _action(action: str) -> str:
    found = USERDATA.search(action)
    return _LONG_HEX.sub("…", explain_hex(found[1])).removesuffix(";") if found else action


def _split(actions: str) -> Iterator[str]:
    """The actions by themselves: commas inside of parentheses separate none."""
    depth = start = 0
    for at, character in enumerate(actions):
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            yield actions[start:at]
            start = at + 1
    yield actions[start:]
