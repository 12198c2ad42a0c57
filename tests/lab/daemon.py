# SPDX-License-Identifier: Apache-2.0
"""Dhcpd: the daemon under test, as a user starts it, on a lab's switch."""

from __future__ import annotations

import re
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tests.lab.process import Process, run, wait_until
from tests.lab.switch import PrivateOvs

ROOT = Path(__file__).resolve().parents[2]
SETTLED_S = 0.1  # a log line is this late at the most
_MESSAGE = re.compile(
    r"(?:DHCP(?:OFFER|ACK|NAK|RELEASE|DECLINE|_RELAY_REQ|_RELAY_RESP"
    r"|v6 (?:ADVERTISE|REPLY|RELEASE|DECLINE))|ND_RA) [^(\n]*[^( \n]"  # (whose it is)
)

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from Python 3.11 on


class Plugged(Protocol):
    """What is served: a guest, or a machine."""

    port: str
    iface_id: str


class Dhcpd:
    """`ovs-dhcpd run` with a configuration file; a context manager.

    `arguments` go to the end of the command line. Stopping it leaves its flows on
    the bridge, and `start` may be called again. Of several, each has a `label`.
    """

    name = "ovs-dhcpd"
    python_path: tuple[Path, ...] = (ROOT,)

    def __init__(
        self, switch: PrivateOvs, configuration: str, *arguments: str, label: str = ""
    ) -> None:
        self.switch = switch
        self.arguments = arguments
        self.label = self.name + label
        self.configuration_file = switch.directory / f"{self.label}.yaml"
        self.configuration_file.write_text(configuration)
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def process(self) -> Process:
        """The daemon's process, also after its end."""
        assert self._process, "not started"
        return self._process

    def start(self) -> None:
        """Start the daemon; it may not serve anything yet (see `wait_for_flows`)."""
        self._process = self.switch.spawn(
            self.label, "env", f"--chdir={self.python_path[0]}",
            f"PYTHONPATH={':'.join(map(str, self.python_path))}",
            sys.executable, "-m", "ovs_dhcpd", "run",
            "--ovs-rundir", self.switch.run_dir, *self.options(), *self.arguments,
        )  # fmt: skip

    def options(self) -> list[object]:
        """What tells the daemon its work."""
        return ["--config", self.configuration_file, "--db", self.switch.database]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the daemon and return its exit status."""
        return self.process.stop(number)

    def reconfigure(self, configuration: str) -> None:
        """Write the configuration file anew and send SIGHUP."""
        self.configuration_file.write_text(configuration)
        self.process.kill(signal.SIGHUP)

    def appctl(self, *arguments: object) -> str:
        """Run an ovs-appctl command of the daemon."""
        target = self.switch.run_dir / f"{self.name}.{self.process.pid}.ctl"
        output = run(["ovs-appctl", "-t", target, *arguments], env=self.switch.environment)
        return output.removesuffix("\n")

    def serves(self, guest: Plugged, userdata: str = "") -> bool:
        """Whether a flow pauses this guest's packets, with these bytes in its userdata."""
        in_port = f"in_port={self.switch.ofport(guest.port)},"
        return any(
            in_port in flow and userdata in flow.partition("userdata=")[2]
            for flow in self.switch.flows()
        )

    def wait_for_flows(self, *guests: Plugged, userdata: str = "") -> None:
        """Wait until the daemon is ready and the bridge has these guests' flows."""
        # Flows alone do not tell: those of an earlier daemon may still be there.
        wait_until(lambda: self._runs() and "ready, " in self.log(), "ovs-dhcpd", 20)
        for guest in guests:
            wait_until(partial(self.serves, guest, userdata), f"the flows of {guest.iface_id}", 20)

    def _runs(self) -> bool:
        assert self.process.status is None, f"ovs-dhcpd ended:\n{self.log()}"
        return True

    def log(self) -> str:
        """What the daemon has logged since its last start."""
        return self.process.text()

    def messages(self) -> list[str]:
        """The log's "DHCPACK fa:16:3e:8b:ea:fd 192.168.1.7" and the like, in order.

        A reply is logged after it has been sent, so its client may be ahead of the log: this
        reads until nothing more comes.
        """
        found = self._messages()
        while True:
            time.sleep(SETTLED_S)
            before, found = found, self._messages()
            if found == before:
                return found

    def _messages(self) -> list[str]:
        return _MESSAGE.findall(self.log())

    def wait_for_message(self, message: str, count: int = 1) -> None:
        """Wait until the log has this message at least `count` times."""
        wait_until(lambda: self._messages().count(message) >= count, f"{message} in the log")


class ServeOnly(Dhcpd):
    """`ovs-dhcpd run --serve-only`; `arguments` as for `Dhcpd`."""

    def __init__(self, switch: PrivateOvs, *arguments: str, label: str = "") -> None:
        super().__init__(switch, "", *arguments, label=label)

    def options(self) -> list[object]:
        """What tells the daemon its work."""
        return ["--serve-only"]

    def wait_until(self, state: str) -> None:
        """Wait until it is connected, and has last said that it is `state`."""

        def last_said() -> bool:
            said = [
                line for line in self.log().splitlines() if re.search(r": (active|standby)", line)
            ]
            return bool(said) and f": {state}" in said[-1] and "connected, " in self.log()

        wait_until(last_said, f"ovs-dhcpd to say {state!r}", 20)


def our_flows(switch: PrivateOvs, bridge: str = "") -> list[str]:
    """The flows with our cookies, without what else a dump shows."""
    flows = switch.flows(bridge=bridge)
    return sorted(flow for flow in flows if flow.startswith("cookie=0x6468"))


def listening(switch: PrivateOvs) -> list[str]:
    """The flows by which it is heard whether somebody has an address that is probed."""
    heard = [flow for flow in our_flows(switch) if "userdata=64.68.00.02." in flow]
    return [flow for flow in heard if "dl_src=02:64:68" not in flow]  # other daemons' questions


def wait_ready(dhcpd: Dhcpd, times: int = 1) -> None:
    """Wait until the daemon has said this often that the bridge is in step."""
    wait_until(lambda: dhcpd.log().count("ready, ") >= times, f"{times} times ready")
