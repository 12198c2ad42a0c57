# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch's own decoder of OpenFlow messages."""

from __future__ import annotations

import shutil
import subprocess

import pytest


def ofp_print(message: bytes) -> str:
    """A message as ovs-ofctl shows it; skips the test where that is not installed."""
    if shutil.which("ovs-ofctl") is None:
        pytest.skip("ovs-ofctl is not installed")
    return subprocess.run(
        ["ovs-ofctl", "ofp-print", message.hex()], capture_output=True, text=True, check=True
    ).stdout
