# SPDX-License-Identifier: Apache-2.0
"""Who is served what, and why not: every rule, and the words for every refusal.

A port has a name: the iface-id of its interface, or without one the interface's own name.

1.  An interface that is named both ways is served by its iface-id, and an iface-id that stands on
    several interfaces by one of them.
2.  The first source that knows the port is believed.
3.  A port that no source knows belongs to a network with a pool: to the one that its
    ``dhcp-network`` names (``none``: to none), else, if it is a guest's and no second source is
    about its bridge, to the one of the VLAN of what it sends without a tag, else to the bridge's
    only one.  Where the network names the guest's MAC for a port that is not plugged in, the guest
    is served what that port would be.
4.  It is served where its network is: on another bridge it is not.  Nor is it on another host, or
    by another version of its interface, than its source says.
5.  A sub-port is where its parent is, and is served the packets that have its tag, if the parent's
    port carries that VLAN with its tag; of two with the same tag it is the first by name.  Parent
    and sub-port may have the same MAC.  Who has no parent is served what comes without a tag, or
    with that of VLAN 0, which is none.  A port that rule 3 is about, and whose row says that it is
    a trunk, has a sub-port for each VLAN that a network with a pool has for its ``tag``.  External
    ports are behind an uplink, any number of them in one VLAN or without a tag.
6.  Addresses that its network's pool owes it are :mod:`controller.ports.pools`' to choose.  It is
    asked whether somebody has one that is chosen anew (:mod:`controller.ports.probes`).  They
    are served once they are remembered in the interface's row, never before, and forgotten when
    the port is served something else.  Who is named no more and falls into a pool keeps the
    address that it was served by its name.

Ports that are looked at together first let go of all that they have: what one no longer has may
be another's, whoever comes first.  Then they take in order: who is remembered with an owner or was
served until now, before a restart or by its name, comes before who wants the same.

Who is refused something because others have it waits, and is looked at again when somebody has
let go of something.  So does who may yet be named, until all sources have been read.

What is refused is never silent: each line says which port, what is wrong and what was expected.

A fault of ours in deciding for a port costs this port, which is then served nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from ovs_dhcpd.controller.ports.declines import Decline, Declines
from ovs_dhcpd.controller.ports.fault import INTERNAL_ERROR, Fault
from ovs_dhcpd.controller.ports.index import Index
from ovs_dhcpd.controller.ports.interface import (
    KEEP_OUT,
    NETWORK,
    NO_MEMORY,
    Interface,
    Memory,
)
from ovs_dhcpd.controller.ports.lately import Lately
from ovs_dhcpd.controller.ports.pools import Pools, named_by_mac
from ovs_dhcpd.controller.ports.probes import Meaning, Said, meaning
from ovs_dhcpd.controller.ports.world import StillWorld, World
from ovs_dhcpd.flows.bindings.network import Binding, Network, Parent, Port
from ovs_dhcpd.flows.bindings.pool import Address
from ovs_dhcpd.flows.bindings.probe import Probe
from ovs_dhcpd.flows.options.wording import either, escape, first_lines, hint

# Of these lines others than the log are told what they mean (:mod:`controller.why`).
PLUGGED_INTO = "is plugged into"
IN_NO_NETWORK = "is in no network"

Where = tuple[uuid.UUID, int]  # the row of an interface, and the VLAN behind it; 0: its own


@dataclass(frozen=True)
class Served:
    """What a port is served, and where it is plugged in.

    `probes` are to be asked before it is served more than that.  `parent` is the port behind which
    it is, if it is a sub-port.
    """

    bridge: str
    ofport: int
    bindings: tuple[tuple[Network, Port], ...] = ()
    probes: tuple[Probe, ...] = ()
    parent: str | None = None


@dataclass(frozen=True)
class Ours:
    """Another daemon asks for an address of a port of ours: from `mac` it is told so.

    That is the guest's, if it is known: who asks for that guest, as it moves there, may have it.
    """

    mac: bytes


@dataclass(frozen=True)
class Decision:
    """What is to be done about the ports that were looked at, by their names.

    `plugged` says whether they are plugged in, for sources that want to know.  `stop` are those
    that are no longer served on a bridge, `serve` those that are served from now on, just this.
    `refused` says what of each is left out, one line each; no line: nothing.  `remember` is what
    is to be written into rows of interfaces.  `faults` are ours.
    """

    plugged: Mapping[str, bool] = field(default_factory=dict)
    stop: Mapping[str, str] = field(default_factory=dict)
    serve: Mapping[str, Served] = field(default_factory=dict)
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remember: Mapping[Where, Memory] = field(default_factory=dict)
    faults: Sequence[Fault] = ()


class Binder:
    """Keeps who is served what from one decision to the next: `served`, by the names of ports.

    `unserved` says of ports that are plugged in why they are served nothing, where nothing is
    refused.

    ``salt`` is another one than that of other hosts (:func:`flows.bindings.probe.probing_mac`).
    """

    def __init__(self, salt: bytes = b"") -> None:
        self.served: dict[str, Served] = {}
        self.unserved: dict[str, str] = {}
        self._sub_ports: Index[str, str] = Index()  # that are served, by their parents
        self._parent_of: dict[str, str] = {}  # by those that are not external, served or not
        self._pools = Pools(salt)
        self._declines = Declines()
        self._waiting: set[str] = set()
        self._were_ready = False

    def decide(self, names: Set[str], world: World) -> Decision:
        """What is to be done now that something about the ports ``names`` may have changed.

        Their interfaces' other names are looked at too, and then those who wait.
        """
        view = _View(world)
        looked_at: dict[str, tuple[str, ...]] = {}
        before: dict[str, Served | None] = {}
        faults: list[Fault] = []

        def look_at(names: Iterable[str]) -> None:
            for name in names:
                before.setdefault(name, self.served.get(name))
                self.let_go(name)
            for name in view.ranked(names, self._pools.lately):
                self._note_parent(name, view)
                port = f"port {escape(name)}"
                try:
                    lines = [*self._look_at(name, view)]
                except Exception as error:
                    faults.append(Fault(port, error))
                    lines = [INTERNAL_ERROR]
                    self.let_go(name)
                looked_at[name] = tuple(f"{port}: {line}" for line in first_lines(lines))

        names = self._concerned(names, view)
        look_at({*names, *self._pools.stand_ins(names)})
        ready, self._were_ready = self._were_ready, world.ready
        freed = self._pools.take_freed()
        if ready != self._were_ready:
            look_at(self._waiting | view.world.sub_ports(self._waiting))
        elif freed:
            for name in view.ranked(self._waiting, self._pools.lately):
                if self._pools.may_gain(name):
                    look_at((name,))
        serve = {name: self.served[name] for name in looked_at if name in self.served}
        return Decision(
            plugged={name: view.plugged(name) is not None for name in looked_at},
            stop={
                name: was.bridge
                for name, was in before.items()
                if was and (name not in serve or serve[name].bridge != was.bridge)
            },
            serve=serve,
            refused=looked_at,
            remember=view.remembered,
            faults=faults,
        )

    def decline(
        self, where: tuple[str, int, int], address: Address, now_s: float, world: World
    ) -> Decline | None:
        """What becomes of ``address``, which a client behind a port declines at ``now_s``.

        ``where`` is a bridge, an ofport, and the tag of its packets, 0 if they have none.  The port
        is to be looked at then.  None: nothing, as it does not have it, or it is known.  The time
        is in seconds since 1970.
        """
        view = _View(world)
        for name, served in self.served.items():
            if (served.bridge, served.ofport) != where[:2]:
                continue
            for network, port in served.bindings:
                if address not in port.addresses or (port.tag or 0) != where[2]:
                    continue
                if interface := view.plugged(name):
                    return self._declines.hear(network, port, interface, address, now_s, world)
        return None

    def unanswered(self, name: str, probe: Probe) -> bool:
        """Nobody has answered what is asked for the port; whether it is to be looked at then."""
        served = self.served.get(name)
        known = self._pools.probes.are_free(name, (probe,))
        if served is None or probe not in served.probes or known:
            return False
        self._pools.probes.note_free(name, probe)
        return True

    def hear(self, bridge: str, said: Said, now_s: float, world: World) -> Decline | Ours | None:
        """What comes of something that is said at ``now_s``, in seconds since 1970.

        The port of a :class:`Decline` is to be looked at then.  None: nothing.
        """
        networks = world.networks(bridge)
        names = self._pools.claimants(networks.values(), said.address) & self.served.keys()
        at = world.interfaces.at(bridge, said.ofport) if names else None
        view = _View(world)
        for name in sorted(names):
            served = self.served[name]
            for probe in served.probes:
                is_given = self._pools.probes.are_free(name, (probe,))
                found = meaning(probe, served.ofport, said, at, is_given=is_given)
                if found is Meaning.OURS:
                    return Ours(probe.mac or probe.source)
                network = networks.get(probe.network)
                if found is Meaning.TAKEN and network:
                    taken = self._declines.taken(network, name, said, at, now_s, world)
                    if not taken.parked:
                        self._pools.probes.note_free(name, probe)
                    return taken
            for network, port in served.bindings:
                interface = view.plugged(name) if said.address in port.addresses else None
                if interface and network.pool and network.pool.probe:
                    given = self._pools.probes.of(network, port, interface, said.address, port.mac)
                    if meaning(given, served.ofport, said, at, is_given=True) is Meaning.OURS:
                        return Ours(given.mac or given.source)
        return None

    def unpark(self, network: str, address: Address) -> None:
        """The address is parked no longer: who waits may have it."""
        self._pools.unpark(network, address)

    def take_over(self, names: Iterable[str]) -> None:
        """Another process has served these ports until now, and written what stands in their rows.

        They are to be looked at then.
        """
        for name in names:
            self._pools.take_over(name)

    def _concerned(self, names: Set[str], view: _View) -> set[str]:
        """All that are to be looked at along with these.

        Where only sub-ports have changed, what that means for the others behind their parent is
        that another may have their tag now: of who is served, and is still to be, one in the same
        VLAN, and of all others any.
        """
        own = {*names, *view.aliases(names)}
        parents = {*self._parents(names), *view.parents(names)}
        parents = {*parents, *view.aliases(parents)} - own
        behind = self._behind(own) | view.world.sub_ports(own)
        unsettled = self._behind(parents) ^ view.world.sub_ports(parents)
        return own | parents | behind | unsettled | view.of_the_same_vlans(names)

    def _parents(self, names: Set[str]) -> set[str]:
        """The ports behind which these were when they were last looked at."""
        return {self._parent_of[name] for name in names if name in self._parent_of}

    def _note_parent(self, name: str, view: _View) -> None:
        self._parent_of.pop(name, None)
        for parent in view.parents({name}):
            self._parent_of[name] = parent

    def _behind(self, names: Set[str]) -> set[str]:
        """The sub-ports of these ports that are served, whether they are to be still or not."""
        return {each for name in names for each in self._sub_ports[name]}

    def let_go(self, name: str) -> None:
        """The port has nothing, and waits for nothing."""
        self.unserved.pop(name, None)
        served = self.served.pop(name, None)
        if served and served.parent:
            self._sub_ports.discard(served.parent, name)
        self._pools.release(name)
        self._waiting.discard(name)

    def _look_at(self, name: str, view: _View) -> Iterator[str]:
        """Decide what the port is served; yields what is refused, without the port's name."""
        interface = view.plugged(name)
        if interface is None:
            self._pools.forget(name)
            self._declines.forget(name)
            if itself := view.world.interfaces.plugged(name):
                yield f"is plugged in as {escape(itself.name)}, expected behind its parent"
            return
        self._pools.look_at(name)
        binding = self._binding(name, interface, view)
        if elsewhere := binding.placement.why_not(interface.version, view.world.interfaces.host):
            yield elsewhere
            return
        yield from binding.refused
        if binding.served:
            for twin in view.world.interfaces.twins(interface):
                first, other = escape(interface.name), escape(twin)
                what = f"is plugged in as {first} and as {other}, expected one of them"
                yield f"{what}; {first} is served"
        bindings: list[tuple[Network, Port]] = []
        probes: list[Probe] = []
        for network, port in binding.served:
            if network.bridge != interface.bridge:
                where = escape(interface.bridge)
                yield f"{PLUGGED_INTO} {where}, expected {escape(network.bridge)}"
                continue
            given = self._pools.give(network, port, interface, view.world.interfaces)
            if given.refused:
                self._waiting.add(name)
            yield from given.refused
            probes += given.probes
            if given.memory is not None:
                view.remember(interface, given.memory)
            if given.port is None:
                continue
            port = given.port
            if (network.guard or network.guarded(port)) and not port.trunk:
                port = replace(port, vlans=_vlans_of(interface, view.world))
            bindings.append((network, port))
        if binding.unserved:
            self.unserved[name] = binding.unserved
        if probes and not bindings:
            asked = " and ".join(str(probe.address) for probe in probes)
            self.unserved[name] = f"it is asked whether somebody has {asked}"
        if bindings or probes:
            assert interface.ofport
            parent = binding.served[0][1].parent
            self.served[name] = Served(
                interface.bridge,
                interface.ofport,
                tuple(bindings),
                tuple(probes),
                parent.name if parent else None,
            )
            if parent:
                self._sub_ports.add(parent.name, name)
        if bindings:
            yield from self._declines.lines(name, bindings)
            self._pools.lately.note(interface, bindings)

    def _binding(self, name: str, interface: Interface, view: _View) -> Binding:
        """What the sources or the interface itself say of the port; addresses may be lacking.

        The lines in its `refused` do not say the port's name.
        """
        known_by = view.world.knowing(name)
        if name != interface.key:
            its_key = escape(interface.key)
            if not known_by:
                return Binding(unserved=f"is port {its_key}, by its iface-id")
            if view.world.knowing(interface.key):
                what = f"is port {its_key} too, by its iface-id, expected one of the two names"
                return Binding(refused=(what,))
        if not known_by:
            return self._unnamed(name, interface, view)
        first, *others = known_by
        parent = first.parent(name)
        if parent and (refused_tag := self._refused_tag(name, parent, interface, view)):
            return Binding(refused=(refused_tag,))
        binding = first.binding(name) or Binding()
        refused = [*binding.refused]
        for other in others:
            what = f"is in {other} and in {first}, expected it in one of them"
            refused.append(f"{what}; {first} is followed")
        return replace(binding, refused=tuple(refused))

    @staticmethod
    def _refused_tag(name: str, parent: Parent, interface: Interface, view: _View) -> str:
        """Why a sub-port cannot have its tag; empty: it can."""
        behind = view.world.interfaces.plugged(parent.name)
        alike = view.sub_ports(behind)[parent.tag] if behind and not parent.shared else [name]
        if (first := alike[0]) != name:
            return f"tag: {parent.tag} is that of {escape(first)} too, expected another"
        where = f"{interface.vlans.mode} port {escape(interface.name)}"
        if not parent.tag and interface.vlans.untagged is None:
            return f"tag: none, and {where} carries nothing without one, expected one that it does"
        if parent.tag and parent.tag not in interface.vlans.tagged:
            return f"tag: {parent.tag} is not carried with its tag by {where}, expected one that is"
        return ""

    def _unnamed(self, name: str, interface: Interface, view: _View) -> Binding:
        """What a port is served that no source knows."""
        world = view.world
        if world.knowing(interface.name):
            return Binding(unserved=f"is port {escape(interface.name)}, by its interface's name")
        if waited_for := world.awaited(interface.bridge):  # it may be named yet
            self._waiting.add(name)
            return Binding(unserved=f"{waited_for} has not been read yet, and may name it")
        if interface.network == KEEP_OUT:
            view.forget(interface)
            self._pools.forget(interface.key)
            return Binding(unserved=f"external_ids:{NETWORK}={KEEP_OUT} keeps it out")
        networks = world.networks(interface.bridge)
        if interface.behind:
            return _vlan_guest(name, world.parent(name), networks)
        pools = [network.name for network in networks.values() if network.pool]
        if not pools:
            where = escape(interface.bridge)
            return Binding(unserved=f"nobody names it, and no network of {where} has a pool")
        # Beside another source it may be the other's, which hears of it later.
        alone = len(world.about(interface.bridge)) == 1
        wanted = interface.network
        if wanted is not None:
            what = f"{NETWORK}: {escape(wanted)}, expected {either(pools)}{hint(wanted, pools)}"
        elif not interface.is_guest:
            return Binding(unserved=f"is no guest by its looks, and has no external_ids:{NETWORK}")
        elif not alone:
            what = f"nobody names it, and beside a second source it needs external_ids:{NETWORK}"
            return Binding(unserved=what)
        else:
            if interface.vlans.untagged is None:
                what = f"{interface.vlans.mode} port that takes nothing without a tag"
                return Binding(unserved=f"is a {what}")
            wanted = _network_of(networks, interface.tag)
            if wanted in networks and wanted not in pools:
                return Binding(unserved=f"nobody names it, and {escape(wanted)} has no pool")
            tag = f" (tag {interface.tag})" if interface.tag else ""
            what = f"{IN_NO_NETWORK}{tag}, expected external_ids:{NETWORK}={either(pools, '|')}"
        if wanted not in pools:
            return Binding(refused=(what,))
        network = networks[wanted]
        port = named_by_mac(network, interface)
        if port and view.plugged(port.name) is None:
            self._pools.stand_in(name, port.name)
            return Binding(((network, replace(port, name=name)),))
        return Binding(((network, Port(name, None, (), {}, dynamic=True)),))


