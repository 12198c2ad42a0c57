# SPDX-License-Identifier: Apache-2.0
"""The links between the daemon and a guest's address, and what is found at each: all the words.

A link that is broken keeps the guest from its address, and the first of these is what is to be
mended.  A warning does not.  What is not known is not guessed.  Why the binder refuses a port, or
leaves it alone, it has said itself (:mod:`controller.ports.binder`): its lines are put where they
belong, never worded again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address
from shlex import quote

from ovs_dhcpd.controller.leases.lease import BOUND, EXPIRED, REFUSED
from ovs_dhcpd.controller.leases.lease import DECLINED as DECLINED_LEASE
from ovs_dhcpd.controller.ports.binder import IN_NO_NETWORK, PLUGGED_INTO
from ovs_dhcpd.controller.ports.declines import DECLINED
from ovs_dhcpd.controller.ports.interface import (
    ADDRESSES,
    ATTACHED_MAC,
    IFACE_ID,
    KEEP_OUT,
    NETWORK,
)
from ovs_dhcpd.controller.ports.pools import NO_ADDRESS
from ovs_dhcpd.controller.why.facts import BridgeFacts, Facts
from ovs_dhcpd.controller.wire.flow_stats import FlowCounts
from ovs_dhcpd.flows.bindings.mac import parse_mac
from ovs_dhcpd.flows.options.wording import START_SWITCH, either, escape
from ovs_dhcpd.flows.pipeline.flow import (
    ICMP6,
    ND_TARGET,
    UDP,
    UDP6,
    Flow,
    Pause,
    show_port,
)

from ovs_dhcpd import PROGRAM

TYPE = "; type: "  # ends a line that says what to do
APPCTL = f"ovs-appctl -t {PROGRAM}"

_ASKED = {UDP: "DHCPv4", UDP6: "DHCPv6", ICMP6: "router advertisements"}


class Verdict(Enum):
    """What is found at a link, in the word that users see."""

    OK = "ok"
    WARNING = "warning"
    UNKNOWN = "not known"
    BROKEN = "broken"


@dataclass(frozen=True)
class Link:
    """One link: what it is called, what is found, in a sentence, and what to do about it.

    `mend` is to be typed; where no command mends it, it says what does.
    """

    name: str
    verdict: Verdict
    text: str
    mend: str = ""


@dataclass(frozen=True)
class Chain:
    """All links, in order."""

    facts: Facts
    links: tuple[Link, ...]

    @property
    def broken(self) -> Link | None:
        """The first that is broken."""
        return next((link for link in self.links if link.verdict is Verdict.BROKEN), None)

    @property
    def served(self) -> bool:
        """Whether the guest has what it asks for, as far as that is ours."""
        return self.facts.is_served and self.broken is None

    @property
    def headline(self) -> str:
        """What there is to say first, in a line."""
        what = escape(self.facts.asked_for)
        broken = self.broken
        if broken and broken.name == "asked":
            return f"{what} is served {_what_is_served(self.facts)}, and {broken.text}"
        if broken:
            return not_served(self.facts.asked_for, broken.text)
        if not self.facts.is_served:
            return f"{what} is not served"
        asked = next((link.text for link in self.links if link.name == "asked"), "")
        return f"{what} is served {_what_is_served(self.facts)}{asked and f'; {asked}'}"

    @property
    def mend(self) -> str:
        """What to do about the first that is broken."""
        return self.broken.mend if self.broken else ""


def chain_of(facts: Facts) -> Chain:
    """What these facts mean, link by link; without the database nothing is known of ports."""
    links = [_daemon(facts), _configuration(facts), *_bridge(facts)]
    if facts.database_ready:
        links += [
            _plugged_in(facts),
            *_network(facts),
            *_mac(facts),
            *_address(facts),
            *_flows(facts),
        ]
    return Chain(facts, tuple(links))


def not_served(asked_for: str, why: str) -> str:
    """What there is to say first where the port is not served."""
    return f"{escape(asked_for)} is not served: {why}"


def rewrite(where: str, mac: str, addresses: str) -> str:
    """What to do where a port is named with another MAC than its guest's."""
    return f'write {where}: addresses: "{mac} {addresses}"'


def no_daemon(asked_for: str, why: str, mend: str) -> Chain:
    """What there is to say where no daemon can be asked, for the reason ``why``."""
    link = Link("daemon", Verdict.BROKEN, why, mend)
    return Chain(Facts(asked_for=asked_for, port=asked_for), (link,))


# -- The daemon, and what it has read.


def _daemon(facts: Facts) -> Link:
    if not facts.database_ready:
        what = f"{facts.database}: the Open_vSwitch database is not read yet"
        return Link("daemon", Verdict.BROKEN, what, f"ovs-vsctl --db={quote(facts.database)} show")
    return Link("daemon", Verdict.OK, facts.program)


def _configuration(facts: Facts) -> Link:
    cost = Verdict.WARNING if facts.is_served else Verdict.BROKEN
    for source in facts.sources:
        if source.mistakes:
            first, *others = source.mistakes
            more = f" (and {len(others)} more)" if others else ""
            what = f"{first}{more}; what was read before is in force"
            return Link("configuration", cost, what, f"{APPCTL} reload")
    for source in facts.sources:
        if not source.ready:
            what = f"{source.name} has not been read yet"
            return Link("configuration", cost, what, f"{APPCTL} status")
    return Link("configuration", Verdict.OK, ", ".join(each.name for each in facts.sources))


# -- The bridge.


def _bridge(facts: Facts) -> Iterator[Link]:
    bridge = facts.bridge
    if bridge is None:
        yield Link("bridge", Verdict.UNKNOWN, "which one is meant")
        return
    name = escape(bridge.name)
    if bridge.unreachable:
        text, _, mend = bridge.unreachable.partition("; ")
        yield Link("bridge", Verdict.BROKEN, text, mend.removeprefix("type: "))
        return
    if not bridge.is_ours:
        what = f"{name} is served nothing, expected {either(bridge.ours)}"
        mend = _move(facts, bridge.ours)
        if not bridge.ours:
            what = f"{name} is served nothing, as there is no network"
            mend = f"write one into the file: {PROGRAM} init prints it"
        elif not bridge.ours_exist:
            what = f"{name} is served nothing, and there is no {either(bridge.ours)}"
            mend = f"write where its network is: bridge: {name}"
        yield Link("bridge", Verdict.BROKEN, what, mend)
        return
    yield Link("bridge", Verdict.OK, name)
    if bridge.connection:
        yield Link("connection", Verdict.OK, bridge.connection)
    else:
        what = f"not connected: {bridge.trouble}"
        mend = "ovs-appctl -t ovs-vswitchd version" if bridge.switch_runs else START_SWITCH
        if bridge.listens_on:
            mend = f"ovs-vsctl set-controller {quote(bridge.name)} {quote(bridge.listens_on)}"
        yield Link("connection", Verdict.BROKEN, what, mend)
    yield _turn(facts, bridge)


def _turn(facts: Facts, bridge: BridgeFacts) -> Link:
    if bridge.is_active:
        return Link("turn", Verdict.OK, bridge.turn)
    mend = f"{APPCTL} status"
    if bridge.holder:
        socket = f"{facts.rundir}/{PROGRAM}.{bridge.holder}.ctl"
        mend = f"ovs-appctl -t {quote(socket)} why {quote(facts.asked_for)}"
    return Link("turn", Verdict.BROKEN, bridge.turn, mend)


# -- The port, and what it is to have.


def _plugged_in(facts: Facts) -> Link:
    name, interface = "plugged in", facts.interface
    port = escape(facts.port)
    if interface is None:
        if facts.parent:
            parent = escape(facts.parent)
            what = f"its parent {parent} is not"
            return Link(name, Verdict.BROKEN, what, f"{PROGRAM} why {quote(facts.parent)}")
        if facts.lifeless:
            lifeless = escape(facts.lifeless)
            what = f"{lifeless} has no OpenFlow port: the switch cannot open it, or is busy"
            mend = f"ovs-vsctl --columns=name,type,error list interface {quote(facts.lifeless)}"
            return Link(name, Verdict.BROKEN, what, mend)
        if facts.add_to:
            what = f"{port} is a device of this host, and a port of no bridge"
            mend = f"ovs-vsctl add-port {quote(facts.add_to)} {quote(facts.port)}"
            return Link(name, Verdict.BROKEN, what, mend)
        if not facts.found:
            what = "no port here is called so, and none has it as its MAC or address"
            return Link(name, Verdict.BROKEN, what, f"{APPCTL} bindings/show")
        what = f"no interface has external_ids:{IFACE_ID}={port}, or is called {port}"
        mend = f"ovs-vsctl set interface NAME external_ids:{IFACE_ID}={quote(facts.port)}"
        return Link(name, Verdict.BROKEN, what, mend)
    if line := _line(facts, _about_plug):
        if facts.is_left_out:
            mend = f"ovs-vsctl remove interface {quote(facts.asked_for)} external_ids {IFACE_ID}"
            return Link(name, Verdict.BROKEN, line, mend)
        bridges = [network.bridge for network, _ in facts.named]
        verdict = Verdict.WARNING if facts.served else Verdict.BROKEN
        return Link(name, verdict, line, "" if facts.served else _move(facts, bridges))
    iface_id = f" (iface-id {escape(interface.iface_id)})" if interface.iface_id else ""
    vlans = f", {interface.vlans.mode} port" if interface.vlans.is_said else ""
    if interface.vlans.untagged:
        vlans = f", {interface.vlans.mode} port of VLAN {interface.vlans.untagged}"
    if interface.behind:
        vlans = f", behind its tag {interface.behind}"
    where = f"port {show_port(interface.ofport or 0)} of {escape(interface.bridge)}"
    looks = "" if interface.is_guest else ", no guest by its looks"
    return Link(name, Verdict.OK, f"{escape(interface.name)}{iface_id}, {where}{vlans}{looks}")


def _network(facts: Facts) -> Iterator[Link]:
    lines = _lines(facts, _about_network)
    if facts.served:
        whose = f", named in {facts.named_by[0]}" if facts.named_by else ", by its pool"
        names = " and ".join(escape(network.name) for network, _ in facts.served)
        yield Link("network", Verdict.OK, f"{names}{whose}")
        yield from (Link("network", Verdict.WARNING, line) for line in lines)
    elif lines:
        yield Link("network", Verdict.BROKEN, lines[0], _name_a_network(facts, lines[0]))
    elif facts.probes:
        pass  # it is in one, and the link of the address says what is awaited
    elif facts.unserved:
        yield Link("network", Verdict.BROKEN, facts.unserved, _name_a_network(facts))
    elif facts.named:
        names = " and ".join(escape(network.name) for network, _ in facts.named)
        yield Link("network", Verdict.OK, f"{names}, named in {facts.named_by[0]}")
    elif facts.named_by:
        yield Link("network", Verdict.UNKNOWN, f"named in {facts.named_by[0]}")
    else:
        yield Link("network", Verdict.UNKNOWN, "nobody names it")


def _mac(facts: Facts) -> Iterator[Link]:
    if lines := _lines(facts, _about_mac):
        verdict = Verdict.WARNING if facts.served else Verdict.BROKEN
        yield from (Link("MAC", verdict, line) for line in lines)
        return
    bindings = facts.served or facts.named
    if not bindings:
        return
    macs = [port.mac for _, port in bindings if port.mac]
    if len(macs) < len(bindings):
        yield Link("MAC", Verdict.OK, "any: whoever asks behind the port")
        return
    ours = " and ".join(mac.hex(":") for mac in dict.fromkeys(macs))
    theirs = _attached_mac(facts)
    if theirs is None:
        if any(count.packets for _, count in _pauses(facts)):
            yield Link("MAC", Verdict.OK, f"{ours}, which has asked")
        else:
            what = f"{ours}, if that is the guest's: no {ATTACHED_MAC} says so"
            yield Link("MAC", Verdict.UNKNOWN, what)
    elif theirs in macs:
        yield Link("MAC", Verdict.OK, f"{ours}, as {ATTACHED_MAC} says")
    else:
        what = f"{ours} is served, and the guest has {theirs.hex(':')}, as {ATTACHED_MAC} says"
        addresses = " ".join(str(each) for _, port in bindings for each in port.addresses)
        where = f"in {facts.named_by[0]}" if facts.named_by else "where it is named"
        mend = rewrite(where, theirs.hex(":"), addresses)
        yield Link("MAC", Verdict.BROKEN, what, mend)


def _address(facts: Facts) -> Iterator[Link]:
    lines = _lines(facts, _about_address)
    for line in lines:
        lost = DECLINED in line or not facts.is_served
        yield Link(
            "address", Verdict.BROKEN if lost else Verdict.WARNING, line, _mend_address(line)
        )
    if facts.probes and not facts.is_served:
        asked_for = " and ".join(facts.probes)
        what = f"it is being asked whether somebody has {asked_for}, for less than 1 s"
        yield Link("address", Verdict.BROKEN, what, f"{PROGRAM} why {quote(facts.asked_for)}")
    if not facts.is_served or lines:
        return
    if addresses := _addresses(facts):
        yield Link("address", Verdict.OK, addresses)
    else:
        yield Link("address", Verdict.OK, "none: options only")


# -- The switch.


def _flows(facts: Facts) -> Iterator[Link]:
    bridge, flows = facts.bridge, facts.flows
    if not facts.is_served or bridge is None:
        return
    if flows.counts is None:
        why = "the switch has not said" if bridge.is_active else "they are another's to see to"
        yield Link("flows", Verdict.UNKNOWN, why)
    else:
        missing = [flow for flow in flows.wanted if flow.cookie not in flows.counts]
        count = f"{len(flows.wanted)} are there"
        if missing:
            count = f"{len(missing)} of {len(flows.wanted)} are not there: {bridge.state}"
            yield Link("flows", Verdict.BROKEN, count, f"{APPCTL} reload")
        else:
            yield Link("flows", Verdict.OK, count)
    yield from (Link("flows", Verdict.WARNING, problem) for problem in bridge.problems)
    yield from _first(facts, bridge)
    yield from _meter(facts)
    yield from _asked(facts)
    yield from _told_to_ask(facts)
    yield from _answered(facts)
    if bridge.lacks_forwarding:
        text, _, mend = bridge.lacks_forwarding.partition(TYPE)
        yield Link("forwarding", Verdict.WARNING, text, mend)
    elif bridge.foreign_known:
        yield Link("forwarding", Verdict.OK, "a flow behind ours forwards")
    else:
        yield Link("forwarding", Verdict.UNKNOWN, "the switch does not tell of others' flows")


def _first(facts: Facts, bridge: BridgeFacts) -> Iterator[Link]:
    """Whether it is ours that take the requests."""
    if not bridge.foreign_known:
        yield Link("other flows", Verdict.UNKNOWN, "the switch does not tell of others' flows")
    elif not facts.flows.shadows:
        yield Link(
            "other flows", Verdict.OK, "no flow of somebody else takes its requests before ours"
        )
    for line, flow in facts.flows.shadows:
        mend = f"ovs-ofctl --strict del-flows {quote(bridge.name)} {quote(flow)}"
        yield Link("other flows", Verdict.BROKEN, line, mend)


def _meter(facts: Facts) -> Iterator[Link]:
    limit, count = facts.flows.limit, facts.flows.meter
    if not limit:
        yield Link("meter", Verdict.OK, "none")
    elif count is None:
        yield Link("meter", Verdict.UNKNOWN, f"{limit}: the switch has not said what it counted")
    elif count.dropped:
        what = f"{limit}: {count.dropped} of {count.seen} packets were more, and are dropped"
        yield Link("meter", Verdict.WARNING, what)
    else:
        yield Link("meter", Verdict.OK, f"{limit}: nothing dropped")


def _asked(facts: Facts) -> Iterator[Link]:
    asked: dict[str, list[FlowCounts]] = {}
    for flow, count in _pauses(facts):
        if kind := _asks_for(flow):
            asked.setdefault(kind, []).append(count)
    said = []
    for kind, counts in asked.items():
        packets = sum(each.packets for each in counts)
        idle = [each.idle_s for each in counts if each.packets and each.idle_s is not None]
        last = f" (last {show_age(min(idle))} ago)" if idle else ""
        if packets:
            said.append(f"{kind} {packets} {'time' if packets == 1 else 'times'}{last}")
    if said:
        yield Link("asked", Verdict.OK, f"asked for {', '.join(said)}")
    elif asked:
        age_s = max(each.age_s for counts in asked.values() for each in counts)
        what = f"nobody has asked since its flows came, {show_age(age_s)} ago"
        if any(row.state == BOUND for row in facts.leases):
            yield Link("asked", Verdict.OK, what)
        else:
            yield Link("asked", Verdict.BROKEN, what, _ask(facts))


def _told_to_ask(facts: Facts) -> Iterator[Link]:
    """Why nobody asks by DHCPv6, where that is served: nothing of ours tells hosts to."""
    counts = [count for flow, count in _pauses(facts) if flow.protocol == UDP6]
    tells = any(network.ra and network.ra.tells_of_dhcpv6 for network, _ in facts.served)
    if counts and not tells and not any(count.packets for count in counts):
        what = (
            "most guests ask for DHCPv6 only if a router advertisement says so: none of ours does"
        )
        servers = [network.dhcpv6 for network, _ in facts.served if network.dhcpv6]
        mode = f"dhcpv6_state{'less' if all(each.stateless for each in servers) else 'ful'}"
        mend = (
            f"write into its network: ra: {{addr_mode: {mode}}}; in OVN's database it is "
            f"ipv6_ra_configs:address_mode={mode} of the router's port"
        )
        yield Link("asked", Verdict.WARNING, what, mend)


def _answered(facts: Facts) -> Iterator[Link]:
    """What clients have said last, and what came of it."""
    known = [row for row in facts.leases if row.lease.asked and row.last_s is not None]
    for row in known:
        lease, state = row.lease, row.state
        assert row.last_s is not None
        ago = f"{show_age(facts.now_s - row.last_s)} ago"
        asked = f"{lease.asked} of {row.mac.hex(':')}" if row.mac else lease.asked
        if lease.answer and not lease.answer.startswith("DHCP"):
            what = f"{asked}, {ago}, is not answered: {lease.answer}"
            mend = f"{PROGRAM} trace {quote(facts.port)}"
            yield Link("answered", Verdict.BROKEN, what, mend)
            continue
        answer = f", answered {lease.answer}" if lease.answer else ""
        verdict = Verdict.WARNING if state in (EXPIRED, DECLINED_LEASE, REFUSED) else Verdict.OK
        yield Link("answered", verdict, f"{asked}, {ago}{answer}{state and f': {state}'}")
    if not known and any(count.packets for _, count in _pauses(facts)):
        what = "it was before this daemon had the bridge: what, the switch does not know"
        yield Link("answered", Verdict.UNKNOWN, what)


def _asks_for(flow: Flow) -> str:
    """What is asked for by the requests that ``flow`` pauses; empty: they ask who a server is."""
    about = {term.field for term in flow.match}
    return _ASKED.get(flow.protocol, "") if flow.protocol and ND_TARGET not in about else ""


