# SPDX-License-Identifier: Apache-2.0
"""Real DHCP clients in a guest; each reports its leases as `Lease` values.

A client runs a hook of the lab's in place of its own script.  The hook configures
eth0, touches nothing else of the host (resolv.conf stays as it is), and writes down
the variables that the client gave it, one block for each event.
"""

from __future__ import annotations

import abc
import contextlib
import ipaddress
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from tests.lab.guest import Guest
from tests.lab.process import LabError, Process, wait_until
from tests.lab.switch import PrivateOvs

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from Python 3.11 on

Route = tuple[IPv4Network, IPv4Address]

_HOOK = """#!/bin/sh
case "$1$reason" in
  {bound}) ip address replace "${address}/${mask}" dev eth0 ;;
  {lost}) ip -4 address flush dev eth0 ;;
esac
{{ echo "event=$1$reason"; env; echo "end=end"; }} >> {events}
exit 0
"""


@dataclass(frozen=True)
class Lease:
    """What a client's script was told; `event` and `variables` in the client's own words."""

    event: str
    variables: Mapping[str, str] = field(repr=False)
    address: IPv4Address
    prefix_length: int
    server_id: IPv4Address
    lease_time_s: int
    routers: tuple[IPv4Address, ...]
    dns_servers: tuple[IPv4Address, ...]
    mtu: int | None
    routes: tuple[Route, ...]


class Program(abc.ABC):
    """A client on a guest's eth0; a context manager that ends it."""

    program: str
    end_signal = signal.SIGKILL  # what ends it without giving the lease back

    def __init__(self, switch: PrivateOvs, guest: Guest) -> None:
        self.switch = switch
        self.guest = guest
        self.process: Process | None = None

    @abc.abstractmethod
    def argv(self) -> list[object]:
        """The command that runs the client in the foreground."""

    @abc.abstractmethod
    def release(self) -> None:
        """Make the client give its lease back."""

    @abc.abstractmethod
    def forget_addresses(self) -> None:
        """Take from eth0 what the client gave it."""

    def start(self) -> None:
        """Start the client; after `stop` it knows its last lease if it keeps one."""
        self.process = self.switch.spawn(
            f"{self.program}-{self.guest.port}", *self.guest.namespace.command(*self.argv())
        )

    def stop(self) -> None:
        """End the client; it gives nothing back."""
        if self.process:
            self.process.stop(self.end_signal)
            self.process = None
            self.forget_addresses()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def log(self) -> str:
        """What it has printed since its start."""
        assert self.process, "not started"
        return self.process.text()

    def _signal(self, number: signal.Signals) -> None:
        assert self.process, "not started"
        self.process.kill(number)


