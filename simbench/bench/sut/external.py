"""An observed client: the user starts and connects it, and the bench records its traffic.

Its own traffic is judged; purposes that need requests are unsupported.
"""

from __future__ import annotations

from collections.abc import Callable

import click

from simbench.bench.sut.protocol import Capabilities, Reach, Report, SutFailed, Target
from simbench.client.messages import Outgoing


class External:
    """A client outside the bench: `start` prints the address to connect to, `send` fails."""

    def __init__(self, reach: Reach, capabilities: Capabilities = Capabilities()) -> None:  # noqa: B008 - frozen
        self.name, self.version, self.capabilities, self.reach = "external", "", capabilities, reach

    async def start(self, target: Target, tell: Callable[[Report], None]) -> None:
        """Print the address to connect to on standard error; `Bench.connected` waits for the connection."""
        del tell
        click.echo(f"connect to {target.host}:{target.port}, within {self.reach.connect_wait_s:.0f} s:", err=True)
        for given in target.accounts:
            click.echo(f"  short code {given.code}: login {given.account}, password {given.password}", err=True)

    async def send(self, ask: Outgoing) -> None:
        """Always raises SutFailed, because the client takes no requests."""
        raise SutFailed(f"{ask.token}: an observed client takes no requests")

    async def stop(self) -> None:
        """Leave the client running."""
