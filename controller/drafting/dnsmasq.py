# SPDX-License-Identifier: Apache-2.0
"""From dnsmasq.conf to a configuration of ours.

dnsmasq tells much that its file does not say: itself as router and as DNS server, the netmask of
its interface. What the interface has is given beside the file; what then is missing is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import (
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_interface,
)

from ovs_dhcpd.controller.drafting.dnsmasq_file import Line, read
from ovs_dhcpd.controller.drafting.dnsmasq_hosts import Host, read_host
from ovs_dhcpd.controller.drafting.dnsmasq_options import (
    OWN,
    Boot,
    Clients,
    Told,
    is_for,
    last,
    read_boot,
    read_option,
    setting_of,
)
from ovs_dhcpd.controller.drafting.dnsmasq_ranges import (
    ASSUMED_LENGTH,
    DEFAULT_LEASE_S,
    Range,
    Unreadable,
    read_range,
)
from ovs_dhcpd.controller.drafting.draft import Draft, DraftError, Interface
from ovs_dhcpd.controller.drafting.yaml_text import Settings
from ovs_dhcpd.flows.bindings.pool import Address, AddressRange
from ovs_dhcpd.flows.configuration.services import ARCHITECTURES
from ovs_dhcpd.flows.options.table import OptionError
from ovs_dhcpd.flows.options.wording import escape, show
from ovs_dhcpd.flows.userdata.extension import INFINITY_S

Subnet = IPv4Network | IPv6Network

RA_INTERVAL_S = 600  # between two advertisements of dnsmasq
RA_LIFETIME_S = 1800  # of the route to the router in one
_ROUTER, _DNS, _DOMAIN = 3, 6, 15  # options of DHCPv4
_DNS6, _SEARCH6 = 23, 24  # of DHCPv6

# fmt: off
# What changes nothing of what a client is told, or is so with us in any case.
NEEDLESS = {
    "dhcp-authoritative", "dhcp-broadcast", "dhcp-leasefile", "dhcp-lease-max", "dhcp-no-override",
    "dhcp-sequential-ip", "leasefile-ro", "log-async", "log-debug", "log-dhcp", "log-facility",
    "log-queries", "quiet-dhcp", "quiet-dhcp6", "quiet-ra", "quiet-tftp", "user", "group",
    "pid-file", "keep-in-foreground", "no-daemon", "bind-interfaces", "bind-dynamic",
    "except-interface", "no-dhcp-interface", "no-dhcpv4-interface", "no-dhcpv6-interface",
    "dhcp-ignore-names", "dhcp-ttl", "dhcp-ignore-clid", "dhcp-generate-names", "enable-dbus",
    "enable-ubus", "local-service",
}
# What dnsmasq does besides DHCP.
SERVERS = {
    "TFTP": {"enable-tftp", "tftp-root", "tftp-unique-root", "tftp-secure", "tftp-lowercase",
             "tftp-max", "tftp-mtu", "tftp-no-blocksize", "tftp-no-fail", "tftp-port-range",
             "tftp-single-port"},
    "DNS": {"add-cpe-id", "add-mac", "add-subnet", "addn-hosts", "address", "alias", "all-servers",
            "auth-peer", "auth-sec-servers", "auth-server", "auth-soa", "auth-ttl", "auth-zone",
            "bogus-nxdomain", "bogus-priv", "caa-record", "cache-rr", "cache-size",
            "clear-on-reload", "cname", "connmark-allowlist", "conntrack", "dns-forward-max",
            "dns-loop-detect", "dns-rr", "dnssec", "dnssec-check-unsigned", "dnssec-no-timecheck",
            "dnssec-timestamp", "domain-needed", "dumpfile", "dumpmask", "edns-packet-max",
            "expand-hosts", "fast-dns-retry", "filter-A", "filter-AAAA", "filter-rr",
            "filterwin2k", "host-record", "hostsdir", "ignore-address", "interface-name", "ipset",
            "local", "local-ttl", "localise-queries", "localmx", "max-cache-ttl", "max-port",
            "max-ttl", "min-cache-ttl", "min-port", "mx-host", "mx-target", "naptr-record",
            "neg-ttl", "nftset", "no-hosts", "no-negcache", "no-poll", "no-resolv",
            "no-round-robin", "port-limit", "proxy-dnssec", "ptr-record", "query-port",
            "rebind-domain-ok", "rebind-localhost-ok", "resolv-file", "rev-server", "selfmx",
            "server", "srv-host", "stop-dns-rebind", "strip-mac", "strip-subnet", "strict-order",
            "synth-domain", "trust-anchor", "txt-record", "umbrella", "use-stale-cache"},
}
FILES = {"conf-file", "conf-dir", "servers-file", "dhcp-hostsfile", "dhcp-hostsdir",
         "dhcp-optsfile", "dhcp-optsdir", "read-ethers"}
CLIENTS = {"dhcp-match", "dhcp-vendorclass", "dhcp-userclass", "dhcp-mac", "dhcp-circuitid",
           "dhcp-remoteid", "dhcp-subscrid", "tag-if", "dhcp-name-match"}
# fmt: on


def read_dnsmasq(text: str, file: str, own: Sequence[Interface] = (), bridge: str = "") -> Draft:
    """The draft of what `file` says, whose text this is; `own` are dnsmasq's addresses.

    Raises DraftError where nothing in it could be served.
    """
    draft = Draft(bridge)
    reader = _Reader(draft, file, own)
    reader.read(text)
    if not bridge and len(reader.interfaces) == 1:
        draft.set(draft.root, "bridge", reader.interfaces[0], file)
        draft.root.note("bridge", "dnsmasq's interface; --bridge says another")
    return draft


@dataclass(slots=True)
class _Subnet:
    """A subnet with its ranges, where it stands first, and the tags that guests in it have."""

    subnet: Subnet
    where: str
    ranges: list[Range] = field(default_factory=list)
    network: Settings = field(default_factory=Settings)
    tags: set[str] = field(default_factory=set)

    @property
    def modes(self) -> set[str]:
        """What any of the ranges says."""
        return {mode for each in self.ranges for mode in each.modes}

    @property
    def lease_s(self) -> int:
        """How long a lease is."""
        given = (each.lease_s for each in self.ranges if each.lease_s is not None)
        return next(given, DEFAULT_LEASE_S[self.subnet.version])


class _Reader:
    """Takes in a file, line by line, and then makes the networks."""

    def __init__(self, draft: Draft, file: str, own: Sequence[Interface]) -> None:
        self.draft = draft
        self.file = file
        self.own = [*own]
        self.ranges: list[tuple[Range, str]] = []
        self.hosts: list[tuple[Host, str]] = []
        self.told: list[Told] = []
        self.boots: list[Boot] = []
        self.clients = Clients()
        self.domain = ""
        self.interfaces: list[str] = []
        self.is_dns = True
        self.enable_ra = False
        self.ra_mtu: int | None = None
        self.ra_interval_s = RA_INTERVAL_S
        self.is_router = True
        self.only_known = False
        self.rapid_commit = False
        self.probe = True

    def read(self, text: str) -> None:
        """The whole file."""
        for line in read(text):
            where = f"{self.file}:{line.number}"
            try:
                self._line(line, where)
            except Unreadable as error:
                self.draft.leave(where, f"{line.name}: {error}")
        subnets = self._subnets()
        if not subnets:
            raise DraftError("no dhcp-range in it that could be served")
        for each in self._name(subnets):
            if isinstance(each.subnet, IPv4Network):
                self._dhcpv4(each)
            else:
                self._ipv6(each)
        for each in subnets:
            self._boot(each)
        self.draft.note_several()
        for host, where in self.hosts:
            self._host(host, where, subnets)

    # -- line by line

    def _line(self, line: Line, where: str) -> None:
        words = line.words
        if line.name == "dhcp-range":
            self.ranges.append((read_range(words), where))
        elif line.name == "dhcp-host":
            self.hosts.append((read_host(words), where))
        elif line.name in ("dhcp-option", "dhcp-option-force"):
            self.told.append(read_option(words, where))
            if line.name == "dhcp-option-force":
                self.draft.leave(where, f"{line.name}: it is told to who asks for it, as others")
        elif line.name == "dhcp-boot":
            self.boots.append(read_boot(words, where))
        elif line.name in CLIENTS:
            self.clients.read(line.name, words)  # what is told by its tag is named there
        elif line.name == "domain" and words:
            self.domain = words[0] if len(words) == 1 else self.domain
            if len(words) > 1 or words[0] == "#":
                self.draft.leave(where, f"domain: {show(','.join(words))} is not the same for all")
                self.domain = self.domain.strip("#")
        elif line.name == "interface":
            self.interfaces += words
        elif line.name == "listen-address":
            self.own += [each for word in words if (each := _interface(word))]
        elif line.name == "port":
            self.is_dns = words[:1] != ("0",)
        elif line.name == "enable-ra":
            self.enable_ra = True
        elif line.name == "ra-param":
            self._ra_param(words, where)
        elif line.name == "dhcp-rapid-commit":
            self.rapid_commit = True
        elif line.name == "dhcp-ignore" and words == ("tag:!known",):
            self.only_known = True
        elif line.name == "no-ping":
            self.probe = False
        elif line.name in FILES:
            what = "is another file, which is not read: put what it says into this one"
            self.draft.leave(where, f"{line.name}: {what}")
        elif server := next((name for name, names in SERVERS.items() if line.name in names), ""):
            what = f"{server} is not served: keep dnsmasq for it, without any dhcp-range"
            self.draft.leave(where, f"{line.name}: {what}")
        elif line.name not in NEEDLESS:
            self.draft.leave(where, f"{escape(line.name)}: cannot be said")

    def _ra_param(self, words: Sequence[str], where: str) -> None:
        left, numbers = list[str](), list[int]()
        for word in words[1:]:
            if word.startswith("mtu:") and word[4:].isdecimal() and len(word) < 10:
                self.ra_mtu = int(word[4:])
            elif word.isdecimal() and len(word) < 6 and len(numbers) < 2:
                numbers.append(int(word))
            else:
                left.append(word)
        interval_s, lifetime_s, *_ = (*numbers, *(0, RA_LIFETIME_S)[len(numbers) :])
        self.ra_interval_s = interval_s if 4 <= interval_s <= 1800 else RA_INTERVAL_S
        self.is_router = lifetime_s > 0
        if left:
            self.draft.leave(where, f"ra-param: {show(','.join(left))} cannot be said")

    # -- the networks

    def _subnets(self) -> list[_Subnet]:
        """The ranges by their subnets."""
        found: dict[Subnet, _Subnet] = {}
        for each, where in self.ranges:
            if not is_for(each.tags, {*self.interfaces[:1]}, set()):
                what = f"tag {show(each.tags[0])} is not looked at, who has it or not is served"
                self.draft.leave(where, f"dhcp-range: {what}")
            if "proxy" in each.modes:
                self.draft.leave(where, "dhcp-range: proxy DHCP cannot be said")
                continue
            subnet = each.subnet(self.own)
            if subnet is None and each.constructor:
                what = f"the prefix is that of {show(each.constructor)}, which is not in the file"
                self.draft.leave(where, f"dhcp-range: {what}: say it with --address")
                continue
            if subnet is None:
                assert each.first.version == 4
                subnet = IPv4Network((each.first, ASSUMED_LENGTH), strict=False)
                what = f"the netmask is that of the interface, {subnet} is assumed"
                self.draft.leave(where, f"dhcp-range: {what}: say it with --address")
            new = found.setdefault(subnet, _Subnet(subnet, where))
            if new.ranges and (each.lease_s or new.lease_s) != new.lease_s:
                what = f"its lease time is another one, {new.lease_s} seconds are followed"
                self.draft.leave(where, f"dhcp-range: {what}")
            new.ranges.append(each)
            new.tags.update(each.sets)
        return [*found.values()]

    def _name(self, subnets: Sequence[_Subnet]) -> Iterator[_Subnet]:
        """Each with its network; one of IPv6 is in that of a subnet of IPv4, if one alone fits."""
        by_version: dict[int, list[_Subnet]] = {4: [], 6: []}
        for each in subnets:
            by_version[each.subnet.version].append(each)
            each.tags.update(self.interfaces if len(self.interfaces) == 1 else ())
        only = len(by_version[4]) == 1 == len(by_version[6])
        for each in (*by_version[4], *by_version[6]):
            sets = {name for one in each.ranges for name in one.sets}
            twin = (
                next(
                    (
                        other
                        for other in by_version[4]
                        if each.subnet.version == 6
                        and (only or sets & {name for one in other.ranges for name in one.sets})
                    ),
                    None,
                )
                if len(by_version[4]) <= 64
                else None
            )
            if twin and "dhcpv6" not in twin.network and "ra" not in twin.network:
                each.network = twin.network
            else:
                names = sorted(sets) or (self.interfaces if len(subnets) == 1 or only else [])
                each.network = self.draft.network((names or [str(each.subnet)])[0], each.where)
            yield each

    def _dhcpv4(self, each: _Subnet) -> None:
        where, network = each.where, each.network
        assert isinstance(each.subnet, IPv4Network)
        part = self.draft.open(network, "dhcpv4", where)
        self.draft.set(part, "cidr", str(each.subnet), where)
        own = self._own(each.subnet)
        if own:
            self.draft.set(part, "server_id", own, where)
        self.draft.set(part, "lease_time", each.lease_s, where)
        chosen = self._chosen(4, each.tags)
        if own and _ROUTER not in chosen:
            self.draft.set(part, "router", own, where)
        if own and self.is_dns and _DNS not in chosen:
            self.draft.set(part, "dns_server", own, where)
        if not own:
            self._miss_own(chosen, where)
        if self.domain and _DOMAIN not in chosen:
            self.draft.set(part, "domain_name", self.domain, where)
        for option in chosen.values():
            self._tell(part, option, own)
        if self.rapid_commit:
            self.draft.set(part, "rapid_commit", True, where)
        self._pool(each)

    def _miss_own(self, chosen: Iterable[int], where: str) -> None:
        """Say what dnsmasq tells by its own address, which is not known."""
        missing = [name for name, code in (("router", _ROUTER), ("dns_server", _DNS))
                   if code not in {*chosen} and (code == _ROUTER or self.is_dns)]  # fmt: skip
        if missing:
            what = "dnsmasq's own address is told, which is not in the file: say it with --address"
            self.draft.leave(where, f"{' and '.join(missing)}: {what}")

    def _pool(self, each: _Subnet) -> None:
        network, where = each.network, each.where
        dynamic = [
            AddressRange(one.first, one.last)
            for one in each.ranges
            if not (self.only_known or "static" in one.modes)
            and self._is_inside(one, each.subnet, where)
        ]
        if dynamic:
            self.draft.add_ranges(network, dynamic, where)
        else:
            self.draft.only_reserved(network, each.subnet, where)
        if not self.probe:
            self.draft.set(network, "probe", False, where)

    def _is_inside(self, one: Range, subnet: Subnet, where: str) -> bool:
        if one.first in subnet and one.last in subnet:
            return True
        self.draft.leave(where, f"dhcp-range: {one.first}-{one.last} is not in {subnet}")
        return False

    def _ipv6(self, each: _Subnet) -> None:
        subnet, where, network = each.subnet, each.where, each.network
        assert isinstance(subnet, IPv6Network)
        each.ranges = [_in_prefix(one, subnet) for one in each.ranges]
        modes = each.modes
        for mode in sorted(modes & {"off-link", "ra-advrouter"}):
            self.draft.leave(where, f"dhcp-range: {mode} cannot be said")
        own = self._own(subnet)
        chosen = self._chosen(6, each.tags)
        dns = [own] if own and self.is_dns and _DNS6 not in chosen else []
        is_stateful = not modes & {"ra-only", "ra-names", "ra-stateless"}
        is_advertised = self.enable_ra or bool(modes - {"static", "off-link"})
        if is_stateful or "ra-stateless" in modes:
            part = self.draft.open(network, "dhcpv6", where)
            self.draft.set(part, "cidr", str(subnet), where)
            if is_stateful:
                self.draft.set(part, "valid_lifetime", each.lease_s, where)
            else:
                self.draft.set(part, "dhcpv6_stateless", True, where)
            if dns:
                self.draft.set(part, "dns_server", dns, where)
            if self.domain and _SEARCH6 not in chosen:
                self.draft.set(part, "domain_search", self.domain, where)
            for option in chosen.values():
                self._tell(part, option, own)
        if is_stateful:
            self._pool(each)
        elif "pool" not in network:
            self.draft.open(network, "ports", where)
            self.draft.leave(where, "ra: a network without a pool serves the ports it names alone")
        if is_advertised:
            self._ra(each, is_stateful, dns, chosen)

    def _ra(
        self, each: _Subnet, is_stateful: bool, dns: list[str], chosen: dict[int, Told]
    ) -> None:
        where, modes = each.where, each.modes
        if is_stateful and "slaac" in modes:
            what = "addresses of the hosts' own beside those of DHCPv6 cannot be said"
            self.draft.leave(where, f"dhcp-range: slaac: {what}")
        ra = self.draft.open(each.network, "ra", where)
        stateless = "dhcpv6_stateless" if "ra-stateless" in modes else "slaac"
        self.draft.set(ra, "addr_mode", "dhcpv6_stateful" if is_stateful else stateless, where)
        self.draft.set(ra, "prefix", [str(each.subnet)], where)
        self.draft.set(ra, "interval", self.ra_interval_s, where)
        if each.lease_s != INFINITY_S:
            self.draft.set(ra, "valid_lifetime", each.lease_s, where)
        if self.ra_mtu:
            self.draft.set(ra, "mtu", self.ra_mtu, where)
        if _DNS6 in chosen:
            dns = [word.strip("[]") for word in chosen[_DNS6].words if word not in OWN]
        if dns:
            self.draft.set(ra, "rdnss", dns, where)
        if self.domain:
            self.draft.set(ra, "dnssl", self.domain, where)
        if self.is_router:
            ra.note("addr_mode", "slla: the MAC of the router, or guests get no route by this")
            what = "the host of dnsmasq is advertised as router, its MAC is not in the file"
            self.draft.leave(where, f"ra: {what}: say slla")

    def _own(self, subnet: Subnet) -> str:
        """dnsmasq's own address in the subnet; empty if it is not known."""
        return next((str(each.ip) for each in self.own if each.ip in subnet), "")

    # -- options

    def _chosen(self, version: int, tags: set[str]) -> dict[int, Told]:
        """The options for who has these tags, by their codes."""
        found: dict[int, list[Told]] = {}
        for option in self.told:
            if option.version != version:
                continue
            answer = is_for(option.tags, tags, self.clients.all | {"known"})
            if answer:
                found.setdefault(option.code, []).append(option)
            elif answer is None:
                what = f"dhcp-option: {option.code} is for tag {show(','.join(option.tags))}"
                self.draft.leave(option.where, f"{what}, which is not looked at")
        return {code: one for code, each in found.items() if (one := last(each))}

    def _tell(self, into: Settings, option: Told, own: str) -> None:
        """Say an option."""
        if not option.words:
            return  # it is not to be told
        try:
            said = setting_of(option, own)
        except OptionError as error:
            self.draft.leave(option.where, f"dhcp-option: {option.code}: {error}")
            return
        self.draft.set(into, *said, option.where)

    def _boot(self, each: _Subnet) -> None:
        """The boot files of a subnet, by architecture and for iPXE."""
        if each.subnet.version == 6 or not self.boots:
            return
        part = each.network["dhcpv4"]
        assert isinstance(part, Settings)
        clients = self.clients
        unknown = clients.others | {"known"}
        by_name: dict[str, Boot] = {}
        by_architecture: dict[str, Boot] = {}
        for boot in self.boots:
            told = {tag for tag in boot.tags if tag.strip("!") in clients.all - clients.others}
            answer = is_for([tag for tag in boot.tags if tag not in told], each.tags, unknown)
            architectures = {tag for tag in told if tag in clients.architectures}
            if answer is None or len(architectures) > 1:
                what = f"is for tag {show(','.join(boot.tags))}, which is not looked at"
                self.draft.leave(boot.where, f"dhcp-boot: {what}")
            elif answer and architectures:
                (tag,) = architectures
                for name in _architecture_names(clients.architectures[tag]):
                    by_architecture[name] = boot
            elif answer:
                is_ipxe = any(tag in clients.ipxe for tag in told)
                by_name["bootfile_name" if is_ipxe else "bootfile_name_alt"] = boot
        if "bootfile_name" not in by_name and "bootfile_name_alt" in by_name:
            by_name = {"bootfile_name": by_name["bootfile_name_alt"]}
        for name, boot in by_name.items():
            self.draft.set(part, name, boot.file, boot.where)
        for name, boot in by_architecture.items():
            files = self.draft.open(part, "bootfile_name_by_arch", boot.where)
            self.draft.set(files, name, boot.file, boot.where)
        for boot in [*by_name.values(), *by_architecture.values()]:
            self._boot_server(part, boot, self._own(each.subnet))

    def _boot_server(self, part: Settings, boot: Boot, own: str) -> None:
        """The server of a boot file; where several have one it is the first's."""
        address = own if boot.address in ("", *OWN) else boot.address
        if address:
            if part.setdefault("next_server", address) != address:
                self.draft.leave(boot.where, f"dhcp-boot: {show(address)}: one server can be said")
            self.draft.set(part, "next_server", part["next_server"], boot.where)
        else:
            what = "dnsmasq's own address is told, which is not in the file: say it with --address"
            self.draft.leave(boot.where, f"dhcp-boot: {what}")
        if boot.server and "tftp_server" not in part:
            self.draft.set(part, "tftp_server", boot.server, boot.where)

    # -- hosts

    def _host(self, host: Host, where: str, subnets: Sequence[_Subnet]) -> None:
        for what in host.left:
            self.draft.leave(where, f"dhcp-host: {what}")
        if host.is_ignored:
            what = "ignore: set external_ids:dhcp-network=none at its interface"
            self.draft.leave(where, f"dhcp-host: {what}")
            return
        if not host.macs:
            if not host.left:
                self.draft.leave(where, "dhcp-host: without a MAC nobody is known")
            return
        home, addresses = self._home(host, where, subnets)
        if home is None:
            return
        if len(host.macs) > 1 and addresses:
            what = f"{', '.join(host.macs[1:])}: an address is one MAC's, {host.macs[0]} has it"
            self.draft.leave(where, f"dhcp-host: {what}")
            own_macs = host.macs[:1]
        else:
            own_macs = host.macs
        options = self._own_options(host, home)
        for mac in own_macs:
            is_port = host.name or options or host.lease_s is not None or not addresses
            name = (host.name or mac) if is_port else ""
            port = self.draft.fix(home.network, mac, addresses, where, name)
            if port is not None and (options or host.name or host.lease_s is not None):
                self._port_options(port, host, options, home, where)

    def _home(
        self, host: Host, where: str, subnets: Sequence[_Subnet]
    ) -> tuple[_Subnet | None, list[Address]]:
        """The subnet that a host belongs to, and its addresses in the network of it."""
        v4 = next((each for each in subnets if host.ipv4 and host.ipv4 in each.subnet), None)
        addresses: list[Address] = [host.ipv4] if host.ipv4 and v4 else []
        if host.ipv4 and v4 is None:
            self.draft.leave(where, f"dhcp-host: {host.ipv4} is in no subnet of a dhcp-range")
        home = v4
        for address in host.ipv6:
            for each in subnets:
                full = _in_subnet(address, each.subnet)
                if full and (home is None or each.network is home.network):
                    home = home or each
                    addresses.append(full)
                    break
            else:
                self.draft.leave(where, f"dhcp-host: {address} is in no subnet of a dhcp-range")
        if host.ipv4 or host.ipv6:
            return home if addresses else None, addresses
        if len({id(each.network) for each in subnets}) > 1:
            self.draft.leave(where, "dhcp-host: without an address its network is not known")
            return None, []
        return subnets[0], []

    def _own_options(self, host: Host, home: _Subnet) -> list[Told]:
        """The options of DHCPv4 that a host has and its subnet has not."""
        if not host.sets or home.subnet.version == 6:
            return []
        common = self._chosen(4, home.tags)
        own = self._chosen(4, home.tags | {*host.sets, "known"})
        return [option for code, option in own.items() if common.get(code) is not option]

    def _port_options(
        self, port: Settings, host: Host, options: list[Told], home: _Subnet, where: str
    ) -> None:
        if "dhcpv4" not in home.network:
            return
        inside = self.draft.open(port, "options", where)
        if host.name:
            self.draft.set(inside, "hostname", host.name, where)
        if host.lease_s is not None:
            self.draft.set(inside, "lease_time", host.lease_s, where)
        for option in options:
            self._tell(inside, option, self._own(home.subnet))


