# SPDX-License-Identifier: Apache-2.0
"""docker-compose.yml, as one of its two programs runs it, and what becomes of its containers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab.daemon import ROOT
from tests.lab.process import run, wait_until

V2 = ("docker", "compose")
V1 = ("docker-compose",)


class Compose:
    """One profile, up as long as :meth:`up`; `env` is what the file's variables are."""

    def __init__(
        self, profile: str, program: tuple[str, ...] = V2, env: Mapping[str, str] | None = None
    ) -> None:
        self._argv = [*program, "--file", ROOT / "docker-compose.yml", "--profile", profile]
        self._env = env

    def run(self, *arguments: object, timeout_s: float = 120) -> str:
        return run([*self._argv, *arguments], env=self._env, timeout_s=timeout_s)

    @contextmanager
    def up(self, *options: str) -> Iterator[None]:
        try:
            self.run("up", "--detach", "--no-build", *options)
            yield
        except BaseException:
            print(self.run("logs"))
            raise
        finally:
            self.run("down", "--volumes", "--timeout", "5")

    def exec(self, service: str, *argv: object) -> str:
        return self.run("exec", "-T", service, *argv)

    def containers(self, service: str) -> list[Container]:
        return [Container(name) for name in self.run("ps", "-q", service).split()]


class Container:
    """One container, by its id."""

    def __init__(self, name: str) -> None:
        self.name = name

    def state(self) -> dict[str, Any]:
        return dict(json.loads(run(["docker", "inspect", self.name]))[0])

    @property
    def pid(self) -> int:
        """The pid of its first process, here."""
        return int(self.state()["State"]["Pid"])

    def exec(self, *argv: object) -> str:
        return run(["docker", "exec", self.name, *argv])

    def log(self) -> str:
        """What it has written to its standard error."""
        return subprocess.run(
            ["docker", "logs", self.name], capture_output=True, text=True, check=True
        ).stderr

    def wait_until_healthy(self) -> None:
        def is_healthy() -> bool:
            return bool(self.state()["State"]["Health"]["Status"] == "healthy")

        wait_until(is_healthy, f"{self.name} to be healthy", 120)

    def privileges(self) -> dict[str, str]:
        """What the kernel says of its first process: the lines of proc(5)'s status."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def assert_has_no_privileges(container: Container) -> None:
    """It runs as its own user, without any capability and any way to one, and can write no file."""
    status = container.privileges()
    assert status["Uid"].split() == ["6653"] * 4, status["Uid"]
    assert {int(status[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"
    mounts = Path(f"/proc/{container.pid}/mounts").read_text().splitlines()
    (options,) = (line.split()[3] for line in mounts if line.split()[1] == "/")
    assert "ro" in options.split(","), options
