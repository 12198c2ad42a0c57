# SPDX-License-Identifier: Apache-2.0
"""What the bridge has learned of a guest that has not asked by the MAC that is served."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ovs_dhcpd.controller.why.chain import chain_of
from ovs_dhcpd.controller.why.document import document
from ovs_dhcpd.controller.why.facts import Facts
from ovs_dhcpd.controller.why.learned import (
    Heard,
    amend,
    found_behind,
    heard_behind,
    is_missing,
    port_with,
    ports_of,
)
from ovs_dhcpd.controller.wire.flow_stats import FlowCounts
from ovs_dhcpd.flows.bindings.probe import probing_mac

from tests.unit.why.served import COUNTS, INTERFACE, MAC, MAC2, SERVED, but

UNASKED = but(
    flows={"counts": dict.fromkeys(COUNTS, FlowCounts(0, 90.0, 90.0))},
    interface={"attached_mac": None},
    leases=(),
)
# It is known already that the guest has another one.
NAMED = replace(UNASKED, interface=replace(INTERFACE, attached_mac=MAC2))
TABLE = f"""\
 port  VLAN  MAC                Age
    7     0  {MAC2}   12
    7   100  {MAC2}   12
    7     0  {probing_mac("br-int", b"salt").hex(":")}   12
   17     0  02:00:00:00:00:17    1
LOCAL     0  02:00:00:00:00:18    1
"""


def test_only_what_is_behind_the_port_counts() -> None:
    assert heard_behind(7, TABLE) == [Heard(MAC2, 0), Heard(MAC2, 100)]
    assert heard_behind(9, TABLE) == heard_behind(7, "") == []


def test_a_mac_is_behind_the_interface_that_has_the_number() -> None:
    ports = ports_of(
        "netdev@ovs-netdev: hit:12 missed:3\n"
        "  br-ex:\n    br-ex 65534/2: (tap)\n    patch-1 7/none: (patch: peer=patch-2)\n"
        "  br-int:\n    tap1 7/3: (afxdp: n_rxq=1)\n"
    )
    assert ports == {"br-ex": {"LOCAL": "br-ex"}, "br-int": {"7": "tap1"}}
    for mac, number in ((MAC2, "7"), ("02:00:00:00:00:18", "LOCAL"), (MAC, "")):
        assert port_with(bytes.fromhex(mac.replace(":", "")), TABLE) == number
    assert ports_of("") == {}


@pytest.mark.parametrize(("facts", "missing"), [(UNASKED, True), (SERVED, False), (NAMED, False)])
def test_it_is_asked_for_where_nobody_has_asked(facts: Facts, missing: bool) -> None:
    assert is_missing(document(chain_of(facts))) is missing


def test_another_mac_than_the_one_that_is_served_is_what_is_wrong() -> None:
    chain = amend(document(chain_of(UNASKED)), [Heard(MAC2, 0), Heard(MAC2, 0)])
    text = f"{MAC} is served, and {MAC2} is behind the port"
    mend = f'write where it is named: addresses: "{MAC2} 10.0.0.5 fd00::5"'
    assert (chain["headline"], chain["mend"]) == (f"vm1 is not served: {text}", mend)
    (link,) = (link for link in chain["links"] if link["link"] == "MAC")
    assert link == {"link": "MAC", "verdict": "broken", "text": text, "mend": mend}


def test_of_many_macs_three_are_named() -> None:
    heard = [Heard(f"02:00:00:00:01:{number:02x}", 0) for number in range(200)]
    chain = amend(document(chain_of(UNASKED)), heard)
    three = " and ".join(each.mac for each in heard[:3])
    text = f"{MAC} is served, and {three} and 197 more are behind the port"
    assert chain["headline"] == f"vm1 is not served: {text}"
    assert "and 02:00:00:00:01:02 are" in str(amend(document(chain_of(UNASKED)), heard[:3]))


def test_its_own_mac_or_none_changes_nothing() -> None:
    chain = document(chain_of(UNASKED))
    assert amend(chain, [Heard(MAC2, 0), Heard(MAC, 0)]) == amend(chain, []) == chain
    chain = {**chain, "bindings": [{**chain["bindings"][0], "mac": None}]}  # any MAC is
    assert amend(chain, [Heard(MAC2, 0)]) == chain


def test_what_has_a_tag_is_not_asked_of_us() -> None:
    chain = document(chain_of(UNASKED))
    said = amend(chain, [Heard(MAC, 100)])
    text = f"nobody has asked without a tag, and {MAC} sends with that of VLAN 100"
    assert said["headline"] == f"vm1 is not served: {text}"
    chain = {**chain, "vlan": 100}  # an access port's, which has no tag, or a sub-port's
    assert amend(chain, [Heard(MAC, 100)]) == chain


def test_who_is_behind_what_is_not_served_may_be_on_another_host() -> None:
    served = found_behind(document(chain_of(UNASKED)), MAC2, "tap1")
    assert (served["asked_for"], served["headline"].split()[:2]) == (MAC2, ["vm1", "is"])
    nobody = document(chain_of(but(asked_for="eth0", port="eth0", interface=None, served=())))
    found = found_behind(nobody, MAC2, "eth0")
    assert found["headline"] == f"{MAC2} is not served: it is behind eth0, and {nobody['headline']}"
    assert (
        found["mend"] == f"where eth0 leads to another host, ask there, else type: {nobody['mend']}"
    )
    assert found_behind({**nobody, "mend": ""}, MAC2, "eth0")["mend"].endswith(" ask there")
