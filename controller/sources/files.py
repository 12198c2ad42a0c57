# SPDX-License-Identifier: Apache-2.0
"""Configuration files as a source: read again whenever one of them has changed."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

import ovs.poller
from ovs.vlog import Vlog
from ovs_dhcpd.controller.ports.fault import INTERNAL_ERROR, Fault
from ovs_dhcpd.controller.ports.index import Index
from ovs_dhcpd.controller.sources import yaml_file
from ovs_dhcpd.controller.sources.stillness import LONG_S, STILL_S, Stamp, Stillness, read_stamps
from ovs_dhcpd.flows.bindings.network import Binding, Configuration, Network, Parent

vlog = Vlog("files")

CHECK_MS = 1000


class ConfigurationFiles:
    """What the files say together; files with mistakes change nothing.

    A file that changes is not read before it is still: a part of one is often valid, and would
    take from ports what they are served.

    ``bridge`` is as in :func:`yaml_file.load`.  Raises
    :exc:`flows.configuration.section.ConfigError` when the files have mistakes at the start.
    """

    ready = True

    def __init__(self, paths: Sequence[Path], bridge: str) -> None:
        self._paths = paths
        self._bridge = bridge
        self._stillness = Stillness(read_stamps(paths))
        self._asked = False  # to read them now
        self.mistakes: Sequence[str] = ()
        self.faults: list[Fault] = []
        self._plugged: set[str] = set()
        self._changed: set[str] = set()
        self._bindings: dict[str, Binding] = {}
        self._parents: dict[str, Parent] = {}
        self._sub_ports: Index[str, str] = Index()  # by their parents
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
        stamps, now_s = read_stamps(self._paths), time.monotonic()
        if self._stillness.ripe(stamps, now_s) or self._asked:
            asked, self._asked = self._asked, False
            self._load(stamps, asked)
        elif self._stillness.restless(now_s):
            what = f"changing for {LONG_S:g} s, expected still for {STILL_S:g} s"
            vlog.warn(f"{self}: {what}; not read (ovs-appctl reload has it read now)")
        changed, self._changed = self._changed, set()
        return changed

    def reread(self) -> None:
        """Have the files read now, even if they seem to be the same or are not still."""
        self._asked = True

    def knows(self, name: str) -> bool:
        """Whether a port of the files is called ``name``."""
        return name in self._bindings

    def binding(self, name: str) -> Binding | None:
        """What the files say of ``name``."""
        return self._bindings.get(name)

    def parent(self, name: str) -> Parent | None:
        """Where the port is plugged in if it is a sub-port."""
        return self._parents.get(name)

    def sub_ports(self, name: str) -> Set[str]:
        """The sub-ports whose parent is ``name``."""
        return self._sub_ports[name]

    def networks(self, bridge: str) -> Mapping[str, Network]:
        """The networks of the files, by name."""
        return self._networks.get(bridge, {})

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Make ``poller`` wake up when it is time to look at the files."""
        wait_s = self._stillness.wait_s(time.monotonic())
        poller.timer_wait(CHECK_MS if wait_s is None else math.ceil(wait_s * 1000))

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def _load(self, stamps: tuple[Stamp, ...], asked: bool) -> None:
        """Read the files, whose stamps were these before."""
        mistakes: Sequence[str] = ()
        configuration = None
        try:
            configuration = yaml_file.load(*self._paths, bridge=self._bridge)
        except yaml_file.ConfigError as error:
            mistakes = error.errors
        except Exception as error:  # a fault of ours: it costs this version of the files
            self.faults.append(Fault(str(self), error))
            mistakes = [f"{self}: {INTERNAL_ERROR}"]
        if not asked and read_stamps(self._paths) != stamps:
            return  # somebody has begun to write meanwhile
        self._stillness.take(stamps)
        self.mistakes = mistakes
        if configuration:
            vlog.info(f"{self}: read again")
            self._take(configuration)
            return
        vlog.err(f"{self}: the running configuration stays in force")
        for line in mistakes:  # of which the last is what status has as the last error
            vlog.err(line)

    def _take(self, configuration: Configuration) -> None:
        for line in configuration.warnings:
            vlog.warn(line)
        self._changed = set(self._plugged)
        self._networks = {}
        self._bindings = {}
        self._parents = {}
        self._sub_ports = Index()
        for network in configuration.networks:
            self._networks.setdefault(network.bridge, {})[network.name] = network
            for port in network.ports:
                self._bindings[port.name] = Binding(((network, port),))
                if port.parent:
                    self._parents[port.name] = port.parent
                    self._sub_ports.add(port.parent.name, port.name)

    def __str__(self) -> str:
        return ", ".join(map(str, self._paths))
