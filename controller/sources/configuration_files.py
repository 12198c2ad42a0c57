# SPDX-License-Identifier: Apache-2.0
"""Configuration files as a source: read again whenever one of them changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path

import ovs.poller
from ovs.vlog import Vlog

from controller.sources import yaml_file
from flows.bindings import Binding, Configuration, Network

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
        self._plugged: set[str] = set()
        self._changed: set[str] = set()
        self._bindings: dict[str, Binding] = {}
        self._networks: dict[str, dict[str, Network]] = {}  # by bridge and name
        self._take(yaml_file.load(*paths, bridge=bridge))

    @property
    def bridges(self) -> Set[str]:
        """The bridges that the files name."""
        return self._networks.keys()

    def watch(self, name: str, plugged: bool) -> None:
        """Note the port: a change of the files may concern it, even if they do not name it."""
        (self._plugged.add if plugged else self._plugged.discard)(name)

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

    def names(self, name: str) -> bool:
        """Whether a port of the files is called ``name``."""
        return name in self._bindings

    def binding(self, name: str) -> Binding | None:
        """What the files say of ``name``."""
        return self._bindings.get(name)

    def networks(self, bridge: str) -> Mapping[str, Network]:
        """The networks of the files, by name."""
        return self._networks.get(bridge, {})

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
        self._changed = set(self._plugged)
        self._networks = {}
        self._bindings = {}
        for network in configuration.networks:
            self._networks.setdefault(network.bridge, {})[network.name] = network
            for port in network.ports:
                self._bindings[port.name] = Binding(((network, port),))

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
