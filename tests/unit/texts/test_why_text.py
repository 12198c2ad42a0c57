# SPDX-License-Identifier: Apache-2.0
"""A chain for a person: what there is to say first, and below it the links, aligned."""

from __future__ import annotations

from ovs_dhcpd.controller.texts.why_text import to_text
from ovs_dhcpd.controller.why.chain import chain_of, no_daemon
from ovs_dhcpd.controller.why.document import document

from tests.unit.why.served import but


def test_first_what_is_broken_and_what_mends_it() -> None:
    chain = document(chain_of(but(database_ready=False)))
    first, mend, between, header, daemon, *_ = to_text(chain)
    assert first.startswith("vm1 is not served: ")
    assert mend == "mend: ovs-vsctl --db=unix:/run/db.sock show"
    assert (between, header.split()) == ("", ["link", "verdict", "found"])
    assert daemon.startswith("daemon         broken   ")
    assert "\x1b[31mbroken\x1b[0m" in "\n".join(to_text(chain, coloured=True))


def test_one_link_alone_is_not_said_twice() -> None:
    chain = document(no_daemon("vm1", "nobody to ask", "sudo ovs-dhcpd why vm1"))
    assert [*to_text(chain)] == [
        "vm1 is not served: nobody to ask",
        "mend: sudo ovs-dhcpd why vm1",
    ]


def test_what_else_is_to_be_mended_stands_at_its_link() -> None:
    facts = but(bridge={"lacks_forwarding": "nothing there; type: ovs-ofctl x"}, others=("vm2",))
    lines = [*to_text(document(chain_of(facts)))]
    assert lines[1] == "also: vm2"
    assert lines[-1].split(None, 2) == ["forwarding", "warning", "nothing there; type: ovs-ofctl x"]


def test_what_others_have_written_is_printable() -> None:
    lines = [*to_text(document(chain_of(but(asked_for="a\nb\x1b[2J", port="a\nb\x1b[2J"))))]
    assert lines[0].startswith("a\\nb\\x1b[2J ")
    assert all(line.isprintable() for line in lines)
