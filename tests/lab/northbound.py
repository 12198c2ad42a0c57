# SPDX-License-Identifier: Apache-2.0
"""A Northbound database without the rest of OVN, and the daemon that reads it."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.daemon import Dhcpd
from tests.lab.namespace import Namespace
from tests.lab.process import run
from tests.lab.switch import PrivateOvs

SCHEMA = "/usr/share/ovn/ovn-nb.ovsschema"
PROGRAMS = ("ovn-nbctl", SCHEMA)


class Northbound:
    """`ovn-nbctl` on a database; `remotes` is how it is called by those who read it.

    It runs in `namespace` if one is given, as remotes by TCP need it.
    """

    def __init__(
        self, remotes: str, environment: Mapping[str, str], namespace: Namespace | None = None
    ) -> None:
        self.remotes = remotes
        self._environment = environment
        self._namespace = namespace

    @classmethod
    def on(cls, switch: PrivateOvs, *options: str) -> Northbound:
        """Start one ovsdb-server next to the switch's own, with these options."""
        socket = switch.run_dir / "nb.sock"
        switch.create_database("nb", SCHEMA)
        switch.start_database("nb", socket, *options)
        return cls(f"unix:{socket}", switch.environment)

    def nbctl(self, *arguments: object) -> str:
        """Run ovn-nbctl."""
        options = ["--timeout=20", "--no-leader-only", f"--db={self.remotes}"]
        words: list[object] = ["ovn-nbctl", *options, *arguments]
        if self._namespace:
            words = self._namespace.command(*words)
        return run(words, env=self._environment)

    def dhcp_options(self, cidr: str, options: Mapping[str, str]) -> str:
        """Make a row of DHCP_Options; returns its UUID."""
        row = self.nbctl("create", "DHCP_Options", f'cidr="{cidr}"').strip()
        self.set_options(row, options)
        return row

    def set_options(self, row: str, options: Mapping[str, str]) -> None:
        """Give a row of DHCP_Options these options and no others."""
        words = [f"{name}={value}" for name, value in options.items()]
        self.nbctl("dhcp-options-set-options", row, *words)


class NorthboundDhcpd(Dhcpd):
    """`ovs-dhcpd run --nb`; a context manager."""

    def __init__(self, switch: PrivateOvs, remotes: str, *arguments: str) -> None:
        super().__init__(switch, "", *arguments)
        self.remotes = remotes

    def options(self) -> list[object]:
        """What tells the daemon its work."""
        return ["--nb", self.remotes, "--db", self.switch.database]
