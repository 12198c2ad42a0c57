# SPDX-License-Identifier: Apache-2.0
"""What runs: the application, its channel to the switch, the responders, the sources, the CLI."""

import sys

# python-ovs imports eventlet where it finds it, at 0.2 s and 15 MB; all runs on the system's
# threads here.  This is read before any module of ours imports python-ovs.
sys.modules.setdefault("eventlet", None)  # type: ignore[arg-type]
