# SPDX-License-Identifier: Apache-2.0
"""What holds for whatever is in a configuration file, and files to begin with."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.controller.wire.flow_messages import encode_add
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15
from ovs_dhcpd.flows.bindings.network import Configuration
from ovs_dhcpd.flows.configuration.section import Mistakes, Section
from ovs_dhcpd.flows.pipeline import build

from tests.lab import reference, reference6
from tests.unit.configuration.file import NETWORK, NETWORK6, POOL, PORT, PORT6

EXAMPLES = Path(__file__).parents[1] / "examples"
GOLDEN = {path.name: path.read_bytes() for path in EXAMPLES.glob("*.yaml")}
GOLDEN |= {
    name: text.encode()
    for name, text in {
        "reference": reference.configuration(),
        "reference6": reference6.configuration(),
        "network": NETWORK % "lease_time: 600",
        "network6": NETWORK6 % 'dhcpv6: {cidr: "fd00::/64"}',
        "port": PORT % 'addresses: "02:00:00:00:00:01 10.0.0.5"',
        "port6": PORT6 % ('dhcpv6: {cidr: "fd00::/64"}', '"02:00:00:00:00:01 fd00::5"', ""),
        "pool": POOL % "[10.0.0.5-10.0.0.9, 10.0.0.32/28, fd00::1]",
        "anchors": "a: &a {cidr: 10.0.0.0/24}\nnetworks: {x: {dhcpv4: {<<: *a}, ports: {}}}",
    }.items()
}
MAX_LINES, MAX_LINE = 50, 2000

_FILE = Path(tempfile.mkstemp(suffix=".yaml")[1])


def check(text: bytes) -> None:
    """A file is a configuration whose flows can be sent, or some mistakes, a line for each."""
    _FILE.write_bytes(text)
    configuration, errors = _load()
    if configuration is None:
        assert 0 < len(errors) <= MAX_LINES
        for line in errors:
            assert line.isprintable(), line
            assert len(line) <= MAX_LINE, line
        return
    for network in configuration.networks:
        flows = [*build.network_flows(network)]
        for port in network.ports:
            flows += build.port_flows(network, port, 1)
        for flow in flows:
            for version in (OFP13, OFP15):
                sent = encode_add(version, flow)
                assert int.from_bytes(sent[2:4], "big") == len(sent)


def _load() -> tuple[Configuration | None, list[str]]:
    try:
        return yaml_file.load(_FILE), []
    except yaml_file.ConfigError as error:
        return None, error.errors


def is_taken(text: bytes) -> bool:
    """Whether the text is a configuration."""
    _FILE.write_bytes(text)
    return _load()[0] is not None


def document(text: bytes) -> Section:
    """The file as the parsers get it."""
    return yaml_file.parse(str(_FILE), text, Mistakes())