class Client(Program):
    """A DHCP client that runs the lab's hook.

    The subclass says which variables its script gets.
    """

    bound: str  # the events, as a shell pattern, after which there is an address
    lost: str  # the events after which there is none
    address: str
    mask: str
    server_id: str
    lease_time: str
    routers: str
    dns_servers: str
    mtu: str
    routes: str

    def __init__(self, switch: PrivateOvs, guest: Guest) -> None:
        super().__init__(switch, guest)
        self.events_file = guest.directory / "events"
        self.hook = guest.directory / "hook"

    def start(self) -> None:
        """Start the client with an empty list of events."""
        self.events_file.unlink(missing_ok=True)
        self.hook.write_text(self.script())
        self.hook.chmod(0o755)
        super().start()

    def script(self) -> str:
        """The hook."""
        return _HOOK.format(
            bound=self.bound, lost=self.lost, events=self.events_file,
            address=f"{{{self.address}}}", mask=f"{{{self.mask}}}",
        )  # fmt: skip

    def forget_addresses(self) -> None:
        """Take from eth0 what the client gave it."""
        self.guest.namespace.ip("-4", "address", "flush", "dev", "eth0")

    def events(self) -> list[dict[str, str]]:
        """The variables of each event so far, the event's name under "event"."""
        if not self.events_file.exists():
            return []
        blocks = self.events_file.read_text().split("end=end\n")[:-1]
        return [
            dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
            for block in blocks
        ]

    def lease(self, number: int = 1, timeout_s: float = 15) -> Lease:
        """The number-th lease it got since its start, waiting for it.

        LabError with its log if it ends before.
        """
        names = self.bound.split("|")

        def leases() -> list[dict[str, str]]:
            return [event for event in self.events() if event["event"] in names]

        def there() -> bool:
            ended = self.process and self.process.status is not None
            found = len(leases()) >= number
            if ended and not found:
                raise LabError(f"{self.program} has ended: {self.log()}")
            return found

        wait_until(there, f"lease {number} of {self.program}", timeout_s)
        return self._parse(leases()[number - 1])

    def _parse(self, event: dict[str, str]) -> Lease:
        def addresses(variable: str) -> tuple[IPv4Address, ...]:
            return tuple(IPv4Address(word) for word in event.get(variable, "").split())

        return Lease(
            event=event["event"],
            variables=event,
            address=IPv4Address(event[self.address]),
            prefix_length=ipaddress.ip_network(f"0.0.0.0/{event[self.mask]}").prefixlen,
            server_id=IPv4Address(event[self.server_id]),
            lease_time_s=int(event[self.lease_time]),
            routers=addresses(self.routers),
            dns_servers=addresses(self.dns_servers),
            mtu=int(event[self.mtu]) if self.mtu in event else None,
            routes=self.parse_routes(event.get(self.routes, "").split()),
        )

    def parse_routes(self, words: list[str]) -> tuple[Route, ...]:
        """Option 121 as the client gives it to its script: destination, gateway, …"""
        return tuple(
            (IPv4Network(destination), IPv4Address(gateway))
            for destination, gateway in zip(words[::2], words[1::2], strict=True)
        )


class Udhcpc(Client):
    """BusyBox's client: plain DHCPv4, forgets its lease when it ends."""

    program = "udhcpc"
    bound, lost = "bound|renew", "deconfig"
    address, mask = "ip", "mask"
    server_id, lease_time = "serverid", "lease"
    routers, dns_servers, mtu, routes = "router", "dns", "mtu", "staticroutes"

    def argv(self) -> list[object]:
        """In the foreground, a DISCOVER each second, asking for MTU, routes and TFTP server too."""
        return ["udhcpc", "-f", "-i", "eth0", "-s", self.hook, "-t", "9", "-T", "1", "-A", "1",
                "-O", "mtu", "-O", "staticroutes", "-O", "121", "-O", "tftp"]  # fmt: skip

    def renew(self) -> None:
        """SIGUSR1."""
        self._signal(signal.SIGUSR1)

    def release(self) -> None:
        """SIGUSR2."""
        self._signal(signal.SIGUSR2)


