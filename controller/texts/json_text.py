# SPDX-License-Identifier: Apache-2.0
"""An object as JSON, for who asks the daemon."""

from __future__ import annotations

import json
from collections.abc import Mapping


def to_json(found: Mapping[str, object]) -> str:
    """The object as JSON, each item of a list of objects in a line, and so apart from the others.

    To encode thousands at once takes milliseconds, in which no other thread runs.
    """
    members = []
    for name, value in found.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            text = "[" + ",".join(f"\n{json.dumps(item)}" for item in value) + "]"
        else:
            text = json.dumps(value)
        members.append(f"{json.dumps(name)}: {text}")
    return "{" + ", ".join(members) + "}"
