# SPDX-License-Identifier: Apache-2.0
"""What a lease is as JSON, for who writes it and for who reads it alone.

``{"version": 1, "time": …, "leases": [{…}, …]}``, each lease with all of FIELDS.  Times are
in ISO 8601, UTC, to the second.  What is not known, or is not there, is null.
"""

from __future__ import annotations

VERSION = 1

FIELDS = (
    *("port", "interface", "bridge", "ofport", "vlan", "network", "family", "mac", "address"),
    *("addresses", "prefixes", "state", "since", "expires", "last_message", "last_answer"),
    *("last_at", "requests", "requests_since", "host_name", "vendor_class"),
)
NEVER = "never"  # as expires
