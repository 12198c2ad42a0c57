# SPDX-License-Identifier: Apache-2.0
"""Tests that run until somebody stops them."""
