"""Pages of other origins: they change nothing and frame nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from simbench.service.guard import SAFE
from simbench.service.serving import build
from simbench.service.settings import ServiceSettings
from tests.cli.child import Served
from tests.service.stage import JSON, PROBLEM, TOKEN, Stage, every_path, get, staged

FORMS = ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")


@pytest.mark.parametrize(("status", "headers"), [
    (200, {}),
    (200, {"Origin": "{own}"}),
    (200, {"Origin": "{own}", "Sec-Fetch-Site": "same-origin"}),
    (200, {"Content-Type": JSON}),
    (403, {"Origin": "http://127.0.0.1:1"}),
    (403, {"Origin": "http://localhost"}),
    (403, {"Origin": "https://{name}"}),
    (403, {"Origin": "null"}),
    (403, {"Origin": "http://["}),
    (403, {"Host": "["}),
    (403, {"Host": ""}),
    (403, {"Sec-Fetch-Site": "same-site"}),
    (403, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}),
])  # fmt: skip
def test_only_a_page_of_this_server_changes_anything(status: int, headers: dict[str, str]) -> None:
    async def script() -> None:
        async with staged() as stage:
            name = stage.url.removeprefix("http://")
            sent = {key: value.format(own=stage.url, name=name) for key, value in headers.items()}
            answer = await get(stage, "/api/v1/reset", "POST", headers=sent)
            assert answer.status_code == status
            if status == 403:
                assert answer.headers["content-type"] == PROBLEM

    asyncio.run(script())


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_of_an_old_browser_changes_nothing(kind: str) -> None:
    async def script() -> None:
        async with staged() as stage:
            with httpx.Client(base_url=stage.url, trust_env=False, timeout=300) as client:
                headers = {"Content-Type": kind} if kind else {}
                answer = await asyncio.to_thread(client.post, "/api/v1/reset", headers=headers)
                assert (answer.status_code, answer.json()["field"]) == (403, "X-Simbench")

    asyncio.run(script())


def test_every_answer_keeps_other_pages_away() -> None:
    async def script() -> None:
        async with staged(ServiceSettings(token=TOKEN)) as stage:
            for headers in ({}, {"Authorization": f"Bearer {TOKEN}"}):
                answer = await get(stage, "/api/v1/platform", headers=headers)
                assert answer.headers["x-frame-options"] == "DENY"
                assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
                assert answer.headers["x-content-type-options"] == "nosniff"

    asyncio.run(script())


def test_only_the_description_of_the_api_has_a_script_in_its_page() -> None:
    async def script() -> None:
        for token in ("", TOKEN):
            async with staged(ServiceSettings(token=token, console=True)) as stage:
                for path in ("/", "/page/console.js", "/login", "/api/v1/platform", "/nothing", "/docs"):
                    policy = (await get(stage, path)).headers["content-security-policy"].split("; ")
                    is_lax = path == "/docs" and not token  # else it is the login page
                    assert ("default-src 'self'" in policy) is not is_lax, path
                    assert ("'unsafe-inline'" in str(policy)) is is_lax, path
                    assert {"connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)

    asyncio.run(script())


def changing(app: Any) -> Iterator[tuple[str, str]]:
    """Every method and path of an app by which something may change."""
    for route, path in every_path(app):
        yield from ((method, path) for method in sorted((route.methods or set()) - SAFE))


async def _refused(stage: Stage, method: str, path: str) -> None:
    """Ask as a form of a page would, in every way that it can."""
    path = re.sub(r"\{[^}]*\}", "1", path)
    with httpx.Client(base_url=stage.url, trust_env=False, timeout=300) as client:
        for kind in FORMS:
            headers = {"Content-Type": kind} if kind else {}
            answer = await asyncio.to_thread(client.request, method, path, headers=headers, content=b"{}")
            assert answer.status_code in {401, 403}, (method, path, kind)
            foreign = {**headers, "Origin": "http://127.0.0.1:1", "X-Simbench": "1", "Content-Type": JSON}
            answer = await asyncio.to_thread(client.request, method, path, headers=foreign, content=b"{}")
            assert (answer.status_code, answer.json()["field"]) == (403, "Origin"), (method, path)


@pytest.mark.parametrize("token", ["", TOKEN])
def test_no_form_reaches_any_route_that_changes_something(token: str) -> None:
    async def script() -> None:
        async with staged(ServiceSettings(token=token)) as stage:
            routes = list(changing(build(stage.platform)))
            assert len(routes) >= 15
            assert {("POST", "/api/v1/reset"), ("DELETE", "/api/v1/outage")} <= set(routes)
            for method, path in [*routes, ("POST", "/nothing"), ("POST", "/page/console.js")]:
                await _refused(stage, method, path)
            assert (stage.platform.control.server.outages.current, stage.platform.control.answered()) == (None, 0)

    asyncio.run(script())


def test_no_websocket_opens_whoever_asks(tmp_path: Path) -> None:
    options = ("--port", "0", "--api", "0", "--console", "-o", tmp_path / "run")
    asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    asked["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    with Served(*options) as server:
        found = re.search(r"console: (http://127\.0\.0\.1:\d+)/", server.banner)
        assert found is not None
        with httpx.Client(base_url=found[1], trust_env=False, timeout=300) as client:
            for path, status in (("/", 200), ("/_nicegui_ws/socket.io/?EIO=4&transport=websocket", 404)):
                assert client.get(path, headers=asked).status_code == status
