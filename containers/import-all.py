# SPDX-License-Identifier: Apache-2.0
"""Import each module of ours: fails if one is missing, and leaves what it has compiled, as root."""

import importlib
import pkgutil
import sys

import ovs_dhcpd

sys.modules["eventlet"] = None  # as `run` does
for module in pkgutil.walk_packages(ovs_dhcpd.__path__, "ovs_dhcpd."):
    if module.name != "ovs_dhcpd.__main__":
        importlib.import_module(module.name)
