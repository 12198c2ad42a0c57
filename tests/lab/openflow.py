# SPDX-License-Identifier: Apache-2.0
"""The versions of OpenFlow that a daemon of the tests speaks, one after the other."""

from __future__ import annotations

import pytest

OPENFLOW = [
    "1.5",
    pytest.param("1.3", marks=pytest.mark.not_in_test_kernel("no datapath knows of OpenFlow")),
]
