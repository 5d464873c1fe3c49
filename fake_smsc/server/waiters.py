"""Tasks that wait for a condition on a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Waiters:
    """Conditions, with the futures that they complete."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    async def until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until a condition holds. Returns False after `timeout_s` (real seconds)."""
        if condition():
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = (condition, future)
        self.waiting.append(waiter)
        try:
            await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            return False
        finally:
            if waiter in self.waiting:
                self.waiting.remove(waiter)
        return True

    def wake(self) -> None:
        """Complete the futures whose conditions hold, after a possible change."""
        for condition, future in list(self.waiting):
            if future.done():
                continue
            try:
                if condition():
                    future.set_result(None)
            except Exception as error:  # of whoever waits, not of the server
                future.set_exception(error)
