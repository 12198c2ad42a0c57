# SPDX-License-Identifier: Apache-2.0
"""What holds of a pool whatever guests, files and hands do."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st
from ovs_dhcpd.controller.ports.interface import NO_MEMORY, Memory
from ovs_dhcpd.flows.configuration.section import ConfigError

from tests.unit.ports.host import Host

POOL = [f"10.0.0.{number}" for number in range(100, 104)]
BESIDE = "10.0.0.7"
GUESTS = [f"tap{number}" for number in range(6)]
MAC = "02:00:00:00:00:01"

_ADDRESSES = st.sampled_from([*POOL, BESIDE])
_FILES = st.fixed_dictionaries(
    {},
    optional={
        "exclude": st.sampled_from(POOL),
        "reserve": _ADDRESSES.map(lambda address: f"{{'{MAC}': {address}}}"),
        "ports": st.tuples(st.sampled_from([*GUESTS, "absent"]), _ADDRESSES).map(
            lambda port: f"{{{port[0]}: {{addresses: '02:00:00:00:00:09 {port[1]}'}}}}"
        ),
    },
)
_STEPS = st.one_of(
    st.tuples(st.just("plug"), st.sampled_from(GUESTS)),
    st.tuples(st.just("unplug"), st.sampled_from(GUESTS)),
    st.tuples(st.just("with MAC"), st.sampled_from(GUESTS)),
    st.tuples(st.just("by hand"), st.sampled_from(GUESTS), _ADDRESSES),
    st.tuples(st.just("forgotten"), st.sampled_from(GUESTS)),
    st.tuples(st.just("file"), _FILES),
    st.just(("restart",)),
)


def _text(beside: dict[str, str]) -> str:
    lines = [f"    {name}: {value}\n" for name, value in beside.items()]
    network = "networks:\n  lab:\n    dhcpv4: {cidr: 10.0.0.0/24}\n"
    return f"{network}    pool: {POOL[0]}-{POOL[-1]}\n{''.join(lines)}"


@given(st.lists(_STEPS, max_size=14))
def test_no_address_is_given_twice_and_nobody_waits_beside_a_free_one(
    steps: list[tuple[object, ...]],
) -> None:
    host = Host(_text({}))
    beside: dict[str, str] = {}
    for what, *arguments in steps:
        name = str(arguments[0]) if arguments else ""
        if what in ("plug", "with MAC"):
            host.plug(name, attached_mac=MAC if what == "with MAC" else None)
        elif what == "unplug" and host.has(name):
            host.unplug(name)
        elif what == "by hand":
            host.plug(name, memory=Memory((ip_address(str(arguments[1])),)))
        elif what == "forgotten":
            host.plug(name, memory=NO_MEMORY)
        elif what == "file":
            settings: dict[str, str] = arguments[0]  # type: ignore[assignment]
            with suppress(ConfigError):  # as an address cannot be a port's and reserved
                host.configure(_text(settings))
                beside = settings
        elif what == "restart":
            host.restart()
        _check(host, beside)


def _check(host: Host, beside: dict[str, str]) -> None:
    given_out = host.given_out
    assert len(given_out) == len({*given_out})
    kept = {address for address in POOL if any(address in value for value in beside.values())}
    for name, addresses in host.served.items():
        if not kept.isdisjoint(addresses):
            assert f"{name}: " in beside.get("ports", "") or MAC in beside.get("reserve", "")
    if any("no address is free" in line for line in host.refused):
        assert {*POOL} - kept <= {*given_out}
    for name in GUESTS:
        if host.has(name) and not any(f"port {name}: " in line for line in host.refused):
            assert len(host.served[name]) == 1
