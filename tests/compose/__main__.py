# SPDX-License-Identifier: Apache-2.0
"""`make compose-test`, once the images are there: what each profile is for.

``python -m tests.compose [docker-compose]``: the word says that the old Compose is there too, and
is to run `demo`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from ovs_dhcpd import __version__
from tests.compose.compose import V1, V2, Compose, Container, assert_has_no_privileges
from tests.lab import reference
from tests.lab.clients import Udhcpc
from tests.lab.daemon import ROOT
from tests.lab.process import LabError, Process, run, wait_until
from tests.lab.switch import PrivateOvs

MAX_MB = 120
GET = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())"
ACCESS = ROOT / "debian" / "ovs-dhcpd.tmpfiles"
USER = 6653  # of the image
PROMETHEUS = ROOT / "containers" / "prometheus.yml"


def let_in(switch: PrivateOvs) -> None:
    """Open the switch's sockets to the image's user, as docs/container.md does it on a host."""
    text = ACCESS.read_text().replace("/run/openvswitch", str(switch.run_dir))
    file = switch.directory / "access.conf"
    file.write_text(text.replace("user:ovs-dhcpd:", f"user:{USER}:"))
    run(["systemd-tmpfiles", "--create", file])


def image() -> None:
    """It is small, and says what it is."""
    (found,) = json.loads(run(["docker", "image", "inspect", "ovs-dhcpd"]))
    size_mb = found["Size"] / 1e6
    print(f"== ovs-dhcpd has {size_mb:.1f} MB")
    assert size_mb < MAX_MB
    labels = found["Config"]["Labels"]
    prefix = "org.opencontainers.image."
    assert labels[f"{prefix}version"] == __version__
    assert labels[f"{prefix}licenses"] == "Apache-2.0"
    assert f"{prefix}source" in labels
    said = run(["docker", "run", "--rm", "--network", "none", "ovs-dhcpd", "--version"])
    assert said == f"ovs-dhcpd {__version__}\n"


def demo(program: tuple[str, ...]) -> None:
    """The client gets its lease."""
    print(f"== {' '.join(program)} --profile demo up")
    compose = Compose("demo", program)
    with compose.up():
        expected = f"inet {reference.ADDRESS}/24"

        def has_lease() -> bool:
            return expected in compose.exec("client", "ip", "-4", "-o", "address")

        wait_until(has_lease, expected, 60)
        (container,) = compose.containers("demo")
        assert_has_no_privileges(container)
        container.wait_until_healthy()
        print(compose.exec("demo", "ovs-dhcpd", "leases"), end="")


def host() -> None:
    """Beside a switch that runs here: a lease, metrics, its end, and an upgrade."""
    print("== docker compose --profile host up")
    with PrivateOvs() as switch:
        let_in(switch)
        configuration = switch.directory / "etc"
        configuration.mkdir()
        (configuration / "config.yaml").write_text(reference.configuration())
        env = {"OVS_RUNDIR": str(switch.run_dir), "OVS_DHCPD_CONFIG": str(configuration)}
        compose = Compose("host", env=env)
        guest = reference.guest(switch)
        client = Udhcpc(switch, guest)
        begun_s = time.monotonic()
        with client, compose.up():
            assert client.lease(timeout_s=60).address == reference.ADDRESS
            print(f"== a lease {time.monotonic() - begun_s:.1f} s after `up` was typed")
            (first,) = compose.containers("ovs-dhcpd")
            assert_has_no_privileges(first)
            first.wait_until_healthy()
            print(first.exec("ovs-dhcpd", "leases"), end="")
            with prometheus(switch.directory, first) as ask:
                wait_until(lambda: ask('up{job="ovs-dhcpd"} == 1'), "the first reading", 60)
                wait_until(lambda: ask("ovs_dhcpd_leases > 0"), "the lease in Prometheus", 60)

            dies_and_comes_again(client, first)
            upgrade(compose, client, first)


def dies_and_comes_again(client: Udhcpc, container: Container) -> None:
    """What kills the daemon costs its clients a second: Docker starts it again."""
    pid = container.pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: container.pid not in (0, pid), "its new start", 60)
    renewed(client)


def upgrade(compose: Compose, client: Udhcpc, first: Container) -> None:
    """A second container stands by, and has the turn when the first one ends."""
    compose.run("up", "--detach", "--no-build", "--no-recreate", "--scale", "ovs-dhcpd=2")
    names = {container.name for container in compose.containers("ovs-dhcpd")}
    (name,) = names - {first.name}
    second = Container(name)
    wait_until(lambda: f"standby for pid {first.pid}" in second.log(), "the second's standby", 60)
    run(["docker", "stop", first.name])
    renewed(client)
    assert re.search(r"^  active$", second.exec("ovs-dhcpd", "status"), re.MULTILINE)


def renewed(client: Udhcpc) -> None:
    """The client asks again, until it is answered."""
    before = len(client.events())

    def is_answered() -> bool:
        client.renew()
        time.sleep(0.5)
        return len(client.events()) > before

    wait_until(is_answered, "a renewed lease", 60)


@contextmanager
def prometheus(directory: Path, container: Container) -> Iterator[Callable[[str], list[object]]]:
    """Debian's Prometheus in the place of the profile `watch`'s, with its settings.

    It is in the network of the container that it reads, but not in a container: there the daemon's
    name is known.  Gives what it answers to a query.
    """
    settings = yaml.safe_load(PROMETHEUS.read_text())
    ((name, port),) = (
        target.split(":")
        for job in settings["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    )
    find = f"import socket; print(socket.gethostbyname({name!r}))"
    address = container.exec("python3", "-c", find).strip()
    settings["scrape_configs"][0]["static_configs"] = [{"targets": [f"{address}:{port}"]}]
    (directory / "prometheus.yml").write_text(yaml.safe_dump(settings))
    shutil.copy(ROOT / "docs" / "alerts.yml", directory)
    inside = ["nsenter", "--net", "--target", container.pid]
    options = {
        "config.file": directory / "prometheus.yml",
        "storage.tsdb.path": directory / "data",
        "web.listen-address": "127.0.0.1:9090",
    }
    argv = [*inside, "prometheus", *(f"--{name}={value}" for name, value in options.items())]
    process = Process(argv, directory / "prometheus.log")

    def ask(expression: str) -> list[object]:
        assert process.status is None, process.text()
        query = urllib.parse.urlencode({"query": expression})
        url = f"http://127.0.0.1:9090/api/v1/query?{query}"
        try:
            answer = json.loads(run([*inside, sys.executable, "-c", GET, url]))
        except LabError:
            return []  # it is not ready
        return [*answer["data"]["result"]]

    try:
        yield ask
    finally:
        process.stop()


def main() -> int:
    image()
    demo(V1 if sys.argv[1:] else V2)
    host()
    print("PASSED: compose-test: demo and host")
    return 0


if __name__ == "__main__":
    sys.exit(main())
