"""Serves API and console on a port, in the process and loop of the SMSC.

`served` is the entry point for commands and tests.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import uvicorn
from fastapi import Response
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fake_smsc.server.live import LiveSmsc
from fake_smsc.server.network import tls_context
from simbench.base.errors import PortInUse, Trouble
from simbench.base.event_loop import quick_switches
from simbench.base.version import __version__
from simbench.service import problems
from simbench.service.console import console
from simbench.service.guard import SAFE, Guard
from simbench.service.http_bounds import CONNECTIONS, HEAD_OCTETS, BoundedHttp
from simbench.service.metrics import exposition
from simbench.service.platform import ServedPlatform
from simbench.service.routes import api
from simbench.service.settings import ServiceSettings, check
from simbench.service.turns import Acceptor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from simbench.service.observed import Observed

BACKLOG = 128  # connections that wait in the machine's queue
SWITCH_S = 0.001  # longest time for which another thread keeps the interpreter from the loop

DESCRIPTION = (
    "Control of a running fake SMSC. Instants are microseconds since the Unix epoch, UTC; `_s` means seconds. "
    "Errors are returned as problem+json and name the offending field."
)


def build(platform: ServedPlatform) -> FastAPI:
    """Return the app: API under /api/v1, its schema at /openapi.json, docs at /docs, metrics, and the console."""
    settings = platform.settings
    app: FastAPI = FastAPIOffline(
        title="simbench", version=__version__, description=DESCRIPTION, license_info={"name": "MIT"},
        redoc_url=None,  # its page loads an image from an external host
    )  # fmt: skip
    problems.install(app, platform.log)
    routes = api(platform)
    app.include_router(routes)

    @app.get("/metrics", tags=["metrics"], include_in_schema=False)
    async def metrics() -> Response:
        return Response(exposition(platform), media_type="text/plain; version=0.0.4; charset=utf-8")

    if settings.console:
        app.include_router(console(platform))
    app.openapi()  # made before the first request, because it stops the loop for 80 ms; no route is added later
    return app


class Kept:
    """ASGI middleware: with `durable`, changes of a request are on disk before the request is answered."""

    def __init__(self, app: ASGIApp, kept: Callable[[], Awaitable[None]]) -> None:
        self._app, self._kept = app, kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; delay the response to one that changes state."""

        async def after(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < HTTPStatus.BAD_REQUEST:
                await self._kept()
            await send(message)

        changes = scope["type"] == "http" and scope["method"] not in SAFE
        await self._app(scope, receive, after if changes else send)


class _Quiet(uvicorn.Server):
    """A server that leaves signals to its caller."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture no signals."""
        yield


@asynccontextmanager
async def served(
    smsc: LiveSmsc, settings: ServiceSettings, observed: Observed | None = None
) -> AsyncIterator[tuple[ServedPlatform, int]]:
    """Serve during the context; yields the platform and the port. Raises BadInput, PortInUse.

    `observed` contains the log, if the SMSC has one.
    """
    check(settings)
    async with ServedPlatform(smsc, settings, observed) as platform:
        turns, strangers = platform.turns, dict[BoundedHttp, None]()
        guarded = Guard(Kept(build(platform), smsc.server.kept), settings, platform.log, turns)
        config = uvicorn.Config(
            guarded, lifespan="on", log_level="error", access_log=False, server_header=False, proxy_headers=False,
            timeout_graceful_shutdown=1, ws="none", h11_max_incomplete_event_size=HEAD_OCTETS,
            limit_concurrency=CONNECTIONS,
        )  # fmt: skip
        tls = tls_context(settings.certificate, settings.key) if settings.certificate and settings.key else None
        listener = _listener(settings)
        server = _Quiet(config)
        with quick_switches(SWITCH_S):
            task = asyncio.create_task(server.serve([]))  # no socket: connections are taken here, one in each turn
            acceptor: Acceptor | None = None
            try:
                while not server.started:
                    if task.done():
                        raise Trouble("the API could not be started")
                    await asyncio.sleep(0.005)
                protocol = partial(
                    BoundedHttp, config=config, server_state=server.server_state, app_state=server.lifespan.state,
                    turns=turns, strangers=strangers,
                )  # fmt: skip
                acceptor = Acceptor(listener, protocol, turns, tls)
                yield platform, listener.getsockname()[1]
            finally:
                if acceptor is not None:
                    acceptor.close()
                server.should_exit = True
                await asyncio.gather(task, return_exceptions=True)
                listener.close()


def _listener(settings: ServiceSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise PortInUse(f"port {settings.port} on {settings.host}: {error.strerror}; choose another --api") from error
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener
