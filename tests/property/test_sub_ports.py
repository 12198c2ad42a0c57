# SPDX-License-Identifier: Apache-2.0
"""Whatever a change concerns is looked at: nothing else comes out when all ports are."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.ports.vlans import Vlans, vlans_of
from ovs_dhcpd.flows.configuration.section import ConfigError

from tests.unit.ports.host import Host

INTERFACES, TAGS = ("tap1", "tap2", "eth1"), (10, 20, 30)
PORTS = ("a", "b", "c", "d", "vm1", "vm2", *INTERFACES)
GUARDED = ("vm1", "tap2")
VLANS = (
    vlans_of("trunk", None, frozenset()),
    vlans_of("trunk", None, frozenset({0, 10, 20})),
    vlans_of("", None, frozenset({10, 20, 30})),
    vlans_of("", 10, frozenset()),
    vlans_of("", None, frozenset()),
)
Behind = tuple[str, int] | None
Step = tuple[str, str | None, Vlans] | tuple[int, str, Behind] | str

_STEPS = st.one_of(
    st.tuples(
        st.sampled_from(INTERFACES), st.sampled_from((None, "vm1", "vm2")), st.sampled_from(VLANS)
    ),
    st.sampled_from(INTERFACES),
    st.tuples(
        st.sampled_from((0, 1)),
        st.sampled_from(PORTS),
        st.none() | st.tuples(st.sampled_from(("vm1", *INTERFACES)), st.sampled_from(TAGS)),
    ),
)


def _text(number: int, ports: dict[str, Behind]) -> str:
    """A file that names these ports, each in a network of its own that is always there."""
    lines = ["networks:"]
    for place, name in enumerate(PORTS, 1):
        behind = ports.get(name)
        where = f", parent: {behind[0]}, tag: {behind[1]}" if behind else ""
        addresses = f"addresses: '02:00:00:00:0{number}:{place:02x} 10.{place}.{number}.7'{where}"
        known_as = name if name in ports else f"absent-{name}"
        lines.append(
            f"  net{number}-{name}: {{dhcpv4: {{cidr: 10.{place}.{number}.0/24}}, "
            f"guard: {name in GUARDED}, ports: {{{known_as}: {{{addresses}}}}}}}"
        )
    if not number:
        lines += [
            f"  vlan{tag}: {{dhcpv4: {{cidr: 10.1{tag}.0.0/24}}, pool: 10.1{tag}.0.100-10.1{tag}"
            f".0.109, tag: {tag}}}"
            for tag in TAGS
        ]
    return "\n".join(lines)


def _change(host: Host, files: list[dict[str, Behind]], step: Step) -> None:
    if isinstance(step, str):
        if host.has(step):
            host.unplug(step)
    elif isinstance(step[0], str):
        name, iface_id, vlans = step
        host.plug(name, iface_id=iface_id, vlans=vlans)
    else:
        number, name, behind = step
        if number >= len(files):
            return
        others = {each: of for each, of in files[number].items() if each != name}
        changed = others if name in files[number] and behind is None else {**others, name: behind}
        with suppress(ConfigError):  # as two with the same tag
            host.sources[number].configure(_text(number, changed))
            files[number] = changed
            host.settle({name})


@given(st.sampled_from((1, 2)), st.lists(_STEPS, max_size=14))
def test_a_change_comes_to_the_same_as_if_all_were_looked_at(count: int, steps: list[Step]) -> None:
    files: list[dict[str, Behind]] = [{} for _ in range(count)]
    host = Host(*(_text(number, {}) for number in range(count)))
    for step in steps:
        _change(host, files, step)
        served, refused = dict(host._binder.served), host.refused
        host.settle({*PORTS, *host.served})
        assert served == host._binder.served
        assert refused == host.refused
