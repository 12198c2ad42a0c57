# SPDX-License-Identifier: Apache-2.0
"""PrivateOvn: a PrivateOvs that OVN programs, with ovn-northd and one ovn-controller."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.process import run
from tests.lab.switch import PrivateOvs


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
            "external-ids:ovn-bridge-datapath-type=" + ("dummy" if self.dummy else "netdev"),
        )  # fmt: skip
        self.spawn("ovn-controller", "ovn-controller", self.database)

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
        self, network: str, port: str, addresses: str, cidr: str, options: Mapping[str, str]
    ) -> None:
        """Make a logical port with a DHCP_Options row of its own."""
        row = self.nbctl("create", "DHCP_Options", f"cidr={cidr}").strip()
        words = [f"{name}={value}" for name, value in options.items()]
        self.nbctl(
            "dhcp-options-set-options", row, *words, "--",
            "--may-exist", "lsp-add", network, port, "--",
            "lsp-set-addresses", port, addresses, "--",
            "lsp-set-dhcpv4-options", port, row,
        )  # fmt: skip
