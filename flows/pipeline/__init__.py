# SPDX-License-Identifier: Apache-2.0
"""From bindings to flows: the tables, the logical flows, the flows, and what of them changes."""
