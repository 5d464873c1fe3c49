"""A client under test, driven in this process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from simbench import Capabilities, Client, Outgoing, Target


class AcmeClient:
    """The client of Acme, which shouts."""

    name, version = "acme", "1.0"

    def __init__(self) -> None:
        self.capabilities = Capabilities(limits_rate=True)
        self._running = ExitStack()
        self._clients: dict[str, Client] = {}

    async def start(self, target: Target, tell: Callable[[Any], None]) -> None:
        """Connect each account."""
        del tell  # it reports nothing
        for account in target.accounts:
            client = Client(f"{target.host}:{target.port}", account.code, contract=target.contract)
            self._clients[account.code] = self._running.enter_context(client)

    async def send(self, ask: Outgoing) -> None:
        """Take one message."""
        self._clients[ask.code].send(ask.recipient, ask.text.upper(), token=ask.token)

    async def stop(self) -> None:
        """Disconnect."""
        self._running.close()
