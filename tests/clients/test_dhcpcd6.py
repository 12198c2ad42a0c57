# SPDX-License-Identifier: Apache-2.0
"""Roy Marples' dhcpcd in IPv6: it waits for a router advertisement with the managed flag."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.clients.expected import SHORT, SHORT_LEASE, Serve, says6, told6
from tests.lab import reference
from tests.lab.clients6 import Dhcpcd6
from tests.lab.guest import Guest
from tests.lab.switch import PrivateOvs

pytestmark = pytest.mark.needs("dhcpcd")


@pytest.fixture
def client(switch: PrivateOvs, guest: Guest) -> Iterator[Dhcpcd6]:
    """A client that remembers no lease, to be started when it is served."""
    shutil.rmtree(guest.directory / "lib", ignore_errors=True)
    client = Dhcpcd6(switch, guest)
    yield client
    client.stop()


def test_lease_has_the_configured_options(serve6: Serve, client: Dhcpcd6) -> None:
    dhcpd = serve6(**SHORT)
    client.start()
    assert told6(client.lease()) == SHORT_LEASE
    assert f"ND_RA {reference.MAC}" in " ".join(dhcpd.messages())


def test_lease_is_renewed_at_t1(serve6: Serve, client: Dhcpcd6) -> None:
    serve6(**SHORT)
    client.start()
    client.lease()
    renewed = client.lease(2)
    assert renewed.event == "RENEW6"
    assert told6(renewed) == SHORT_LEASE


def test_rapid_commit_takes_two_messages(serve6: Serve, client: Dhcpcd6) -> None:
    dhcpd = serve6(**SHORT, rapid_commit=True)
    client.start()
    assert told6(client.lease()) == SHORT_LEASE
    assert says6("ADVERTISE") not in dhcpd.messages()


def test_release_is_logged(serve6: Serve, client: Dhcpcd6) -> None:
    dhcpd = serve6(**SHORT)
    client.start()
    client.lease()
    client.release()
    dhcpd.wait_for_message(says6("RELEASE"))
