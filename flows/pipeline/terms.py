# SPDX-License-Identifier: Apache-2.0
"""What a logical flow is made of where OVN and OpenFlow do not say it in the same way.

Most terms are the same in both but for names: a test of a field, ``Is``, and the actions
``Load``, ``Move``, ``Resubmit`` and ``OutputInPort`` (see :mod:`flows.pipeline.flow`).  Those
here have one form for a logical flow, ``ovn``, and another for flows, ``openflow``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

from ovs_dhcpd.flows.pipeline.flow import (
    IN_PORT,
    TAGGED,
    UNTAGGED,
    Action,
    Field,
    Is,
    Load,
    Move,
    OutputInPort,
    Pause,
    Protocol,
    Resubmit,
    tagged,
)
from ovs_dhcpd.flows.userdata.action_text import format_action
from ovs_dhcpd.flows.userdata.codec import LogicalAction, encode_userdata


class Condition(ABC):
    """A term of a match."""

    @property
    @abstractmethod
    def ovn(self) -> str:
        """What a logical flow has for it; empty: nothing."""

    @abstractmethod
    def openflow(self, ofport: int) -> tuple[tuple[Is, ...], ...]:
        """What flows have for it if the port is the bridge's port ``ofport``.

        Each of them is a match of a flow of its own: they are alternatives.
        """


@dataclass(frozen=True)
class From(Condition):
    """The packet comes from the port ``name``: in OVN its name, in OpenFlow its number and VLAN.

    ``tag`` is that of the port's packets, None if they have none.
    """

    name: str
    tag: int | None = None

    @property
    def ovn(self) -> str:
        """``inport == "name"``."""
        return f'inport == "{self.name}"'

    def openflow(self, ofport: int) -> tuple[tuple[Is, ...], ...]:
        """``in_port=number``, and ``dl_vlan=tag`` or that there is none."""
        assert ofport, "flows of a port need its number"
        return ((Is(IN_PORT, ofport), tagged(self.tag) if self.tag else UNTAGGED),)


@dataclass(frozen=True)
class FromAnyVlan(Condition):
    """The packet comes from the port ``name`` and has a tag, that of VLAN 0 too."""

    name: str

    @property
    def ovn(self) -> str:
        """``inport == "name" && vlan.present``."""
        return f'inport == "{self.name}" && vlan.present'

    def openflow(self, ofport: int) -> tuple[tuple[Is, ...], ...]:
        """``in_port=number``, and that there is a tag."""
        assert ofport, "flows of a port need its number"
        return ((Is(IN_PORT, ofport), TAGGED),)


@dataclass(frozen=True)
class OneOf(Condition):
    """``field`` has one of ``values``: in OVN a set, in OpenFlow a flow for each of them."""

    field: Field
    values: tuple[int, ...]

    @property
    def ovn(self) -> str:
        """``field == {value, value}``."""
        return f"{self.field.ovn} == {{{', '.join(map(self.field.show, self.values))}}}"

    def openflow(self, ofport: int) -> tuple[tuple[Is, ...], ...]:
        """``field=value`` for each of them; the last, with which clients begin, comes first."""
        return tuple([(Is(self.field, value),) for value in reversed(self.values)])


@dataclass(frozen=True)
class Predicate(Condition):
    """A name of OVN for several ``terms`` together (ovn-sb(5), "Predicates")."""

    name: str
    terms: tuple[Is, ...]

    @property
    def ovn(self) -> str:
        """The name."""
        return self.name

    def openflow(self, ofport: int) -> tuple[tuple[Is, ...], ...]:
        """The terms that the name stands for."""
        return (self.terms,)


@dataclass(frozen=True)
class MatchInOpenFlow(Condition):
    """A ``term`` that in OVN is true without being said."""

    term: Is

    @property
    def ovn(self) -> str:
        """Empty: OVN is not told."""
        return ""

    def openflow(self, ofport: int) -> tuple[tuple[Is, ...], ...]:
        """The term."""
        return ((self.term,),)


class Step(ABC):
    """A term of the actions."""

    @property
    @abstractmethod
    def ovn(self) -> str:
        """What a logical flow has for it; empty: nothing."""

    @property
    @abstractmethod
    def openflow(self) -> tuple[Action, ...]:
        """What a flow has for it."""


@dataclass(frozen=True)
class Put(Step):
    """Ask the controller: in OVN ``put_dhcp_opts`` and its like, in OpenFlow a pause."""

    opts: LogicalAction

    @property
    def ovn(self) -> str:
        """``reg0[3] = put_dhcp_opts(…);``, or what else it is."""
        return format_action(self.opts)

    @cached_property
    def openflow(self) -> tuple[Action, ...]:
        """``controller(userdata=…,pause)``; the same for all flows that ask this."""
        return (Pause(encode_userdata(self.opts)),)


@dataclass(frozen=True)
class DoInOpenFlow(Step):
    """``actions`` that OVN does without being told."""

    actions: tuple[Action, ...]

    @property
    def ovn(self) -> str:
        """Empty: OVN is not told."""
        return ""

    @property
    def openflow(self) -> tuple[Action, ...]:
        """The actions."""
        return self.actions


@dataclass(frozen=True)
class Drop(Step):
    """Do nothing with the packet."""

    @property
    def ovn(self) -> str:
        """``drop;``."""
        return "drop;"

    @property
    def openflow(self) -> tuple[Action, ...]:
        """No action."""
        return ()


MatchTerm = Protocol | Is | Condition
ActionTerm = Load | Move | Resubmit | OutputInPort | Step
_SAME_IN_BOTH = (Load, Move, Resubmit, OutputInPort)


def match_text(match: tuple[MatchTerm, ...]) -> str:
    """The match of a logical flow.

    A protocol's name is left out where a field says it: ``udp.dst == 67`` is of UDP as it is
    (ovn-sb(5), "Prerequisites").
    """
    said = {field.ovn.partition(".")[0] for field in _fields(match)}
    texts: list[str] = []
    for term in match:
        if isinstance(term, Protocol):
            texts += [name for name in term.ovn if name not in said]
        else:
            texts.append(term.ovn)
    return " && ".join(filter(None, texts))


def _fields(match: tuple[MatchTerm, ...]) -> list[Field]:
    """The fields whose names, or predicates with them, are in the match."""
    fields: list[Field] = []
    for term in match:
        if isinstance(term, Is | OneOf):
            fields.append(term.field)
        elif isinstance(term, Predicate):
            fields += [each.field for each in term.terms]
    return fields


def action_text(actions: tuple[ActionTerm, ...]) -> str:
    """The actions of a logical flow."""
    return " ".join(filter(None, [term.ovn for term in actions]))


def openflow_matches(
    match: tuple[MatchTerm, ...], ofport: int
) -> tuple[Protocol | None, list[list[Is]]]:
    """The protocol of the flows, and their matches: one for each choice of alternatives."""
    protocol = None
    matches: list[list[Is]] = [[]]
    for term in match:
        if isinstance(term, Is):
            for terms in matches:
                terms.append(term)
        elif isinstance(term, Protocol):
            protocol = term
        else:
            alternatives = term.openflow(ofport)
            matches = [[*before, *terms] for terms in alternatives for before in matches]
    return protocol, matches


def openflow_actions(actions: tuple[ActionTerm, ...]) -> tuple[Action, ...]:
    """The actions of a flow."""
    found: list[Action] = []
    for term in actions:
        if isinstance(term, _SAME_IN_BOTH):
            found.append(term)
        else:
            found += term.openflow
    return tuple(found)
