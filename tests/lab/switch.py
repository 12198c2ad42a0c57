# SPDX-License-Identifier: Apache-2.0
"""PrivateOvs: an ovsdb-server and an ovs-vswitchd of one's own, with one bridge."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.guest import Guest
from tests.lab.namespace import Namespace
from tests.lab.process import LabError, Process, run, wait_until

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from Python 3.11 on

KEEP = "OVS_DHCPD_KEEP_LABS"  # set in the environment: leave the directories for inspection
DATAPATH = "OVS_DHCPD_DATAPATH"  # likewise: the datapath_type of bridges, "netdev" or "system"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


class PrivateOvs:
    """One bridge; a context manager.

    It is on the userspace datapath; with OVS_DHCPD_DATAPATH=system in the environment on the
    kernel's, as it is for nearly every user. That takes the module openvswitch, and each network
    namespace has its own.

    `directory` holds `run` (sockets; the OVS_RUNDIR of every daemon), `db` and
    `log`. With `dummy`, ports need no interface behind them, so that there can be
    thousands (`add_dummy_ports`); guests then cannot be plugged in.
    """

    programs: tuple[str, ...] = ("ip", "ethtool", "ovsdb-server", "ovs-vswitchd", "ovs-vsctl")

    def __init__(self, bridge: str = "br-int", *, dummy: bool = False) -> None:
        self.bridge = bridge
        self.dummy = dummy
        self.datapath_type = "dummy" if dummy else os.environ.get(DATAPATH, "netdev")
        # Not $TMPDIR, which may be deep: a Unix socket's path has at most 107 characters.
        self.directory = Path(tempfile.mkdtemp(prefix="ovslab-", dir="/tmp"))
        self.run_dir, self.db_dir, self.log_dir = (
            self.directory / name for name in ("run", "db", "log")
        )
        self.processes: dict[str, Process] = {}
        self.guests: list[Guest] = []

    # -- up and down

    def __enter__(self) -> Self:
        try:
            for directory in (self.run_dir, self.db_dir, self.log_dir):
                directory.mkdir()
            self.namespace = Namespace(self.directory.name)
            self.start()
        except BaseException as error:
            logs = self.logs()
            self.close()
            raise LabError(f"the lab did not start: {error}\n{logs}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the daemons and make the bridge."""
        self.create_database("conf", SCHEMA)
        self.start_ovsdb()
        self.vsctl("--no-wait", "init")
        self.start_vswitchd()
        self.add_bridge(self.bridge)

    def close(self) -> None:
        """End every process, delete every namespace, remove the directory."""
        for process in reversed(self.processes.values()):
            process.stop()
        namespaces = [guest.namespace for guest in self.guests]
        if hasattr(self, "namespace"):
            namespaces.append(self.namespace)
        for namespace in namespaces:
            namespace.delete()
        if KEEP not in os.environ:
            shutil.rmtree(self.directory)

    @property
    def environment(self) -> dict[str, str]:
        """What points every OVS and OVN program at this lab."""
        return {
            f"{family}_{kind}DIR": str(path)
            for family in ("OVS", "OVN")
            for kind, path in (("RUN", self.run_dir), ("DB", self.db_dir), ("LOG", self.log_dir))
        }

    def logs(self) -> str:
        """The last lines of every log, for a failing test's report."""
        parts = []
        for log in sorted(self.log_dir.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-40:]
            parts.append("\n".join([f"== {log.name}", *lines]))
        return "\n".join(parts)

    # -- daemons

    def spawn(self, name: str, *argv: object) -> Process:
        """Start a process in the switch's namespace; its output goes to log/NAME.log."""
        process = Process(
            self.namespace.command(*argv), self.log_dir / f"{name}.log", self.environment
        )
        self.processes[name] = process
        return process

    def create_database(self, name: str, schema: str) -> None:
        """Make an empty database file db/NAME.db."""
        run(["ovsdb-tool", "create", self.db_dir / f"{name}.db", schema], env=self.environment)

    def start_database(self, name: str, socket: Path, *options: str) -> None:
        """Serve db/NAME.db on a Unix socket."""
        control = self.run_dir / f"{name}-db.ctl"
        self.spawn(f"{name}-db", "ovsdb-server", self.db_dir / f"{name}.db",
                   f"--remote=punix:{socket}", f"--unixctl={control}",
                   *options)  # fmt: skip
        wait_until(lambda: socket.exists() and control.exists(), f"{socket}")

    def start_ovsdb(self) -> None:
        """Start ovsdb-server on <run_dir>/db.sock."""
        self.start_database("conf", self.run_dir / "db.sock")

    def start_vswitchd(self) -> None:
        """Start ovs-vswitchd."""
        dummy = ["--enable-dummy=override", "--disable-system"] if self.dummy else []
        control = self.run_dir / "ovs-vswitchd.ctl"
        self.spawn("ovs-vswitchd", "ovs-vswitchd", self.database, f"--unixctl={control}", *dummy)
        wait_until(control.exists, f"{control}")

    def restart_ovsdb(self) -> None:
        """Stop ovsdb-server and start it again with the same database."""
        self.processes["conf-db"].stop()
        self.start_ovsdb()
        self.vsctl("show")

    def restart_vswitchd(self) -> None:
        """Stop ovs-vswitchd and start it again: the ports come back, the flows do not."""
        self.processes["ovs-vswitchd"].stop()
        self.start_vswitchd()
        self.vsctl("set", "open", ".", "other_config:restarts=1")  # returns once it has caught up

    # -- tools

    @property
    def database(self) -> str:
        """The Open_vSwitch database as OVS programs name it."""
        return f"unix:{self.run_dir}/db.sock"

    def vsctl(self, *arguments: object) -> str:
        """Run ovs-vsctl; it returns when ovs-vswitchd has done what it was told."""
        return run(["ovs-vsctl", "--timeout=50", f"--db={self.database}", *arguments],
                   env=self.environment)  # fmt: skip

    def ofctl(self, *arguments: object, stdin: str | None = None) -> str:
        """Run ovs-ofctl in OpenFlow 1.5."""
        return run(["ovs-ofctl", "-O", "OpenFlow15", *arguments], env=self.environment, stdin=stdin)

    def appctl(self, *arguments: object) -> str:
        """Run an ovs-appctl command of ovs-vswitchd."""
        return run(["ovs-appctl", "-t", self.run_dir / "ovs-vswitchd.ctl", *arguments],
                   env=self.environment)  # fmt: skip

    def flows(self, *match: str, stats: bool = False, bridge: str = "") -> list[str]:
        """`ovs-ofctl dump-flows`, one flow a line, ports as numbers."""
        options = ["--no-names"] if stats else ["--no-names", "--no-stats"]
        dump = self.ofctl("dump-flows", *options, bridge or self.bridge, *match)
        return [line.strip() for line in dump.splitlines() if "actions=" in line]

    def packet_ins(self, match: str = "") -> int:
        """How many packets the present flows with this text have paused for the controller."""
        paused = [flow for flow in self.flows(stats=True) if "userdata=" in flow and match in flow]
        return sum(int(flow.partition("n_packets=")[2].split(",")[0]) for flow in paused)

    # -- ports

    def guest(
        self, name: str, mac: str, iface_id: str | None = None, bridge: str = "", port: str = ""
    ) -> Guest:
        """Plug a new guest into the bridge, or another; its iface-id is its name unless given."""
        port = port or f"tap{len(self.guests) + 1}"
        guest = Guest(self.namespace, name, mac, port, iface_id or name, self.directory / name,
                      whole_checksums=self.datapath_type == "netdev")  # fmt: skip
        self.guests.append(guest)
        self.plug(port, guest.iface_id, bridge=bridge)
        return guest

    def plug(self, port: str, iface_id: str, ofport: int | None = None, bridge: str = "") -> None:
        """Add a port for an interface that is there, with this ofport if one is given."""
        request = [] if ofport is None else [f"ofport_request={ofport}"]
        self.vsctl("add-port", bridge or self.bridge, port, "--", "set", "interface", port,
                   f"external_ids:iface-id={iface_id}", *request)  # fmt: skip

    def unplug(self, port: str) -> None:
        """Remove a port from its bridge; its interface stays."""
        self.vsctl("del-port", port)

    def add_bridge(self, name: str) -> None:
        """Make another bridge."""
        self.vsctl("add-br", name, "--", "set", "bridge", name,
                   f"datapath_type={self.datapath_type}")  # fmt: skip

    def ofport(self, port: str) -> int:
        """A port's OpenFlow number."""
        return int(self.vsctl("get", "interface", port, "ofport"))

    def add_dummy_ports(self, iface_ids: Iterable[str]) -> None:
        """Add one port for each iface-id, named d0, d1, …, in one transaction."""
        commands: list[str] = []
        for number, iface_id in enumerate(iface_ids):
            port = f"d{number}"
            commands += ["--", "add-port", self.bridge, port, "--", "set", "interface", port,
                         "type=dummy", f"external_ids:iface-id={iface_id}"]  # fmt: skip
        self.vsctl(*commands[1:])
