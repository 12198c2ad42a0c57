# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch restarts itself, as `ovs-ctl restart` does: what it has put back, and we have."""

from __future__ import annotations

import pytest

from tests.lab import reference
from tests.lab.daemon import Dhcpd, our_flows, wait_ready
from tests.lab.guest import Guest
from tests.lab.process import run, wait_until
from tests.lab.switch import PrivateOvs

OVS_SAVE = "/usr/share/openvswitch/scripts/ovs-save"
THEIRS = "table=5, priority=7"

pytestmark = [
    pytest.mark.needs(OVS_SAVE),
    pytest.mark.not_in_test_kernel("it has nothing to do with the datapath"),
]


def reload(switch: PrivateOvs) -> None:
    """In the order of restart() in Open vSwitch's utilities/ovs-lib.in."""
    put_back = run([OVS_SAVE, "save-flows", switch.bridge], env=switch.environment)
    waits = "other_config:flow-restore-wait=true"
    switch.processes["ovs-vswitchd"].stop()
    switch.vsctl("--no-wait", "set", "open", ".", waits)
    switch.start_vswitchd()
    wait_until((switch.run_dir / f"{switch.bridge}.mgmt").exists, "the bridge", 30)
    run(["sh", "-c", put_back], env=switch.environment)
    switch.vsctl("remove", "open", ".", *waits.split(":", 1))


@pytest.mark.parametrize("runs", [True, False])
def test_without_meters_flows_of_others_are_there_again(
    switch: PrivateOvs, guest: Guest, runs: bool
) -> None:
    switch.ofctl("add-flow", switch.bridge, f"{THEIRS},actions=drop")
    with Dhcpd(switch, reference.configuration(rate_limit="none")) as dhcpd:
        dhcpd.wait_for_flows(guest)
        before = our_flows(switch)
        if not runs:
            dhcpd.stop()
        reload(switch)
        if runs:
            wait_ready(dhcpd, 2)
        assert our_flows(switch) == before
        assert any(f"{THEIRS} actions=drop" in flow for flow in switch.flows())


def test_with_meters_ours_are_there_again(switch: PrivateOvs, guest: Guest) -> None:
    with Dhcpd(switch, reference.configuration()) as dhcpd:
        dhcpd.wait_for_flows(guest)
        before = our_flows(switch)
        reload(switch)
        wait_ready(dhcpd, 2)
        wait_until(lambda: our_flows(switch) == before, "our flows", 30)
