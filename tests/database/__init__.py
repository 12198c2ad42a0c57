# SPDX-License-Identifier: Apache-2.0
"""What is read from a real ovsdb-server, without root and without a switch."""
