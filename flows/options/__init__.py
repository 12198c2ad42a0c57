# SPDX-License-Identifier: Apache-2.0
"""DHCP options: the table of them, their values as text and as bytes."""
