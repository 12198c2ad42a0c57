# SPDX-License-Identifier: Apache-2.0
"""A test may be skipped where, and only where, no package has its program."""

from __future__ import annotations

import pytest

from tests.lab.distribution import not_packaged

DEBIAN_12 = {"ID": "debian", "VERSION_ID": "12"}
DEBIAN_13 = {"ID": "debian", "VERSION_ID": "13"}
DEBIAN_14 = {"ID": "debian", "VERSION_ID": "14"}
UNSTABLE = {"ID": "debian", "VERSION_CODENAME": "forky"}
UBUNTU = {"ID": "ubuntu", "ID_LIKE": "debian", "VERSION_ID": "24.04"}


@pytest.mark.parametrize("release", [DEBIAN_12, DEBIAN_13, UBUNTU, {}])
def test_what_is_packaged_is_not_excused(release: dict[str, str]) -> None:
    assert not_packaged("dhclient", release) is None


@pytest.mark.parametrize("release", [DEBIAN_14, UNSTABLE])
def test_what_is_not_packaged_is_excused(release: dict[str, str]) -> None:
    assert not_packaged("dhclient", release) == "no release of Debian after 13 has dhclient"
    assert not_packaged("udhcpc", release) is None


def test_what_is_not_packaged_yet_is_excused() -> None:
    assert not_packaged("incus", DEBIAN_12) == "no release of Debian before 13 has incus"
    for release in (DEBIAN_13, DEBIAN_14, UNSTABLE, UBUNTU, {}):
        assert not_packaged("incus", release) is None
