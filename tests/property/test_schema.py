# SPDX-License-Identifier: Apache-2.0
"""What the loader takes the schema takes, and so what the schema refuses the loader refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ovs_dhcpd.flows.configuration.schema import option_schema, schema
from ovs_dhcpd.flows.options.table import Option, OptionError
from ovs_dhcpd.flows.options.values import encode_value

from tests.documents.configurations import configurations
from tests.property import strategies
from tests.property.oracle_configuration import GOLDEN, document, is_taken
from tests.property.strategies import damaged, settings_of, with_another_value
from tests.unit.configuration.file import NETWORK, NETWORK6, PORT, PORT6, errors

SCHEMA = Draft202012Validator(schema())
OPTIONS = [*strategies.NAMED, *strategies.NAMED6, *strategies.NAMED_RA]
_WORDS = st.sampled_from(
    [
        *("10.0.0.1", "10.0.0.0/24", "fd00::1", "fd00::/64", "02:00:00:00:00:01", "0x01", "7", ""),
        *("a.org", "true", '"x"', "slaac", "LOW", "HIGH-fd00::/64"),
        *(",", ", ", " ", "{", "}", "//", "/* */"),
    ]
)
_TEXTS = st.lists(_WORDS, max_size=5).map("".join)
_SCALARS = st.one_of(_TEXTS, st.integers(-1, 1 << 33), st.booleans(), st.none())
VALUES = st.one_of(_SCALARS, st.lists(_SCALARS, max_size=3))


def takes(option: Option, value: object) -> bool:
    try:
        encode_value(option, value)
    except OptionError:
        return False
    return True


VALIDATORS = {id(option): Draft202012Validator(option_schema(option)) for option in OPTIONS}


@settings(max_examples=500)
@given(st.sampled_from(OPTIONS), st.data())
def test_a_value_of_an_option(option: Option, data: st.DataObject) -> None:
    setting = data.draw(settings_of(option))
    whole = setting.value if isinstance(setting.value, list) else [setting.value]
    joined = data.draw(st.sampled_from([",", ", ", " , ", " /* and */, "])).join(map(str, whole))
    for value in (setting.value, whole, joined, setting.ovn_text, data.draw(VALUES)):
        if takes(option, value):
            assert VALIDATORS[id(option)].is_valid(value), (option.name, value)


@given(st.lists(st.sampled_from(strategies.NAMED), unique=True, max_size=5), st.data())
def test_options_of_a_network_and_a_port(named: list[Option], data: st.DataObject) -> None:
    found: dict[str, Any] = {option.name: data.draw(settings_of(option)).value for option in named}
    times = {"lease_time": data.draw(st.sampled_from(["1h", "infinity", 600, "1d12h", "x"]))}
    port = {"addresses": "02:00:00:00:00:01 10.0.0.5", "options": found}
    network = {"dhcpv4": {"cidr": "10.0.0.0/24", **times, **found}, "ports": {"vm1": port}}
    check(yaml.safe_dump({"networks": {"red": network}}, allow_unicode=True).encode())


@settings(max_examples=150)
@given(damaged(GOLDEN.values(), 1500))
def test_files_with_some_bytes_changed(text: bytes) -> None:
    check(text)


@settings(max_examples=250)
@given(with_another_value(GOLDEN.values()))
def test_files_with_a_value_changed(text: bytes) -> None:
    check(text)


def check(text: bytes) -> None:
    if is_taken(text):
        event("taken")
        SCHEMA.validate(document(text))


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", sorted(GOLDEN.keys() - {"anchors"}))
def test_examples_are_valid(name: str) -> None:
    SCHEMA.validate(document(GOLDEN[name]))


@pytest.mark.parametrize(("page", "text"), [*configurations()])
def test_what_the_pages_show_is_valid(page: str, text: str) -> None:
    SCHEMA.validate(document(text.encode()))


MISTAKES = [
    "networks: []",
    "bridge: br-int",
    "bridge: a/b\nnetworks: {}",
    "network: {}\nnetworks: {}",
    "networks: {red: {ports: {}}}",
    "networks: {red: {dhcpv4: {cidr: 10.0.0.0/24}}}",
    "networks: {red: {dhcpv4: {}, ports: {}}}",
    "networks: {red: {dhcpv4: {cidr: 10.0.0.0/24}, ports: {}, tag: 4}}",
    "networks: {red: {dhcpv4: {cidr: 10.0.0.0/24}, ports: {}, tag: 4095, pool: 10.0.0.9}}",
    "networks: {red: {dhcpv4: {cidr: 10.0.0.0/24}, pool: nine}}",
    "networks: {red: {dhcpv4: {cidr: 10.0.0.0/24}, pool: []}}",
    "networks: {red: {dhcpv4: {cidr: 10.0.0.0/24}, pool: 10.0.0.9, probe: 1}}",
    "networks: {red: {dhcpv4: {cidr: 10.0.0.0/24}, pool: 10.0.0.9, reserve: {x: 10.0.0.10}}}",
    "networks: {red: {dhcpv4: {cidr: 10.0.0.0/24}, pool: 10.0.0.9, rate_limit: {pps: 0}}}",
    "networks: {red: {dhcpv4: {cidr: 10.0.0.0/24}, pool: 10.0.0.9, decline_probation_period: 1x}}",
    *(
        NETWORK % setting
        for setting in (
            *(
                "gateway: 10.0.0.1",
                "router: 10.0.0",
                "router: [10.0.0.1, x]",
                "router: 1",
                "T1: ''",
            ),
            *("lease_time: 1x", "lease_time: -1", "lease_time: true", "lease_time: {}", "mtu: 67"),
            *(
                "arp_cache_timeout: infinity",
                "mtu: 1h",
                "hostname: 7",
                "hostname: ''",
                "router: []",
            ),
            *("offerip: 10.0.0.9", "option_51: '0x00'", "option_53: '0x00'", "option_1000: x"),
            *("option_60: 7", "netbios_node_type: 3", "server_mac: x", "ip_forward_enable: 2"),
            *("bootfile_name_by_arch: {mips: x}", "domain_search_list: a..b", "router:"),
            *("classless_static_route: 10.0.0.0/24;10.0.0.1", "rapid_commit: yes"),
        )
    ),
    *(
        NETWORK6 % line
        for line in (
            "dhcpv6: {cidr: 10.0.0.0/24}",
            "dhcpv6: {cidr: 'fd00::/64', server_id: x}",
            "dhcpv6: {cidr: 'fd00::/64', dns_server: 10.0.0.1}",
            "dhcpv6: {cidr: 'fd00::/64', sol_max_rt: 59}",
            "dhcpv6: {cidr: 'fd00::/64', dhcpv6_stateless: 1}",
            "dhcpv6: {cidr: 'fd00::/64', option_5: x}",
            "ra: {}",
            "ra: {addr_mode: auto, prefix: 'fd00::/64'}",
            "ra: {addr_mode: dhcpv6_stateless}",
            "ra: {prefix: 'fd00::/64', interval: []}",
            "ra: {prefix: 'fd00::/64', interval: 2000}",
            "ra: {prefix: 'fd00::/64', router_preference: low}",
            "ra: {prefix: 'fd00::/64', route_info: 'fd00:2::/48'}",
            "ra: {prefix: 'fd00::/64', option_7: x}",
        )
    ),
    PORT % "options: {router: 10.0.0.1}",
    PORT % "{addresses: '02:00:00:00:00:01 10.0.0.5', parent: vm0}",
    PORT % "{addresses: '02:00:00:00:00:01 10.0.0.5', options: {netmask: 255.0.0.0}}",
    PORT % "{addresses: '02:00:00:00:00:01 10.0.0.5', options: {option_1: '0xff000000'}}",
    PORT6 % ("dhcpv6: {cidr: 'fd00::/64'}", "'02:00:00:00:00:01'", "delegated_prefix: x"),
]


@pytest.mark.parametrize("text", MISTAKES)
def test_what_it_refuses_is_refused(text: str, tmp_path: Path) -> None:
    assert not SCHEMA.is_valid(document(text.encode()))
    assert errors(tmp_path, text)


def test_a_mistake_is_placed() -> None:
    found = document((NETWORK % "gateway: 10.0.0.1").encode())
    (error,) = SCHEMA.iter_errors(found)
    assert [*error.absolute_path] == ["networks", "red", "dhcpv4"]
    assert "gateway" in error.message