def _vlans_of(interface: Interface, world: World) -> frozenset[int] | None:
    """The VLANs of which a guarded port may send packets: those of its sub-ports.

    None: any, as its row says that it is a trunk, or it is a sub-port itself.
    """
    if interface.behind or (interface.vlans.is_said and interface.vlans.tagged):
        return None
    sub_ports = world.sub_ports({interface.name, interface.key})
    parents = [parent for each in sub_ports if (parent := world.parent(each))]
    return frozenset(parent.tag for parent in parents)


def _vlan_guest(name: str, parent: Parent | None, networks: Mapping[str, Network]) -> Binding:
    """What a VLAN behind a trunk is served that nobody names."""
    for network in networks.values():
        if network.pool and parent and network.tag == parent.tag:
            return Binding(((network, Port(name, None, (), {}, dynamic=True, parent=parent)),))
    return Binding()


def _network_of(networks: Mapping[str, Network], tag: int | None) -> str | None:
    """The name of the one network that a port of the VLAN ``tag`` may be in.

    One that has sub-ports alone is theirs.
    """
    candidates = [
        network
        for network in networks.values()
        if network.pool or not network.ports or not all(port.parent for port in network.ports)
    ]
    found = [
        network.name
        for network in candidates
        if network.tag == tag or (network.tag is None and len(candidates) == 1)
    ]
    return found[0] if len(found) == 1 else None


