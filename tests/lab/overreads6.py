# SPDX-License-Identifier: Apache-2.0
"""DHCPv6 messages that say they are longer than they are.

Each shape made ovn-controller read behind the packet, or end, until its commit 0e3d1d908 of March
2026 (releases with CVE-2026-5265 and CVE-2026-5367 fixed: 24.03.8, 25.09.3, 26.03.1): an option's
length was not held against the packet, an option's header was read where there was none, and a
user class was compared as a string with a zero at its end.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.lab.packets6 import ADVERTISE, CONFIRM, INFORMATION_REQUEST, REPLY, SOLICIT, ia_na

_CLIENT = "0001 000a 0003 0001 020000000001"
_IA = ia_na(1).hex()


class Overread(NamedTuple):
    """A message, the reason for which it is left unanswered ("" if it is answered), and why."""

    message: bytes
    silence: str
    why: str


def _message(kind: int, *options: str) -> bytes:
    return bytes((kind,)) + b"\1\2\3" + b"".join(map(bytes.fromhex, options))


_PAST_THE_END = "RFC 8415 §21.1: option-len is the length of what follows, and that is not there"
_TOO_SHORT = "RFC 8415 §21.4, §21.21, §21.22: less than the option's fixed part"
_NO_MESSAGE = "RFC 8415 §8: less than msg-type and transaction-id"

OVERREADS = {
    # What OVN's own test sends ("DHCPv6 - Options heap overread").
    "client id of 512 bytes in 10": Overread(
        _message(
            SOLICIT, "0003 000c 01020304 00000000 00000000", "0001 0200 0003 0001 f00000000001"
        ),
        "BAD_OPTIONS",
        _PAST_THE_END,
    ),
    **{
        f"message of {size} bytes": Overread(_message(SOLICIT)[:size], "TRUNCATED", _NO_MESSAGE)
        for size in range(4)
    },
    **{
        f"{name}, and nothing behind its header": Overread(
            _message(kind, _CLIENT, *before, header), "BAD_OPTIONS", _PAST_THE_END
        )
        for name, kind, before, header in (
            ("IA_NA", SOLICIT, (), "0003 000c"),
            ("IA_NA that ends with the address space", SOLICIT, (), "0003 ffff"),
            ("user class", SOLICIT, (_IA,), "000f 0006"),
            ("FQDN", SOLICIT, (_IA,), "0027 0001"),
            ("FQDN of a CONFIRM", CONFIRM, (), "0027 0001"),
            ("user class of an INFORMATION-REQUEST", INFORMATION_REQUEST, (), "000f 0006"),
        )
    },
    "half a header at the end": Overread(
        _message(SOLICIT, _CLIENT, _IA, "0027"), "BAD_OPTIONS", _PAST_THE_END
    ),
    "user class that runs one byte past the end": Overread(
        _message(SOLICIT, _CLIENT, _IA, "000f 0007 0004 69505845"), "BAD_OPTIONS", _PAST_THE_END
    ),
    "empty IA_NA at the end": Overread(
        _message(SOLICIT, _CLIENT, "0003 0000"), "BAD_OPTIONS", _TOO_SHORT
    ),
    "IA_NA of its IAID alone": Overread(
        _message(SOLICIT, _CLIENT, "0003 0004 00000001"), "BAD_OPTIONS", _TOO_SHORT
    ),
    "IA_PD with a prefix that runs past it": Overread(
        _message(SOLICIT, _CLIENT, "0019 0010 00000001 00000000 00000000 001a 0019"),
        "BAD_OPTIONS",
        _PAST_THE_END,
    ),
    "IA_PD with a prefix of no length": Overread(
        _message(SOLICIT, _CLIENT, "0019 0010 00000001 00000000 00000000 001a 0000"),
        "BAD_OPTIONS",
        _TOO_SHORT,
    ),
    "empty user class at the end": Overread(
        _message(SOLICIT, _CLIENT, _IA, "000f 0000"),
        "",
        "RFC 8415 §21.16: names no class, so not iPXE's",
    ),
    "user class that begins as iPXE's": Overread(
        _message(SOLICIT, _CLIENT, _IA, "000f 0005 0003 695058", "0000 0001 45"),
        "",
        "RFC 8415 §21.16: the class is iPX, whatever follows in the packet",
    ),
    "user class without a zero at its end": Overread(
        _message(SOLICIT, _CLIENT, _IA, "000f 0006 0004 69505845"),
        "",
        "RFC 8415 §21.16: iPXE; the length says where a class ends, not a zero",
    ),
    "empty FQDN at the end": Overread(
        _message(SOLICIT, _CLIENT, _IA, "0006 0002 0027", "0027 0000"),
        "",
        "RFC 4704 §4.1, §6: no flag is set, so none but N is in the reply",
    ),
    "IA_NA with an empty status": Overread(
        _message(SOLICIT, _CLIENT, "0003 0010 00000001 00000000 00000000 000d 0000"),
        "",
        "RFC 8415 §21.13: a server reads no status of a client's",
    ),
    **{
        f"{name} of a guest with a prefix that runs past it": Overread(
            _message(kind, _CLIENT, "0019 0010 00000001 00000000 00000000 001a 0019"),
            "SERVER_MESSAGE",
            "RFC 8415 §16.3, §16.10: a server discards it, whatever is in it",
        )
        for name, kind in (("ADVERTISE", ADVERTISE), ("REPLY", REPLY))
    },
}
