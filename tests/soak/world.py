# SPDX-License-Identifier: Apache-2.0
"""The switch, the daemon and the guests of the soak, and all that is done to them."""

from __future__ import annotations

import random
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import flood, packets
from tests.lab.daemon import ROOT, Dhcpd, our_flows
from tests.lab.guest import Guest
from tests.lab.process import wait_until
from tests.lab.switch import PrivateOvs
from tests.soak.clients import Client, Clients
from tests.soak.plan import FLAPPING_ONES, MEMBERS, NOISY, POOLED_ONES, configuration

AGAIN_S = 60  # until all is served again, on any machine
OURS = "cookie=0x6468000000000000/0xffff000000000000"
BROKEN = ("networks: [", "networks: {fixed: {dhcpv4: {cidr: none}}}", "\0", "")  # files


class World:
    """What runs, with the steps as methods; each returns what it did, in a few words.

    `trees` have the daemons that take over from each other in turn, the last one begins.
    """

    def __init__(
        self, switch: PrivateOvs, chance: random.Random, asks_a_second: float, *trees: Path
    ) -> None:
        self.switch = switch
        self.chance = chance
        self.guests: dict[str, Guest] = {}
        for member in MEMBERS:
            self.guests[member.name] = switch.guest(member.name, member.mac)
        for member in POOLED_ONES:
            port = self.guests[member.name].port
            switch.vsctl("set", "interface", port, "external_ids:dhcp-network=pooled")
        quiet = [member for member in MEMBERS if member.name != NOISY]
        self.clients = Clients(
            [Client(member, self.guests[member.name]) for member in quiet], asks_a_second
        )
        self.members = {member.name: member for member in MEMBERS}
        self.text = configuration()
        self._trees = deque(trees or (ROOT,))
        self._daemons = 0
        self.dhcpd = self._next_daemon()
        flood.build()

    def start(self) -> None:
        """Start the daemon, and the clients once all are served."""
        self.dhcpd.start()
        self.dhcpd.wait_for_flows(*self.guests.values())
        self.clients.start()

    # -- steps

    def replug(self) -> str:
        """A port goes and comes back, once or again and again."""
        member = self.chance.choice(FLAPPING_ONES)
        guest = self.guests[member.name]
        times = self.chance.choice((1, 1, 4))
        with self.clients.away("port unplugged", member.name):
            for time_left in reversed(range(times)):
                in_port = f"in_port={self.switch.ofport(guest.port)},"
                self.switch.unplug(guest.port)
                if not time_left:  # its flows go: those that come then are the new ones
                    self._wait_for_none(in_port)
                self.switch.plug(guest.port, guest.iface_id)
            self._wait_for_flows(guest)
        return f"{member.name}, {times} times"

    def edit(self) -> str:
        """The file changes, and with it every flow."""
        mtu, others = self.chance.randint(1280, 1500), self.chance.randint(0, 100)
        self._write(configuration(mtu, others), sighup=self.chance.random() < 0.5)
        userdata = f"1a.02.{mtu >> 8:02x}.{mtu & 255:02x}"
        self._wait_for_flows(*self.guests.values(), userdata=userdata)
        return f"mtu {mtu}, {others} ports that are nowhere"

    def break_file(self) -> str:
        """The file is no configuration for a while: all is served as before."""
        text = self.chance.choice(BROKEN)
        self.dhcpd.reconfigure(text)
        wait_until(lambda: self.dhcpd.appctl("bindings/refused"), "the mistake", AGAIN_S)
        self._write(self.text, sighup=True)
        wait_until(lambda: not self.dhcpd.appctl("bindings/refused"), "no mistake", AGAIN_S)
        return repr(text)

    def flood(self) -> str:
        """One guest sends what costs most; its meter keeps the others from noticing."""
        kind = self.chance.choice([*flood.KINDS])
        rate = self.chance.choice((500, 2000, 5000))
        frames = flood.KINDS[kind](self.members[NOISY].flooder)
        sender = flood.start(self.switch, self.guests[NOISY], frames, rate, 2)
        status = sender.wait(60)
        assert status == 0, sender.text()
        return f"{kind}: {sender.text().strip()} in 2 s"

    def damage(self) -> str:
        """One guest sends requests with some bytes changed."""
        member = self.members[NOISY]
        good = [frames(member.flooder)[0] for frames in flood.KINDS.values()]
        with self.guests[NOISY].raw() as raw:
            for _ in range(300):
                frame = bytearray(self.chance.choice(good))
                for _ in range(self.chance.randint(1, 6)):
                    frame[self.chance.randrange(14, len(frame))] = self.chance.randrange(256)
                raw.send(bytes(frame))
                time.sleep(0.002)
        return "300 packets"

    def restart_vswitchd(self) -> str:
        """Open vSwitch is upgraded, or crashes."""
        how = self.chance.choice((signal.SIGTERM, signal.SIGKILL))
        with self._unserved("ovs-vswitchd away"):
            self.switch.processes["ovs-vswitchd"].stop(how)
            (self.switch.run_dir / "ovs-vswitchd.ctl").unlink(missing_ok=True)
            self.switch.restart_vswitchd()
        return how.name

    def restart_ovsdb(self) -> str:
        """The database's server restarts.

        Until it has connected again, ovs-vswitchd runs nothing of its bridges (bridge_run in Open
        vSwitch's vswitchd/bridge.c): who is paused waits.
        """
        with self.clients.away("ovsdb-server away"):
            self.switch.restart_ovsdb()
            self._wait_for_answer()
        return ""

    def restart_daemon(self) -> str:
        """The daemon is restarted or killed."""
        how = self.chance.choice((signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV))
        with self.clients.away("daemon away"):
            self.dhcpd.stop(how)
            self.dhcpd.start()
            wait_until(lambda: "ready, " in self.dhcpd.log(), "the daemon to be ready", AGAIN_S)
        return how.name

    def take_over(self) -> str:
        """Another daemon starts beside this one, which then ends somehow: nothing is lost."""
        how = self.chance.choice((signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV))
        active, standby = self.dhcpd, self._next_daemon()
        standby.start()
        stands_by = f"standby for pid {active.process.pid}\n"
        wait_until(lambda: stands_by in standby.log(), "the other daemon to stand by", AGAIN_S)
        there = "flows of ours are there"
        wait_until(lambda: there in standby.log(), "the other daemon to have read them", AGAIN_S)
        time.sleep(self.chance.choice((0.5, 1.5)))
        active.stop(how)
        self.dhcpd = standby
        wait_until(lambda: "ready, " in standby.log(), "the daemon to be ready", AGAIN_S)
        return f"{how.name}, by {standby.python_path[0].name}"

    def _next_daemon(self) -> Dhcpd:
        self._daemons += 1
        self._trees.rotate()
        daemon = Dhcpd(self.switch, self.text, label=f"-{self._daemons}")
        daemon.python_path = (self._trees[0],)
        return daemon

    # -- the end

    def what_is_wrong(self) -> list[str]:
        """Hold the bridge and the addresses against what they have to be."""
        self.clients.stop()
        wrong = [f"lost: {each}" for each in self.clients.tally.lost]
        wrong += [f"wrong: {each}" for each in self.clients.tally.wrong]
        addresses: dict[str | None, str] = {}
        for client in self.clients.clients:
            other = addresses.setdefault(client.address, client.member.name)
            if client.address is None:
                wrong.append(f"{client.member.name} has no address")
            elif other != client.member.name:
                wrong.append(f"{client.member.name} and {other} have {client.address}")
        left = self._on_the_bridge()
        wrong += [
            f"logged: {line}"
            for log in self.switch.log_dir.glob("ovs-dhcpd*.log")
            for line in log.read_text(errors="replace").splitlines()
            if any(word in line for word in ("Traceback", "internal error", "|EMER|"))
        ]
        self.dhcpd.stop()
        self.switch.ofctl("del-flows", self.switch.bridge, OURS)
        self.switch.ofctl("del-meters", self.switch.bridge)
        with self.dhcpd:
            wait_until(lambda: "ready, " in self.dhcpd.log(), "the daemon to be ready", AGAIN_S)
            wanted = self._on_the_bridge()
        wrong += [f"on the bridge, not wanted: {each}" for each in sorted(left - wanted)]
        wrong += [f"wanted, not on the bridge: {each}" for each in sorted(wanted - left)]
        return wrong

    def _flows(self) -> str:
        return "\n".join(our_flows(self.switch))

    def _wait_for_flows(self, *guests: Guest, userdata: str = "") -> None:
        """Wait until all of the guests have flows with this in their userdata."""

        def served() -> bool:
            return all(self.dhcpd.serves(guest, userdata) for guest in guests)

        wait_until(served, f"the flows of {guests[0].iface_id} and others", AGAIN_S)

    def _wait_for_none(self, in_port: str) -> None:
        """Wait until the port has no flows."""
        wait_until(lambda: in_port not in self._flows(), f"no flows with {in_port}", AGAIN_S)

    def _on_the_bridge(self) -> set[str]:
        """Our flows, and all meters, for nobody else has any."""
        dump = self.switch.ofctl("dump-meters", self.switch.bridge)
        meters = [f"meter={' '.join(each.split())}" for each in dump.split("meter=")[1:]]
        return {*our_flows(self.switch), *meters}

    def _write(self, text: str, *, sighup: bool) -> None:
        self.text = text
        self.dhcpd.configuration_file.write_text(text)
        if sighup:
            self.dhcpd.process.kill(signal.SIGHUP)

    @contextmanager
    def _unserved(self, why: str) -> Iterator[None]:
        """The bridge goes meanwhile, and the daemon has to find it again."""
        with self.clients.away(why):
            before = self.dhcpd.log().count("ready, ")
            yield
            found = "the daemon to be ready again"
            wait_until(lambda: self.dhcpd.log().count("ready, ") > before, found, AGAIN_S)
            self._wait_for_answer()

    def _wait_for_answer(self) -> None:
        """Wait until a guest is answered."""
        member = MEMBERS[0]
        guest = self.guests[member.name]
        asked = packets.request(packets.DISCOVER, member.mac, xid=0xFF000000)
        wait_until(lambda: guest.ask(asked, 0.5), "an answer", AGAIN_S)
