# SPDX-License-Identifier: Apache-2.0
"""A chain as JSON: what programs may rely on."""

from __future__ import annotations

import json

from ovs_dhcpd.controller.why.chain import chain_of
from ovs_dhcpd.controller.why.document import document

from tests.unit.why.served import MAC, SERVED, unserved


def test_a_port_that_is_served() -> None:
    found = json.loads(json.dumps(document(chain_of(SERVED))))
    links = found.pop("links")
    assert links[2] == {"link": "bridge", "verdict": "ok", "text": "br-int", "mend": ""}
    assert found.pop("headline").startswith("vm1 is served ")
    assert found == {
        "version": 1,
        "asked_for": "vm1",
        "port": "vm1",
        "others": [],
        "served": True,
        "mend": "",
        "bridge": "br-int",
        "interface": "tap1",
        "ofport": 7,
        "vlan": 0,
        "bindings": [{"network": "lab", "mac": MAC, "addresses": ["10.0.0.5", "fd00::5"]}],
    }


def test_what_nobody_knows() -> None:
    found = document(chain_of(unserved(found=False, interface=None, bridge=None)))
    names = ("port", "served", "bridge", "interface", "ofport", "vlan", "bindings")
    assert [found[name] for name in names] == [None, False, None, None, None, None, []]
