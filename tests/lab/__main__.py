# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.lab`: a bridge, two guests and the daemon, to look at by hand until Ctrl-C.

    python -m tests.lab [CONFIGURATION]

Without a file it serves the network of the reference document: the guest vm1 is its one port, vm2
is named nowhere.  A file serves whatever it says; give the guests' iface-ids, which are printed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import NoReturn

from tests.lab import reference
from tests.lab.daemon import ROOT, Dhcpd
from tests.lab.guest import Guest
from tests.lab.process import missing
from tests.lab.switch import PrivateOvs

EXAMPLE = ROOT / "tests" / "examples" / "finance-network1.yaml"
OTHER_MAC = "02:00:00:00:00:02"


def how_to_enter(switch: PrivateOvs, guests: list[Guest], dhcpd: Dhcpd) -> str:
    """The commands that lead into the lab, to be copied to another terminal."""
    rundir = f"OVS_RUNDIR={shlex.quote(str(switch.run_dir))}"
    control = switch.run_dir / f"{dhcpd.name}.{dhcpd.process.pid}.ctl"
    lines = []
    for guest in guests:
        enter = f"ip netns exec {guest.namespace.name}"
        lines += [
            f"# the guest {guest.directory.name}: iface-id {guest.iface_id}, MAC {guest.mac}",
            f"{enter} ip address show dev eth0",
            f"{enter} udhcpc -f -q -n -i eth0 -s /bin/true",
        ]
    lines += [
        "# the bridge",
        f"{rundir} ovs-vsctl --db={switch.database} show",
        f"{rundir} ovs-ofctl -O OpenFlow15 dump-flows {switch.bridge}",
        "# the daemon",
        f"{rundir} ovs-appctl -t {control} bindings/show",
        f"{rundir} ovs-appctl -t {control} stats/show",
        f"tail -f {switch.log_dir / dhcpd.name}.log",
        f"# its configuration; after a change: kill -HUP {dhcpd.process.pid}",
        f"cat {dhcpd.configuration_file}",
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Bring the lab up, say how to enter it, and remove it at SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description="A lab, by hand.")
    parser.add_argument("configuration", nargs="?", type=Path, default=EXAMPLE)
    configuration = parser.parse_args(argv).configuration.read_text()
    if os.geteuid() != 0:
        print("the lab needs root: it makes network namespaces", file=sys.stderr)
        return 1
    if absent := missing(*PrivateOvs.programs):
        print(f"the lab needs {', '.join(absent)}", file=sys.stderr)
        return 1

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        with PrivateOvs() as switch:
            guests = [reference.guest(switch), switch.guest("vm2", OTHER_MAC)]
            with Dhcpd(switch, configuration) as dhcpd:
                dhcpd.wait_for_flows()
                print(how_to_enter(switch, guests, dhcpd), flush=True)
                print("# Ctrl-C removes it all", flush=True)
                signal.pause()
    except KeyboardInterrupt:
        print("# everything is removed")
    return 0


def end(*_: object) -> NoReturn:
    """Leave the lab; what is asked again while it is being removed is not heard."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
