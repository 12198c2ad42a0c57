# SPDX-License-Identifier: Apache-2.0
"""Real DHCP clients get their leases from the daemon."""
