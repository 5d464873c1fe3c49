"""A client the bench neither starts nor asks: it is told to people where to connect, and watched.

What it does by itself is judged; whatever would need asking is unsupported.
"""

from __future__ import annotations

from collections.abc import Callable

import click

from simbench.bench.sut.protocol import Ask, Capabilities, Reach, Report, SutFailed, Target


class External:
    """A client of its own: `start` says where it has to connect, `send` cannot be."""

    def __init__(self, reach: Reach, capabilities: Capabilities = Capabilities()) -> None:  # noqa: B008 - frozen
        self.name, self.version, self.capabilities, self.reach = "external", "", capabilities, reach

    async def start(self, target: Target, tell: Callable[[Report], None]) -> None:
        """Print where to connect, on standard error; `Bench.connected` does the waiting."""
        del tell
        click.echo(f"connect to {target.host}:{target.port}, within {self.reach.connect_wait_s:.0f} s:", err=True)
        for given in target.accounts:
            click.echo(f"  short code {given.code}: login {given.account}, password {given.password}", err=True)

    async def send(self, ask: Ask) -> None:
        """Cannot be. Raises SutFailed."""
        raise SutFailed(f"{ask.mark}: a client that is only watched cannot be asked to send")

    async def stop(self) -> None:
        """It goes on by itself."""
