# SPDX-License-Identifier: Apache-2.0
"""Arguments that several commands have."""

from __future__ import annotations

import argparse


def add_files(parser: argparse.ArgumentParser) -> None:
    """Let a command line name the files of a configuration, by themselves or with ``--config``."""
    what = "a configuration; several files are one together"
    parser.add_argument("files", metavar="FILE", nargs="*", help=what)
    parser.add_argument(
        "-c", "--config", metavar="FILE", action="append", default=[], help="the same as FILE"
    )


def gather_files(args: argparse.Namespace) -> None:
    """Have all files in `config`, in whichever way they were named."""
    if "files" in args:
        args.config = [*args.config, *args.files]
