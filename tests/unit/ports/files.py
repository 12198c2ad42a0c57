# SPDX-License-Identifier: Apache-2.0
"""Files with networks that have pools, on this bridge or another."""

from __future__ import annotations

MAC, MAC2 = "02:00:00:00:00:01", "02:00:00:00:00:02"


def file(*networks: str, **ports: str) -> str:
    """A file with these networks, each with a pool, and named ports of the first."""
    lines = ["networks:"]
    for number, network in enumerate(networks):
        lines.append(f"  {network}:")
        lines.append(f"    dhcpv4: {{cidr: 10.0.{number}.0/24}}")
        lines.append(f"    pool: 10.0.{number}.100-10.0.{number}.109")
        if ports and not number:
            lines.append("    ports:")
            lines += [f"      {name}: {{addresses: '{text}'}}" for name, text in ports.items()]
    return "\n".join(lines)


def other_bridge(text: str, bridge: str = "br-other") -> str:
    return f"bridge: {bridge}\n{text}"
