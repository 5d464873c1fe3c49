"""A program with the line protocol as a system under test: JSON lines in and out, settings in its environment.

The lines are those of `simbench.client.lines`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from simbench.base.inputs import LONGEST_LINE
from simbench.bench.sut import faketime
from simbench.bench.sut.child_process import Child, last_lines
from simbench.bench.sut.process_tree import processor_wait_s
from simbench.bench.sut.protocol import CannotRun, Capabilities, ClockGiven, Maintenance, Report, SutFailed, Target
from simbench.client import lines, messages
from simbench.client.messages import Outgoing
from simbench.ledger.stimuli import LATER

READY_WAIT_S = 10.0
LONGEST_START_S = 60.0  # the most that the limit grows by waits for a processor
STOP_WAIT_S = 10.0
LAST_WORDS_S = 1.0  # time to read the output written before a program's end
WRITE_WAIT_S = 30.0  # a program that has not read its input for this long hangs
MOST_LINES, LINES_AN_ASK = 10_000, 50  # a program with more lines of output is stopped
UNSUPPORTED = 127  # exit status of a program that cannot run here

# Report kind of each line of the program.
REPORTS: dict[type, Callable[[Any], Report]] = {
    lines.Queued: lambda line: Report("queued", line.token),
    lines.Accepted: lambda line: Report("accepted", line.token, line.scts),
    lines.Refused: lambda line: Report("refused", line.token, line.ec if line.final else f"{line.ec}{LATER}"),
    messages.Delivered: lambda line: Report("delivered", line.token, line.reason),
    messages.Undelivered: lambda line: Report("undelivered", line.token, line.reason),
    messages.Buffered: lambda line: Report("buffered", line.token, line.reason),
    messages.Withheld: lambda line: Report("withheld", line.token, line.reason),
    lines.Doubtful: lambda line: Report("doubtful", line.token),
    lines.Mo: lambda line: Report("mo", detail=line.text, code=line.code, subscriber=line.sender),
    lines.Error: lambda line: Report("error", detail=line.problem),
}


def _nobody(report: Report) -> None:
    """Discard reports before `start` sets a listener."""


class Command:
    """A client program, started with `argv`; `faults` are passed to a program with named faults.

    `environment` adds variables to those of the protocol. `clock` is the way to move its clock if an exercise needs
    that and the capabilities allow it: variables and lines of the protocol, or libfaketime.
    """

    def __init__(  # noqa: PLR0913 - one argument per setting, all but the first by name
        self,
        argv: Sequence[str],
        *,
        name: str = "",
        version: str = "",
        capabilities: Capabilities = Capabilities(),  # noqa: B008 - frozen, so one for all is safe
        faults: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        clock: Literal["lines", "faketime"] = "faketime",
    ) -> None:
        self.clock = clock
        self.argv, self.faults, self.environment = tuple(argv), faults, dict(environment or {})
        self.name, self.version, self.capabilities = name or self.argv[0], version, capabilities
        self.child: Child | None = None
        self._target: Target | None = None
        self._tell: Callable[[Report], None] = _nobody
        self._reader: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._asked = self._heard = 0
        self._flooded = False
        self._expected = True  # whether its end is expected

    async def start(self, target: Target, tell: Callable[[Report], None]) -> None:
        """Start the program and return when it reports ready.

        Raises SutFailed when it ends, or reports nothing for 10 s (without its waits for a processor); MissingTool when
        the program is missing; CannotRun on exit status 127.
        """
        self._target, self._tell = target, tell
        target.folder.mkdir(parents=True, exist_ok=True)
        await self._launch()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process id of the program, while it runs."""
        return (self.child.process.pid,) if self.child is not None and self.child.alive else ()

    async def send(self, ask: Outgoing) -> None:
        """Write one line; the report "queued" confirms it. Raises SutFailed if the program has ended or hangs."""
        self._asked += 1
        await self._write(ask)

    async def notice(self, maintenance: Maintenance) -> None:
        """Announce maintenance. Raises SutFailed if the program has ended."""
        await self._write(lines.Notice(maintenance.start_us, maintenance.end_us))

    async def move_clock(self, clock: ClockGiven) -> None:
        """Move the program's clock by a line of the protocol or through libfaketime. Raises SutFailed."""
        if self.clock == "lines":
            await self._write(lines.Clock(clock.epoch_us, clock.start_ns))
        else:
            assert self._target is not None, "the clock moves after start"
            faketime.move(self._target.folder, clock)
            await asyncio.sleep(faketime.CACHE_S)

    async def stop(self) -> None:
        """Request the program to stop; SIGKILL after 10 s. Processes it started in its group end as well."""
        self._expected = True
        if self.child is None:
            return
        with contextlib.suppress(SutFailed, TimeoutError):
            await asyncio.wait_for(self._write(lines.Stop()), LAST_WORDS_S)
        assert self.child.process.stdin is not None
        self.child.process.stdin.close()
        await self.child.end(STOP_WAIT_S, ask=False)
        await self._forget()

    async def kill(self) -> None:
        """Send SIGKILL without a request to stop, like a power failure; the spool remains."""
        self._expected = True
        if self.child is not None:
            self.child.kill()
            await self.child.end(0, ask=False)
            await self._forget()

    async def restart(self) -> None:
        """Start the program again with its spool, killing it first if it still runs. Raises the errors of `start`."""
        await self.kill()
        await self._launch()

    async def _launch(self) -> None:
        assert self._target is not None, "restart comes after start"
        self._ready.clear()
        self._expected = False
        log = self._target.folder / "client.log"
        environment = {**_environment(self._target, self.faults, self.clock == "lines"), **self.environment}
        if self._target.clock is not None and self.clock == "faketime":
            environment |= faketime.environment(self._target.folder, self._target.clock)
        self.child = await Child.start(self.name, self.argv, log, environment, piped=True)
        self._reader = asyncio.create_task(self._read(self.child))
        self._watcher = asyncio.create_task(self._watch(self.child, self._reader))
        await self._until_ready(self.child, self._watcher)
        if self._ready.is_set():
            return
        status = self.child.process.returncode
        problem: Exception = SutFailed(f"{self.name}: not ready after {READY_WAIT_S:g} s{last_lines([log])}")
        if status is not None:
            problem = self.child.ended()
        if status == UNSUPPORTED:
            problem = CannotRun(f"{self.name} reports that it cannot run here{last_lines([log])}")
        await self.kill()
        raise problem

    async def _until_ready(self, child: Child, ended: asyncio.Task[None]) -> None:
        """Wait until the program is ready, has ended or has used its time, without its waits for a processor."""
        now = asyncio.get_running_loop().time
        began = now()
        ready = asyncio.create_task(self._ready.wait())
        try:
            while not ready.done() and not ended.done():
                took = now() - began
                left = READY_WAIT_S + min(processor_wait_s(child.process.pid), LONGEST_START_S) - took
                if left <= 0:
                    break
                await asyncio.wait({ready, ended}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()

    async def _write(self, line: lines.Command) -> None:
        if self.child is None:
            raise SutFailed(f"{self.name} is not running")
        stdin = self.child.process.stdin
        assert stdin is not None
        try:
            stdin.write(lines.write(line))
            await asyncio.wait_for(stdin.drain(), WRITE_WAIT_S)
        except TimeoutError:
            raise SutFailed(f"{self.name} has not read its input for {WRITE_WAIT_S:g} s") from None
        except (OSError, RuntimeError) as error:
            raise self._ended(self.child) from error
        if self._flooded or not self.child.alive:
            raise self._ended(self.child)

    def _ended(self, child: Child) -> SutFailed:
        """Return the error for a program that has ended, possibly stopped by the bench."""
        if self._flooded:
            return SutFailed(f"{self.name} writes too much output: {self._heard} lines for {self._asked} messages")
        return child.ended()

    async def _read(self, child: Child) -> None:
        """Pass on the program's lines until it ends."""
        stdout = child.process.stdout
        assert stdout is not None
        rest = b""
        while octets := await stdout.read(65_536):
            *whole, rest = (rest + octets).split(b"\n")
            for line in whole:
                self._hear(line)
            if len(rest) > LONGEST_LINE:
                self._hear(rest)
                rest = b""
        if rest:
            self._hear(rest)

    async def _watch(self, child: Child, reader: asyncio.Task[None]) -> None:
        """Report an unexpected end of the program, after its last lines."""
        await child.gone()
        await asyncio.wait({reader}, timeout=LAST_WORDS_S)
        if not self._expected and self._ready.is_set():
            self._tell(Report("error", detail=str(self._ended(child))))

    def _hear(self, line: bytes) -> None:
        self._heard += 1
        if self._heard > MOST_LINES + LINES_AN_ASK * self._asked:
            if not self._flooded and self.child is not None:
                self._flooded = True
                self.child.kill()
            return
        report = understand(line)
        if isinstance(report, lines.Ready):
            self._ready.set()
        elif report is not None:
            self._tell(report)

    async def _forget(self) -> None:
        """Release a program that has ended, after reading its last lines."""
        tasks = {task for task in (self._reader, self._watcher) if task is not None}
        done, pending = await asyncio.wait(tasks, timeout=LAST_WORDS_S)
        for task in pending:
            task.cancel()
        for task in done:
            task.result()
        self.child = self._reader = self._watcher = None


def understand(line: bytes) -> Report | lines.Ready | None:
    """Read a line of the program: a report, ready, or nothing (an empty line).

    Any other line becomes a report of the kind "error".
    """
    if not line.strip():
        return None
    try:
        report = lines.parse_report(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        shown = line[:200].decode("utf-8", "replace")
        return Report("error", detail=f"not a line of the protocol: {error}: {shown}")
    return report if isinstance(report, lines.Ready) else REPORTS[type(report)](report)


def _environment(target: Target, faults: tuple[str, ...], by_lines: bool) -> dict[str, str]:
    """Return the variables of the line protocol."""
    clock = target.clock if by_lines else None  # a program under libfaketime would read this clock and miss its jumps
    moved = {
        "SIMBENCH_CLOCK_EPOCH_US": str(clock.epoch_us),
        "SIMBENCH_CLOCK_START_NS": str(clock.start_ns),
        "SIMBENCH_SPEED": str(clock.speed),
    } if clock is not None else {}  # fmt: skip
    return {
        **moved,
        **({"SIMBENCH_CONTRACT": target.contract} if target.contract else {}),
        "SIMBENCH_HOST": target.host,
        "SIMBENCH_PORT": str(target.port),
        "SIMBENCH_ACCOUNTS": msgspec.json.encode(target.accounts).decode(),
        "SIMBENCH_WINDOW": str(target.window),
        "SIMBENCH_KEEPALIVE_S": str(target.keepalive_s),
        "SIMBENCH_RESULT_TIMER_S": str(target.result_timer_s),
        "SIMBENCH_SPOOL": str(target.folder / "client.spool"),
        "SIMBENCH_PORTABILITY": str(target.portability or ""),
        "SIMBENCH_FAULT": ",".join(faults),
    }
