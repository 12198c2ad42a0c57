# SPDX-License-Identifier: Apache-2.0
"""PrivateOvn: a PrivateOvs that OVN programs, with ovn-northd and one ovn-controller."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

import pytest

from tests.lab.process import run
from tests.lab.switch import PrivateOvs

Version = tuple[int, int, int]
# What a change of OVN's was released in: the first version of each branch that it was put into.
# The branches after the last of these have it too.
Change = tuple[Version, ...]


def has(version: Version, change: Change) -> bool:
    """Whether that version of OVN has the change."""
    of_branch = {first[:2]: first for first in change}
    return version >= of_branch.get(version[:2], change[-1])


def version() -> Version:
    """The version of OVN that is installed: (23, 3, 1) for 23.03.1."""
    text = run(["ovn-controller", "--version"])
    found = re.match(r"ovn-controller (\d+)\.(\d+)\.(\d+)", text)
    assert found, text
    return int(found[1]), int(found[2]), int(found[3])


def require_ovn(major: int, minor: int) -> None:
    """Skip the test with an older OVN: what it asks for is not there.

    Distributions have one version of it, so this is no failure where nothing may be skipped.
    """
    installed = version()
    if installed < (major, minor):
        old = ".".join(map(str, installed))
        pytest.skip(f"OVN {old} has not what is asked for, {major}.{minor:02} has")


class PrivateOvn(PrivateOvs):
    """Open vSwitch and a whole OVN on one host; a context manager."""

    programs = (*PrivateOvs.programs, "ovn-northd", "ovn-controller", "ovn-nbctl")

    def start(self) -> None:
        """Start Open vSwitch, the two OVN databases, ovn-northd and ovn-controller."""
        super().start()
        self.vsctl("set", "bridge", self.bridge, "fail-mode=secure")
        for name in ("nb", "sb"):
            self.create_database(name, f"/usr/share/ovn/ovn-{name}.ovsschema")
            self.start_database(name, self.run_dir / f"ovn{name}_db.sock")
        north, south = (f"unix:{self.run_dir}/ovn{name}_db.sock" for name in ("nb", "sb"))
        self.nbctl("init")
        self.sbctl("init")
        self.spawn("ovn-northd", "ovn-northd", f"--ovnnb-db={north}", f"--ovnsb-db={south}",
                   f"--unixctl={self.run_dir}/ovn-northd.ctl")  # fmt: skip
        self.vsctl(
            "set", "open", ".", "external-ids:system-id=hv1", f"external-ids:ovn-remote={south}",
            "external-ids:ovn-encap-type=geneve", "external-ids:ovn-encap-ip=127.0.0.1",
            f"external-ids:ovn-bridge-datapath-type={self.datapath_type}",
        )  # fmt: skip
        self.start_ovn_controller()

    def start_ovn_controller(self) -> None:
        """Start ovn-controller, which stopped with its flows left on the bridge or never ran."""
        self.spawn("ovn-controller", "ovn-controller", self.database, "--pidfile")

    def stop_ovn_controller(self) -> None:
        """Stop ovn-controller as for an upgrade: its flows stay on the bridge."""
        run(["ovn-appctl", "-t", "ovn-controller", "exit", "--restart"], env=self.environment)
        self.processes["ovn-controller"].wait()

    def nbctl(self, *arguments: object) -> str:
        """Run ovn-nbctl; with --wait=hv it returns when the bridge has the flows."""
        return run(["ovn-nbctl", "--timeout=60", f"--db=unix:{self.run_dir}/ovnnb_db.sock",
                    *arguments], env=self.environment)  # fmt: skip

    def sbctl(self, *arguments: object) -> str:
        """Run ovn-sbctl."""
        return run(["ovn-sbctl", "--timeout=60", f"--db=unix:{self.run_dir}/ovnsb_db.sock",
                    *arguments], env=self.environment)  # fmt: skip

    def sync(self) -> None:
        """Wait until the bridge is what the Northbound database says."""
        self.nbctl("--wait=hv", "sync")

    def dhcp_port(
        self,
        network: str,
        port: str,
        addresses: str,
        cidr: str,
        options: Mapping[str, str],
        family: int = 4,
    ) -> None:
        """Make a logical port with a DHCP_Options row of its own, of DHCPv4 or DHCPv6."""
        row = self.nbctl("create", "DHCP_Options", f'cidr="{cidr}"').strip()
        words = [f"{name}={value}" for name, value in options.items()]
        self.nbctl(
            "dhcp-options-set-options", row, *words, "--",
            "--may-exist", "lsp-add", network, port, "--",
            "lsp-set-addresses", port, addresses, "--",
            f"lsp-set-dhcpv{family}-options", port, row,
        )  # fmt: skip

    def router_port(
        self, router: str, port: str, mac: str, prefixes: Sequence[str], ra: Mapping[str, str]
    ) -> None:
        """Make a router port that advertises its prefixes; `ra` is its ipv6_ra_configs."""
        self.nbctl("lrp-add", router, port, mac, *prefixes)
        self.nbctl(
            "set", "Logical_Router_Port", port,
            *(f"ipv6_ra_configs:{name}={json.dumps(value)}" for name, value in ra.items()),
        )  # fmt: skip

    def connect(self, network: str, router_port: str) -> None:
        """Join a network and a router port."""
        port = f"{network}-{router_port}"
        self.nbctl(
            "lsp-add", network, port, "--", "lsp-set-type", port, "router", "--",
            "lsp-set-addresses", port, "router", "--",
            "lsp-set-options", port, f"router-port={router_port}",
        )  # fmt: skip
