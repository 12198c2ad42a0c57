# SPDX-License-Identifier: Apache-2.0
"""All that can happen to the daemon, at random and for minutes: `python -m tests.soak`."""
