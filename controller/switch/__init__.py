# SPDX-License-Identifier: Apache-2.0
"""The connections to the switches: sockets, threads, os-ken."""

import logging
import os

# os-ken chooses at its first import what its "hub" runs on: eventlet's green threads (its own
# choice before 4.0) or the system's. Here each connection is a thread of the system, so that
# is said before any module of this folder imports os-ken, whatever the environment says.
os.environ["OSKEN_HUB_TYPE"] = "native"
# os-ken 3 then warns that its native hub is incomplete. What it lacks (Timeout, cancelling a
# thread) is not used here; errors of its threads are still logged.
logging.getLogger("os_ken.lib.hub").setLevel(logging.ERROR)
