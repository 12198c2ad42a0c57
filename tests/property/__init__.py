# SPDX-License-Identifier: Apache-2.0
"""Tests with random values."""

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine only.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# So that what they assert is shown as in a test.
pytest.register_assert_rewrite(
    *(f"tests.property.oracle_{protocol}" for protocol in ("dhcpv4", "dhcpv6", "nd_ra"))
)
