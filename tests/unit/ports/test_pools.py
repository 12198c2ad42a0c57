# SPDX-License-Identifier: Apache-2.0
"""Which address of a pool a port gets, asked in values."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ovs_dhcpd.controller.ports.interface import NO_MEMORY
from ovs_dhcpd.controller.ports.vlans import vlans_of

from tests.unit.ports.host import Host
from tests.unit.ports.pooled import MACS, lab, remembers, reserved

TWO = "10.0.0.100-10.0.0.101"


def test_an_address_is_served_once_it_is_remembered_and_with_whom() -> None:
    host = Host(lab())
    host.plug("tap1")
    (address,) = host.served["tap1"]
    assert host.memory("tap1") == remembers(address, owner="tap1")
    first, second = host.decisions[-2:]
    assert (first.serve["tap1"].bindings, len(first.remember)) == ((), 1)
    assert ([*second.serve], second.remember) == (["tap1"], {})


def test_each_address_is_given_once_and_none_that_is_somebodys() -> None:
    host = Host(lab("10.0.0.0-10.0.0.6", vm5=f"{MACS[4]} 10.0.0.3"))
    for number in range(1, 5):
        host.plug(f"tap{number}")
    # 0 is the network's, 1 the server's and the router's, 3 that of vm5, which is not here.
    assert sorted(host.given_out) == [f"10.0.0.{n}" for n in (2, 4, 5, 6)]
    assert host.refused == []


def test_nothing_is_served_before_it_is_written_down() -> None:
    host = Host(lab())
    host.writes = False
    host.plug("tap1")
    host.settle({"tap1"})
    assert host.served == {}
    host.write()
    assert [*host.served] == ["tap1"]


def test_a_restart_changes_nothing() -> None:
    host = Host(lab())
    for number in range(1, 5):
        host.plug(f"tap{number}", iface_id=f"vm{number}")
    before = host.served
    host.restart()
    assert host.served == before
    assert host.decisions[-1].remember == {}


def test_who_has_nothing_free_is_named_and_gets_what_is_given_back() -> None:
    host = Host(lab(TWO))
    for name in ("tap1", "tap2", "tap3"):
        host.plug(name)
    address = host.served["tap2"]
    assert host.refused == [f"port tap3: no address is free in pool {TWO}"]
    assert host.served["tap3"] == []  # what of the network needs no address it has
    host.unplug("tap2")
    assert host.served["tap3"] == address
    assert host.refused == []


def test_what_is_given_back_is_offered_to_no_more_than_it_can_serve() -> None:
    """With 300 who wait, each release had all of them walk through the pool."""
    host = Host(lab())
    for number in range(30):
        host.plug(f"tap{number:02}")
    late = len(host.decisions)
    for number in range(3):
        host.unplug(f"tap0{number}")
    assert [each for each in host.served if host.served[each]] == [
        "tap03",
        "tap04",
        "tap05",
        "tap06",
    ]
    looked_at = [len(decision.refused) for decision in host.decisions[late:]]
    assert max(looked_at) <= 3  # who has gone, who gets its address, and who finds that it was all


@pytest.mark.parametrize(
    "leave",
    [
        lambda host: host.plug("tap1", network="none"),
        lambda host: host.plug("tap1", network="nowhere"),
        lambda host: host.plug("tap1", bridge="br-other"),
        lambda host: host.plug("tap1", ofport=None),
        lambda host: host.configure(lab("10.0.0.100", tap1=f"{MACS[0]} 10.0.0.7")),
    ],
    ids=["kept out", "in a wrong network", "on another bridge", "no ofport", "named"],
)
def test_who_needs_its_address_no_longer_gives_it_back(
    leave: Callable[[Host], None],
) -> None:
    host = Host(lab("10.0.0.100"))
    host.plug("tap1")
    host.plug("tap2")
    assert host.served == {"tap1": ["10.0.0.100"], "tap2": []}
    leave(host)
    assert host.served["tap2"] == ["10.0.0.100"]


@pytest.mark.parametrize("change", [{"network": "none"}, {}], ids=["kept out", "named"])
def test_what_is_remembered_goes_when_the_port_is_served_something_else(
    change: dict[str, str],
) -> None:
    host = Host(lab())
    host.plug("tap1")
    if change:
        host.plug("tap1", **change)
    else:
        host.configure(lab(tap1=f"{MACS[0]} 10.0.0.7"))
    assert host.memory("tap1") == remembers()


def test_what_somebody_else_wrote_is_left_alone_where_it_is_not_used() -> None:
    host = Host(lab(tap1=f"{MACS[0]} 10.0.0.7"))
    host.plug("tap1", memory=remembers("10.0.0.100"))
    assert host.memory("tap1") == remembers("10.0.0.100")


def test_an_address_written_by_hand_is_given_inside_the_subnet() -> None:
    host = Host(lab())
    host.plug("tap1", memory=remembers("10.0.0.7"))
    assert host.served["tap1"] == ["10.0.0.7"]
    assert host.memory("tap1") == remembers("10.0.0.7", owner="tap1")
    host.plug("tap1", memory=remembers())
    assert host.served["tap1"][0].startswith("10.0.0.10")


@pytest.mark.parametrize(
    ("addresses", "what"),
    [
        (["192.168.1.7"], "192.168.1.7 is not in cidr 10.0.0.0/24, expected addresses in it"),
        (["10.0.0.1"], "10.0.0.1 is that of server_id too, expected another"),
        (["10.0.0.9"], "10.0.0.9 is that of vm9 too, expected another"),
        (["10.0.0.8"], "10.0.0.8 is that of tap0 too, expected another"),
        (["10.0.0.103"], "10.0.0.103 is excluded, expected another"),
        (["10.0.0.6", "10.0.0.7"], "10.0.0.7 is one too many, expected one of IPv4"),
        (["10.0.0.7", "fd00::7"], "fd00::7 is one too many, expected one of IPv4"),
    ],
)
@pytest.mark.parametrize("owner", [None, "tap1"], ids=["at first", "beside our owner"])
def test_what_is_written_by_hand_and_cannot_be_given_is_refused_and_left_alone(
    addresses: list[str], what: str, owner: str | None
) -> None:
    host = Host(lab(beside="exclude: 10.0.0.103", vm9=f"{MACS[4]} 10.0.0.9"))
    host.plug("tap0", memory=remembers("10.0.0.8"))
    if owner:
        host.plug("tap1")
    host.plug("tap1", memory=remembers(*addresses, owner=owner))
    for _ in range(2):
        assert host.refused == [f"port tap1: dhcp-ip: {what}"]
        assert host.served["tap1"] == []
        assert host.memory("tap1") == remembers(*addresses)
        host.restart()
    host.plug("tap1", memory=remembers())
    assert host.refused == []


def test_what_another_process_wrote_before_us_is_not_by_hand() -> None:
    host = Host(lab())
    host.stands_by = True
    host.plug("tap1")
    host.plug("tap1", memory=remembers("10.9.0.7", owner="tap1"))  # it has another pool
    host.take_over()
    assert host.refused == []
    assert host.memory("tap1") == remembers(*host.served["tap1"], owner="tap1")


def test_who_is_reserved_an_address_cannot_be_given_another_by_hand() -> None:
    host = Host(lab(beside=reserved(_4="10.0.0.50")))
    host.plug("tap1", attached_mac=MACS[4], memory=remembers("10.0.0.7"))
    what = "10.0.0.7 is not what is reserved for the guest, expected 10.0.0.50"
    assert host.refused == [f"port tap1: dhcp-ip: {what}"]
    host.plug("tap1", memory=remembers("10.0.0.50"))
    assert (host.served, host.refused) == ({"tap1": ["10.0.0.50"]}, [])


def test_what_is_written_by_hand_is_given_once_it_is_free() -> None:
    host = Host(lab())
    host.plug("tap1")
    (taken,) = host.served["tap1"]
    host.plug("tap2", memory=remembers(taken))
    assert host.refused == [f"port tap2: dhcp-ip: {taken} is that of tap1 too, expected another"]
    host.unplug("tap1")
    assert (host.served, host.refused) == ({"tap2": [taken]}, [])


def test_what_we_chose_ourselves_is_chosen_anew_where_it_cannot_be_given_any_more() -> None:
    host = Host(lab())
    host.plug("tap1")
    (before,) = host.served["tap1"]
    for text in (lab("10.0.0.0/24", vm9=f"{MACS[4]} {before}"), lab().replace("10.0.0", "10.0.1")):
        host.configure(text)
        assert host.refused == []
        assert host.served["tap1"] not in ([], [before])


@pytest.mark.parametrize("name", ["aa", "zz"])
def test_a_guest_is_known_by_its_mac_whatever_it_is_called(name: str) -> None:
    host = Host(lab("10.0.0.0/24"))
    host.plug("tap1", iface_id="mm", attached_mac=MACS[0])
    before = host.served["mm"]
    host.plug("tap1", iface_id=name)
    assert host.served == {name: before}
    host.unplug("tap1")
    host.plug("vnet7", iface_id="other", attached_mac=MACS[0])
    assert host.served == {"other": before}
    assert host.refused == []


def test_who_says_its_mac_later_keeps_its_address() -> None:
    host = Host(lab("10.0.0.0/24"))
    host.plug("tap1")
    before = host.served
    host.plug("tap1", attached_mac=MACS[0])
    assert host.served == before
    assert host.memory("tap1").owner == MACS[0]


def test_what_its_own_row_holds_of_somebody_else_is_not_in_its_way() -> None:
    """The search begins where it would in a new row."""
    host = Host(lab("10.0.0.0/24"))
    host.plug("tap1", attached_mac=MACS[0])
    before, (address,) = host.served, host.served["tap1"]
    host.unplug("tap1")
    host.plug("tap1", attached_mac=MACS[0], memory=remembers(address, owner=MACS[1]))
    assert host.served == before


def test_a_row_that_is_used_again_by_another_guest_is_not_its() -> None:
    host = Host(lab("10.0.0.0/24"))
    host.plug("tap1", iface_id="one", attached_mac=MACS[0])
    before = host.served["one"]
    host.plug("tap1", iface_id="two", attached_mac=MACS[1])
    assert host.served["two"] != before
    assert host.memory("tap1").owner == MACS[1]


def test_an_old_row_of_its_own_keeps_nobody_from_its_address() -> None:
    host = Host(lab("10.0.0.0/24"))
    host.plug("tap1", attached_mac=MACS[0])
    before, memory = host.served["tap1"], host.memory("tap1")
    host.unplug("tap1")
    host.plug("absent", ofport=None, memory=memory)
    host.plug("tap2", attached_mac=MACS[0])
    assert host.served["tap2"] == before


def test_what_an_absent_interface_is_remembered_with_is_given_out_last() -> None:
    host = Host(lab())
    host.plug("absent", ofport=None, memory=remembers("10.0.0.100"))
    for number in (1, 2, 3):
        host.plug(f"tap{number}")
    assert "10.0.0.100" not in host.given_out
    host.plug("tap4")
    assert host.served["tap4"] == ["10.0.0.100"]


def test_who_is_plugged_in_and_not_looked_at_yet_keeps_what_it_will_need() -> None:
    """At a start, whatever the order: `aa` is first by name and has no memory."""
    host = Host(lab(TWO))
    host.plug("zz")
    host.plug("yy")
    before = host.served
    host.plug("aa", memory=remembers(*before["zz"], owner="aa"))
    expected = [f"port aa: no address is free in pool {TWO}"]
    assert host.refused == expected
    host.restart()
    assert host.served == {**before, "aa": []}
    assert host.refused == expected


@pytest.mark.parametrize("named", [False, True], ids=["two guests", "a port of the file"])
def test_one_mac_twice_in_a_network_is_refused_by_name(named: bool) -> None:
    host = Host(lab(one=f"{MACS[0]} 10.0.0.7") if named else lab())
    host.plug("tap1", iface_id="one", attached_mac=MACS[0])
    host.plug("tap2", iface_id="two", attached_mac=MACS[0])
    line = f"port two: attached-mac: {MACS[0]} is that of one too, expected another"
    assert host.refused == [line]
    assert [*host.served] == ["one"]


def test_who_has_the_mac_of_another_is_served_when_that_one_has_gone() -> None:
    host = Host(lab())
    host.plug("tap1", iface_id="one", attached_mac=MACS[0])
    host.plug("tap2", iface_id="two", attached_mac=MACS[0])
    host.unplug("tap1")
    assert [*host.served] == ["two"]
    assert host.macs_of("two") == [bytes.fromhex(MACS[0].replace(":", ""))]
    assert host.refused == []


def test_a_mac_that_the_file_gives_to_another_costs_nobody_what_it_has() -> None:
    host = Host(lab())
    host.plug("tap1", iface_id="web", attached_mac=MACS[0])
    host.plug("tap2", iface_id="db")
    before = host.served
    line = f"port web: attached-mac: {MACS[0]} is that of db too, expected another"
    for text in (f"{MACS[0]} dynamic", f"{MACS[0]} 10.0.0.7"):
        host.configure(lab(db=text))
        assert host.refused == [line]
        assert host.served["web"] == before["web"]
        assert all(not decision.stop for decision in host.decisions)
        host.restart()
        assert host.refused == [line]
        assert host.served["web"] == before["web"]
    host.configure(lab())
    assert [*host.served] == ["db", "web"]
    assert host.refused == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [("10.0.0.7", "10.0.0.7"), ("dynamic", "10.0.0.100")],
    ids=["fixed", "dynamic"],
)
def test_a_port_of_the_file_is_known_by_its_mac_while_its_name_is_not_plugged_in(
    address: str, expected: str
) -> None:
    text = lab(db=f"{MACS[0]} {address}")
    host = Host(text.replace(f"{address}'", f"{address}', options: {{hostname: db}}"))
    host.plug("tap1", attached_mac=MACS[0].upper(), iface_id="web")
    assert [*host.served["web"]] == [expected]
    assert host.options_of("web") == {"hostname": b"db"}
    assert host.refused == []
    host.plug("tap2", iface_id="other", attached_mac=MACS[0])
    line = f"port other: attached-mac: {MACS[0]} is that of web too, expected another"
    assert host.refused == [line]
    assert [*host.served] == ["web"]
    host.unplug("tap1")
    assert host.refused == []
    assert host.options_of("other") == {"hostname": b"db"}


def test_who_stands_in_gives_way_to_the_name_itself() -> None:
    host = Host(lab(db=f"{MACS[0]} 10.0.0.7"))
    host.plug("tap1", attached_mac=MACS[0], iface_id="web")
    assert host.served == {"web": ["10.0.0.7"]}
    host.plug("tap2", iface_id="db")
    assert host.served == {"db": ["10.0.0.7"]}
    line = f"port web: attached-mac: {MACS[0]} is that of db too, expected another"
    assert host.refused == [line]
    host.unplug("tap2")
    assert host.served == {"web": ["10.0.0.7"]}
    host.plug("tap1", iface_id="db")
    assert host.served == {"db": ["10.0.0.7"]}
    assert host.refused == []


def test_a_file_that_names_the_mac_of_a_guest_changes_what_it_is_served_and_back() -> None:
    host = Host(lab())
    host.plug("tap1", iface_id="web", attached_mac=MACS[0])
    before = host.served
    host.configure(lab(db=f"{MACS[0]} 10.0.0.7"))
    assert host.served == {"web": ["10.0.0.7"]}
    assert host.memory("tap1") == NO_MEMORY
    host.configure(lab())
    assert host.served == {"web": ["10.0.0.7"]}  # it is there, and nobody moves for nothing
    assert before["web"] != ["10.0.0.7"]


def test_an_attached_mac_that_is_none_is_refused() -> None:
    host = Host(lab())
    host.plug("tap1", attached_mac="junk")
    assert host.refused == ["port tap1: attached-mac: 'junk' is no MAC, expected xx:xx:xx:xx:xx:xx"]
    assert host.served == {}


def test_who_waits_for_an_address_is_not_said_to_have_one() -> None:
    host = Host(lab(TWO))
    host.plug("tap1")
    host.plug("tap2")
    host.configure(lab(TWO, other=f"{MACS[4]} {host.served['tap1'][0]}"))
    assert host.refused == [f"port tap1: no address is free in pool {TWO}"]
    assert host.memory("tap1") == remembers()


def test_vlans_may_have_the_same_subnet() -> None:
    network = "{dhcpv4: {cidr: 10.0.0.0/24}, pool: 10.0.0.100, tag: %d}"
    host = Host(f"networks: {{red: {network % 10}, blue: {network % 20}}}")
    host.plug("tap1", vlans=vlans_of("", 10, frozenset()))
    host.plug("tap2", vlans=vlans_of("", 20, frozenset()))
    assert host.served == {"tap1": ["10.0.0.100"], "tap2": ["10.0.0.100"]}


def test_a_named_port_may_leave_its_address_to_the_pool() -> None:
    host = Host(lab(vm1=f"{MACS[0]} dynamic", vm2="dynamic"))
    host.plug("tap1", iface_id="vm1")
    host.plug("tap2", iface_id="vm2")
    assert len({*host.given_out}) == 2
    assert host.macs_of("vm2") == [None]
    assert host.memory("tap1").owner == MACS[0]


WHOLE = {"vm1": f"{MACS[0]} 10.0.0.102", "vm2": f"{MACS[1]} 10.0.0.7", "vm3": f"{MACS[2]} dynamic"}


@pytest.mark.parametrize("attached", [False, True], ids=["unknown MACs", "known MACs"])
@pytest.mark.parametrize("by_name", [False, True], ids=["iface-id", "name"])
def test_who_leaves_the_file_for_a_moment_keeps_its_address(attached: bool, by_name: bool) -> None:
    """Named with an address in the pool, with one beside it, and as dynamic."""
    ports = {name.replace("vm", "tap"): text for name, text in WHOLE.items()}
    whole = lab("10.0.0.100-10.0.0.109", **(ports if by_name else WHOLE))
    host = Host(whole)
    for number in (1, 2, 3):
        macs = {"attached_mac": MACS[number - 1]} if attached else {}
        host.plug(f"tap{number}", **({} if by_name else {"iface_id": f"vm{number}"}), **macs)
    before = host.served
    host.configure(lab("10.0.0.100-10.0.0.109"))
    assert host.served == before
    host.configure(whole)
    assert host.served == before
    assert host.refused == []


def test_nobody_else_gets_the_address_of_who_has_left_the_file_if_others_are_free() -> None:
    """It is no guest by its looks, so that without its name it is served nothing."""
    whole = lab(vm1=f"{MACS[0]} 10.0.0.102")
    host = Host(whole)
    host.plug("eth1", iface_id="vm1", is_guest=False)
    host.configure(lab())
    for number in (1, 2, 3):
        host.plug(f"tap{number}")
    assert sorted(host.given_out) == ["10.0.0.100", "10.0.0.101", "10.0.0.103"]
    host.plug("tap4")
    assert host.served["tap4"] == ["10.0.0.102"]  # nothing else is left
    host.unplug("tap4")
    host.configure(whole)
    assert host.served["vm1"] == ["10.0.0.102"]


def test_who_had_the_address_comes_before_who_waits_for_one() -> None:
    host = Host(lab("10.0.0.100", vm1=f"{MACS[0]} 10.0.0.100"))
    host.plug("aa")
    host.plug("tap1", iface_id="vm1")
    assert host.served == {"aa": [], "vm1": ["10.0.0.100"]}
    host.configure(lab("10.0.0.100"))
    assert host.served == {"aa": [], "vm1": ["10.0.0.100"]}


@pytest.mark.parametrize("other", ["MAC", "row"])
def test_another_guest_does_not_get_what_the_last_one_of_its_name_had(other: str) -> None:
    whole = lab("10.0.0.0/24", vm1=f"{MACS[0]} 10.0.0.102")
    host = Host(whole)
    host.plug("tap1", iface_id="vm1", attached_mac=MACS[0])
    if other == "row":
        host.unplug("tap1")
    else:
        host.plug("tap1", attached_mac=MACS[1])
    host.configure(lab("10.0.0.0/24"))
    if other == "row":
        host.plug("tap1", iface_id="vm1")
    assert host.served["vm1"] != ["10.0.0.102"]


def test_both_families_have_pools_and_each_is_waited_for_alone() -> None:
    pool = "[10.0.0.100, 'fd00::/64']"
    text = lab().replace("'10.0.0.100-10.0.0.103'", pool)
    host = Host(text.replace("    pool", "    dhcpv6: {cidr: 'fd00::/64'}\n    pool"))
    host.plug("tap1")
    four, six = host.served["tap1"]
    assert (four, six[:6]) == ("10.0.0.100", "fd00::")
    host.plug("tap2")
    pool = "10.0.0.100, fd00::-fd00::ffff:ffff:ffff:ffff"
    assert host.refused == [f"port tap2: no address is free in pool {pool}"]
    assert [address[:6] for address in host.served["tap2"]] == ["fd00::"]
    host.unplug("tap1")
    assert host.served["tap2"][0] == "10.0.0.100"


Plugged = st.lists(st.integers(1, 6), max_size=12)


@given(Plugged)
@settings(deadline=None)
def test_whoever_comes_and_goes_no_address_is_given_twice(numbers: list[int]) -> None:
    """A number plugs its guest in, or out if it is in; the pool has four addresses."""
    host = Host(lab())
    there: set[int] = set()
    for number in numbers:
        if number in there:
            host.unplug(f"tap{number}")
        else:
            host.plug(f"tap{number}")
        there ^= {number}
        assert len(host.given_out) == len({*host.given_out}) == min(4, len(there))
        assert len(host.refused) == max(0, len(there) - 4)
    before, refused = host.served, host.refused
    host.restart()
    assert (host.served, host.refused) == (before, refused)


def test_an_interface_with_another_name_keeps_its_address() -> None:
    host = Host(lab("10.0.0.0/24"))
    host.plug("tap1", iface_id="mm", attached_mac=MACS[0])
    before = host.served["mm"]
    for name in ("zz", "aa"):
        host.plug("tap1", iface_id=name, attached_mac=MACS[0])
        assert host.served[name] == before


@pytest.mark.parametrize("name", ["aa", "zz"])
def test_so_does_a_guest_that_is_away_and_back_in_one_transaction(name: str) -> None:
    host = Host(lab("10.0.0.0/24"))
    host.plug("tap1", iface_id=name, attached_mac=MACS[0])
    before = host.served[name]
    host.plug("tap1", iface_id="mm", row=uuid.uuid4(), memory=NO_MEMORY)
    assert host.served["mm"] == before


@pytest.mark.parametrize("address", ["10.0.0.100", "10.0.0.7"], ids=["in the pool", "beside it"])
def test_a_reserved_address_is_given_to_its_mac_whoever_comes_first(address: str) -> None:
    host = Host(lab(TWO, beside=reserved(_4=address)))
    for name in ("tap1", "tap2"):
        host.plug(name)
    host.plug("tap3", attached_mac=MACS[4])
    assert host.served["tap3"] == [address]
    assert address not in host.served["tap1"] + host.served["tap2"]
    assert host.memory("tap3") == remembers(address, owner=MACS[4])
    before = host.served
    host.restart()
    assert host.served == before


def test_who_has_an_address_that_is_reserved_now_moves() -> None:
    host = Host(lab())
    host.plug("tap1")
    host.plug("tap2", attached_mac=MACS[4])
    taken, own = host.served["tap1"][0], host.served["tap2"][0]
    host.configure(lab(beside=reserved(_4=taken)))
    assert host.served["tap2"] == [taken]
    assert host.served["tap1"] != [taken]
    host.configure(lab())
    assert host.served["tap2"] == [taken]  # nobody moves for nothing
    assert own not in host.served["tap2"]


def test_what_is_reserved_in_one_family_is_chosen_in_the_other() -> None:
    pool = "[10.0.0.100, 'fd00::/64']"
    text = lab(beside=reserved(_4="fd00::4")).replace("'10.0.0.100-10.0.0.103'", pool)
    host = Host(text.replace("    pool", "    dhcpv6: {cidr: 'fd00::/64'}\n    pool"))
    host.plug("tap1", attached_mac=MACS[4])
    assert host.served["tap1"] == ["10.0.0.100", "fd00::4"]


def test_an_excluded_address_is_given_to_nobody_and_who_has_it_moves() -> None:
    host = Host(lab(TWO))
    host.plug("tap1")
    (taken,) = host.served["tap1"]
    (other,) = {"10.0.0.100", "10.0.0.101"} - {taken}
    host.configure(lab(TWO, beside=f"exclude: {taken}"))
    assert host.served["tap1"] == [other]
    host.plug("tap2")
    assert host.refused == [f"port tap2: no address is free in pool {TWO}"]
    host.configure(lab(TWO, beside=f"exclude: {taken}", tap2=f"{MACS[0]} {taken}"))
    assert host.served["tap2"] == [taken]  # what the file itself gives away is its own affair
