# SPDX-License-Identifier: Apache-2.0
"""Where configuration comes from: files, and OVN's Northbound database."""
