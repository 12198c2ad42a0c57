# SPDX-License-Identifier: Apache-2.0
"""The flows of many networks, against those that a release has put on bridges.

A flow's cookie is a hash of its content, and what is on a bridge is known by its cookies alone:
one that is another here is deleted and added again on every bridge at the next upgrade.
``flows.golden`` has a line for each logical flow as ``lflows`` prints it, and for each flow its
cookie, the checksums of the message that adds it in OpenFlow 1.3 and 1.5, and its text with the
checksum of its userdata.  If a change of them is meant,

    python -m tests.unit.pipeline.test_flows_golden > tests/unit/pipeline/flows.golden
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

from ovs_dhcpd.controller.wire.flow_messages import encode_add
from ovs_dhcpd.controller.wire.openflow import OFP13, OFP15
from ovs_dhcpd.flows.pipeline import build as pipeline
from ovs_dhcpd.flows.pipeline.flow import Flow

from tests.unit.pipeline.networks import NETWORKS

GOLDEN = Path(__file__).parent / "flows.golden"


def line(flow: Flow) -> str:
    sums = [f"{crc32(encode_add(version, flow)):08x}" for version in (OFP13, OFP15)]
    content = re.sub(
        "userdata=([0-9a-f.]*)",
        lambda found: f"userdata={crc32(found[1].encode()):08x}",
        flow.content,
    )
    return f"{flow.cookie:#x} {' '.join(sums)} {content}"


def lines() -> Iterator[str]:
    yield from map(line, pipeline.bridge_flows())
    for network in NETWORKS:
        yield f"-- {network.name}"
        yield from map(str, pipeline.network_lflows(network))
        yield from map(line, pipeline.network_flows(network))
        for ofport, port in enumerate(network.ports, 1):
            yield f"-- {port.name}"
            yield from map(str, pipeline.port_lflows(network, port))
            yield from map(line, pipeline.port_flows(network, port, ofport))


def test_the_flows_are_those_on_the_bridges_out_there() -> None:
    assert list(lines()) == GOLDEN.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    print(*lines(), sep="\n")
