# SPDX-License-Identifier: Apache-2.0
"""From kea-dhcp4.conf and kea-dhcp6.conf to a configuration of ours.

What a subnet does not say its shared network does, and else the whole server. A subnet of IPv4 and
one of IPv6 are one network of ours where they are on one interface, or there is only one of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from ovs_dhcpd.controller.drafting.draft import Draft, DraftError, Interface
from ovs_dhcpd.controller.drafting.duid import mac_in
from ovs_dhcpd.controller.drafting.json_text import parse
from ovs_dhcpd.controller.drafting.kea_keys import OF_CLIENTS, unsaid
from ovs_dhcpd.controller.drafting.kea_options import Definition, read_definition, read_option
from ovs_dhcpd.controller.drafting.yaml_text import Settings
from ovs_dhcpd.flows.bindings.mac import parse_mac
from ovs_dhcpd.flows.bindings.pool import Address, AddressRange
from ovs_dhcpd.flows.options.table import OptionError
from ovs_dhcpd.flows.options.wording import escape, show

VALID_S = 7200  # of a lease, where nobody says it
PREFERRED = 0.625  # of that, where nobody says it
# When a lease is renewed, as shares of the lease of DHCPv4 and of the preferred lifetime of DHCPv6.
SHARES = {4: (0.5, 0.875), 6: (0.5, 0.8)}


def read_kea(
    texts: Sequence[tuple[str, str]], own: Sequence[Interface] = (), bridge: str = ""
) -> Draft:
    """The draft of what these files say, each with its text; `own` are Kea's addresses.

    Raises DraftError.
    """
    draft = Draft(bridge)
    reader = _Reader(draft, own)
    for file, text in texts:
        try:
            document, includes = parse(text)
        except DraftError as error:
            raise DraftError(f"{file}:{error}") from None
        for line, name in includes:
            what = f"{escape(name)}: is another file, which is not read: put it into this one"
            draft.leave(f"{file}:{line}", what)
        reader.take_in(file, document)
    reader.finish()
    return draft


@dataclass(frozen=True, slots=True)
class _Scope:
    """Settings, those around them, and where they stand; the innermost count."""

    settings: tuple[Mapping[str, Any], ...]
    where: str

    def within(self, settings: Mapping[str, Any], where: str) -> _Scope:
        """The scope of settings inside this."""
        return _Scope((settings, *self.settings), where)

    def get(self, name: str) -> Any:
        """What the innermost says that says it; None: nobody does."""
        return next((each[name] for each in self.settings if name in each), None)


@dataclass(slots=True)
class _Subnet:
    """A subnet with its scope, and the network of ours that it becomes."""

    subnet: IPv4Network | IPv6Network
    scope: _Scope
    definitions: Mapping[str, Definition]
    network: Settings = field(default_factory=Settings)
    options: dict[int, tuple[str, object]] = field(default_factory=dict)

    @property
    def interface(self) -> str:
        """Of the host, on which it is served; empty: any."""
        return str(self.scope.get("interface") or "")

    @property
    def name(self) -> str:
        """What it is called."""
        own = self.scope.settings[0]
        shared = self.scope.settings[1].get("name") if len(self.scope.settings) > 2 else None
        if isinstance(shared, str) and shared:
            return shared
        number = own.get("id")
        return f"subnet-{number}" if isinstance(number, int) else str(self.subnet)


class _Reader:
    def __init__(self, draft: Draft, own: Sequence[Interface]) -> None:
        self.draft = draft
        self.own = own
        self.subnets: list[_Subnet] = []
        self.files: list[str] = []
        self.globals: list[tuple[int, Any, _Scope, Mapping[str, Definition]]] = []

    # -- what there is

    def take_in(self, file: str, document: Any) -> None:
        """One file: its subnets, and what is beside them."""
        self.files.append(file)
        names = [name for name in ("Dhcp4", "Dhcp6") if isinstance(document, dict)
                 and isinstance(document.get(name), dict)]  # fmt: skip
        if not names:
            raise DraftError(f"{file}: has neither Dhcp4 nor Dhcp6, expected Kea's configuration")
        for name in document:
            if name not in names:
                self.draft.leave(file, f"{escape(str(name))}: cannot be said")
        for name in names:
            version = int(name[-1])
            part = document[name]
            scope = _Scope((part,), f"{file}: {name}")
            definitions = self._definitions(version, part, scope.where)
            self._note(version, "server", part, scope.where)
            for each, inside in self._maps(part.get("shared-networks"), scope, "shared-networks"):
                self._note(version, "shared-network", each, inside.where)
                before = len(self.subnets)
                self._take_in_subnets(version, each, inside, definitions)
                if len(self.subnets) - before > 1:
                    what = "its subnets are networks of their own here"
                    self.draft.leave(inside.where, f"{show(each.get('name'))}: {what}")
            self._take_in_subnets(version, part, scope, definitions)
            self.globals.append((version, part.get("reservations"), scope, definitions))

    def _take_in_subnets(
        self, version: int, part: Mapping[str, Any], scope: _Scope,
        definitions: Mapping[str, Definition],
    ) -> None:  # fmt: skip
        name = f"subnet{version}"
        for each, inside in self._maps(part.get(name), scope, name):
            text = each.get("subnet")
            try:
                if not isinstance(text, str) or "%" in text:
                    raise ValueError
                subnet = ip_network(text.strip(), strict=False)
                if subnet.version != version:
                    raise ValueError
            except ValueError:
                what = f"subnet: {show(text)}, expected a subnet of IPv{version}"
                self.draft.leave(inside.where, what)
                continue
            self._note(version, "subnet", each, inside.where)
            self.subnets.append(_Subnet(subnet, inside, definitions))

    def _definitions(
        self, version: int, part: Mapping[str, Any], where: str
    ) -> dict[str, Definition]:
        found = {}
        for each, inside in self._maps(part.get("option-def"), _Scope((), where), "option-def"):
            self._note(version, "definition", each, inside.where)
            if each.get("space", f"dhcp{version}") != f"dhcp{version}":
                continue  # of what is inside another option: that cannot be said, where it is used
            try:
                name, definition = read_definition(each)
                found[name] = definition
            except OptionError as error:
                self.draft.leave(inside.where, str(error))
        return found

    def _note(self, version: int, level: str, part: Mapping[str, Any], where: str) -> None:
        """Name what of it cannot be said."""
        for what in unsaid(version, level, part):
            self.draft.leave(where, what)

    def _maps(
        self, value: Any, scope: _Scope, name: str
    ) -> Iterator[tuple[Mapping[str, Any], _Scope]]:
        """The mappings of a list, with their places."""
        if value is None:
            return
        if not isinstance(value, list):
            self.draft.leave(scope.where, f"{name}: {show(value)}, expected a list")
            return
        for number, each in enumerate(value):
            where = f"{scope.where}.{name}[{number}]"
            if isinstance(each, dict):
                yield each, scope.within(each, where)
            else:
                self.draft.leave(where, f"{show(each)}, expected a mapping")

    # -- what becomes of it

    def finish(self) -> None:
        """Make the networks.  Raises DraftError."""
        if not self.subnets:
            raise DraftError(f"{', '.join(self.files)}: no subnet4 and no subnet6 in it")
        by_version: dict[int, list[_Subnet]] = {4: [], 6: []}
        for each in self.subnets:
            by_version[each.subnet.version].append(each)
        only = len(by_version[4]) == 1 == len(by_version[6])
        by_interface: dict[str, list[_Subnet]] = {}
        for each in by_version[4]:
            by_interface.setdefault(each.interface, []).append(each)
        for each in (*by_version[4], *by_version[6]):
            there = by_interface.get(each.interface, []) if each.interface else []
            twin = by_version[4][0] if only else there[0] if len(there) == 1 else None
            if each.subnet.version == 6 and twin and "dhcpv6" not in twin.network:
                each.network = twin.network
            else:
                each.network = self.draft.network(each.name, each.scope.where)
            self._serve(each)
        self.draft.note_several()
        for each in self.subnets:
            hosts = each.scope.settings[0].get("reservations")
            if hosts and each.scope.get("reservations-in-subnet") is False:
                what = "reservations: not in force by reservations-in-subnet"
                self.draft.leave(each.scope.where, what)
                continue
            for host, scope in self._maps(hosts, each.scope, "reservations"):
                self._reserve(host, scope, each)
        for version, value, scope, _ in self.globals:
            for host, inside in self._maps(value, scope, "reservations"):
                self._reserve_anywhere(version, host, inside)

    def _serve(self, each: _Subnet) -> None:
        version, scope = each.subnet.version, each.scope
        part = self.draft.open(each.network, f"dhcpv{version}", scope.where)
        self.draft.set(part, "cidr", str(each.subnet), scope.where)
        own = next((str(one.ip) for one in self.own if one.ip in each.subnet), "")
        if own and version == 4:
            self.draft.set(part, "server_id", own, scope.where)
        if version == 4:
            self._times4(part, scope)
            self._boot(part, scope)
        else:
            self._times6(part, scope)
        for settings in reversed(scope.settings):
            inner = _Scope((settings,), scope.where)
            for value, inside in self._maps(settings.get("option-data"), inner, "option-data"):
                found = self._option(version, value, inside.where, each.definitions)
                if found:
                    each.options[found[0]] = found[1]
        for said in each.options.values():
            self.draft.set(part, *said, scope.where)
        if version == 6 and scope.get("rapid-commit") is True:
            self.draft.set(part, "rapid_commit", True, scope.where)
        self._pools(each)
        period_s = self._seconds(scope, "decline-probation-period")
        if period_s is not None and "pool" in each.network:
            self.draft.set(each.network, "decline_probation_period", period_s, scope.where)

    def _times4(self, part: Settings, scope: _Scope) -> None:
        lease_s = self._seconds(scope, "valid-lifetime")
        lease_s = VALID_S if lease_s is None else lease_s
        self.draft.set(part, "lease_time", lease_s, scope.where)
        for name, time_s in zip(("T1", "T2"), self._tees(4, scope, lease_s), strict=True):
            if time_s:
                self.draft.set(part, name, time_s, scope.where)

    def _times6(self, part: Settings, scope: _Scope) -> None:
        valid_s = self._seconds(scope, "valid-lifetime")
        valid_s = VALID_S if valid_s is None else valid_s
        preferred_s = self._seconds(scope, "preferred-lifetime")
        preferred_s = int(valid_s * PREFERRED) if preferred_s is None else preferred_s
        self.draft.set(part, "valid_lifetime", valid_s, scope.where)
        self.draft.set(part, "preferred_lifetime", preferred_s, scope.where)
        for name, time_s in zip(("t1", "t2"), self._tees(6, scope, preferred_s), strict=True):
            self.draft.set(part, name, time_s, scope.where)

    def _tees(self, version: int, scope: _Scope, whole_s: int) -> list[int]:
        """T1 and T2: as they are said, or as shares of the whole time; 0: the client chooses."""
        found = []
        is_calculated = scope.get("calculate-tee-times")
        for timer, name, usual in zip(
            ("renew-timer", "rebind-timer"), ("t1-percent", "t2-percent"), SHARES[version],
            strict=True,
        ):  # fmt: skip
            share = self._share(scope, name, usual)
            time_s = self._seconds(scope, timer)
            if time_s is None:
                # DHCPv6 has a place for them in any case, and Kea fills it unless told otherwise.
                is_wanted = is_calculated is True or (version == 6 and is_calculated is None)
                time_s = int(whole_s * share + 0.5) if is_wanted else 0
            found.append(time_s)
        return found

    def _share(self, scope: _Scope, name: str, usual: float) -> float:
        value = scope.get(name)
        if value is None:
            return usual
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 1:
            self.draft.leave(scope.where, f"{name}: {show(value)}, expected a number from 0 to 1")
            return usual
        return value

    def _boot(self, part: Settings, scope: _Scope) -> None:
        for name, ours in (
            ("next-server", "next_server"),
            ("server-hostname", "tftp_server"),
            ("boot-file-name", "bootfile_name"),
        ):
            value = scope.get(name)
            if value in (None, "", "0.0.0.0"):
                continue
            if isinstance(value, str):
                self.draft.set(part, ours, value, scope.where)
            else:
                self.draft.leave(scope.where, f"{name}: {show(value)}, expected text")

    def _seconds(self, scope: _Scope, name: str) -> int | None:
        value = scope.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self.draft.leave(scope.where, f"{name}: {show(value)}, expected seconds")
        return None

    def _option(
        self, version: int, value: Mapping[str, Any], where: str,
        definitions: Mapping[str, Definition],
    ) -> tuple[int, tuple[str, object]] | None:  # fmt: skip
        name = value.get("name") or value.get("code")
        self._note(version, "option", value, where)
        try:
            if value.get("always-send") is True:
                what = "always-send: it is told to who asks for it, as others"
                self.draft.leave(where, f"{escape(str(name))}: {what}")
            if value.get("client-classes"):
                raise OptionError(f"client-classes: {OF_CLIENTS}")
            return read_option(version, value, definitions)
        except OptionError as error:
            self.draft.leave(where, f"{escape(str(name))}: {error}")
            return None

    def _pools(self, each: _Subnet) -> None:
        ranges = list[AddressRange]()
        settings = each.scope.settings[0]
        for value, inside in self._maps(settings.get("pools"), each.scope, "pools"):
            self._note(each.subnet.version, "pool", value, inside.where)
            if value.get("option-data"):
                what = "option-data: options are of a network or a port, expected them there"
                self.draft.leave(inside.where, what)
            found = _range(value.get("pool"))
            if found is None or found.first not in each.subnet or found.last not in each.subnet:
                what = f"pool: {show(value.get('pool'))}, expected addresses in {each.subnet}"
                self.draft.leave(inside.where, what)
            else:
                ranges.append(found)
        if ranges:
            self.draft.add_ranges(each.network, ranges, each.scope.where)
        else:
            self.draft.only_reserved(each.network, each.subnet, each.scope.where)

    # -- reservations

    def _reserve_anywhere(self, version: int, host: Mapping[str, Any], scope: _Scope) -> None:
        """A reservation of the whole server: by its address, or in the only network."""
        there = [
            each for each in self.subnets
            if each.subnet.version == version and each.scope.get("reservations-global") is True
        ]  # fmt: skip
        if not there:
            what = "it is in no subnet, and none has reservations-global: not in force"
            self.draft.leave(scope.where, what)
            return
        addresses, _ = _addresses(version, host)
        home = next(
            (each for each in there if addresses and addresses[0] in each.subnet),
            there[0] if len(there) == 1 and not addresses else None,
        )
        if home is None:
            self.draft.leave(scope.where, "its subnet is not known, expected it in one")
        else:
            self._reserve(host, scope, home)

    def _reserve(self, host: Mapping[str, Any], scope: _Scope, home: _Subnet) -> None:
        where, version = scope.where, home.subnet.version
        self._note(version, "reservation", host, where)
        mac = self._mac(host, where)
        if not mac:
            return
        everywhere, unreadable = _addresses(version, host)
        for value in unreadable:
            self.draft.leave(where, f"{mac}: {show(value)}, expected an address of IPv{version}")
        addresses = [each for each in everywhere if each in home.subnet]
        if len(addresses) < len(everywhere):
            self.draft.leave(where, f"{mac}: not all of its addresses are in {home.subnet}")
            if not addresses:
                return
        if len(addresses) > 1:
            self.draft.leave(where, f"{mac}: one address of IPv{version} is reserved, the first")
        hostname = host.get("hostname")
        name = hostname if isinstance(hostname, str) else ""
        options = self._own_options(host, scope, home)
        prefixes = host.get("prefixes") if version == 6 else None
        is_port = name or options or prefixes or not addresses
        port = self.draft.fix(
            home.network, mac, addresses[:1], where, (name or mac) if is_port else ""
        )
        if port is None:
            return
        inside_name = "options" if version == 4 else "options6"
        if name:
            option = "hostname" if version == 4 else "fqdn"
            self.draft.set(self.draft.open(port, inside_name, where), option, name, where)
        for said in options:
            self.draft.set(self.draft.open(port, inside_name, where), *said, where)
        if isinstance(prefixes, list) and prefixes:
            self.draft.set(port, "delegated_prefix", [str(each) for each in prefixes], where)

    def _own_options(
        self, host: Mapping[str, Any], scope: _Scope, home: _Subnet
    ) -> list[tuple[str, object]]:
        found = dict[int, tuple[str, object]]()
        inner = _Scope((), scope.where)
        for value, inside in self._maps(host.get("option-data"), inner, "option-data"):
            said = self._option(home.subnet.version, value, inside.where, home.definitions)
            if said:
                found[said[0]] = said[1]
        boot = Settings()
        if home.subnet.version == 4:
            self._boot(boot, _Scope((host,), scope.where))
        return [*found.values(), *boot.items()]

    def _mac(self, host: Mapping[str, Any], where: str) -> str:
        """The MAC of a guest; empty, and noted, if it is known otherwise."""
        text, duid = host.get("hw-address"), host.get("duid")
        if not text and isinstance(duid, str):
            text = mac_in(duid)
        if not isinstance(text, str) or not text:
            kinds = sorted({*host} & {"duid", "client-id", "circuit-id", "flex-id"})
            what = f"by {kinds[0] if kinds else 'nothing'} nobody is known, expected hw-address"
            self.draft.leave(where, what)
            return ""
        try:
            return parse_mac(text.replace("-", ":").lower()).hex(":")
        except ValueError as error:
            self.draft.leave(where, f"hw-address: {error}")
            return ""


def _addresses(version: int, host: Mapping[str, Any]) -> tuple[list[Address], list[Any]]:
    """The addresses of a reservation, and what stands there that is none."""
    value = host.get("ip-address" if version == 4 else "ip-addresses", [])
    found, unreadable = list[Address](), []
    for text in value if isinstance(value, list) else [value]:
        try:
            if not isinstance(text, str) or "%" in text:
                raise ValueError
            address = ip_address(text.strip())
            if address.version != version:
                raise ValueError
            found.append(address)
        except ValueError:
            unreadable.append(text)
    return found, unreadable


def _range(text: Any) -> AddressRange | None:
    """A pool of addresses, ``first - last`` or a prefix; None if it is none."""
    try:
        if not isinstance(text, str) or "%" in text:
            return None
        if "/" in text:
            network = ip_network("".join(text.split()))
            return AddressRange(network[0], network[-1])
        first, _, last = text.partition("-")
        found = AddressRange(ip_address(first.strip()), ip_address((last or first).strip()))
    except ValueError:
        return None
    same = found.first.version == found.last.version
    return found if same and found.size > 0 else None
