"""A live SMSC with its service on free loopback ports, in this process; its client works in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

from fake_smsc.scenario import ServerConfig
from simbench.ledger import Ledger
from simbench.service.client import ApiClient
from simbench.service.log import EventLog
from simbench.service.observed import Observed
from simbench.service.platform import ServedPlatform
from simbench.service.serving import served
from simbench.service.settings import ServiceSettings
from tests.fake_smsc.live import Site, serving

P = ParamSpec("P")
T = TypeVar("T")
NUMBER = "33639980001"


class Stage:
    """The site, its platform, and a client of its API."""

    def __init__(self, site: Site, platform: ServedPlatform, port: int) -> None:
        self.site, self.platform, self.port = site, platform, port
        self.url = f"{platform.settings.scheme}://127.0.0.1:{port}"
        self.client = ApiClient(self.url, token=platform.settings.token)

    async def ask(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the client in a thread, so that the server in this loop can answer."""
        return await asyncio.to_thread(call, *args, **kwargs)


@asynccontextmanager
async def staged(
    settings: ServiceSettings | None = None, ledger: Ledger | None = None, log: EventLog | None = None, **scenario: Any
) -> AsyncIterator[Stage]:
    """A scenario being served with its service, and with a log if one is given."""
    scenario.setdefault("server", ServerConfig(port=0))
    codes = scenario.pop("codes", ())
    async with (
        serving(*codes, ledger=ledger, **scenario) as site,
        served(site.smsc, settings or ServiceSettings(), Observed(site.smsc, log) if log else None) as (platform, port),
    ):
        stage = Stage(site, platform, port)
        try:
            yield stage
        finally:
            stage.client.close()
