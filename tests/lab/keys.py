# SPDX-License-Identifier: Apache-2.0
"""Keys for TLS."""

from __future__ import annotations

from pathlib import Path

from tests.lab.process import run


def make_keys(directory: Path) -> dict[str, str]:
    """A certificate that is its own authority and its key, by the options that take the files."""
    key, certificate = directory / "key.pem", directory / "cert.pem"
    run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=lab", "-keyout", key, "-out", certificate]
    )  # fmt: skip
    return {"--private-key": str(key), "--certificate": str(certificate),
            "--ca-cert": str(certificate)}  # fmt: skip
