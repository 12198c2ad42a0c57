# SPDX-License-Identifier: Apache-2.0
"""`make demo`: a real client gets its lease through a private Open vSwitch, step by step."""

from __future__ import annotations

import os
import sys

from tests.lab import reference
from tests.lab.clients import Udhcpc
from tests.lab.daemon import ROOT, Dhcpd
from tests.lab.process import missing, run
from tests.lab.switch import PrivateOvs

EXAMPLE = ROOT / "tests" / "examples" / "finance-network1.yaml"


def title(text: str) -> None:
    """Begin a step."""
    print(f"\n\033[1m== {text}\033[0m" if sys.stdout.isatty() else f"\n== {text}")


def main() -> int:
    """Run the demonstration; returns the exit status."""
    if os.geteuid() != 0:
        print("make demo needs root: it makes network namespaces", file=sys.stderr)
        return 1
    if absent := missing(*PrivateOvs.programs, "udhcpc"):
        print(f"make demo needs {', '.join(absent)}", file=sys.stderr)
        return 1

    configuration = EXAMPLE.read_text()
    title("The configuration: one network, one port")
    print(configuration, end="")

    title("A private Open vSwitch: bridge br-int, a guest plugged in, no other DHCP server")
    with PrivateOvs() as switch:
        guest = reference.guest(switch)
        print(switch.vsctl("show").partition("\n")[2], end="")

        with Dhcpd(switch, configuration) as dhcpd:
            dhcpd.wait_for_flows(guest)
            title("ovs-dhcpd run, then ovs-ofctl dump-flows br-int | ovs-dhcpd decode --short")
            flows = switch.ofctl("dump-flows", "--no-stats", switch.bridge)
            decode = [sys.executable, "-m", "ovs_dhcpd", "decode", "--short", "--ovs-rundir",
                      switch.run_dir]  # fmt: skip
            print(run(decode, env={"PYTHONPATH": str(ROOT)}, stdin=flows), end="")

            title("udhcpc in the guest")
            with Udhcpc(switch, guest) as client:
                lease = client.lease()
                print(client.log(), end="")
                print(f"address  {lease.address}/{lease.prefix_length}")
                print(f"dns      {', '.join(map(str, lease.dns_servers))}")
                print(f"mtu      {lease.mtu}")
                for network, router in lease.routes:
                    print(f"route    {network} via {router}")
            title("ovs-dhcpd leases")
            leases = [sys.executable, "-m", "ovs_dhcpd", "leases", "--ovs-rundir", switch.run_dir]
            print(run(leases, env={"PYTHONPATH": str(ROOT)}), end="")
            title("What ovs-dhcpd logged")
            print(dhcpd.log(), end="")
    got_it = lease.address == reference.ADDRESS
    title(f"The guest has its lease {lease.address}; everything is cleaned up" if got_it
          else f"The guest got {lease.address}, not {reference.ADDRESS}")  # fmt: skip
    return 0 if got_it else 1


if __name__ == "__main__":
    sys.exit(main())
