# SPDX-License-Identifier: Apache-2.0
"""From libvirt's network XML (``virsh net-dumpxml``) to a configuration of ours.

libvirt runs a dnsmasq for it, which tells the network's address as router, unless the network is
isolated, and as DNS server, unless that is off (libvirt's `src/network/bridge_driver.c`).
"""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface

from ovs_dhcpd.controller.drafting.dnsmasq_file import read
from ovs_dhcpd.controller.drafting.dnsmasq_options import read_option, setting_of
from ovs_dhcpd.controller.drafting.dnsmasq_ranges import (
    DEFAULT_LEASE_S,
    MIN_LEASE_S,
    Unreadable,
)
from ovs_dhcpd.controller.drafting.draft import Draft, DraftError
from ovs_dhcpd.controller.drafting.duid import mac_in
from ovs_dhcpd.controller.drafting.xml_text import Element, parse
from ovs_dhcpd.controller.drafting.yaml_text import Settings
from ovs_dhcpd.flows.bindings.mac import parse_mac
from ovs_dhcpd.flows.bindings.pool import Address, AddressRange
from ovs_dhcpd.flows.options.table import OptionError
from ovs_dhcpd.flows.options.wording import escape, show
from ovs_dhcpd.flows.userdata.extension import INFINITY_S

DNSMASQ = "http://libvirt.org/schemas/network/dnsmasq/1.0 options"
_UNITS = {"": 60, "seconds": 1, "minutes": 60, "hours": 3600}
# What changes nothing of what a guest is told.
_NEEDLESS = {"name", "uuid", "bridge", "mac", "forward", "ip", "domain", "mtu", "dns", "vlan",
             "virtualport", "portgroup", DNSMASQ}  # fmt: skip
_IN_DNS = "is of the DNS server, which is not served"
INTERVAL_S = 600  # between two advertisements of libvirt's dnsmasq


def read_libvirt(text: bytes, file: str, bridge: str = "") -> Draft:
    """The draft of what `file` says, whose text this is.  Raises DraftError."""
    try:
        top = parse(text)
        if top.name != "network":
            raise DraftError(f"{top.line}: is <{escape(top.name)}>, expected <network>")
    except DraftError as error:
        raise DraftError(f"{file}:{error}") from None
    return _Reader(Draft(bridge), file, top).read()


