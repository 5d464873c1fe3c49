"""A live SMSC with its service on free loopback ports, in this process; its client works in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

import httpx
from starlette.routing import Route

from fake_smsc.scenario import ServerConfig
from simbench.ledger import Ledger
from simbench.service.log import EventLog
from simbench.service.observed import Observed
from simbench.service.platform import ServedPlatform
from simbench.service.serving import served
from simbench.service.settings import ServiceSettings
from tests.fake_smsc.live import DEADLINE_S, Site, serving
from tests.service.patient import PatientClient

P = ParamSpec("P")
T = TypeVar("T")
NUMBER = "33639980001"
TOKEN = "0123456789abcdef"
JSON = "application/json"
PROBLEM = "application/problem+json"


class Stage:
    """The site, its platform, and a client of its API."""

    def __init__(self, site: Site, platform: ServedPlatform, port: int) -> None:
        self.site, self.platform, self.port = site, platform, port
        self.url = f"{platform.settings.scheme}://127.0.0.1:{port}"
        self.client = PatientClient(self.url, token=platform.settings.token)

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


async def get(stage: Stage, path: str, method: str = "GET", **more: Any) -> httpx.Response:
    """One bare request."""

    def ask() -> httpx.Response:
        with httpx.Client(base_url=stage.url, trust_env=False, timeout=300) as client:
            headers = {"X-Simbench": "test", **more.pop("headers", {})}
            return client.request(method, path, headers=headers, **more)

    return await asyncio.to_thread(ask)


async def opened(stage: Stage, octets: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the API that has sent some octets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(octets)
    return reader, writer


async def at_end(reader: asyncio.StreamReader) -> bool:
    """Wait, and return whether the server has ended the connection."""
    async with asyncio.timeout(DEADLINE_S):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


def every_path(app: Any, before: str = "") -> Iterator[tuple[Any, str]]:
    """Every route of an app, and of what is mounted or included in it, with its path."""
    for route in app.routes:
        inner = getattr(route, "original_router", None) or getattr(route, "app", None)
        if hasattr(inner, "routes"):
            yield from every_path(inner, before + getattr(route, "path", ""))
        elif isinstance(route, Route):  # FastAPI's are kinds of it
            yield route, before + route.path
