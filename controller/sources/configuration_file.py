# SPDX-License-Identifier: Apache-2.0
"""The configuration file as a source: read again whenever it changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import ovs.poller
from ovs.vlog import Vlog

from controller.sources import yaml_file
from flows.bindings import Binding, Configuration

vlog = Vlog("configuration_file")

CHECK_MS = 1000


class ConfigurationFile:
    """What the file says; a file with mistakes changes nothing.

    ``bridge`` is that of the file if empty.  Raises :exc:`flows.sections.ConfigError`
    when the file has mistakes at the start.
    """

    ready = True

    def __init__(self, path: Path, bridge: str) -> None:
        self._path = path
        self._stamp = _stamp(path)
        configuration = yaml_file.load(path)
        self._any_bridge = bool(bridge)
        self.bridge = bridge or configuration.bridge
        self.mistakes: Sequence[str] = ()
        self._bindings = _bindings(configuration)
        self._changed = set(self._bindings)

    def watch(self, name: str, plugged: bool) -> None:
        """Nothing: all bindings are at hand."""

    def run(self) -> set[str]:
        """Read the file if it has changed; returns the names whose binding may have."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            self._load()
        changed, self._changed = self._changed, set()
        return changed

    def read_again(self) -> None:
        """Have the file read even if it seems to be the same."""
        self._stamp = None

    def binding(self, name: str) -> Binding:
        """What the file says of ``name``."""
        return self._bindings.get(name, Binding())

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Make ``poller`` wake up when it is time to look at the file."""
        poller.timer_wait(CHECK_MS)

    def close(self) -> None:
        """Nothing is open."""

    def _load(self) -> None:
        try:
            configuration = yaml_file.load(self._path)
            if not self._any_bridge and configuration.bridge != self.bridge:
                raise yaml_file.ConfigError(
                    [
                        f"{self._path}: bridge {configuration.bridge}: "
                        f"expected {self.bridge}, another bridge needs a restart"
                    ]
                )
        except yaml_file.ConfigError as error:
            self.mistakes = error.errors
            for line in error.errors:
                vlog.err(line)
            vlog.err(f"{self._path}: the running configuration stays in force")
            return
        self.mistakes = ()
        vlog.info(f"{self._path}: read again")
        bindings = _bindings(configuration)
        self._changed |= self._bindings.keys() | bindings.keys()
        self._bindings = bindings


def _bindings(configuration: Configuration) -> dict[str, Binding]:
    return {
        port.name: Binding(((network, port),))
        for network in configuration.networks
        for port in network.ports
    }


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when the file does."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