class _Reader:
    def __init__(self, draft: Draft, file: str, top: Element) -> None:
        self.draft = draft
        self.file = file
        self.top = top
        self.network = draft.network(_text(top, "name") or "lan", self._where(top))
        forward = top.first("forward")
        self.is_isolated = forward is None
        dns = top.first("dns")
        self.is_dns = dns is None or dns.get("enable") != "no"
        self.mac = self._bridge_mac()
        self.own = dict[int, str]()  # the addresses of the server, by version
        # By element: all of them may stand in one line.
        self._own = {id(each): self._read_address(each) for each in top.all("ip")}

    def read(self) -> Draft:
        """The whole document."""
        top, draft = self.top, self.draft
        parts = [each for each in top.all("ip") if self._address(each)]
        if not any(each.first("dhcp") or self._is_ipv6(each) for each in parts):
            raise DraftError(f"{self.file}: no <ip> with <dhcp> in it: libvirt gives out nothing")
        seen = set[str]()
        for each in sorted(parts, key=lambda each: (self._is_ipv6(each), each.line)):
            family = "dhcpv6" if self._is_ipv6(each) else "dhcpv4"
            if family == "dhcpv4" and each.first("dhcp") is None:
                continue
            if family in seen:
                draft.leave(self._where(each), "ip: a second subnet of the family cannot be said")
                continue
            seen.add(family)
            (self._ipv6 if family == "dhcpv6" else self._ipv4)(each)
        if "pool" not in self.network and "ports" not in self.network:
            where = self._where(top)
            draft.open(self.network, "ports", where)
            draft.leave(where, "ip: a network without a pool serves the ports it names alone")
        self._mtu()
        self._vlans()
        self._dns()
        for options in top.all(DNSMASQ):
            for option in options.children:
                self._dnsmasq(option.get("value"), self._where(option))
        for each in top.children:
            if each.name not in _NEEDLESS:
                draft.leave(self._where(each), f"{escape(each.name)}: cannot be said")
        return draft

    # -- addresses

    def _ipv4(self, ip: Element) -> None:
        where, draft = self._where(ip), self.draft
        own = self._address(ip)
        assert isinstance(own, IPv4Interface)
        part = draft.open(self.network, "dhcpv4", where)
        self.own[4] = str(own.ip)
        draft.set(part, "cidr", str(own.network), where)
        draft.set(part, "server_id", str(own.ip), where)
        draft.set(part, "lease_time", self._lease_s(ip, 4), where)
        if not self.is_isolated:
            draft.set(part, "router", str(own.ip), where)
        if self.is_dns:
            draft.set(part, "dns_server", str(own.ip), where)
        if domain := self._domain():
            draft.set(part, "domain_name", domain, where)
        dhcp = ip.first("dhcp")
        assert dhcp
        for boot in dhcp.all("bootp"):
            at = self._where(boot)
            draft.set(part, "bootfile_name", boot.get("file"), at)
            draft.set(part, "next_server", boot.get("server") or str(own.ip), at)
        if tftp := ip.first("tftp"):
            draft.leave(self._where(tftp), "tftp: TFTP is not served")
        self._guests(dhcp, own)

    def _ipv6(self, ip: Element) -> None:
        where, draft = self._where(ip), self.draft
        own = self._address(ip)
        assert isinstance(own, IPv6Interface)
        dhcp = ip.first("dhcp")
        if dhcp:
            part = draft.open(self.network, "dhcpv6", where)
            self.own[6] = str(own.ip)
            draft.set(part, "cidr", str(own.network), where)
            draft.set(part, "valid_lifetime", self._lease_s(ip, 6), where)
            if self.is_dns:
                draft.set(part, "dns_server", str(own.ip), where)
            if domain := self._domain():
                draft.set(part, "domain_search", domain, where)
            self._guests(dhcp, own)
        ra = draft.open(self.network, "ra", where)
        draft.set(ra, "addr_mode", "dhcpv6_stateful" if dhcp else "slaac", where)
        if self.mac and not self.is_isolated:
            draft.set(ra, "slla", self.mac, where)
        draft.set(ra, "prefix", [str(own.network)], where)
        draft.set(ra, "interval", INTERVAL_S, where)
        if dhcp:
            draft.set(ra, "valid_lifetime", self._lease_s(ip, 6), where)
        if self.is_dns:
            draft.set(ra, "rdnss", [str(own.ip)], where)
        if domain := self._domain():
            draft.set(ra, "dnssl", domain, where)
        if not self.mac and not self.is_isolated:
            what = "the router is advertised, whose <mac> is not in the file: say slla"
            draft.leave(where, f"ra: {what}")

    def _guests(self, dhcp: Element, own: IPv4Interface | IPv6Interface) -> None:
        ranges = list[AddressRange]()
        for each in dhcp.all("range"):
            first, last = _address(each.get("start")), _address(each.get("end"))
            where = self._where(each)
            if not (first and last and first in own.network and last in own.network):
                what = f"{show(each.get('start'))} to {show(each.get('end'))}"
                self.draft.leave(where, f"range: {what}, expected addresses in {own.network}")
            elif int(last) < int(first):
                self.draft.leave(where, f"range: {first}-{last} ends before it begins")
            else:
                ranges.append(AddressRange(first, last))
        if ranges:
            self.draft.add_ranges(self.network, ranges, self._where(dhcp))
        else:
            self.draft.only_reserved(self.network, own.network, self._where(dhcp))
        for each in dhcp.all("host"):
            self._host(each, own)

    def _host(self, host: Element, own: IPv4Interface | IPv6Interface) -> None:
        where, draft = self._where(host), self.draft
        address = _address(host.get("ip"))
        if address is None or address not in own.network:
            draft.leave(
                where, f"host: {show(host.get('ip'))}, expected an address in {own.network}"
            )
            return
        mac = host.get("mac")
        if not mac and (duid := host.get("id")):
            mac = mac_in(duid)
            if not mac:
                draft.leave(where, f"host: id {show(duid)} has no MAC in it, expected one")
                return
        try:
            mac = parse_mac(mac.lower()).hex(":")
        except ValueError as error:
            draft.leave(where, f"host: {error}" if mac else "host: without a MAC nobody is known")
            return
        name = host.get("name")
        lease = host.first("lease")
        port = draft.fix(self.network, mac, [address], where, name if own.version == 4 else "")
        if port is not None and own.version == 4:
            inside = draft.open(port, "options", where)
            if name:
                draft.set(inside, "hostname", name, where)
            if lease:
                draft.set(inside, "lease_time", _lease_s(lease), where)
        elif lease:
            draft.leave(self._where(lease), "lease: of one guest alone it needs its name")

    def _lease_s(self, ip: Element, version: int) -> int:
        dhcp = ip.first("dhcp")
        leases = [
            lease for each in (dhcp.all("range") if dhcp else ()) for lease in each.all("lease")
        ]
        times = [_lease_s(each) for each in leases]
        for each, time_s in zip(leases, times, strict=True):
            if time_s != times[0]:
                what = f"is another one, {times[0]} seconds are followed"
                self.draft.leave(self._where(each), f"lease: {what}")
        return times[0] if times else DEFAULT_LEASE_S[version]

    # -- what is beside

    def _mtu(self) -> None:
        mtu = self.top.first("mtu")
        part = self.network.get("dhcpv4")
        if mtu and isinstance(part, Settings):
            size = mtu.get("size")
            number = int(size) if size.isdecimal() and len(size) < 6 else size
            self.draft.set(part, "mtu", number, self._where(mtu))

    def _vlans(self) -> None:
        """The network's VLAN, or that of its portgroup if it has one; else they are named."""
        groups = self.top.all("portgroup")
        default = [each for each in groups if each.get("default") == "yes"]
        found = list[tuple[Element, list[Element]]]()
        for each in (self.top, *groups):
            vlan = each.first("vlan")
            if vlan:
                found.append((each, vlan.all("tag")))
        chosen = next(
            (
                tags
                for each, tags in found
                if each is self.top or each in default or len(found) == 1
            ),
            None,
        )
        for each, tags in found:
            name = f"portgroup {show(each.get('name'))}" if each is not self.top else "vlan"
            where = self._where(each)
            if tags is chosen and len(tags) == 1:
                number = tags[0].get("id")
                tag = int(number) if number.isdecimal() and len(number) < 6 else number
                self.draft.set(self.network, "tag", tag, where)
            else:
                numbers = ", ".join(tag.get("id") for tag in tags)
                what = f"VLAN {escape(numbers)}: a network of ours has one tag, expected another"
                self.draft.leave(where, f"{name}: {what} network for each")

    def _dns(self) -> None:
        dns = self.top.first("dns")
        for each in dns.children if dns else ():
            self.draft.leave(self._where(each), f"dns {escape(each.name)}: {_IN_DNS}")

    def _dnsmasq(self, value: str, where: str) -> None:
        """A line that is handed on to dnsmasq: options can be said."""
        for line in read(value):
            try:
                if line.name not in ("dhcp-option", "dhcp-option-force"):
                    raise Unreadable("cannot be said")
                told = read_option(line.words, where)
                part = self.network.get("dhcpv4" if told.version == 4 else "dhcpv6")
                if told.tags or not isinstance(part, Settings):
                    raise Unreadable("tags, or options of a family that is not served")
                if not told.words:
                    name = {(4, 3): "router", (4, 6): "dns_server"}.get((told.version, told.code))
                    part.pop(name or "", None)
                    continue
                self.draft.set(part, *setting_of(told, self.own[told.version]), where)
            except (Unreadable, OptionError) as error:
                self.draft.leave(where, f"dnsmasq: {escape(line.name)}: {error}")

    def _bridge_mac(self) -> str:
        """The MAC that the network's bridge has, if it is known."""
        mac = self.top.first("mac")
        try:
            return parse_mac(mac.get("address").lower()).hex(":") if mac else ""
        except ValueError:
            return ""

    def _domain(self) -> str:
        domain = self.top.first("domain")
        return domain.get("name") if domain else ""

    def _address(self, ip: Element) -> IPv4Interface | IPv6Interface | None:
        """The address of the network itself; None if it is none."""
        return self._own[id(ip)]

    def _read_address(self, ip: Element) -> IPv4Interface | IPv6Interface | None:
        length = ip.get("prefix") or ip.get("netmask")
        try:
            if "%" in ip.get("address"):
                raise ValueError
            text = ip.get("address")
            return ip_interface(f"{text}/{length}" if length else text)
        except ValueError:
            what = f"{show(ip.get('address'))} with {show(length)}, expected an address and a mask"
            self.draft.leave(self._where(ip), f"ip: {what}")
            return None

    def _is_ipv6(self, ip: Element) -> bool:
        return isinstance(self._address(ip), IPv6Interface)

    def _where(self, element: Element) -> str:
        return f"{self.file}:{element.line}"


def _text(top: Element, name: str) -> str:
    found = top.first(name)
    return found.text if found else ""


def _address(text: str) -> Address | None:
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def _lease_s(lease: Element) -> int:
    """How long a lease is, at least as long as dnsmasq has it."""
    expiry, unit = lease.get("expiry"), _UNITS.get(lease.get("unit"), 60)
    if not expiry.isdecimal() or len(expiry) > 9:
        return DEFAULT_LEASE_S[4]
    time_s = int(expiry) * unit
    return min(max(time_s, MIN_LEASE_S), INFINITY_S) if time_s else INFINITY_S
