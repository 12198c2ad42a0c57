# SPDX-License-Identifier: Apache-2.0
"""Import each module of ours: fails if one is missing, and leaves what it has compiled, as root."""

import importlib
import pkgutil

import ovs_dhcpd

for module in pkgutil.walk_packages(ovs_dhcpd.__path__, "ovs_dhcpd."):
    if module.name != "ovs_dhcpd.__main__":
        importlib.import_module(module.name)
