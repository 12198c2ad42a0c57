# SPDX-License-Identifier: Apache-2.0
"""``python -m ovs_dhcpd`` is ``ovs-dhcpd``."""

from __future__ import annotations

import sys

from ovs_dhcpd.controller.commands.cli import main

sys.exit(main())
