# SPDX-License-Identifier: Apache-2.0
"""Why a port is served, or is not: the chain from the daemon to the guest's last request."""
