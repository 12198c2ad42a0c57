# SPDX-License-Identifier: Apache-2.0
"""A PC in QEMU that boots from the network, and the server that it asks for its boot file."""

from __future__ import annotations

import socket

from tests.lab.guest import Guest
from tests.lab.process import Process
from tests.lab.switch import PrivateOvs

PROGRAM = "qemu-system-x86_64"
UEFI = "/usr/share/ovmf/OVMF.fd"
BOOT_TIMEOUT_S = 240  # it takes from ten to twenty


class Machine:
    """A PC without a disk, its network card a port of the bridge; a context manager.

    With a BIOS it boots by the iPXE ROM that QEMU's network cards have, with UEFI by the
    firmware's own PXE and then its own HTTP boot.  All of these write to the serial port.
    """

    def __init__(
        self, switch: PrivateOvs, name: str, mac: str, iface_id: str, *, uefi: bool = False
    ) -> None:
        self.switch = switch
        self.port = name
        self.iface_id = iface_id
        card = f"virtio-net-pci,netdev=net,mac={mac}"
        self._firmware = ["-device", card]
        if uefi:
            # The card without its ROM; and IPv6, which would be tried in between, left out.
            # Without random numbers EDK II has had no network since 2024.05 (CVE-2023-45237).
            self._firmware = ["-device", f"{card},romfile=", "-device", "virtio-rng-pci",
                              "-bios", UEFI, "-fw_cfg",
                              "name=opt/org.tianocore/IPv6PXESupport,string=n"]  # fmt: skip
        self.process: Process | None = None
        switch.namespace.ip("tuntap", "add", "dev", name, "mode", "tap")
        switch.namespace.ip("link", "set", name, "up")
        switch.plug(name, iface_id)

    def __enter__(self) -> Machine:
        # Not KVM: not every host that runs tests has it.
        self.process = self.switch.spawn(
            f"qemu-{self.port}", "timeout", BOOT_TIMEOUT_S, PROGRAM, "-nodefaults",
            "-machine", "pc,accel=tcg,graphics=off", "-m", 256, "-boot", "n", "-no-reboot",
            "-display", "none", "-serial", "stdio", *self._firmware,
            "-netdev", f"tap,id=net,ifname={self.port},script=no,downscript=no",
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process, "not started"
        self.process.stop()

    def unplug(self) -> None:
        """Take its network card away, so that another machine may have the port."""
        self.switch.unplug(self.port)
        self.switch.namespace.ip("link", "delete", self.port)

    def console(self) -> str:
        """What it has written to the serial port."""
        assert self.process, "not started"
        return self.process.text()


class NextServer:
    """Answers a booting machine by TFTP (RFC 1350) and by HTTP; a context manager."""

    def __init__(self, guest: Guest) -> None:
        with guest.namespace.entered():
            self._tftp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._http = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._tftp.bind(("", 69))
        self._http.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._http.bind(("", 80))
        self._http.listen()
        for listening in (self._tftp, self._http):
            listening.settimeout(BOOT_TIMEOUT_S)

    def __enter__(self) -> NextServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._tftp.close()
        self._http.close()

    def tftp(self, content: bytes | None) -> str:
        """Wait for a request by TFTP, answer it, and return the name that it asks for.

        `content`, of less than 512 bytes, is the file; None is for none of that name.
        """
        request, client = self._tftp.recvfrom(1500)
        assert request[:2] == b"\0\1", "not a read request"
        not_found = b"\0\5\0\1not found\0"
        self._tftp.sendto(not_found if content is None else b"\0\3\0\1" + content, client)
        return request[2:].partition(b"\0")[0].decode()

    def http(self) -> str:
        """Wait for a request by HTTP, answer that there is no such file, return its first line."""
        connection, _ = self._http.accept()
        with connection:
            request = connection.recv(1500)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return request.partition(b"\r\n")[0].decode()
