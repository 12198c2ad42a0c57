# SPDX-License-Identifier: Apache-2.0
"""Tests with random values."""

from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine only.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
