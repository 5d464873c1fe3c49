"""Programs that the bench starts: one child process each, in its own process group, with a log file.

Signals are sent only to processes it started, by their ids.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import secrets
import shutil
import signal
import socket
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from simbench.base.errors import MissingTool
from simbench.base.outputs import owned
from simbench.bench.sut.protocol import SutFailed

ADMIN_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"  # folders of daemons, which the PATH of an ordinary user lacks
KILL_WAIT_S = 1.0
ENDS_S = 30.0  # a process that SIGKILL has not ended by then hangs in the kernel
LOOK_S = 0.01  # interval of polling
LAST_LINES = 15  # a crashing Kannel box logs a dozen lines of its stack after the reason
LARGEST_FILE = 1 << 28  # limit of any file a program writes, including its log
MARK = "SIMBENCH_CHILD"  # environment variable with a value unique to a program and its descendants
SOCKETS = Path("/proc/net/tcp")


def find_program(program: str, package: str) -> str:
    """Return the path of a program. Raises MissingTool, which names its package."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{ADMIN_FOLDERS}")
    if path is None:
        raise MissingTool(f"{program} is not installed; install the package {package}")
    return path


def free_ports(count: int) -> list[int]:
    """Return so many TCP ports of the loopback interface that currently have no listener."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Child:
    """One running program. Standard error goes to `log`, and standard output too unless it is piped."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path, token: str = "") -> None:
        self.name, self.process, self.log, self._token = name, process, log, token
        self._killed: set[int] = set()  # processes that may not have ended yet

    @classmethod
    async def start(
        cls, name: str, argv: Sequence[str], log: Path, env: Mapping[str, str], *, piped: bool = False
    ) -> Child:
        """Start a program, with pipes to its input and from its output if `piped`. Raises MissingTool, SutFailed."""
        token = secrets.token_hex(16)
        with owned(log, "ab") as messages:
            try:
                process = await asyncio.create_subprocess_exec(
                    *argv,
                    stdin=asyncio.subprocess.PIPE if piped else asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE if piped else messages,
                    stderr=messages,
                    env={**os.environ, **env, MARK: token},
                    start_new_session=True,
                )
            except FileNotFoundError as error:
                raise MissingTool(f"{name}: program {argv[0]} does not exist") from error
            except OSError as error:
                raise SutFailed(f"{name}: {argv[0]} cannot be started: {error.strerror}") from error
        with contextlib.suppress(ProcessLookupError):  # the process may have ended
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
        return cls(name, process, log, token)

    @property
    def alive(self) -> bool:
        """Whether the program still runs."""
        return self.process.returncode is None

    def ended(self) -> SutFailed:
        """Return the error with the way the program ended and the end of its log."""
        status = self.process.returncode
        how = "is gone" if status is None else f"ended with status {status}"
        if status is not None and status < 0:
            how = f"was ended by {signal.Signals(-status).name}"
        return SutFailed(f"{self.name} {how}{last_lines([self.log])}")

    def kill(self) -> None:
        """SIGKILL the program and its descendants, inside its process group or not."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for pid in _bearers(self._token) if self._token else ():
            self._killed.add(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def gone(self) -> None:
        """Wait for the end of the program. `Process.wait` would also wait for other processes with its pipes."""
        while self.alive:  # noqa: ASYNC110 - asyncio offers no event for the end of the process alone
            await asyncio.sleep(LOOK_S)

    async def end(self, wait_s: float, *, ask: bool = True) -> None:
        """Send SIGTERM (if `ask`), wait `wait_s` seconds, send SIGKILL; returns when all descendants have ended."""
        if ask and self.alive:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gone(), wait_s)
        self.kill()
        with contextlib.suppress(TimeoutError):  # a process outside the group may keep the pipes open
            await asyncio.wait_for(self.process.wait(), KILL_WAIT_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDS_S):
                while self._killed:
                    while any(map(_runs, self._killed)):  # noqa: ASYNC110 - as above; freeing much memory takes time
                        await asyncio.sleep(LOOK_S)
                    self._killed.clear()
                    self.kill()  # what was started before its parent ended


def _runs(pid: int) -> bool:
    """Tell whether a process has not ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def _bearers(token: str) -> list[int]:
    """Return the processes whose initial environment has this token."""
    wanted = f"{MARK}={token}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # the process may have ended, or belongs to another user
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
    return found


async def listens(port: int, children: Sequence[Child], wait_s: float) -> None:
    """Wait until a child, or without children any process, listens on this loopback port.

    Raises SutFailed if a child ends first, and on time-out.

    It polls without connecting, because a program may pause after each connection (bearerbox: one second).
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while not ((held := _listening(port)) and (not children or any(_has(child, held) for child in children))):
        for child in children:
            if not child.alive:
                raise child.ended()
        if loop.time() > deadline:
            last = children[-1]
            raise SutFailed(f"{last.name}: nothing listens on {port} after {wait_s:g} s{last_lines([last.log])}")
        await asyncio.sleep(LOOK_S)


def _listening(port: int) -> set[str]:
    """Return the socket that listens on 127.0.0.1 at this port, as named in `/proc`; empty if there is none."""
    address = f"0100007F:{port:04X}"  # format of the kernel's table
    rows = (line.split() for line in SOCKETS.read_text("ascii").splitlines() if f" {address} " in line)
    return {f"socket:[{row[9]}]" for row in rows if (row[1], row[3]) == (address, "0A")}


def _has(child: Child, sockets: set[str]) -> bool:
    with contextlib.suppress(OSError):  # the process may have ended or closed the file
        return any(os.readlink(file) in sockets for file in Path(f"/proc/{child.process.pid}/fd").iterdir())
    return False


def last_lines(logs: Iterable[Path]) -> str:
    """Return the end of the first non-empty log, each line indented; "" if all are empty."""
    for log in logs:
        if log.is_file() and (lines := log.read_text("utf-8", "replace")[-8192:].splitlines()[-LAST_LINES:]):
            return "; its log ends:\n" + "\n".join(f"    {line}" for line in lines)
    return ""