def _pauses(facts: Facts) -> Iterator[tuple[Flow, FlowCounts]]:
    """The flows that pause the port's requests, and what they have counted."""
    for flow in facts.flows.wanted:
        count = (facts.flows.counts or {}).get(flow.cookie)
        if count and any(isinstance(each, Pause) for each in flow.actions):
            yield flow, count


# -- What to type.


def _ask(facts: Facts) -> str:
    """How to have a guest ask, and to find out whether it is there, and with which MAC."""
    interface = facts.interface
    assert interface
    where = f"ovs-appctl fdb/show {quote(interface.bridge)}"
    there = f"{where} has the MACs behind port {show_port(interface.ofport or 0)}"
    return f"ask in the guest, as udhcpc or dhclient does; {there}"


def _move(facts: Facts, bridges: Iterable[str]) -> str:
    """How to plug it in where it is served."""
    bridge, interface = next(iter(bridges), ""), facts.interface
    if not (bridge and interface):
        return ""
    name = quote(interface.name)
    ids = {IFACE_ID: interface.iface_id, ATTACHED_MAC: interface.attached_mac}
    words = [quote(f'external_ids:{key}="{value}"') for key, value in ids.items() if value]
    then = f" -- set interface {name} {' '.join(words)}" if words else ""
    return f"ovs-vsctl del-port {name} -- add-port {quote(bridge)} {name}{then}"


def _name_a_network(facts: Facts, line: str = "") -> str:
    """How to say which network it is in, if that is what is missing."""
    interface = facts.interface
    if interface is None or facts.named_by:
        return ""
    name = quote(interface.name)
    if interface.network == KEEP_OUT:
        return f"ovs-vsctl remove interface {name} external_ids {NETWORK}"
    if facts.pools and (not line or line.startswith((IN_NO_NETWORK, f"{NETWORK}: "))):
        return f"ovs-vsctl set interface {name} external_ids:{NETWORK}={quote(facts.pools[0])}"
    return ""


def _mend_address(line: str) -> str:
    if DECLINED in line:
        return "find who else has the address, or write another one where it is named"
    return f"{APPCTL} pools/show"


# -- Which line of the binder belongs where.


def _about_plug(line: str) -> bool:
    return line.startswith((PLUGGED_INTO, "is plugged in as"))


def _about_mac(line: str) -> bool:
    return line.startswith(f"{ATTACHED_MAC}: ")


def _about_address(line: str) -> bool:
    return line.startswith((f"{ADDRESSES}: ", NO_ADDRESS)) or DECLINED in line


def _about_network(line: str) -> bool:
    return not any(about(line) for about in (_about_plug, _about_mac, _about_address))


def _lines(facts: Facts, about: Callable[[str], bool]) -> list[str]:
    """The binder's lines of this kind, without the port's name."""
    prefix = f"port {escape(facts.port)}: "
    lines = (line.removeprefix(prefix) for line in facts.refused)
    return [line for line in lines if about(line)]


def _line(facts: Facts, about: Callable[[str], bool]) -> str:
    return next(iter(_lines(facts, about)), "")


def _attached_mac(facts: Facts) -> bytes | None:
    try:
        return parse_mac(facts.interface.attached_mac) if facts.interface else None
    except ValueError:
        return None


def _addresses(facts: Facts) -> str:
    """Those of IPv4 first."""
    found = [address for _, port in facts.served for address in port.addresses]
    return " ".join(map(str, sorted(found, key=lambda each: not isinstance(each, IPv4Address))))


def _what_is_served(facts: Facts) -> str:
    names = " and ".join(escape(network.name) for network, _ in facts.served)
    return f"{_addresses(facts) or 'options'} of {names}"


def show_age(seconds: float) -> str:
    """How long that is, in a word or two: the greatest unit that it has, and the next."""
    left = int(seconds)
    if left < 1:
        return "less than 1 s"
    words = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {unit}")
        if words and (not count or len(words) == 2):
            break
    return " ".join(words)
