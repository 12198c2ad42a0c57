# SPDX-License-Identifier: Apache-2.0
"""`python -m controller` is `ovs-dhcpd`."""

from __future__ import annotations

import sys

from controller.cli import main

sys.exit(main())