class _View:
    """The world, in which what is to be remembered by this decision is remembered already."""

    def __init__(self, world: World) -> None:
        self.world = StillWorld(world.interfaces, world.sources)
        self.remembered: dict[Where, Memory] = {}
        self._whole: dict[uuid.UUID, Interface] = {}  # as their own ports see them
        self._changed: dict[uuid.UUID, Interface] = {}
        self._sub_ports: dict[uuid.UUID, dict[int, list[str]]] = {}

    def plugged(self, name: str) -> Interface | None:
        """The interface of the port ``name``, if it is plugged in; of a sub-port its parent's.

        Of what stands in its row that is the parent's view, which remembers other addresses.
        """
        parent = self.world.parent(name)
        interface = self.world.interfaces.plugged(parent.name if parent else name)
        if interface is None:
            return None
        self._whole[interface.row] = interface
        interface = self._changed.get(interface.row, interface)
        return interface.seen_by(name, parent.tag) if parent else interface

    def sub_ports(self, behind: Interface) -> Mapping[int, list[str]]:
        """By tag, the sub-ports of an interface, in the order of names, but for external ports."""
        if behind.row not in self._sub_ports:
            found: dict[int, list[str]] = {}
            names = {behind.name, behind.key}
            for name in sorted(self.world.sub_ports(names)):
                parent = self.world.parent(name)
                if parent and parent.name in names and not parent.shared:
                    found.setdefault(parent.tag, []).append(name)
            self._sub_ports[behind.row] = found
        return self._sub_ports[behind.row]

    def of_the_same_vlans(self, names: Set[str]) -> set[str]:
        """Those of ``names`` that are sub-ports, and who is in the same VLAN behind the parent."""
        behind = filter(None, map(self.world.interfaces.plugged, self.parents(names)))
        by_vlan = [each for interface in behind for each in self.sub_ports(interface).values()]
        return {one for each in by_vlan if not names.isdisjoint(each) for one in each}

    def aliases(self, names: Set[str]) -> Iterator[str]:
        """All names of the interfaces that have one of ``names``."""
        for name in names:
            if interface := self.world.interfaces.plugged(name):
                yield interface.name
                yield interface.key
                yield from self.world.interfaces.twins(interface)

    def parents(self, names: Set[str]) -> set[str]:
        """The parents of ``names``, but for what many are behind."""
        parents = map(self.world.parent, names)
        return {parent.name for parent in parents if parent and not parent.shared}

    def ranked(self, names: Iterable[str], lately: Lately) -> list[str]:
        """Who has been served before comes before who wants the same."""

        def rank(name: str) -> tuple[bool, str]:
            interface = self.plugged(name)
            served = interface and (interface.memory.owner is not None or interface.key in lately)
            return not served, name

        return sorted(names, key=rank)

    def remember(self, interface: Interface, memory: Memory) -> None:
        """Have this written into the interface's row, in place of what is there."""
        row, tag = interface.row, interface.behind
        self.remembered[row, tag] = memory
        whole = self._changed.get(row) or self._whole[row]
        self._changed[row] = whole.remembering(memory, tag)

    def forget(self, interface: Interface) -> None:
        """Take out of the row what we have written there: it has an owner."""
        if interface.memory.owner is not None:
            self.remember(interface, NO_MEMORY)
