# SPDX-License-Identifier: Apache-2.0
"""What ``bindings/show`` answers, and what its readers make of it."""

from __future__ import annotations

import json
from pathlib import Path

from ovs_dhcpd.controller.ports.binder import Served
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.controller.texts.bindings_list import Bound, as_text, bindings, bound_of

CONFIGURATION = """
networks:
  blue:
    dhcpv4: {cidr: 10.0.0.0/24}
    ports:
      vm1: {addresses: "fa:16:3e:00:00:01 10.0.0.5 fd00::5"}
      vm1-100: {addresses: "fa:16:3e:00:00:02 10.0.0.6", parent: vm1, tag: 100}
"""


def test_both_ways(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(CONFIGURATION)
    (network,) = yaml_file.load(file).networks
    served = {port.name: Served("br-int", 5, ((network, port),)) for port in network.ports}
    answer = json.loads(json.dumps(bindings(served, {"vm1": "tap1"}.__getitem__)))
    assert bound_of(answer) == [
        Bound(
            *("vm1", "tap1", "br-int", 5, "blue"),
            "fa:16:3e:00:00:01",
            None,
            ["10.0.0.5", "fd00::5"],
        ),
        Bound(*("vm1-100", "tap1", "br-int", 5, "blue"), "fa:16:3e:00:00:02", 100, ["10.0.0.6"]),
    ]
    assert answer["version"] == 1


def test_what_a_later_daemon_says_beside_is_left_out() -> None:
    row = Bound("vm1", "", "br-int", 5, "blue", None, None, [])._asdict() | {"colour": "red"}
    answer = {"version": 1, "bindings": [row], "more": True}
    assert bound_of(answer) == [Bound("vm1", "", "br-int", 5, "blue", None, None, [])]


def test_the_text_is_of_the_same() -> None:
    rows = [
        Bound(
            "vm1", "tap1", "br-int", 5, "blue", "fa:16:3e:00:00:01", None, ["10.0.0.5", "fd00::5"]
        ),
        Bound("a\nb", "tap2", "br-int", 0xFFFFFFFE, "red", None, 100, []),
    ]
    text = as_text({"version": 1, "bindings": [row._asdict() for row in rows]})
    assert text.splitlines() == [
        "vm1                                  br-int              5  fa:16:3e:00:00:01  blue: "
        "10.0.0.5 fd00::5",
        "a\\nb                                 br-int          LOCAL  any MAC            "
        "red (tag 100): no address",
    ]
