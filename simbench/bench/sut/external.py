"""A client the bench neither starts nor asks: it is told to people where to connect, and watched.

What it does by itself is judged; whatever would need asking is unsupported.
"""

from __future__ import annotations

from collections.abc import Callable

import click

from simbench.bench.sut.protocol import Ask, Capabilities, Reach, Report, SutFailed, Target

# Judged by what stands on the wire alone, whoever asked for it.
SEEN_WITHOUT_ASKING = (
    "OPS-CON-02/well-formed",
    "OPS-CON-03/login-first",
    "OPS-CON-03/keepalive",
    "OPS-CON-03/answers-notices",
    "OPS-CON-02/oddities",
    "OPS-ACH-03/oddities",
    "OPS-CON-03/window",
    "OPS-CON-03/reconnect-pace",
    "OPS-CON-04/refused-pace",
    "OPS-ACH-03/trn-discipline",
    "OPS-ENG-01/backlog-at-tier",
    "OPS-PRE-03/no-duplicates",
    "OPS-PRE-08/allotted-codes",
    "OPS-OPT-04/sender-names",
    "OPS-DEO-06/short-code-only",
    "OPS-DEO-07/begun-by-user",
)


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
