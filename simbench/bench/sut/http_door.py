"""HTTP in both directions between the bench and a client under test: calls to it, and a server for its calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from simbench.base.extras import need

if TYPE_CHECKING:
    import aiohttp
    from aiohttp import web

LOOPBACK: Final = "127.0.0.1"
ANSWER_WAIT_S: Final = 30.0
CONNECTIONS: Final = 32  # to the client; they stay open
LONGEST_ANSWER: Final = 400  # octets that are read of an answer's text


class NoAnswer(Exception):
    """The client does not answer a call in time."""


class HttpDoor:
    """`heard` gets path and raw query of every call by the client.

    Raises BadInput, which names the system under test, without the extra `http`.
    """

    def __init__(self, name: str, heard: Callable[[str, str], None]) -> None:
        need("http", f"system under test {name}")
        self._heard = heard
        self._calls: aiohttp.ClientSession | None = None
        self._server: web.ServerRunner | None = None

    @property
    def is_open(self) -> bool:
        """Whether the server listens."""
        return self._server is not None

    async def open(self, port: int = 0) -> int:
        """Listen on this port of the loopback interface, 0 for any; return the port. Raises OSError."""
        import aiohttp  # noqa: PLC0415 - optional
        from aiohttp import web  # noqa: PLC0415 - as above

        self._server = web.ServerRunner(web.Server(self._hear), access_log=None)
        await self._server.setup()
        try:
            await web.TCPSite(self._server, LOOPBACK, port).start()
        except OSError:
            await self.close()
            raise
        self._calls = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS), timeout=aiohttp.ClientTimeout(total=ANSWER_WAIT_S)
        )
        bound: int = self._server.addresses[0][1]
        return bound

    async def call(self, address: str) -> tuple[int, str]:
        """GET a percent-encoded address; return the status and the start of the text. Raises NoAnswer."""
        import aiohttp  # noqa: PLC0415 - optional
        from yarl import URL  # noqa: PLC0415 - comes with it

        assert self._calls is not None, "the HTTP server is closed"
        url = URL(address, encoded=True)
        try:
            async with self._calls.get(url) as answer:
                return answer.status, (await answer.content.read(LONGEST_ANSWER)).decode("utf-8", "replace").strip()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NoAnswer(f"does not answer at {url.host}:{url.port}: {error!r}") from error

    async def close(self) -> None:
        """Stop listening."""
        calls, server = self._calls, self._server
        self._calls = self._server = None
        if calls is not None:
            await calls.close()
        if server is not None:
            await server.cleanup()

    async def _hear(self, request: web.BaseRequest) -> web.Response:
        from aiohttp import web  # noqa: PLC0415 - optional

        self._heard(request.path, request.rel_url.raw_query_string)
        return web.Response(text="")
