# SPDX-License-Identifier: Apache-2.0
"""Words for a user's mistakes: what was written, and the name that was meant.

Text of others (of files, of rows of databases, of guests and switches) may be long, and may hold
what a terminal takes for a command, or a line end that begins a forged line.  Where it is put into
a sentence, `show` or `escape` makes it short and harmless; where lines leave the process,
`printable` makes sure of it.  Letters of all languages stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

SHOWN = 80  # characters of a value
LINES = 20  # of what is wrong with one thing
CHOICES = 15

START_SWITCH = "systemctl start openvswitch-switch"  # what to type where there is no Open vSwitch

# What the configurations of other DHCP servers, and of hosts, call ours.
_ELSEWHERE = {
    **dict.fromkeys(("gateway", "gateway4", "gateways", "default_gateway", "gw"), "router"),
    **dict.fromkeys(("dns", "nameserver", "nameservers", "domain_name_servers"), "dns_server"),
    **dict.fromkeys(("subnet", "network", "prefix"), "cidr"),
    **dict.fromkeys(("range", "ranges", "dhcp_range", "dynamic"), "pool"),
    **dict.fromkeys(("hosts", "host", "interfaces"), "ports"),
    **dict.fromkeys(("ip", "mac", "ip_address", "hwaddr"), "addresses"),
    **dict.fromkeys(("lease", "default_lease_time", "max_lease_time"), "lease_time"),
    **dict.fromkeys(("domain", "search"), "domain_name"),
    **dict.fromkeys(("dhcp", "dhcp4", "ipv4"), "dhcpv4"),
    **dict.fromkeys(("dhcp6", "ipv6"), "dhcpv6"),
    "filename": "bootfile_name",
    "interface_mtu": "mtu",
    "ntp": "ntp_server",
    "reservations": "reserve",
    "subnet_mask": "netmask",
    "tftp": "tftp_server",
    "vlan": "tag",
}


def printable(line: str) -> str:
    r"""The text with Python's escapes (``\n``, ``\x1b``, ``\u202e``) for what is not printable.

    That is control and format characters, line ends, separators other than the space, lone
    surrogates and what Unicode does not assign.
    """
    return line if line.isprintable() else "".join(map(_printable, line))


def printable_lines(lines: Iterable[str]) -> str:
    """The lines as one text, in which each is printable."""
    return "\n".join(map(printable, lines))


def escape(text: str) -> str:
    """The text, printable and cut, for a name inside a sentence."""
    if len(text) <= SHOWN and text.isprintable():
        return text
    return _cut(map(_printable, text))


def show(value: object) -> str:
    """The value as the user may recognise it, in a few words; text is in quotes."""
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    if not isinstance(value, str):
        return escape(str(value))
    quote = '"' if "'" in value else "'"
    special = {"\\": "\\\\", quote: f"\\{quote}"}
    return quote + _cut(special.get(each) or _printable(each) for each in value) + quote


def either(names: Iterable[str], between: str = " or ") -> str:
    """The names as what is expected, one of them."""
    shown = [escape(name) for name in islice(names, CHOICES + 1)]
    return between.join([*shown[:CHOICES], "others"] if len(shown) > CHOICES else shown)


def meant(name: str, known: Collection[str]) -> str:
    """Which known name was meant, if `name` is none but is like one, or another program's for it.

    Empty if it is none of that.
    """
    if name in known:
        return ""
    spelt = name[: SHOWN + 1].lower().replace("-", "_")
    if (ours := _ELSEWHERE.get(spelt)) in known:
        return str(ours)
    lower = {each.lower(): each for each in known}
    import difflib  # which is slow to import, and needed for mistakes alone

    close = difflib.get_close_matches(spelt, lower, 1)
    return lower[close[0]] if close else ""


def hint(name: str, known: Collection[str]) -> str:
    """Which known name was :func:`meant`, as the end of a sentence; empty if none was."""
    found = meant(name, known)
    return f" (did you mean {escape(found)}?)" if found else ""


def trouble(error: OSError) -> str:
    """What the operating system says, and of what."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def first_lines(lines: Sequence[str], count: int | None = None) -> list[str]:
    """The first of the lines, and how many more there are of `count`, which is theirs if not given.

    There are never more than `LINES` and one.
    """
    more = (len(lines) if count is None else count) - LINES
    return [*lines[:LINES], f"and {more} more"] if more > 0 else [*lines]


def _printable(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def _cut(pieces: Iterator[str]) -> str:
    """The pieces that fit, each whole."""
    text = ""
    for piece in pieces:
        if len(text) + len(piece) > SHOWN:
            return f"{text}…"
        text += piece
    return text
