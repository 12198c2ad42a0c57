# SPDX-License-Identifier: Apache-2.0
"""A host as a page supposes it: a lab's switch where every program looks for one.

What is typed runs in the switch's network namespace, and in a mount namespace in which `/run`,
`/var/log`, `/etc` and `/opt` are the lab's, so that nothing of the machine's own is touched.
Two commands are not quite what is typed (`_PROGRAMS`): a daemon goes into the background until its
block has been typed, and is waited for; who watches goes home after one exchange; and a new bridge
is on the lab's datapath.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

from tests.lab import process
from tests.lab.guest import Guest
from tests.lab.switch import PrivateOvs

from .blocks import ROOT

_WAIT_S = 60
_PROGRAMS = {
    "ovs-dhcpd": f"""#!/bin/bash
ours() {{ PYTHONPATH={ROOT} {sys.executable} -m ovs_dhcpd "$@"; }}
case "$1 $* " in
run*" --detach "*) ours "$@" ;;
run*) ours "$@" --detach --pidfile="$FOREGROUND" ;;
watch*" -n "*) ours "$@"; exit ;;
watch*) ours "$@" -n 1; exit ;;
*) ours "$@"; exit ;;
esac || exit
for _ in $(seq {_WAIT_S * 5}); do
    ours status >/dev/null && exit
    sleep 0.2
done
ours status >&2
exit 1
""",
    "ovs-vsctl": """#!/bin/bash
real=$(PATH=${PATH#*:} command -v ovs-vsctl)
case " $* " in
*" add-br "*) exec "$real" --timeout=50 "$@" -- set bridge "${!#}" datapath_type=%(datapath)s ;;
*) exec "$real" --timeout=50 "$@" ;;
esac
""",
}
_ENTER = """
mount -t tmpfs tmpfs /run
mkdir /run/openvswitch /run/ovn
mount --bind {run} /run/openvswitch
mount --bind {run} /run/ovn
for each in etc opt var/log; do mount --bind {root}/$each /$each; done
cd {root}/home
exec bash -euo pipefail {command}
"""


class Host:
    """The host of a switch; files of `names` are written relative to where one types."""

    def __init__(self, switch: PrivateOvs) -> None:
        self.switch = switch
        self.root = switch.directory / "host"
        self.home = self.root / "home"
        for name in ("bin", "home", "opt", "var/log/openvswitch", "var/log/ovn"):
            (self.root / name).mkdir(parents=True)
        shutil.copytree("/etc", self.root / "etc", symlinks=True)
        for name, text in _PROGRAMS.items():
            program = self.root / "bin" / name
            program.write_text(text.replace("%(datapath)s", switch.datapath_type))
            program.chmod(0o755)

    def write(self, name: str, text: str) -> None:
        """Write a file, as a page says."""
        path = self.root / name[1:] if name.startswith("/") else self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if text.startswith("#!"):
            path.chmod(0o755)

    def type(self, command: str) -> tuple[int, str]:
        """Type this; its exit status and what it has printed."""
        script = self.root / "typed"
        script.write_text(command)
        enter = _ENTER.format(run=self.switch.run_dir, root=self.root, command=script)
        env = process.environment({"LC_ALL": "C.UTF-8"})
        foreground = self.root / "foreground.pid"
        env["FOREGROUND"] = str(foreground)
        env["PATH"] = f"{self.root / 'bin'}:{env['PATH']}"
        output = self.root / "printed"  # not a pipe, which a daemon would hold open
        with output.open("w") as out:
            status = subprocess.run(
                [str(word) for word in self.switch.namespace.command("bash", "-euc", enter)],
                env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                timeout=2 * _WAIT_S * process.PATIENCE, check=False,
            ).returncode  # fmt: skip
        if foreground.exists():
            os.kill(int(foreground.read_text()), signal.SIGINT)
            process.wait_until(lambda: not foreground.exists(), "the end of what ran in front")
        return status, output.read_text(errors="replace")

    def start_client(self, guest: Guest, again: bool) -> None:
        """Have the guest get its address and keep it, or get it anew every second."""
        ask = "udhcpc -f -t 3 -T 1 -A 1 -i eth0 -s /bin/true"
        loop = f"while :; do {ask} -q -n; sleep 1; done"
        argv = ["sh", "-c", loop] if again else ask.split()
        self.switch.spawn(f"client-{guest.port}", *guest.namespace.command(*argv))
