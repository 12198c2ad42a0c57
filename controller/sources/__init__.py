# SPDX-License-Identifier: Apache-2.0
"""Where the configuration comes from and where the ports are: the sources the daemon reads."""
