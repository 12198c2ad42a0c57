# SPDX-License-Identifier: Apache-2.0
"""A Mininet topology whose hosts get their leases from the daemon."""
