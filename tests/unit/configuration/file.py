# SPDX-License-Identifier: Apache-2.0
"""Configuration files as text, and what is read from them or found wrong in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.flows.bindings.network import Configuration

# In each of these, the line that is wrong is the one with %s.
NETWORK = """\
bridge: br-int
networks:
  red:
    dhcpv4:
      cidr: 10.0.0.0/24
      %s
    arp_responder: true
    ports:
      vm1:
        addresses: "02:00:00:00:00:01 10.0.0.5"
"""

PORT = """\
networks:
  red:
    dhcpv4: {cidr: 10.0.0.0/24, lease_time: 600, T1: 200, server_mac: "0a:00:00:00:00:01"}
    ports:
      vm0: {addresses: "02:00:00:00:00:aa 10.0.0.200 fd00::aa"}
      vm1:
        %s
"""

NETWORK6 = """\
networks:
  red:
    %s
    ports:
      vm1: {addresses: "02:00:00:00:00:01 10.0.0.5 fd00::5"}
"""

PORT6 = """\
networks:
  red:
    %s
    ports:
      vm0: {addresses: "02:00:00:00:00:aa fd00::aa", delegated_prefix: "fd00:aa::/56"}
      vm1:
        addresses: %s
        %s
"""

POOL = """\
networks:
  red:
    dhcpv4: {cidr: 10.0.0.0/24, router: 10.0.0.1}
    dhcpv6: {cidr: "fd00::/64"}
    pool: %s
"""


def load(directory: Path, text: str | bytes) -> Configuration:
    path = directory / "c.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return yaml_file.load(path)


def errors(directory: Path, text: str | bytes) -> list[str]:
    with pytest.raises(yaml_file.ConfigError) as caught:
        load(directory, text)
    return [error.replace(str(directory) + "/", "") for error in caught.value.errors]
