# SPDX-License-Identifier: Apache-2.0
"""OVN as the peer: same userdata, same answers."""
