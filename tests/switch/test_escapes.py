# SPDX-License-Identifier: Apache-2.0
"""Text of others that would forge lines or speak to a terminal: shown escaped, and cut."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.daemon import ROOT, Dhcpd, wait_ready
from tests.lab.guest import Guest
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with the datapath")

# Clear the screen, begin a line as of the log, write from right to left, CSI in one character.
EVIL = "büro\x1b[2J\n2026-11-24T00:00:00.000Z | 00001 | daemon | WARN | forged\u202e\x9b"
SHOWN = r"büro\x1b[2J\n2026-11-24T00:00:00.000Z | 00001 | daemon | WARN | forged\u202e\x9b"
LONG = "x" * 50_000

CONFIGURATION = """\
networks:
  lab:
    dhcpv4: {cidr: 10.0.0.0/24}
    pool: 10.0.0.100-10.0.0.109
"""


@pytest.fixture
def dhcpd(switch: PrivateOvs) -> Iterator[Dhcpd]:
    with Dhcpd(switch, CONFIGURATION, "--cleanup") as dhcpd:
        wait_ready(dhcpd)
        yield dhcpd


def says(switch: PrivateOvs, guest: Guest, **external_ids: str) -> None:
    """Have the row of the guest's interface say just this."""
    ids = ",".join(
        f"{key.replace('_', '-')}={json.dumps(value)}" for key, value in external_ids.items()
    )
    switch.vsctl("set", "interface", guest.port, f"external_ids={{{ids}}}")


def assert_harmless(text: str) -> None:
    for line in text.splitlines():
        assert line.isprintable(), repr(line)
        assert not line.startswith("2026-11-24T00"), line
        assert len(line) < 1100


@pytest.mark.parametrize(
    ("external_ids", "line"),
    [
        (
            {"iface_id": "vm1", "dhcp_network": EVIL},
            f"port vm1: dhcp-network: {SHOWN}, expected lab",
        ),
        (
            {"iface_id": EVIL, "dhcp_network": "guests"},
            f"port {SHOWN}: dhcp-network: guests, expected lab",
        ),
        (
            {"iface_id": "vm1", "attached_mac": EVIL},
            f"port vm1: attached-mac: '{SHOWN}' is no MAC, expected xx:xx:xx:xx:xx:xx",
        ),
        (
            {"iface_id": LONG, "dhcp_network": LONG},
            f"port {'x' * 80}…: dhcp-network: {'x' * 80}…, expected lab",
        ),
    ],
    ids=["dhcp-network", "iface-id", "attached-mac", "long"],
)
def test_what_a_row_says_is_escaped_in_what_is_refused(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd, external_ids: dict[str, str], line: str
) -> None:
    says(switch, guest, **external_ids)
    wait_until(lambda: dhcpd.appctl("bindings/refused") == line, line)
    wait_until(lambda: f"{line} (" in dhcpd.log(), "the line in the log")
    assert_harmless(dhcpd.log())


def test_what_a_row_says_is_escaped_in_what_is_served(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    says(switch, guest, iface_id=EVIL)
    wait_until(lambda: dhcpd.appctl("bindings/show").startswith(f"{SHOWN}"), "the binding")
    shown = dhcpd.appctl("bindings/show")
    assert_harmless(shown)
    assert len(shown.splitlines()) == 1
    assert_harmless(dhcpd.appctl("status"))


# In YAML, all of it as escapes but the letters.
YAML_EVIL = json.dumps(EVIL.replace("\x1b", "\0\x1b"))
MISTAKES = [
    f"networks: {{lab: {{dhcpv4: {{cidr: {YAML_EVIL}}}, ports: {{}}}}}}",
    f"networks: {{lab: {{dhcpv4: {{{YAML_EVIL}: 1, cidr: 10.0.0.0/24}}, ports: {{}}}}}}",
    f"networks: {{lab: {{dhcpv4: {{domain_name: {YAML_EVIL}, cidr: 10.0.0.0/24}}, ports: {{}}}}}}",
    f"networks: {{{YAML_EVIL}: {{dhcpv4: {{cidr: 10.0.0.0/24}}, ports: {{}}}}}}",
    f"networks: {{lab: {{dhcpv4: {{cidr: 10.0.0.0/24}}, ports: {{{YAML_EVIL}: 1}}}}}}",
    f"bridge: {YAML_EVIL}\nnetworks: {{}}",
    f"{YAML_EVIL}: 1\nnetworks: {{{LONG}: 1}}",
    f"networks: *{LONG}",
    f"networks: !{LONG} {{}}",
]


@pytest.mark.parametrize("text", MISTAKES, ids=map(str, range(len(MISTAKES))))
def test_what_a_file_says_is_escaped(dhcpd: Dhcpd, tmp_path: Path, text: str) -> None:
    dhcpd.reconfigure(text)
    wait_until(lambda: "stays in force" in dhcpd.log(), "the mistake")
    refused = dhcpd.appctl("bindings/refused")
    assert "expected" in refused
    assert_harmless(refused)
    assert_harmless(dhcpd.log())
    file = tmp_path / f"{EVIL}.yaml"
    file.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "ovs_dhcpd", "check", file],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert_harmless(done.stderr)
    assert len(done.stderr.splitlines()) == len(refused.splitlines())