class Dhclient(Client):
    """ISC's client: keeps leases in a file, starts again in INIT-REBOOT, renews at T1 only."""

    program = "dhclient"
    bound, lost = "BOUND|RENEW|REBIND|REBOOT", "EXPIRE|FAIL|RELEASE|STOP"
    address, mask = "new_ip_address", "new_subnet_mask"
    server_id, lease_time = "new_dhcp_server_identifier", "new_dhcp_lease_time"
    routers, dns_servers = "new_routers", "new_domain_name_servers"
    mtu, routes = "new_interface_mtu", "new_classless_routes"

    configuration = """
        option classless-routes code 121 = array of unsigned integer 8;
        request subnet-mask, classless-routes, routers, domain-name-servers, interface-mtu;
        timeout 10; initial-interval 1; initial-delay 0; backoff-cutoff 1; reboot 3; retry 1;
    """

    def argv(self, *mode: str) -> list[object]:
        """In the foreground, all its files in the guest's directory."""
        here = self.guest.directory
        (here / "dhclient.conf").write_text(self.configuration)
        return ["dhclient", "-4", "-v", *(mode or ["-d"]), "-cf", here / "dhclient.conf",
                "-lf", here / "dhclient.leases", "-pf", here / "dhclient.pid",
                "-sf", self.hook, "eth0"]  # fmt: skip

    def lease(self, number: int = 1, timeout_s: float = 15) -> Lease:
        """As for any client; the lease is in its file then, which it writes after the script."""
        lease = super().lease(number, timeout_s)
        wait_until(lambda: self.log().count("bound to ") >= number, "dhclient to be bound")
        return lease

    def release(self) -> None:
        """A second dhclient sends the RELEASE and ends the first."""
        self.guest.namespace.run(*self.argv("-r"))

    def parse_routes(self, words: list[str]) -> tuple[Route, ...]:
        """The option's bytes as decimal numbers: prefix length, significant octets, router."""
        numbers = [int(word) for word in words]
        routes = []
        while numbers:
            length = numbers.pop(0)
            octets = (length + 7) // 8
            network = bytes(numbers[:octets]).ljust(4, b"\0")
            router = bytes(numbers[octets : octets + 4])
            routes.append((IPv4Network((network, length)), IPv4Address(router)))
            del numbers[: octets + 4]
        return tuple(routes)


class Dhcpcd(Client):
    """Roy Marples' client: probes its address by ARP, starts again in INIT-REBOOT."""

    program = "dhcpcd"
    family = "-4"
    end_signal = signal.SIGTERM  # its helper processes end with it
    bound, lost = "BOUND|RENEW|REBIND|REBOOT", "-"  # dhcpcd configures the address itself
    address, mask = "new_ip_address", "new_subnet_cidr"
    server_id, lease_time = "new_dhcp_server_identifier", "new_dhcp_lease_time"
    routers, dns_servers = "new_routers", "new_domain_name_servers"
    mtu, routes = "new_interface_mtu", "new_classless_static_routes"

    _CONFIGURATION = """
        option domain_name_servers, classless_static_routes, interface_mtu
        option rapid_commit, ipv6_only_preferred
        require dhcp_server_identifier
        nohook resolv.conf, wpa_supplicant, hostname
        noipv4ll
        noipv6
        nodelay
        reboot 3
        timeout 10
    """
    # Its files are named after the interface alone, so each guest gets its own place for them;
    # what is mounted here ends with the mount namespace that `ip netns exec` makes.
    _PRIVATE = "mount --bind {here}/lib /var/lib/dhcpcd && mount --bind {here}/run /run && "

    def __init__(self, switch: PrivateOvs, guest: Guest, *, probe: bool = False) -> None:
        super().__init__(switch, guest)
        self.probe = probe  # by ARP, before it uses an address: takes four seconds

    def _command(self, *arguments: str) -> list[object]:
        here = self.guest.directory
        private = self._PRIVATE.format(here=here)
        words = " ".join(["exec", "dhcpcd", "-f", f"{here}/dhcpcd.conf", *arguments, "eth0"])
        return ["sh", "-c", private + words]

    def argv(self) -> list[object]:
        """In the foreground, all its files in the guest's directory."""
        here = self.guest.directory
        (here / "dhcpcd.conf").write_text(self._CONFIGURATION + ("" if self.probe else "noarp"))
        for name in ("lib", "run"):
            (here / name).mkdir(exist_ok=True)
        return self._command(self.family, "-B", "-d", "-c", str(self.hook))

    def renew(self) -> None:
        """`dhcpcd --renew`."""
        self.guest.namespace.run(*self._command(self.family, "-N"))

    def release(self) -> None:
        """`dhcpcd --release`; the client ends, ten seconds later on a slow machine."""
        with contextlib.suppress(LabError):  # it says that it did not see the end
            self.guest.namespace.run(*self._command(self.family, "-k"))
