# SPDX-License-Identifier: Apache-2.0
"""``--hosts-file``: who has which address, in the format of hosts(5), for a DNS server.

A line for each address of each port that is served: the address, its name with the network's
domain where there is one, and its name.  Names are those of the configuration, a port's host name
or else the port's own name, and never what a guest says of itself; who has none that can be a name
in the DNS (RFC 1123 §2.1) is left out.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from ovs.vlog import Vlog
from ovs_dhcpd.controller.first_look import look_at_directory
from ovs_dhcpd.controller.ports.binder import Served
from ovs_dhcpd.flows.bindings.network import Network, Port
from ovs_dhcpd.flows.options.wording import trouble

vlog = Vlog("hosts")

AGAIN_S = 1.0  # between two times that it is written
HEADER = "# Written by ovs-dhcpd, which replaces it (--hosts-file)."

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", re.ASCII | re.IGNORECASE)


def hosts_lines(served: Iterable[tuple[str, Served]]) -> Iterator[str]:
    """The lines of the file for these ports, by their names."""
    for _, what in sorted(served):
        for network, port in what.bindings:
            names = _names(network, port)
            for address in port.addresses if names else ():
                cidr = network.cidr(address.version)
                if cidr and address in cidr:
                    yield f"{address} {names}"


def _names(network: Network, port: Port) -> str:
    """The port's names, the longest first; empty if it has none."""
    name = _text(port.options.get("hostname", b"")) or port.name
    domain = _text(network.dhcpv4.options.get("domain_name", b"")) if network.dhcpv4 else ""
    whole = name if "." in name or not domain else f"{name}.{domain}"
    if not _NAME.fullmatch(whole):
        whole = name
    if not _NAME.fullmatch(whole):
        return ""
    return " ".join(dict.fromkeys((whole, whole.partition(".")[0])))


def _text(option: bytes) -> str:
    return option.decode("ascii", "replace")


def _open_at_once(path: str, flags: int) -> int:
    """Open it, also a FIFO that nobody writes."""
    return os.open(path, flags | os.O_NONBLOCK)


class HostsFile:
    """The file ``path``, replaced as a whole whenever there is something else to say."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = ""  # in the file
        self._trouble = ""  # what has been said of it
        self._not_before_s = 0.0
        self._stale = False

    def check(self) -> None:
        """Raise OSError where it cannot be made, or would replace what is another's."""
        look_at_directory(self._path.parent)
        try:
            with open(self._path, encoding="utf-8", errors="replace", opener=_open_at_once) as file:
                is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
                is_ours = is_file and file.readline(len(HEADER) + 1).rstrip("\n") in ("", HEADER)
        except FileNotFoundError:
            return
        if not is_ours:
            raise FileExistsError(0, f"is not ours, expected a line {HEADER!r} first", self._path)

    def touch(self) -> None:
        """There may be something else to say."""
        self._stale = True

    def wait_s(self) -> float | None:
        """How long until :meth:`run` has something to do."""
        return max(0.0, self._not_before_s - time.monotonic()) if self._stale else None

    def run(self, served: Iterable[tuple[str, Served]]) -> None:
        """Write the names of these ports, if there may be others than before and it is time."""
        now_s = time.monotonic()
        if not self._stale or now_s < self._not_before_s:
            return
        self._not_before_s = now_s + AGAIN_S
        text = "".join(f"{line}\n" for line in (HEADER, *hosts_lines(served)))
        if text == self._text:
            self._stale = False
            return
        try:
            self.check()
            self._replace(text)
        except OSError as error:
            what = trouble(error)
            if what != self._trouble:
                vlog.warn(f"--hosts-file: {what}; trying again")
            self._trouble = what
        else:
            self._text, self._stale, self._trouble = text, False, ""

    def _replace(self, text: str) -> None:
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)  # who may write there could lead us elsewhere by it
        try:
            file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            with os.fdopen(file, "w", encoding="utf-8") as new:
                os.fchmod(file, 0o644)  # a DNS server is another user, whatever the umask
                new.write(text)
            temporary.replace(self._path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
