# SPDX-License-Identifier: Apache-2.0
"""The control socket: how a process becomes a daemon that ``ovs-appctl`` can talk to."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import ovs.daemon
import ovs.unixctl
import ovs.unixctl.server
from ovs.vlog import Vlog

vlog = Vlog("control")


def open_control_socket() -> ovs.unixctl.server.UnixctlServer:
    """Go into the background if told to, and open the socket.

    :func:`ovs.daemon.daemonize_complete` is left to do.  Raises :exc:`OSError`.
    """
    ovs.daemon.daemonize_start()
    error, server = ovs.unixctl.server.UnixctlServer.create(None)
    if error:
        raise OSError(error, f"control socket: {os.strerror(error)}")
    return server


def add_command(
    name: str, usage: str, min_args: int, max_args: int, call: Callable[[list[str]], str | None]
) -> None:
    """Let ``ovs-appctl NAME`` answer with what ``call`` returns, or with the error it raises."""

    def answer(conn: Any, argv: list[str], _: object) -> None:
        try:
            text = call(argv)
            conn.reply(f"{text}\n" if text else None)
        except Exception as error:  # it would escape from UnixctlServer.run()
            vlog.exception(f"{name}: {error}")
            conn.reply_error(str(error))

    ovs.unixctl.command_register(name, usage, min_args, max_args, answer, None)
