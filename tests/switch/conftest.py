# SPDX-License-Identifier: Apache-2.0
"""The reference network on one private switch, and what the tests ask it."""

from __future__ import annotations

import pytest

from tests.lab import reference
from tests.lab.guest import Guest
from tests.lab.openflow import OPENFLOW
from tests.lab.switch import PrivateOvs


@pytest.fixture(scope="module")
def guest(switch: PrivateOvs) -> Guest:
    """The reference network's one port."""
    return reference.guest(switch)


@pytest.fixture(scope="module")
def neighbour(switch: PrivateOvs) -> Guest:
    """Another guest on the bridge, one that no network names."""
    return switch.guest("neighbour", "02:00:00:00:00:99")


@pytest.fixture(params=OPENFLOW)
def openflow(request: pytest.FixtureRequest) -> str:
    """The OpenFlow version that the daemon speaks."""
    return str(request.param)
