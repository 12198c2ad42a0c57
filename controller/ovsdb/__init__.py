# SPDX-License-Identifier: Apache-2.0
"""The local Open_vSwitch database: what is plugged in where, and what is remembered there."""
