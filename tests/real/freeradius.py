"""FreeRADIUS with its own configuration on a loopback port of its own, stopped by its process id."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.ports import lasting_port
from tests.real.conftest import require

SECRET = b"testing123"
DEADLINE_S = 300.0
CONFIG = """
prefix = /usr
libdir = {libdir}
confdir = {folder}
logdir = {folder}
run_dir = {folder}
pidfile = {folder}/freeradius.pid
max_requests = 65536
cleanup_delay = 1
proxy_requests = no
hostname_lookups = no
log {{
  destination = files
  file = {folder}/radius.log
}}
thread pool {{
  start_servers = 2
  max_servers = 2
  min_spare_servers = 1
  max_spare_servers = 2
  max_requests_per_server = 0
}}
client loopback {{
  ipaddr = 127.0.0.1
  secret = {secret}
  require_message_authenticator = no
}}
modules {{
  detail {{
    filename = {folder}/detail
    header = "%t"
    permissions = 0600
    locking = no
  }}
}}
server accounting {{
  listen {{
    type = acct
    ipaddr = 127.0.0.1
    port = {port}
  }}
  accounting {{
    detail
  }}
}}
"""


class FreeRadius:
    """One server: `start` and `stop` may be called again and again; its detail file is `detail`."""

    def __init__(self, folder: Path, secret: bytes = SECRET, zone: str = "UTC", prefix: tuple[str, ...] = ()) -> None:
        self.program = require("freeradius", package="freeradius")
        self.folder, self._zone, self._prefix = folder, zone, prefix
        self.detail, self._log = folder / "detail", folder / "radius.log"
        self.port = lasting_port(socket.SOCK_DGRAM)
        folder.mkdir(parents=True, exist_ok=True)
        libdir = next(Path("/usr/lib").glob("**/freeradius/libfreeradius-server.so"), Path("/usr/lib/freeradius/x"))
        config = CONFIG.format(folder=folder, port=self.port, secret=secret.decode(), libdir=libdir.parent)
        (folder / "radiusd.conf").write_text(config)
        (folder / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until its log reports that it is ready."""
        self._log.unlink(missing_ok=True)
        command = [*self._prefix, self.program, "-d", str(self.folder), "-n", "radiusd", "-f"]
        with (self.folder / "output.log").open("ab") as output:
            environment = {**os.environ, "TZ": self._zone}
            self._process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        deadline = time.monotonic() + DEADLINE_S
        while "Ready to process requests" not in self.log():
            assert self._process.poll() is None, (self.folder / "output.log").read_text() + self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.01)

    def log(self) -> str:
        """The text of its log."""
        return self._log.read_text() if self._log.exists() else ""

    def stop(self) -> None:
        """End it, by its id, and wait for its end: its file then has every record that it answered."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
