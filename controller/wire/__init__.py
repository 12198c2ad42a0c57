# SPDX-License-Identifier: Apache-2.0
"""Codecs of what is on the wire: bytes in, bytes out."""
