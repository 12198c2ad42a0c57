# SPDX-License-Identifier: Apache-2.0
"""What each page supposes of the host on which somebody types what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.lab import reference

from .blocks import ROOT

EXAMPLES = ROOT / "tests" / "examples"
FINANCE = (EXAMPLES / "finance-network1.yaml").read_text(encoding="utf-8")
FINANCE_IPV6 = (EXAMPLES / "finance-network1-ipv6.yaml").read_text(encoding="utf-8")
RUN = "ovs-dhcpd run --config {} --detach --pidfile --log-file"


@dataclass(frozen=True)
class Plugged:
    """A guest; it asks for its address when it has none, or again every second, or never."""

    name: str
    mac: str
    port: str
    iface_id: str | None = None
    asks: str = "once"
    attached_mac: bool = False


@dataclass(frozen=True)
class Stage:
    """Who is plugged into which bridge, which files there are, and what was typed before."""

    bridge: str = "br-int"
    guests: tuple[Plugged, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    ovn: bool = False
    programs: tuple[str, ...] = ("udhcpc", "jq", "curl")


VM1 = Plugged("vm1", "02:00:00:00:00:01", "tap1")
FINANCE_VM = Plugged("finance", reference.MAC, "tap9", reference.PORT, asks="again")
FINANCE_AND_VM1 = (
    FINANCE_IPV6.replace("        options: {hostname: vm1}\n", "")
    + '      vm1: {addresses: "02:00:00:00:00:07 192.168.1.8 fd00:1::8"}\n'
)
LAB = """bridge: br-int
networks:
  lab:
    dhcpv4: {cidr: 10.0.0.0/24, router: 10.0.0.1}
    ports:
      vm1: {addresses: "02:00:00:00:00:01 10.0.0.5"}
"""
POOLS = """bridge: br-int
networks:
  lab:
    dhcpv4: {cidr: 10.0.0.0/24, router: 10.0.0.1}
    pool: 10.0.0.100-10.0.0.199
  office:
    dhcpv4: {cidr: 10.1.0.0/24, router: 10.1.0.1}
    pool: 10.1.0.100-10.1.0.199
"""
# One server with the addresses of three.
NORTHBOUND = """
for host in 1 2 3 11 12; do ip address add 10.1.0.$host/32 dev lo; done
ovsdb-tool create nb.db /usr/share/ovn/ovn-nb.ovsschema
ovsdb-server nb.db --detach --pidfile=$PWD/nb.pid --unixctl=$PWD/nb.ctl \\
    --remote=ptcp:6641:10.1.0.1 --remote=ptcp:6641:10.1.0.2 --remote=ptcp:6641:10.1.0.3
ovn-nbctl --db=tcp:10.1.0.1:6641 init
ovs-vsctl add-port br-int patch-br-int-to-ext -- set interface patch-br-int-to-ext \\
    type=patch options:peer=patch-ext-to-br-int
"""

WEB = Plugged("vm1", "52:54:00:00:00:01", "vnet0", asks="", attached_mac=True)
LIBVIRT_NETWORK = """<network>
  <name>default</name>
  <forward mode='nat'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp>
  </ip>
</network>
"""
# As PVE/Network/SDN/Dhcp/Dnsmasq.pm writes them.
PROXMOX_ZONE = {
    "/etc/dnsmasq.d/lan/00-default.conf": """except-interface=lo
enable-ra
quiet-ra
bind-dynamic
no-hosts
dhcp-leasefile=/var/lib/misc/dnsmasq.lan.leases
dhcp-hostsfile=/etc/dnsmasq.d/lan/ethers
dhcp-ignore=tag:!known
dhcp-option=252,"\\n"
dhcp-option=vendor:MSFT,2,1i
dhcp-name-match=set:wpad-ignore,wpad
dhcp-ignore-names=tag:wpad-ignore
""",
    "/etc/dnsmasq.d/lan/10-vnet0.conf": """dhcp-option=tag:lan-10.0.0.0-24,option:router,10.0.0.1
