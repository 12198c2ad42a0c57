# SPDX-License-Identifier: Apache-2.0
"""What is read from a page, and when a command printed what is shown."""

from __future__ import annotations

from . import blocks, output
from .blocks import Block, Exchange

PAGE = """
Text.

<!-- not run: it takes a host; instead: true -->
```sh
make lunch  # for all
```

* in a list

  <!-- file: /etc/x -->
  ```sh
  #!/bin/sh
  ```

<!-- host: another -->

```console
$ echo a \\
    b
a b
$ true
```
"""


def test_a_page_is_read() -> None:
    assert blocks.parse("p", PAGE) == [
        Block("p", 5, "sh", "make lunch  # for all\n", "not run", "it takes a host; instead: true"),
        Block("p", 12, "sh", "#!/bin/sh\n", "file", "/etc/x"),
        Block("p", 18, "console", "$ echo a \\\n    b\na b\n$ true\n", host="another"),
    ]


def test_what_is_typed() -> None:
    first, file, last = blocks.parse("p", PAGE)
    assert (first.is_commands, first.instead) == (True, "true")
    assert not file.is_commands
    assert blocks.commands(first) == ["make lunch"]
    assert blocks.exchanges(last) == [
        Exchange("echo a \\\n    b", ("a b",)),
        Exchange("true", ()),
    ]
    assert blocks.commands(last) == ["echo a b", "true"]


def test_what_has_no_fence_is_found() -> None:
    assert blocks.indented(f"{PAGE}\n    make lunch\n    make tea\n") == ["    make lunch"]
    assert blocks.indented(PAGE) == []


def test_what_varies_is_not_compared() -> None:
    shown = ("pid 7, since 2026-11-30 11:24:15 UTC, 40 s ago", "a…c   d", "…", "end")
    assert output.agrees(
        shown, "pid 12, since 2026-12-01 00:00:00 UTC, 3 s ago\nabbc d\nx\ny\nend\n"
    )
    assert output.agrees(shown, "pid 12, since 2026-12-01 00:00:00 UTC, 3 s ago\nac d\nend\n\n")
    assert not output.agrees(shown, "pid 12, since yesterday, 3 s ago\nac d\nend\n")
    assert not output.agrees(("a",), "a\nb\n")
    assert output.agrees((), "")
