# SPDX-License-Identifier: Apache-2.0
"""What is declined is remembered, freed when its time is up, and freed by command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, ip_address
from types import SimpleNamespace
from typing import Any

import pytest
from ovs_dhcpd.controller import parking
from ovs_dhcpd.controller.control import CommandError
from ovs_dhcpd.controller.parking import Parking
from ovs_dhcpd.controller.ports.binder import Ours
from ovs_dhcpd.controller.ports.declines import Decline
from ovs_dhcpd.controller.ports.parked import Parked
from ovs_dhcpd.controller.ports.probes import Said
from ovs_dhcpd.controller.wire.declined import Declined
from ovs_dhcpd.controller.wire.probe import Heard
from ovs_dhcpd.flows.bindings.pool import PooledAddress

NOW_S = 1_800_000_000.0
ADDRESS = IPv4Address("10.0.0.5")
POOLED: PooledAddress = ("lab", ADDRESS)
MAC = bytes.fromhex("020000000001")


class Database:
    """What is parked on one bridge."""

    def __init__(self, **parked: int) -> None:
        self.unparked: list[PooledAddress] = []
        self.there: dict[PooledAddress, Parked] = {
            (network, ADDRESS): Parked(until_s, "tap1") for network, until_s in parked.items()
        }

    def parked(self, bridge: str) -> Mapping[PooledAddress, Parked]:
        assert bridge == "br0"
        return self.there

    def park(self, bridge: str, place: PooledAddress, parked: Parked | None) -> None:
        assert bridge == "br0"
        if parked:
            self.there[place] = parked
        else:
            del self.there[place]
            self.unparked.append(place)


def nobody(*_: object) -> None:
    raise AssertionError("somebody is answered")


Commands = dict[str, Callable[[list[str]], str]]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    found: Commands = {}
    monkeypatch.setattr(
        parking, "add_command", lambda name, *others: found.update({name: others[-1]})
    )
    monkeypatch.setattr("time.time", lambda: NOW_S)
    return found


def parking_of(
    database: Database, answer: Any = nobody, **binder: Any
) -> tuple[Parking, list[PooledAddress]]:
    """That of one bridge, and what is told to its binder that it is free."""
    freed: list[PooledAddress] = []
    binder.setdefault("served", {})
    binder["unpark"] = lambda *place: freed.append(place)
    world: Any = SimpleNamespace(networks=lambda _: {})
    made: Any = SimpleNamespace(**binder)
    return Parking(database, made, world, lambda: ["br0"], answer), freed  # type: ignore[arg-type]


def test_what_is_declined_is_parked_and_the_port_decided_anew(commands: Commands) -> None:
    database = Database()
    decline = Decline("vm1", "lab", ADDRESS, Parked(int(NOW_S) + 60, "tap1"))
    asked = []

    def hear(*arguments: object) -> Decline | None:
        asked.append(arguments[:3])
        return decline if arguments[1] == ADDRESS else None

    made, _ = parking_of(database, decline=hear)
    assert made.hear("br0", Declined(7, 100, MAC, ADDRESS.packed)) == {"vm1"}
    assert database.there == {POOLED: decline.parked}
    assert made.hear("br0", Declined(7, 100, MAC, bytes([10, 0, 0, 6]))) == set()
    assert made.hear("br0", Declined(7, 100, MAC, b"")) == set()
    assert asked == [
        (("br0", 7, 100), ADDRESS, NOW_S),
        (("br0", 7, 100), ip_address("10.0.0.6"), NOW_S),
    ]
    assert made.wait_s() == 60


def test_what_somebody_answers_for_is_parked_and_the_port_decided_anew(
    commands: Commands,
) -> None:
    database = Database()
    found = Parked(int(NOW_S) + 60, "eth1", answered_by=MAC)
    said: list[Said] = []

    def hear(bridge: str, what: Said, now_s: float, _: object) -> Decline:
        assert (bridge, now_s) == ("br0", NOW_S)
        said.append(what)
        return Decline("vm1", "lab", ADDRESS, found)

    made, _ = parking_of(database, hear=hear)
    assert made.hear("br0", Heard(7, 100, MAC, ADDRESS.packed, asks=False)) == {"vm1"}
    assert said == [Said(7, 100, MAC, ADDRESS, asks=False)]
    assert database.there == {POOLED: found}
    line = commands["pools/show"]([])
    assert line.endswith(", answered for by 02:00:00:00:00:01 at eth1")


def test_who_asks_for_an_address_of_ours_is_told_so(commands: Commands) -> None:
    answered: list[object] = []
    made, _ = parking_of(
        Database(),
        lambda *what: answered.append(what),
        hear=lambda *_: Ours(MAC),
    )
    heard = Heard(7, 0, MAC, ADDRESS.packed, asks=True)
    assert made.hear("br0", heard) == set()
    assert answered == [("br0", heard, MAC)]


def test_what_has_been_parked_for_long_enough_is_free(commands: Commands) -> None:
    database = Database(lab=int(NOW_S), office=int(NOW_S) + 1)
    made, freed = parking_of(database)
    assert made.run()
    assert freed == [POOLED]
    assert [*database.there] == [("office", ADDRESS)]
    assert not made.run()
    assert made.wait_s() == 1


def test_what_somebody_takes_out_of_the_row_is_free(commands: Commands) -> None:
    database = Database()
    made, freed = parking_of(database)
    assert (made.run(), made.wait_s()) == (False, None)
    database.unparked.append(POOLED)
    assert made.run()
    assert freed == [POOLED]


def test_a_command_frees_an_address_in_all_networks(commands: Commands) -> None:
    database = Database(lab=int(NOW_S) + 60, office=10**12 - 1)
    made, freed = parking_of(database)
    lines = commands["pools/show"]([]).splitlines()
    assert [line.split()[1:5] for line in lines] == [
        [f"{network}:", "10.0.0.5", "parked", "until"] for network in ("lab", "office")
    ]
    for word, error in (("x", "'x' is no address"), ("10.0.0.6", "10.0.0.6 is not parked")):
        with pytest.raises(CommandError, match=f"^{error}, expected one of pools/show$"):
            commands["pools/free"]([word])
    commands["pools/free"](["10.0.0.5"])
    assert database.there == {}
    assert made.run()
    assert {*freed} == {POOLED, ("office", ADDRESS)}
