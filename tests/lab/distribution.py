# SPDX-License-Identifier: Apache-2.0
"""Which programs a distribution has no package of, so that their tests may be skipped there."""

from __future__ import annotations

import platform
from collections.abc import Mapping

# The last release of Debian that has the program, by its number.
LAST_DEBIAN = {"dhclient": 13}  # isc-dhcp-client, which its authors have not maintained since 2022


def not_packaged(program: str, release: Mapping[str, str]) -> str | None:
    """Why no package of this distribution has the program, or None if one has.

    `release` is os-release(5).  A Debian without VERSION_ID, as testing and unstable are, is newer
    than every numbered one.
    """
    last = LAST_DEBIAN.get(program)
    if last is None or release.get("ID") != "debian":
        return None
    if "VERSION_ID" in release and int(release["VERSION_ID"]) <= last:
        return None
    return f"no release of Debian after {last} has {program}"


def this() -> Mapping[str, str]:
    """os-release(5) of this machine; empty where there is none."""
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}
