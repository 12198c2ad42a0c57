# SPDX-License-Identifier: Apache-2.0
"""What goes on the bridge: options, userdata, logical actions, flows.  Pure: no I/O."""
