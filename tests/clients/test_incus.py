# SPDX-License-Identifier: Apache-2.0
"""Incus's containers, by the profile of the examples: each has the same address at each start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.daemon import ROOT, Dhcpd
from tests.lab.process import PATH, LabError, run, wait_until
from tests.lab.requirements import require
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.not_in_test_kernel("it has nothing to do with a datapath")

PROFILE = ROOT / "examples" / "incus-profile.yaml"
LEASE_SCRIPT = ROOT / "containers" / "client-hook.sh"
CONFIGURATION = """
networks:
  lan:
    dhcpv4: {cidr: 192.168.1.0/24, router: 192.168.1.1}
    pool: 192.168.1.100-192.168.1.199
"""
METADATA = "architecture: x86_64\ncreation_date: 1700000000\n"
INIT = """#!/bin/sh
ip link set eth0 up
udhcpc -f -i eth0 &
while :; do sleep 1000; done
"""
# Its newer versions want control groups of the second version only.
START = "mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec incusd --group root"


class Incus:
    """An incusd of one's own in the switch's network namespace; a context manager."""

    def __init__(self, switch: PrivateOvs) -> None:
        self.switch = switch
        self.directory = switch.directory / "incus"
        self.directory.mkdir()
        switch.directory.chmod(0o711)  # the root of an unprivileged container is another user
        self.environment = {
            **switch.environment,
            "INCUS_DIR": str(self.directory),
            "INCUS_CONF": str(self.directory / "conf"),
        }

    def __enter__(self) -> Incus:
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        path = f"PATH={PATH}:/usr/libexec/incus"  # where Debian has the daemon
        self.process = self.switch.spawn("incusd", "env", path, *variables, "sh", "-euc", START)
        wait_until(self._answers, "incusd", 60)
        return self

    def __exit__(self, *_: object) -> None:
        self("admin", "shutdown", "--timeout", 30)
        self.process.stop()

    def __call__(self, *words: object, stdin: str | None = None) -> str:
        """Run incus, as a user types it."""
        return run(["incus", *words], env=self.environment, stdin=stdin)

    def _answers(self) -> bool:
        assert self.process.status is None, f"incusd ended:\n{self.process.text()}"
        try:
            self("query", "/1.0")
        except LabError:
            return False
        return True


def make_image(directory: Path) -> Path:
    """BusyBox, which asks for an address as the container starts, as an image."""
    root = directory / "rootfs"
    for folder in ("bin", "sbin", "etc/udhcpc", "dev", "proc", "sys", "run", "tmp"):
        (root / folder).mkdir(parents=True)
    busybox = Path(shutil.which("busybox", path=PATH) or "").resolve()
    shutil.copy(busybox, root / "bin" / "busybox")
    listed = subprocess.run(["ldd", busybox], capture_output=True, text=True).stdout
    for library in re.findall(r"(/\S+) \(", listed):  # none if it is linked statically
        (root / library[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, root / library[1:])
    for applet in ("sh", "ip", "sleep", "udhcpc"):
        (root / "bin" / applet).symlink_to("busybox")
    shutil.copy(LEASE_SCRIPT, root / "etc" / "udhcpc" / "default.script")
    (root / "sbin" / "init").write_text(INIT)
    for program in ("sbin/init", "etc/udhcpc/default.script"):
        (root / program).chmod(0o755)
    (directory / "metadata.yaml").write_text(METADATA.replace("x86_64", os.uname().machine))
    image = directory / "image.tar.gz"
    with tarfile.open(image, "w:gz") as archive:
        for name in ("metadata.yaml", "rootfs"):
            archive.add(directory / name, name)
    return image


@pytest.fixture
def incus(switch: PrivateOvs) -> Iterator[Incus]:
    require("incus", "busybox", "ldd")
    with Incus(switch) as incus:
        yield incus


def test_a_container_of_the_profile_has_the_same_address_at_each_start(
    switch: PrivateOvs, incus: Incus, tmp_path: Path
) -> None:
    name = f"g-{switch.directory.name.rpartition('-')[2].replace('_', '-')}x"
    incus("config", "set", "network.ovs.connection", switch.database)
    incus("storage", "create", "default", "dir")
    incus("profile", "device", "add", "default", "root", "disk", "path=/", "pool=default")
    incus("image", "import", make_image(tmp_path), "--alias", "busybox")
    # As the example says, on this bridge.
    incus("config", "set", "instances.nic.host_name", "mac")
    incus("profile", "create", "ovs")
    incus("profile", "edit", "ovs", stdin=PROFILE.read_text().replace("br0", switch.bridge))

    with Dhcpd(switch, CONFIGURATION) as dhcpd:

        def leases() -> list[str]:
            return [each for each in dhcpd.messages() if each.startswith("DHCPACK ")]

        dhcpd.wait_for_flows()
        incus("launch", "busybox", name, "--profile", "default", "--profile", "ovs")
        try:
            wait_until(leases, "the container's lease", 30)
            address = leases()[0].split()[-1]
            show = ["exec", name, "--", "ip", "-4", "address", "show", "dev", "eth0"]
            wait_until(lambda: f"inet {address}/24 " in incus(*show), f"{address} in the container")
            incus("stop", "--force", name)
            assert switch.vsctl("list-ports", switch.bridge) == ""
            had = leases()
            incus("start", name)
            wait_until(lambda: len(leases()) > len(had), "the container's lease", 30)
            assert {*leases()} == {had[0]}
        finally:
            incus("stop", "--force", name)
    assert switch.vsctl("list-ports", switch.bridge) == ""
