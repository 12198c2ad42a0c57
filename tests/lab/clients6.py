# SPDX-License-Identifier: Apache-2.0
"""Real IPv6 clients in a guest: some run a hook as those of `clients`, the others only log."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Interface

from tests.lab.clients import Client, Dhcpcd, Program
from tests.lab.guest import Guest
from tests.lab.process import wait_until

NETWORKD = "/lib/systemd/systemd-networkd"

_HOOK = """#!/bin/sh
case "$1$reason" in
  {bound}) ip -6 address replace "${address}/128" dev eth0 nodad ;;
esac
{{ echo "event=$1$reason"; env; echo "end=end"; }} >> {events}
exit 0
"""


@dataclass(frozen=True)
class Lease6:
    """What a client's script was told; `event` and `variables` in the client's own words."""

    event: str
    variables: Mapping[str, str] = field(repr=False)
    address: IPv6Address
    preferred_s: int
    valid_s: int
    dns_servers: tuple[IPv6Address, ...]
    search: tuple[str, ...]


def wait_for_link_local(guest: Guest) -> None:
    """Wait until the guest knows that nobody else has its link-local address."""

    def usable() -> bool:
        shown = guest.namespace.ip("-6", "address", "show", "dev", "eth0", "scope", "link")
        return "inet6" in shown and "tentative" not in shown

    wait_until(usable, "a link-local address")


def global_addresses(guest: Guest, interface: str = "eth0") -> list[IPv6Interface]:
    """The IPv6 addresses with their prefixes that the guest has now, but link-local ones."""
    shown = guest.namespace.ip("-6", "-o", "address", "show", "dev", interface, "scope", "global")
    return [IPv6Interface(line.split()[3]) for line in shown.splitlines()]


class _On6(Program):
    """A client that needs a link-local address."""

    def start(self) -> None:
        """Start the client when there is an address to send from."""
        wait_for_link_local(self.guest)
        super().start()

    def forget_addresses(self) -> None:
        """Take from eth0 what the client gave it."""
        self.guest.namespace.ip("-6", "address", "flush", "dev", "eth0", "scope", "global")


class Client6(_On6, Client):
    """A DHCPv6 client that runs the lab's hook.

    The subclass says which variables its script gets.
    """

    preferred: str
    valid: str
    search: str

    def script(self) -> str:
        """The hook."""
        return _HOOK.format(
            bound=self.bound, events=self.events_file, address=f"{{{self.address}}}"
        )

    def lease(self, number: int = 1, timeout_s: float = 15) -> Lease6:  # type: ignore[override]
        """The number-th lease it got since its start, waiting for it."""
        lease = super().lease(number, timeout_s)
        assert isinstance(lease, Lease6)
        return lease

    def _parse(self, event: dict[str, str]) -> Lease6:  # type: ignore[override]
        return Lease6(
            event=event["event"],
            variables=event,
            address=IPv6Address(event[self.address]),
            preferred_s=int(event[self.preferred]),
            valid_s=int(event[self.valid]),
            dns_servers=tuple(map(IPv6Address, event.get(self.dns_servers, "").split())),
            search=tuple(word.rstrip(".") for word in event.get(self.search, "").split()),
        )


class Dhclient6(Client6):
    """ISC's client: renews at T1, sends CONFIRM when it starts again with a lease it knows."""

    program = "dhclient"
    bound = "BOUND6|RENEW6|REBIND6"
    address, preferred, valid = "new_ip6_address", "new_preferred_life", "new_max_life"
    dns_servers, search = "new_dhcp6_name_servers", "new_dhcp6_domain_search"

    def argv(self, *mode: str) -> list[object]:
        """In the foreground, all its files in the guest's directory."""
        here = self.guest.directory
        (here / "dhclient6.conf").write_text("timeout 10; initial-delay 0;")
        return ["dhclient", "-6", "-v", *(mode or ["-d"]), "-cf", here / "dhclient6.conf",
                "-lf", here / "dhclient6.leases", "-pf", here / "dhclient6.pid",
                "-sf", self.hook, "eth0"]  # fmt: skip

    def release(self) -> None:
        """A second dhclient sends the RELEASE and ends the first."""
        self.guest.namespace.run(*self.argv("-r"))


class Dhcpcd6(Client6, Dhcpcd):
    """Roy Marples' client: begins when a router advertisement says that there is DHCPv6."""

    family = "-6"
    bound = "BOUND6|RENEW6|REBIND6|REBOOT6"
    address, preferred, valid = (
        f"new_dhcp6_ia_na1_ia_addr1{part}" for part in ("", "_pltime", "_vltime")
    )
    dns_servers, search = "new_dhcp6_name_servers", "new_dhcp6_domain_search"

    _CONFIGURATION = """
        duid ll
        option dhcp6_name_servers, dhcp6_domain_search, dhcp6_rapid_commit
        nohook resolv.conf, wpa_supplicant, hostname
        noipv4
        nodelay
        timeout 10
    """

    def stop(self) -> None:
        """End the client, and its helper that would keep port 546."""
        super().stop()
        self.guest.namespace.end_processes()


class Dhcp6c(_On6):
    """The WIDE client, whose IAID is 0.  It waits 18 seconds at least for T1."""

    program = "dhcp6c"

    _CONFIGURATION = """
        interface eth0 {
            send ia-na 0, ia-pd 0;
            request domain-name-servers, domain-name;
        };
        id-assoc na 0 { };
        id-assoc pd 0 { prefix-interface lo { sla-len 8; ifid 1; }; };
    """

    def argv(self) -> list[object]:
        """In the foreground, its files in the guest's directory."""
        here = self.guest.directory
        (here / "wide").mkdir(exist_ok=True)
        (here / "dhcp6c.conf").write_text(self._CONFIGURATION)
        private = f"mount --bind {here}/wide /var/lib/dhcpv6"
        client = f"exec dhcp6c -f -D -c {here}/dhcp6c.conf -p {here}/dhcp6c.pid eth0"
        return ["sh", "-c", f"{private} && {client}"]

    def release(self) -> None:
        """SIGTERM."""
        self._signal(signal.SIGTERM)


class Networkd(_On6):
    """systemd-networkd: router advertisements and DHCPv6 in one, or `dhcp` "ipv4"."""

    program = "systemd-networkd"
    dhcp = "ipv6"

    _CONFIGURATION = """
[Match]
Name=eth0
[Network]
DHCP={dhcp}
IPv6AcceptRA=yes
LinkLocalAddressing=ipv6
"""
    # Without udev it waits for ever, unless it cannot write to /sys.
    _PRIVATE = """
        mount -t tmpfs none /run && cd /run && mkdir -p systemd/network \
            systemd/netif/links systemd/netif/leases systemd/netif/lldp &&
        chown -R systemd-network: systemd/netif && cp {here}/10-eth0.network systemd/network/ &&
        mount -o remount,ro,bind /sys && exec {networkd}
    """

    def argv(self) -> list[object]:
        """In the foreground, with a /run of its own."""
        here = self.guest.directory
        (here / "10-eth0.network").write_text(self._CONFIGURATION.format(dhcp=self.dhcp))
        private = self._PRIVATE.format(here=here, networkd=NETWORKD)
        return ["env", "SYSTEMD_LOG_LEVEL=debug", "sh", "-c", private]

    def release(self) -> None:
        """SIGTERM."""
        self._signal(signal.SIGTERM)
