# SPDX-License-Identifier: Apache-2.0
"""A configuration drafted from what is there: a switch, or another server's configuration."""
