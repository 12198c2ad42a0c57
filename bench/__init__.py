# SPDX-License-Identifier: Apache-2.0
"""Side-by-side measurements: `python -m bench` (see docs/benchmark.md)."""

import sys

# As `ovs-dhcpd run` does: python-ovs would import eventlet where it finds it.
sys.modules.setdefault("eventlet", None)  # type: ignore[arg-type]