dhcp-range=set:lan-10.0.0.0-24,10.0.0.0,static,255.255.255.0,infinite
interface=vnet0
""",
    "/etc/dnsmasq.d/lan/ethers": "bc:24:11:00:00:01,10.0.0.5\n",
}
KEAS = {
    "kea-dhcp4.conf": """{"Dhcp4": {  // as Kea's own examples
  "client-classes": [{"name": "voip", "test": "option[60].text == \'phone\'"}],
  "subnet4": [{"id": 1, "subnet": "192.168.1.0/24",
               "pools": [{"pool": "192.168.1.100 - 192.168.1.199"}],
               "option-data": [{"name": "routers", "data": "192.168.1.1"}]}],
}}
""",
    "kea-dhcp6.conf": """{"Dhcp6": {"subnet6": [
  {"id": 1, "subnet": "fd00:1::/64", "pools": [{"pool": "fd00:1::1000-fd00:1::1fff"}],
   "pd-pools": [{"prefix": "fd00:2::", "prefix-len": 48, "delegated-len": 56}]}
]}}
""",
}

LIBVIRTS = "86c2df56-47ec-4b7b-886a-df3cf9fcf7d7"

STAGES = {
    "README.md": Stage(
        guests=(VM1, Plugged("vm2", "02:00:00:00:00:02", "tap2")),
        before="ip tuntap add dev tap3 mode tap\n"
        "ovs-vsctl add-br br-lab\novs-vsctl add-port br-lab tap3",
    ),
    "docs/configuration.md": Stage(
        guests=(Plugged("vm1", "52:54:00:12:34:56", "tap0", attached_mac=True),),
        files={"pools.yaml": POOLS},
        before=f"ovs-vsctl add-br br-old; {RUN.format('pools.yaml')}",
    ),
    "docs/metrics.md": Stage(guests=(FINANCE_VM,), files={"finance.yaml": FINANCE}),
    "docs/page.md": Stage(guests=(FINANCE_VM,), files={"finance.yaml": FINANCE}),
    "docs/migrate.md": Stage(bridge="br0", guests=(WEB,)),
    "a host with libvirt": Stage(bridge="br0", files={"default.xml": LIBVIRT_NETWORK}),
    "a host with Proxmox": Stage(bridge="vmbr1", files=PROXMOX_ZONE),
    "a host with Kea": Stage(bridge="br0", files=KEAS),
    "a host with leases of dnsmasq": Stage(
        bridge="br0",
        guests=(WEB,),
        files={"leases": f"1796000000 {WEB.mac} 192.168.1.131 web 01:{WEB.mac}\n"},
    ),
    "docs/operate.md": Stage(
        guests=(Plugged("vm1", "02:00:00:00:00:07", "tap0", asks="again"), FINANCE_VM),
        files={"finance.yaml": FINANCE_AND_VM1},
        before=f"{RUN.format('finance.yaml')} --write-state",
    ),
    "docs/ovn.md": Stage(ovn=True, files={"finance.yaml": FINANCE}),
    "a Northbound cluster": Stage(before=NORTHBOUND),
    "docs/troubleshooting.md": Stage(
        guests=(Plugged("vm1", "02:00:00:00:00:01", "tap1", asks=""),),
        files={"/etc/lab.yaml": LAB},
        before=RUN.format("/etc/lab.yaml"),
    ),
    "docs/virtual-machines.md": Stage(
        bridge="br0",
        guests=(
            Plugged("vm1", "52:54:00:c2:4c:48", "vnet0", LIBVIRTS, attached_mac=True),
            Plugged("vm2", "bc:24:11:00:00:01", "tap100i0", ""),
            Plugged("vm3", "02:00:00:00:00:01", "tap0", asks=""),
        ),
    ),
}
