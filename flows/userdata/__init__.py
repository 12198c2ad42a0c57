# SPDX-License-Identifier: Apache-2.0
"""Userdata: actions such as ``put_dhcp_opts(...)``, as text and as the bytes in a flow."""
