# SPDX-License-Identifier: Apache-2.0
"""What a port is served, a module each: its logical flows, and next to them the flows.

Each module has the same four functions: what one port needs and what a network's ports
share, in both forms.
"""
