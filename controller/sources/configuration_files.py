# SPDX-License-Identifier: Apache-2.0
"""Configuration files as a source: read again whenever one of them changes."""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path

import ovs.poller
from ovs.vlog import Vlog

from controller.sources import yaml_file
from flows.bindings import Binding, Configuration

vlog = Vlog("configuration_files")

CHECK_MS = 1000


class ConfigurationFiles:
    """What the files say together; files with mistakes change nothing.

    ``bridge`` is as in :func:`yaml_file.load`.  Raises
    :exc:`flows.sections.ConfigError` when the files have mistakes at the start.
    """

    ready = True

    def __init__(self, paths: Sequence[Path], bridge: str) -> None:
        self._paths = paths
        self._bridge = bridge
        self._stamps: object = self._read_stamps()
        self.mistakes: Sequence[str] = ()
        self._changed: set[str] = set()
        self._bindings: dict[str, Binding] = {}
        self.bridges: Set[str] = frozenset()
        self._take(yaml_file.load(*paths, bridge=bridge))

    def watch(self, name: str, plugged: bool) -> None:
        """Nothing: all bindings are at hand."""

    def run(self) -> set[str]:
        """Read the files if one has changed; returns the names whose binding may have."""
        stamps = self._read_stamps()
        if stamps != self._stamps:
            self._stamps = stamps
            self._load()
        changed, self._changed = self._changed, set()
        return changed

    def read_again(self) -> None:
        """Have the files read even if they seem to be the same."""
        self._stamps = None

    def binding(self, name: str) -> Binding | None:
        """What the files say of ``name``."""
        return self._bindings.get(name)

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Make ``poller`` wake up when it is time to look at the files."""
        poller.timer_wait(CHECK_MS)

    def close(self) -> None:
        """Nothing is open."""

    def _load(self) -> None:
        try:
            configuration = yaml_file.load(*self._paths, bridge=self._bridge)
        except yaml_file.ConfigError as error:
            self.mistakes = error.errors
            for line in error.errors:
                vlog.err(line)
            vlog.err(f"{self}: the running configuration stays in force")
            return
        self.mistakes = ()
        vlog.info(f"{self}: read again")
        self._take(configuration)

    def _take(self, configuration: Configuration) -> None:
        self.bridges = frozenset(network.bridge for network in configuration.networks)
        bindings = {
            port.name: Binding(((network, port),))
            for network in configuration.networks
            for port in network.ports
        }
        self._changed |= self._bindings.keys() | bindings.keys()
        self._bindings = bindings

    def _read_stamps(self) -> list[tuple[int, int, int] | None]:
        return [_stamp(path) for path in self._paths]

    def __str__(self) -> str:
        return ", ".join(map(str, self._paths))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when the file does."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
