# SPDX-License-Identifier: Apache-2.0
"""What was measured, on what, and when."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from tests.lab.process import environment, missing, run

ROOT = Path(__file__).parents[1]
COMMIT = "OVS_DHCPD_COMMIT"  # in the environment, where the checkout has no history


def about() -> dict[str, str]:
    """The versions of everything that takes part, by name."""
    cpu = Path("/proc/cpuinfo").read_text().partition("model name\t: ")[2].partition("\n")[0]
    return {
        "ovs-dhcpd": _commit(),
        "on": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "CPUs": f"{os.cpu_count()} ({cpu})",
        "Linux": platform.release(),
        "Debian": platform.freedesktop_os_release()["PRETTY_NAME"].removeprefix(
            "Debian GNU/Linux "
        ),
        "Python": platform.python_version(),
        "Open vSwitch": _version("ovs-vswitchd"),
        "OVN": _version("ovn-controller"),
    }


def _commit() -> str:
    if COMMIT in os.environ:
        return os.environ[COMMIT]
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "of unknown commit"


def _version(program: str) -> str:
    if missing(program):
        return "none"
    found = re.search(r"\d+(\.\d+)+\S*", run([program, "--version"], env=environment()))
    return found[0] if found else "of unknown version"
