# SPDX-License-Identifier: Apache-2.0
"""Userdata in readable form."""

from __future__ import annotations

import re

from ovs_dhcpd.flows.userdata.action_text import format_action
from ovs_dhcpd.flows.userdata.codec import PROBE_HEARD, UnknownOpcode, decode_userdata
from ovs_dhcpd.flows.userdata.cursor import UserdataError

# OVN's opcodes, from 0 (ovn include/ovn/actions.h).
_OPCODES = (
    "arp",
    "put_arp",
    "put_dhcp_opts",
    "nd_na",
    "put_nd",
    "put_dhcpv6_opts",
    "dns_lookup",
    "log",
    "put_nd_ra_opts",
    "nd_ns",
    "icmp",
    "tcp_reset",
    "nd_na_router",
    "put_icmp4_frag_mtu",
    "icmp4_error",
    "event",
    "igmp",
    "bind_vport",
    "handle_svc_check",
    "dhcp6_server",
    "icmp6_error",
    "put_icmp6_frag_mtu",
    "reject",
    "bfd_msg",
    "sctp_abort",
    "put_fdb",
    "activation_strategy",
    "split_buf_action",
    "dhcp_relay_req_chk",
    "dhcp_relay_resp_chk",
    "put_icmp4_inner_ip4_src",
)

USERDATA = re.compile(r"\buserdata=([0-9A-Fa-f.]*)")


class HexError(ValueError):
    """Text that is not bytes in hexadecimal.  One line: where and what."""


def parse_hex(text: str) -> bytes:
    """Bytes from "00.00.00.02", "00 00 00 02" or "00000002", with or without `userdata=` before.

    Raises HexError.
    """
    digits = re.sub(r"[.\s]", "", text.strip().removeprefix("userdata="))
    wrong = re.search(r"[^0-9A-Fa-f]", digits)
    if wrong:
        raise HexError(f"{wrong[0]!r} in {text[:40]!r}, expected hexadecimal digits")
    if not digits or len(digits) % 2:
        raise HexError(f"{len(digits)} hexadecimal digits, expected two for each byte")
    return bytes.fromhex(digits)


def explain(userdata: bytes) -> str:
    """One line: the action, the opcode of another of OVN's actions, or why it is neither."""
    try:
        return format_action(decode_userdata(userdata))
    except UnknownOpcode as error:
        if error.opcode == PROBE_HEARD:
            return "what is heard while an address is probed"
        if error.opcode < len(_OPCODES):
            return f"opcode {error.opcode} ({_OPCODES[error.opcode]})"
        return f"opcode {error.opcode}"
    except UserdataError as error:
        return f"not userdata of ovs-dhcpd: {error}"


def explain_hex(digits: str) -> str:
    """As :func:`explain`, of userdata as it stands in a flow's text."""
    try:
        return explain(parse_hex(digits))
    except HexError as error:
        return f"not userdata of ovs-dhcpd: {error}"
