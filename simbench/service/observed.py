"""Observes a running SMSC, with or without an API: counts, latest events, messages for searches, the log."""

from __future__ import annotations

import asyncio

from fake_smsc.server.live import LiveSmsc
from fake_smsc.ucp_gateway.logins import LoginSeen
from simbench.service.log import EventLog, frame_id
from simbench.service.messages import MessageSearch
from simbench.service.refusals import Refusals
from simbench.service.watch import Watch

LOOK_S = 0.5  # interval at which the log reads the ledger


class Observed:
    """Use as an async context manager while the SMSC is served.

    The memory and files of searches are released `searched_s` after the last one.
    """

    def __init__(self, smsc: LiveSmsc, log: EventLog, searched_s: float = 60.0) -> None:
        self.smsc, self.log = smsc, log
        self.watch = Watch(smsc.control, log)
        self.search = MessageSearch(smsc.ledger, smsc.contract)
        self.refusals = Refusals(smsc.ledger, log)
        self._searched_s = searched_s
        self._tasks: list[asyncio.Task[None]] = []
        if log.enabled:  # before the port is opened
            smsc.server.on_line = lambda what, at, session, text: log.event(
                f"session {what}", at=at, session=session, peer=text
            )
            smsc.server.gateway.report_logins(self._login)

    async def __aenter__(self) -> Observed:
        self._tasks = [asyncio.create_task(self.watch.run()), asyncio.create_task(self._follow())]
        self.smsc.server.intake.on_problem = lambda problem: self.log.event("ledger", problem=problem)
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.log.enabled:
            await self.watch.look()
            await asyncio.to_thread(self.refusals.follow)
        self.search.forget()
        self.log.close()

    def _login(self, seen: LoginSeen) -> None:
        """Log a login when it is decided, so that the log has all logins in order."""
        refused = {"ec": seen.ec, "why": seen.why} if seen.why else {}
        self.log.event(
            "login refused" if seen.why else "login accepted", id=frame_id(seen.session, seen.at, seen.trn),
            at=seen.at, session=seen.session, account=seen.account, peer=seen.peer, kind=seen.kind, **refused,
        )  # fmt: skip

    async def _follow(self) -> None:
        """Read refusals for the log, and release the memory of searches some time after the last one."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if self.log.enabled:
                    await asyncio.to_thread(self.refusals.follow)
                    self.log.settle()
                if self.search.holds() and self.search.idle_s() > self._searched_s:
                    await asyncio.to_thread(self.search.forget)
            except Exception as error:  # the SMSC must continue
                self.smsc.control.trouble(f"the log names no more refusals: {error}")
                return
