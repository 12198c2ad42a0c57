# SPDX-License-Identifier: Apache-2.0
"""One packet's way through a bridge, as ``ovs-dhcpd trace`` tells it."""