def _interface(word: str) -> IPv4Interface | IPv6Interface | None:
    try:
        return None if "%" in word else ip_interface(word)
    except ValueError:
        return None


def _in_prefix(one: Range, subnet: IPv6Network) -> Range:
    """A range whose addresses are lower halves, in the subnet that they are made of."""
    if not one.constructor:
        return one
    first, last = (IPv6Address(int(subnet[0]) | int(each) & int(subnet.hostmask))
                   for each in (one.first, one.last))  # fmt: skip
    return Range(first, last, one.modes, one.length, one.lease_s, one.tags, one.sets)


def _in_subnet(address: IPv6Address, subnet: Subnet) -> IPv6Address | None:
    """The address if it is in the subnet, or made of it if it is the lower half of one."""
    if not isinstance(subnet, IPv6Network):
        return None
    if int(address) >> 64 == 0:
        return IPv6Address(int(subnet[0]) | int(address) & int(subnet.hostmask))
    return address if address in subnet else None


def _architecture_names(codes: Iterable[int]) -> Iterator[str]:
    """What we call these architectures, by name where all of a name are among them."""
    left = {*codes}
    for name, known in ARCHITECTURES.items():
        if left.issuperset(known):
            yield name
            left -= {*known}
    yield from map(str, sorted(left))
