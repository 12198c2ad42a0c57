# SPDX-License-Identifier: Apache-2.0
"""Why nothing is to be reached here, seen before anything is tried, and what is to be typed."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

from ovs_dhcpd.flows.options.wording import START_SWITCH

NO_SWITCH = f"expected Open vSwitch to run here (--ovs-rundir DIR); type: {START_SWITCH}"
DENIED = "expected root, or a user that may open it"
MAY_NOT_WRITE = "expected root, or a user that may write there"


def look_at(rundir: Path) -> None:
    """Raise :exc:`OSError`, with what to do, where we cannot run beside an Open vSwitch."""
    if not rundir.is_dir():
        what = f"{os.strerror(errno.ENOENT)}, {NO_SWITCH}"
        raise OSError(errno.ENOENT, what, str(rundir))
    look_at_directory(rundir)


def look_at_directory(path: Path) -> None:
    """Raise :exc:`OSError` where we cannot make files."""
    if not path.is_dir():
        error = errno.ENOTDIR if path.exists() else errno.ENOENT
        raise OSError(error, os.strerror(error), str(path))
    if not os.access(path, os.W_OK | os.X_OK):
        what = f"{os.strerror(errno.EACCES)}, {MAY_NOT_WRITE}"
        raise OSError(errno.EACCES, what, str(path))


def why_no_database(remote: str) -> str:
    """Why the first attempt to reach the database fails, and what to type; empty: it may not."""
    path = remote.removeprefix("unix:")
    if path == remote or "," in remote:
        return ""
    return _why(path, _try(path))


def why_no_bridge(rundir: Path, bridge: str) -> str:
    """The same of a bridge of which nothing but its connection is known."""
    path = rundir / f"{bridge}.mgmt"
    error = _try(str(path))
    others = [each.stem for each in rundir.glob("*.mgmt")]
    if error == errno.ENOENT and others:
        from ovs_dhcpd.controller.bridges.reachable import no_such_bridge  # which no answer needs

        return no_such_bridge(bridge, others, " (--bridge BRIDGE)")
    return _why(str(path), error)


def is_absent(error: int) -> bool:
    """Whether nobody runs behind a socket that is dialled with the error of this number."""
    return error in (errno.ENOENT, errno.ECONNREFUSED)  # the second is of one that has been killed


def is_denied(path: Path) -> bool:
    """Whether there is a socket that we may not open, as far as that can be seen."""
    return os.path.exists(path) and not os.access(path, os.W_OK)  # Path.exists() may raise


def _why(path: str, error: int) -> str:
    if is_absent(error):
        return f"{path}: Open vSwitch does not run here, waiting for it; type: {START_SWITCH}"
    if error == errno.EACCES:
        return f"{path}: {os.strerror(error)}, {DENIED}"
    return ""


def _try(path: str) -> int:
    """The number of the error with which nobody can be reached at a socket; 0: somebody can."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.setblocking(False)
        try:
            connection.connect(path)
        except OSError as error:
            return error.errno or 0
    return 0
