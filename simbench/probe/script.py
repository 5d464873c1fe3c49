"""The script of a probe: four connections to a platform, one after the other.

They test a wrong login; keepalive and subscribed rate with all notifications; operations to be refused; a burst.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec

from simbench.base.calendar import Calendar
from simbench.contract import Contract
from simbench.ledger.rows import Rows
from simbench.probe.correlation import LEAD_S, key_of, named, notified
from simbench.probe.link import Connect, Link, Seen
from simbench.ucp.frame import encode
from simbench.ucp.operations import build

LOGIN, ALERT, SUBMIT = "login", "alert", "submit"
WRONG_LOGIN, CHECKSUM, UNKNOWN, STRANGER, BEYOND = "wrong-login", "checksum", "unknown", "stranger", "beyond"
TEXT: Final = "Essai de la liaison"
NOBODYS_CODE: Final = "36999"
UNKNOWN_OT: Final = "59"
BURST: Final = 3  # windows of operations sent at once, plus one second of messages
BURST_S: Final = 4.0  # wait for the burst's results: ignored operations get none
QUIET_S: Final = 2.0  # wait for repeated and stray results
Progress = Callable[[str], object]


class Target(msgspec.Struct, frozen=True):
    """The platform, and the account used to probe it. Messages go to `recipients`, in turn."""

    host: str
    port: int
    account: str
    password: str
    code: str
    rate_per_s: int
    recipients: tuple[str, ...]
    window: int
    seconds: float = 20.0
    answer_s: float = 10.0  # longest wait for a result
    notice_s: float = 60.0  # longest wait for notifications


class Probed(msgspec.Struct, frozen=True):
    """The record of a probe: its connections by name, its target and contract."""

    target: Target
    contract: Contract
    sessions: dict[str, Seen]


class _Driver:
    """One running probe."""

    def __init__(
        self, target: Target, calendar: Calendar, connect: Connect, now: Callable[[], int], wire: Rows
    ) -> None:
        self.calendar = calendar
        self.target, self._connect, self._now, self._wire = target, connect, now, wire
        self.sessions: dict[str, Seen] = {}

    def _note(self, number: int, row: tuple[object, ...]) -> None:
        self._wire.append((row[0], number, *row[2:]))

    async def link(self, name: str) -> Link:
        """Return a new connection, or a link that could not be opened."""
        link = Link(name, self._now, partial(self._note, len(self.sessions) + 1))
        self.sessions[name] = link.seen
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(self.target.answer_s):
                await self._connect(lambda: link, self.target.host, self.target.port)
        return link

    async def login(self, link: Link, password: str, what: str = LOGIN) -> bool:
        """Log in; return whether the platform accepted."""
        if not link.open:
            return False
        fields = {
            "OAdC": self.target.account, "OTON": "6", "ONPI": "5", "STYP": "1",
            "PWD": password.encode("latin-1", "replace").hex().upper(), "VERS": "0100",
        }  # fmt: skip
        login = link.send("60", what, lambda trn: build("60", "O", trn, **fields))
        await link.until(lambda: bool(login.results), self.target.answer_s)
        return login.accepted

    def submit(self, link: Link, number: int, what: str = SUBMIT, code: str = "") -> None:
        """Submit one message requesting a final notification; each text is different."""
        to = self.target.recipients[number % len(self.target.recipients)]
        fields = {
            "AdC": to, "OAdC": code or self.target.code, "NRq": "1", "NT": "3", "MT": "3",
            "Msg": f"{TEXT} {number}".encode().hex().upper(),
        }  # fmt: skip
        link.send("51", what, lambda trn: build("51", "O", trn, **fields))


async def run_probe(
    target: Target, contract: Contract, connect: Connect, now: Callable[[], int], wire: Rows, progress: Progress
) -> Probed:
    """Probe a platform, without raising for anything the platform does; `wire` receives ledger rows."""
    driver = _Driver(target, contract.calendar, connect, now, wire)
    for title, step in STEPS:
        progress(title)
        await step(driver)
    return Probed(target, contract, driver.sessions)


async def _stranger(driver: _Driver) -> None:
    link = await driver.link("stranger")
    await driver.login(link, f"{driver.target.password}x", WRONG_LOGIN)
    link.close()


async def _traffic(driver: _Driver) -> None:
    """Send a keepalive, then messages at the rate: each at its instant, or later while the window is full."""
    target, link = driver.target, await driver.link("traffic")
    if await driver.login(link, target.password):
        alert = link.send("31", ALERT, lambda trn: build("31", "O", trn, AdC=target.code, PID="0539"))
        await link.until(lambda: bool(alert.results), target.answer_s)
        await link.until(lambda: False, LEAD_S)
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number in range(round(target.rate_per_s * target.seconds)):
            await asyncio.sleep(max(0.0, start + number / target.rate_per_s - loop.time()))
            if not await link.until(lambda: link.waiting < target.window, target.answer_s):
                break
            driver.submit(link, number)
        await link.until(lambda: not link.waiting, target.answer_s)
        await link.until(lambda: _all_notified(link.seen, driver.calendar), target.notice_s)
        await link.until(lambda: False, QUIET_S)
    link.close()


def _all_notified(seen: Seen, calendar: Calendar) -> bool:
    """Return whether every accepted message has its notification.

    Counts are compared first, to save time at each read.
    """
    if len(seen.heard) < sum(one.accepted for one in seen.of(SUBMIT)):
        return False
    accepted = {key for one in seen.of(SUBMIT) if (key := named(one)) is not None}
    return accepted <= {key_of(frame) for _, frame in notified(seen, calendar)[0]}


async def _refusals(driver: _Driver) -> None:
    """Send, one at a time, a wrong checksum, an unknown operation, and an originator that is not in service."""
    target, link = driver.target, await driver.link("refusals")
    if await driver.login(link, target.password):
        link.send("51", CHECKSUM, _wrong_checksum)
        await link.until(lambda: not link.waiting, target.answer_s)
        link.send(UNKNOWN_OT, UNKNOWN, lambda trn: encode(f"{trn:02d}", "O", UNKNOWN_OT, "/" * 3))
        await link.until(lambda: not link.waiting, target.answer_s)
        driver.submit(link, 0, STRANGER, NOBODYS_CODE)
        await link.until(lambda: not link.waiting, target.answer_s)
    link.close()


def _wrong_checksum(trn: int) -> bytes:
    octets = build("51", "O", trn, AdC="0", OAdC="0", MT="3", Msg="41")
    return octets[:-3] + b"%02X\x03" % ((int(octets[-3:-1], 16) + 1) % 256)


async def _burst(driver: _Driver) -> None:
    """Send far more operations at once than window and rate allow."""
    target, link = driver.target, await driver.link("burst")
    if await driver.login(link, target.password):
        for number in range(min(90, BURST * target.window + target.rate_per_s)):
            driver.submit(link, number, BEYOND)
        await link.until(lambda: not link.waiting, BURST_S)
    link.close()


STEPS: Final[Sequence[tuple[str, Callable[[_Driver], Awaitable[None]]]]] = (
    ("a login with a wrong password", _stranger),
    ("the subscribed rate and its notifications", _traffic),
    ("operations to be refused", _refusals),
    ("more operations at once than the window allows", _burst),
)
