"""Two network namespaces that reach each other through IPsec only, by strongSwan in user space. Runs no test itself.

Each side has a namespace, a configuration and a `charon` of its own, ended by process id. The outside is a pair of
virtual Ethernet ends; the inside an address on the loopback device that only the tunnel leads to. ESP goes in UDP 4500.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple, Self

CHARON = "/usr/lib/ipsec/charon"
OUTER = ("192.0.2.1", "192.0.2.2")  # documentation addresses (RFC 5737)
INNER = ("198.51.100.1", "198.51.100.2")
DEADLINE_S = 300.0

STRONGSWAN = """
charon {{
  load = random nonce aes sha1 sha2 hmac kdf gmp curve25519 kernel-libipsec kernel-netlink socket-default vici updown
  filelog {{ log {{ path = {folder}/charon.log
    flush_line = yes
    default = 1
    chd = 4 }} }}
  plugins {{ vici {{ socket = unix://{folder}/vici }} }}
}}
"""

SWANCTL = """
connections {{ bench {{
  version = 2
  local_addrs = {outer_here}
  remote_addrs = {outer_there}
  encap = yes
  proposals = aes128-sha256-curve25519
  local {{ auth = psk
    id = {outer_here} }}
  remote {{ auth = psk
    id = {outer_there} }}
  children {{ ucp {{
    local_ts = {inner_here}/32
    remote_ts = {inner_there}/32
    esp_proposals = aes128-sha256
  }} }}
}} }}
secrets {{ ike-bench {{ secret = "only for this test" }} }}
"""


class Key(NamedTuple):
    """The SPI and the two keys of one direction of the tunnel."""

    spi: int
    encryption: bytes
    integrity: bytes


class Forbidden(Exception):
    """The machine does not let us make namespaces or tunnels; says why."""


class Tunnel:
    """Sides 0 and 1, joined. Use as a context manager; `run` starts a program in a side's namespace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = tuple(f"sb{os.getpid()}{side}" for side in "ab")
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            self._plumb()
            for side in (0, 1):
                self._start_charon(side)
            self._swanctl(0, "--initiate", "--child", "ucp")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._started):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            if process.stderr is not None:
                process.stderr.close()
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def inside(self, side: int, *command: str) -> list[str]:
        """A command line that runs in the namespace of a side."""
        return ["ip", "netns", "exec", self.names[side], *command]

    def capture(self, path: Path) -> subprocess.Popen[bytes]:
        """Everything that crosses the outside from now on, written to a file until the process is ended."""
        command = self.inside(1, "tcpdump", "-i", f"{self.names[1]}v", "-U", "--immediate-mode", "-w", str(path))
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        assert process.stderr is not None
        assert any(b"listening on" in line for line in process.stderr)
        self._started.append(process)
        return process

    def opening(self) -> tuple[Key, Key]:
        """Keys of both directions, as the daemon of side 0 prints them: what it sends with, what it receives with."""
        reported = (self.folder / "0" / "charon.log").read_text(errors="replace")
        spis = re.findall(r"CHILD_SA ucp\{\d+\} established with SPIs ([0-9a-f]{8})_i ([0-9a-f]{8})_o", reported)[-1]
        found = [_dumped(reported, f"{what} {who} key") for who in ("initiator", "responder") for what in _KINDS]
        return Key(int(spis[1], 16), found[0], found[1]), Key(int(spis[0], 16), found[2], found[3])

    def _plumb(self) -> None:
        first, second = self.names
        for name in self.names:
            _ip("netns", "add", name)
        _ip("link", "add", f"{first}v", "type", "veth", "peer", "name", f"{second}v")
        for side, name in enumerate(self.names):
            _ip("link", "set", f"{name}v", "netns", name)
            _ip("-n", name, "addr", "add", f"{OUTER[side]}/24", "dev", f"{name}v")
            _ip("-n", name, "addr", "add", f"{INNER[side]}/32", "dev", "lo")
            for device in ("lo", f"{name}v"):
                _ip("-n", name, "link", "set", device, "up")

    def _start_charon(self, side: int) -> None:
        here = self.folder / str(side)
        here.mkdir(parents=True)
        (here / "strongswan.conf").write_text(STRONGSWAN.format(folder=here))
        ends = {"outer_here": OUTER[side], "outer_there": OUTER[1 - side]}
        (here / "swanctl.conf").write_text(SWANCTL.format(**ends, inner_here=INNER[side], inner_there=INNER[1 - side]))
        # A /run of its own, or two daemons would take one another's process id file.
        script = f"mount -t tmpfs tmpfs /run && STRONGSWAN_CONF={here}/strongswan.conf exec {CHARON}"
        with (here / "start.log").open("wb") as log:
            command = self.inside(side, "sh", "-c", script)
            self._started.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        deadline = time.monotonic() + DEADLINE_S
        while not (here / "vici").exists():
            if self._started[-1].poll() is not None or time.monotonic() > deadline:
                raise Forbidden(f"charon does not start: {(here / 'start.log').read_text()[-300:]}")
            time.sleep(0.02)
        self._swanctl(side, "--load-all", "--file", str(here / "swanctl.conf"))

    def _swanctl(self, side: int, *arguments: str) -> None:
        uri = f"unix://{self.folder / str(side) / 'vici'}"
        done = subprocess.run(
            self.inside(side, "swanctl", *arguments, "--uri", uri), capture_output=True, text=True, check=False,
            timeout=DEADLINE_S,
        )  # fmt: skip
        if done.returncode:
            raise Forbidden(f"swanctl {arguments[0]}: {(done.stdout + done.stderr)[-300:]}")


_KINDS = ("encryption", "integrity")


def _dumped(reported: str, title: str) -> bytes:
    """The octets of the last hexadecimal dump under a title in the daemon's log."""
    start = reported.rindex(title)
    octets = bytearray()
    length = int(re.search(r"=> (\d+) bytes", reported[start:])[1])  # type: ignore[index]  # the log always says it
    for line in reported[start:].splitlines()[1:]:
        found = re.search(r"\d+: ((?:[0-9A-F]{2} ?)+)", line)
        if found is None or len(octets) >= length:
            break
        octets += bytes.fromhex(found[1])
    return bytes(octets[:length])


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Forbidden(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
