"""Kannel 1.4 as a system under test: its two boxes, its sendsms interface, and its reports over HTTP.

All ports are on the loopback interface; only Kannel's own link connects to the target.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes, urlencode

import msgspec

from simbench.base.errors import MissingTool
from simbench.bench.sut import faketime
from simbench.bench.sut.child_process import Child, find_program, free_ports, listens
from simbench.bench.sut.http_door import HttpDoor, NoAnswer
from simbench.bench.sut.kannel_config import EVERYTHING, LOOPBACK, USER, Ports, configuration, result_timer_s
from simbench.bench.sut.protocol import CLAIMS, Capabilities, ClockGiven, Report, SutFailed, Target
from simbench.client.messages import Outgoing
from simbench.contract.load import contract_named
from simbench.ledger.stimuli import ReportKind
from simbench.ucp import alphabet

PACKAGE = "kannel"
START_WAIT_S = 30.0
STARTS = 5  # attempts; another program may take a port between its choice and Kannel's use of it
TAKEN = "Address already in use"  # in Kannel's log
STOP_WAIT_S = 3.0
LOG_LEVEL = "1"  # everything but debugging, to standard error

KINDS: Final[dict[str, ReportKind]] = {
    "1": "delivered",
    "2": "undelivered",
    "4": "buffered",
    "8": "accepted",
    "16": "refused",
}
ANSWERS: Final[dict[int, ReportKind]] = {202: "queued", 400: "withheld", 403: "withheld"}  # anything else: error
CAPABILITIES = Capabilities(
    **{name: name in {"limits_rate", "reports_outcomes"} for name in CLAIMS},
    clock="fixed",
    result_timer_s=81,  # wait-ack 30 and a keepalive of 50, the defaults of a target
)


class Kannel:
    """One bearerbox and one smsbox. `capabilities.result_timer_s` follows from the target of `start`."""

    name = "kannel"

    def __init__(self) -> None:
        self.version = ""
        self.capabilities = CAPABILITIES
        if faketime.library() is not None:
            self.capabilities = msgspec.structs.replace(CAPABILITIES, clock="offset")
        self._folder = Path()
        self.children: list[Child] = []  # in order of start
        self._watches: list[asyncio.Task[None]] = []
        self._door = HttpDoor(self.name, lambda path, query: self._tell(understand(path, query)))
        self._tell: Callable[[Report], None] = lambda report: None  # noqa: ARG005 - nobody listens before `start`
        self._failed: SutFailed | None = None
        self._secret = secrets.token_hex(8)
        self._sendsms = ""
        self._callback = ""

    async def start(self, target: Target, tell: Callable[[Report], None]) -> None:
        """Write the configuration, start both boxes, return when sendsms answers; links may not be connected yet.

        Raises MissingTool, SutFailed, and BadInput for an account that the configuration cannot express.
        """
        programs = [find_program(program, PACKAGE) for program in ("bearerbox", "smsbox")]
        self.version = await _version(programs[0])
        self.capabilities = msgspec.structs.replace(self.capabilities, result_timer_s=result_timer_s(target))
        self._tell, self._failed, self._folder = tell, None, target.folder
        try:
            ports = await self._on_free_ports(programs, target, await self._door.open())
        except BaseException:
            await self.stop()
            raise
        self._sendsms = f"http://{LOOPBACK}:{ports.sendsms}/cgi-bin/sendsms?"
        self._callback = f"http://{LOOPBACK}:{ports.callback}/dlr?type=%d&answer=%A&token="
        self._watches = [asyncio.create_task(self._watch(child)) for child in self.children]

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of both boxes, while they run."""
        return tuple(child.process.pid for child in self.children if child.alive)

    async def send(self, ask: Outgoing) -> None:
        """Request one message by sendsms and report whether Kannel accepted it.

        Raises SutFailed if Kannel has ended.
        """
        if not self._door.is_open or self._failed is not None:
            raise self._failed or SutFailed("Kannel is not running")
        try:
            status, text = await self._door.call(self._sendsms + urlencode(self._query(ask)))
        except NoAnswer as error:
            dead = next((child for child in self.children if not child.alive), None)
            raise dead.ended() if dead else SutFailed(f"sendsms {error}") from error
        self._tell(Report(ANSWERS.get(status, "error"), ask.token, f"{status} {text}"))

    async def move_clock(self, clock: ClockGiven) -> None:
        """Move the clock of both boxes, which run under libfaketime."""
        faketime.move(self._folder, clock)
        await asyncio.sleep(faketime.CACHE_S)

    async def stop(self) -> None:
        """Stop smsbox, then bearerbox, then the server for their reports."""
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        self._watches = []
        await self._end_boxes()
        await self._door.close()

    async def _end_boxes(self) -> None:
        for child in reversed(self.children):
            await child.end(STOP_WAIT_S)
        self.children = []

    async def _on_free_ports(self, programs: list[str], target: Target, callback: int) -> Ports:
        """Start both boxes, on other ports if one is in use. Raises SutFailed."""
        for left in reversed(range(STARTS)):
            admin, smsbox, sendsms = free_ports(3)
            ports = Ports(admin, smsbox, sendsms, callback)
            try:
                await self._start_boxes(programs, target, ports)
                break
            except SutFailed:
                taken = any(TAKEN in child.log.read_text("utf-8", "replace") for child in self.children)
                if not left or not taken:
                    raise
                await self._end_boxes()
        return ports

    async def _start_boxes(self, programs: list[str], target: Target, ports: Ports) -> None:
        target.folder.mkdir(parents=True, exist_ok=True)
        (target.folder / "spool").mkdir(exist_ok=True)
        file = target.folder / "kannel.conf"
        file.touch(mode=0o600)  # the file contains passwords
        file.write_text(configuration(target, ports, self._secret), "ascii")
        for program, port in zip(programs, (ports.smsbox, ports.sendsms), strict=True):
            name = program.rpartition("/")[2]
            log = target.folder / f"{name}.log"
            argv = [program, "-v", LOG_LEVEL, str(file)]
            # Kannel derives the validity period from its own civil time, so it needs the platform's time zone.
            zone = {"TZ": contract_named(target.contract).calendar.zone}
            moved = faketime.environment(target.folder, target.clock) if target.clock else {}
            self.children.append(await Child.start(name, argv, log, zone | moved))
            await listens(port, self.children, START_WAIT_S)

    async def _watch(self, child: Child) -> None:
        """Report a box that ends unexpectedly."""
        await child.gone()
        self._failed = self._failed or child.ended()
        self._tell(Report("error", detail=str(child.ended())))

    def _query(self, ask: Outgoing) -> dict[str, str]:
        gsm = alphabet.is_gsm(ask.text)
        query = {
            "username": USER,
            "password": self._secret,
            "smsc": ask.code,
            "from": ask.oadc or ask.code,
            "to": ask.recipient,
            "text": ask.text,
            "charset": "utf-8",
            "coding": "0" if gsm else "2",
            "dlr-mask": str(EVERYTHING),
            # As hexadecimal, because Kannel expands every "%" in this address.
            "dlr-url": self._callback + ask.token.encode().hex(),
        }
        if ask.validity_s:
            query["validity"] = str(max(1, ask.validity_s // 60))  # Kannel counts in minutes
        return query


def understand(path: str, query: str) -> Report:
    """Convert one call from Kannel to a report; an unknown call becomes a report of the kind "error".

    The octets of a text are not decoded until its coding is known.
    """
    given = dict(pair.partition("=")[::2] for pair in query.split("&"))
    values = {key: unquote_to_bytes(value.replace("+", " ")) for key, value in given.items()}
    try:
        if path == "/mo":
            text = values["text"].decode("utf-16-be" if values["coding"] == b"2" else "utf-8", "replace")
            return Report("mo", detail=text, code=values["to"].decode(), subscriber=values["from"].decode())
        answer = values["answer"].decode("utf-8", "replace")
        mark = bytes.fromhex(values["token"].decode()).decode()
        refused = re.match(r"NACK/(\d\d)-", answer)
        return Report(KINDS[values["type"].decode()], mark, refused[1] if refused else answer.removeprefix("ACK/"))
    except (KeyError, ValueError) as error:
        return Report("error", detail=f"Kannel called {path}?{query}, which is not a valid report: {error!r}")


async def _version(bearerbox: str) -> str:
    """Return the version that bearerbox reports, "" without one."""
    process = await asyncio.create_subprocess_exec(
        bearerbox, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    found = re.search(r"version `([^']+)'", output.decode("utf-8", "replace"))
    return found[1] if found else ""


def installed() -> bool:
    """Tell whether both boxes are installed."""
    with contextlib.suppress(MissingTool):
        return bool(find_program("bearerbox", PACKAGE) and find_program("smsbox", PACKAGE))
    return False
