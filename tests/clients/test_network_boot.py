# SPDX-License-Identifier: Apache-2.0
"""PCs that boot from the network: by iPXE in a card's ROM, by UEFI's PXE and HTTP boot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.clients.expected import says
from tests.lab import reference
from tests.lab.daemon import Dhcpd
from tests.lab.guest import Guest
from tests.lab.machine import PROGRAM, UEFI, Machine, NextServer
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs

pytestmark = [
    pytest.mark.needs(PROGRAM, UEFI),
    pytest.mark.timeout(900),
    pytest.mark.not_in_test_kernel("its guests run in QEMU, which this does already"),
]

NEXT_SERVER = "192.168.1.9"
BY_ARCHITECTURE = {
    "bios": "bios.ipxe",
    "uefi_x86_64": "uefi.efi",
    "http_x86_64": f"http://{NEXT_SERVER}/http.efi",
}
SCRIPT = b"#!ipxe\necho here is ${filename} from ${next-server}\n"

PlugIn = Callable[..., Machine]  # with `uefi` or without


@pytest.fixture(scope="module")
def next_host(switch: PrivateOvs) -> Guest:
    guest = switch.guest("next", "02:00:00:00:00:09")
    guest.namespace.ip("address", "add", f"{NEXT_SERVER}/24", "dev", "eth0")
    return guest


@pytest.fixture
def next_server(next_host: Guest) -> Iterator[NextServer]:
    with NextServer(next_host) as server:
        yield server


@pytest.fixture
def plug_in(switch: PrivateOvs) -> Iterator[PlugIn]:
    """Make the machine that is the reference network's one port."""
    machines: list[Machine] = []

    def make(**firmware: bool) -> Machine:
        machines.append(Machine(switch, "pc", reference.MAC, reference.PORT, **firmware))
        return machines[-1]

    yield make
    for machine in machines:
        machine.unplug()


@pytest.mark.parametrize(
    ("boot_files", "expected"),
    [
        ({"tftp_server": NEXT_SERVER}, "bios.ipxe"),
        ({"next_server": NEXT_SERVER, "bootfile_name": "menu.ipxe"}, "menu.ipxe"),
    ],
    ids=["of its architecture", "of iPXE"],
)
def test_ipxe_runs_the_boot_file(
    switch: PrivateOvs,
    plug_in: PlugIn,
    next_server: NextServer,
    boot_files: dict[str, Any],
    expected: str,
) -> None:
    configuration = reference.configuration(bootfile_name_by_arch=BY_ARCHITECTURE, **boot_files)
    machine = plug_in()
    with Dhcpd(switch, configuration) as dhcpd:
        dhcpd.wait_for_flows(machine)
        with machine:
            assert next_server.tftp(SCRIPT) == expected
            echo = f"here is {expected} from {NEXT_SERVER}"
            wait_until(lambda: echo in machine.console().splitlines(), "the script's echo")
            lines = machine.console().splitlines()
        assert f"net0: {reference.ADDRESS}/255.255.255.0 gw {reference.SERVER_ID}" in lines
        assert f"Filename: {expected}" in lines
        # It goes on asking for offers for a while, as one may come from a proxy.
        assert set(dhcpd.messages()) == {says("OFFER"), says("ACK")}
        assert dhcpd.messages()[-1] == says("ACK")


def test_uefi_asks_for_the_boot_file_of_its_architecture(
    switch: PrivateOvs, plug_in: PlugIn, next_server: NextServer
) -> None:
    """By PXE it is architecture 7; as that fails, it is 16 and boots by HTTP."""
    configuration = reference.configuration(
        next_server=NEXT_SERVER, bootfile_name_by_arch=BY_ARCHITECTURE
    )
    machine = plug_in(uefi=True)
    with Dhcpd(switch, configuration) as dhcpd:
        dhcpd.wait_for_flows(machine)
        with machine:
            assert next_server.tftp(None) == "uefi.efi"
            assert next_server.http() == "HEAD /http.efi HTTP/1.1"
        assert dhcpd.messages() == [says("OFFER"), says("ACK")] * 2
