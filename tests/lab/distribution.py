# SPDX-License-Identifier: Apache-2.0
"""Which programs a distribution has no package of, so that their tests may be skipped there."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping

# The first and the last release of Debian that has the program, by its number.
FIRST_DEBIAN = {"incus": 13}
LAST_DEBIAN = {"dhclient": 13}  # isc-dhcp-client, which its authors have not maintained since 2022


def not_packaged(program: str, release: Mapping[str, str]) -> str | None:
    """Why no package of this distribution has the program, or None if one has.

    `release` is os-release(5).  A Debian without VERSION_ID, as testing and unstable are, is newer
    than every numbered one.
    """
    if release.get("ID") != "debian":
        return None
    number = int(release["VERSION_ID"]) if "VERSION_ID" in release else sys.maxsize
    if number < (first := FIRST_DEBIAN.get(program, 0)):
        return f"no release of Debian before {first} has {program}"
    if number > (last := LAST_DEBIAN.get(program, sys.maxsize)):
        return f"no release of Debian after {last} has {program}"
    return None


def this() -> Mapping[str, str]:
    """os-release(5) of this machine; empty where there is none."""
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}
