"""A listener for the reports of a system under test, on which a test can wait."""

from __future__ import annotations

import asyncio

from simbench.bench.sut.protocol import Report


class Listener:
    """Keeps every report in order; pass it as `tell`."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self._changed = asyncio.Event()

    def __call__(self, report: Report) -> None:
        self.reports.append(report)
        self._changed.set()

    def of(self, kind: str) -> list[Report]:
        """The reports of one kind."""
        return [report for report in self.reports if report.kind == kind]

    async def hears(self, kind: str, count: int = 1, wait_s: float = 300.0) -> list[Report]:
        """Wait for that many reports of a kind. Raises AssertionError, which lists the reports received instead."""
        try:
            async with asyncio.timeout(wait_s):
                while len(self.of(kind)) < count:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{len(self.of(kind))} of {count} {kind!r} in {self.reports}") from None
        return self.of(kind)
