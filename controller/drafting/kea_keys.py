# SPDX-License-Identifier: Apache-2.0
"""The keys of Kea's configuration: which are read, which mean nothing here, and of others why.

They are those of Kea 2.2 to 3.3, of its parsers and its reference manual.  A key that is in none
of these tables is named among what could not be said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ovs_dhcpd.flows.options.wording import escape

# fmt: off
# What a subnet has of its own, from its shared network or from the whole server.
_INHERITED = {
    "calculate-tee-times", "option-data", "rebind-timer", "renew-timer", "reservations-global",
    "reservations-in-subnet", "t1-percent", "t2-percent", "valid-lifetime",
}
_INHERITED4 = {*_INHERITED, "boot-file-name", "next-server", "server-hostname"}
_INHERITED6 = {*_INHERITED, "preferred-lifetime"}
_SERVER = {"decline-probation-period", "option-def", "reservations", "shared-networks"}
_SUBNET = {"id", "interface", "pools", "reservations", "subnet"}
_POOL = {"option-data", "pool"}
_HOST = {"duid", "flex-id", "hostname", "hw-address", "option-data"}
_OPTION = {
    "always-send", "client-classes", "code", "csv-format", "data", "name", "never-send", "space",
}
_DEFINITION = {"array", "code", "name", "space", "type"}
# What is read, by the version of IP and by where it stands.
READ: Mapping[int, Mapping[str, set[str]]] = {
    4: {
        "server": {*_SERVER, *_INHERITED4, "subnet4"},
        "shared-network": {*_INHERITED4, "interface", "name", "subnet4"},
        "subnet": {*_SUBNET, *_INHERITED4},
        "pool": _POOL,
        "reservation": {*_HOST, "boot-file-name", "circuit-id", "client-id", "ip-address",
                        "next-server", "server-hostname"},
        "option": _OPTION,
        "definition": _DEFINITION,
    },
    6: {
        "server": {*_SERVER, *_INHERITED6, "subnet6"},
        "shared-network": {*_INHERITED6, "interface", "name", "rapid-commit", "subnet6"},
        "subnet": {*_SUBNET, *_INHERITED6, "rapid-commit"},
        "pool": _POOL,
        "reservation": {*_HOST, "ip-addresses", "prefixes"},
        "option": _OPTION,
        "definition": _DEFINITION,
    },
}
# What changes nothing of what a guest is told.
NEEDLESS = {
    # for people and programs that read the file
    "comment", "metadata", "pool-id", "server-tag", "user-context",
    # how the server runs, keeps its leases and is looked at
    "control-socket", "control-sockets", "data-directory", "dhcp-queue-control",
    "expired-leases-processing", "interfaces-config", "lease-database", "loggers",
    "multi-threading", "parked-packet-limit", "sanity-checks", "statistic-default-sample-age",
    "statistic-default-sample-count", "store-extended-info",
    # what is inside of an option: it is named where somebody is told it
    "encapsulate", "record-types",
    # how it finds a guest's MAC, its reservation, or else a free address
    "allocator", "early-global-reservations-lookup", "ip-reservations-unique", "mac-sources",
    "offer-lifetime", "pd-allocator", "reservations-lookup-first", "reservations-out-of-pool",
}
# fmt: on
# What is so here, too, if it has one of these values.
SO_HERE: Mapping[str, tuple[Any, ...]] = {
    "adaptive-lease-time-threshold": (1,),
    "allow-address-registration": (False,),
    "authoritative": (True,),
    "cache-max-age": (0,),
    "cache-threshold": (0,),
    "ddns-send-updates": (False,),
    "dhcp4o6-port": (0,),
    "echo-client-id": (True,),
    "match-client-id": (False,),
    "reservation-mode": ("all", "out-of-pool"),
    "stash-agent-options": (False,),
}
OF_CLIENTS = "what a client says is not looked at"
_OF_RELAYS = "a port is on its own bridge, and no relay is asked"
_SAME_LIFETIME = "the lifetime is the same for all"
_WHOLE_LIFETIME = "each reply gives the whole lifetime"
_IN_A_DATABASE = "what stands there is not read: put it into the file"
WHY = {
    "adaptive-lease-time-threshold": _SAME_LIFETIME,
    "authoritative": "who asks for an address that is not its own is told so (DHCPNAK)",
    "cache-max-age": _WHOLE_LIFETIME,
    "cache-threshold": _WHOLE_LIFETIME,
    "client-class": OF_CLIENTS,
    "client-classes": OF_CLIENTS,
    "config-control": _IN_A_DATABASE,
    "dhcp-ddns": "DNS is not updated",
    "echo-client-id": "a client's id is in each reply to it",
    "evaluate-additional-classes": OF_CLIENTS,
    "hooks-libraries": "libraries cannot be said",
    "host-reservation-identifiers": "a guest is known by its port and its MAC",
    "hostname-char-replacement": OF_CLIENTS,
    "hostname-char-set": OF_CLIENTS,
    "hosts-database": _IN_A_DATABASE,
    "hosts-databases": _IN_A_DATABASE,
    "interface-id": _OF_RELAYS,
    "match-client-id": "a guest is known by its port and its MAC",
    "pd-pools": "a prefix is a port's (delegated_prefix), expected one for each",
    "relay": _OF_RELAYS,
    "relay-supplied-options": _OF_RELAYS,
    "require-client-classes": OF_CLIENTS,
    "server-id": "the server is known by a MAC here (server_id)",
    "stash-agent-options": _OF_RELAYS,
}


def unsaid(version: int, level: str, part: Mapping[str, Any]) -> Iterator[str]:
    """What of this part of a configuration cannot be said, a line for each."""
    for name, value in part.items():
        if name in READ[version][level] or name in NEEDLESS or value in ("", [], {}):
            continue
        if value in SO_HERE.get(name, ()):
            continue
        if name == "dhcp-ddns" and isinstance(value, dict) and not value.get("enable-updates"):
            continue
        if name == "host-reservation-identifiers" and "hw-address" in _list(value):
            continue
        if name == "compatibility" and isinstance(value, dict):
            for inner, is_on in value.items():
                if is_on is not False:
                    yield f"compatibility: {escape(inner)}: cannot be said"
        elif name.startswith("ddns-"):
            yield "ddns: DNS is not updated"
        elif name.startswith(("min-", "max-")):
            yield f"{escape(name)}: {_SAME_LIFETIME}"
        else:
            yield f"{escape(name)}: {WHY.get(name, 'cannot be said')}"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
