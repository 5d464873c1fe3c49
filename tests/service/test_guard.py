"""Facts about access: who may connect, how often and how much, and that errors reveal nothing."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.cookies
import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from fake_smsc.scenario import CodeConfig
from simbench.base.errors import BadInput
from simbench.service import http_bounds, platform
from simbench.service.client import ApiError
from simbench.service.http_bounds import STRANGERS
from simbench.service.log import EventLog
from simbench.service.serving import build
from simbench.service.settings import Limits, ServiceSettings, check, networks, read_token
from tests import harness
from tests.cli.child import Served
from tests.service.stage import Stage, staged

TOKEN = "0123456789abcdef"
JSON = "application/json"
PROBLEM = "application/problem+json"


async def get(stage: Stage, path: str, method: str = "GET", **more: Any) -> httpx.Response:
    """One bare request."""

    def ask() -> httpx.Response:
        with httpx.Client(base_url=stage.url, trust_env=False, timeout=300) as client:
            headers = {"X-Simbench": "test", **more.pop("headers", {})}
            return client.request(method, path, headers=headers, **more)

    return await asyncio.to_thread(ask)


def test_without_the_token_nothing_is_reported_and_after_too_many_wrong_ones_nobody_is_asked(tmp_path: Path) -> None:
    async def script() -> None:
        settings = ServiceSettings(token=TOKEN, limits=Limits(wrong_tokens_per_min=3))
        async with staged(settings, log=EventLog(tmp_path / "log")) as stage:
            for path in ("/api/v1/platform", "/metrics", "/openapi.json", "/docs", "/nothing"):
                answer = await get(stage, path)
                assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)
            assert (await get(stage, "/api/v1/platform", headers={"Authorization": f"Bearer {TOKEN}"})).is_success
            page = await get(stage, "/", headers={"Accept": "text/html"})
            assert (page.status_code, "form" in page.text) == (401, True)
            entered = await get(stage, "/login", "POST", content=f"token={TOKEN}")
            assert entered.status_code == 303
            assert {"HttpOnly", "SameSite=strict"} <= set(entered.headers["set-cookie"].split("; "))
            cookie = entered.headers["set-cookie"].split(";")[0]
            assert (await get(stage, "/metrics", headers={"Cookie": cookie})).is_success
            for wrong in (TOKEN[:-1], TOKEN + "0", "é"):
                shown = {"Authorization": f"Bearer {wrong}".encode()}
                assert (await get(stage, "/metrics", headers=shown)).status_code == 401
            assert (await get(stage, "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 429

    asyncio.run(script())
    reported = (tmp_path / "log").read_text()
    events = [json.loads(line) for line in reported.splitlines()]
    assert {each["status"] for each in events if each["event"] == "request refused"} == {401, 429}
    assert [each["status"] for each in events if each["event"] == "token shown"] == [303]
    assert TOKEN[:-1] not in reported


def test_oversize_bodies_unknown_names_and_path_tricks_are_refused_with_a_problem(tmp_path: Path) -> None:
    async def script() -> None:
        settings = ServiceSettings(limits=Limits(body_octets=1_000))
        async with staged(settings, log=EventLog(tmp_path / "log")) as stage:
            many = (b"x" * 400 for _ in range(10))
            for status, path, more in (
                (413, "/api/v1/mo", {"method": "POST", "content": b"x" * 2_000}),
                (404, "/api/v1/nothing", {}),
                (404, "/api/v1/../../etc/passwd", {}),
                (404, "/api/v1/ledger/..%2f..%2fetc%2fpasswd.parquet", {}),
                (422, "/api/v1/ledger/etc.parquet", {}),
                (405, "/api/v1/platform", {"method": "PUT"}),
                (403, "/api/v1/platform", {"headers": {"Host": "evil.example"}}),
                (403, "/api/v1/outage", {"method": "DELETE", "headers": {"Origin": "http://evil.example"}}),
                (422, "/api/v1/mo", {"method": "POST", "content": b"{", "headers": {"Content-Type": JSON}}),
            ):  # fmt: skip
                answer = await get(stage, path, **more)
                assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), path
                assert answer.json()["status"] == status
                assert "Traceback" not in answer.text
                assert "/work" not in answer.text
            unannounced = await get(stage, "/api/v1/mo", "POST", content=many)
            assert (unannounced.status_code, unannounced.json()["field"]) == (413, "body")
            keys = {f"a{number}": 0 for number in range(100)}
            many_fields = (await get(stage, "/api/v1/clock/speed", "PUT", json=keys)).json()
            assert (many_fields["field"], many_fields["status"], len(many_fields["errors"])) == ("body", 422, 1)
            nested = await get(stage, "/api/v1/mo", "POST", content=b"[" * 999, headers={"Content-Type": JSON})
            assert (nested.status_code, nested.json()["field"]) in {(400, "body"), (422, "body")}
            wrong = (await get(stage, "/api/v1/clock/step", "POST", json={"seconds": -1})).json()
            assert (wrong["field"], wrong["status"]) == ("body.seconds", 422)
            refused = (await get(stage, "/api/v1/clock/step", "POST", content=b'{"seconds": 1}')).json()
            assert (refused["field"], "Content-Type" in refused["detail"]) == ("body", True)
            assert (await get(stage, "/api/v1/subscribers/33612345678/texts", "PUT")).status_code == 405

    asyncio.run(script())
    reported = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    refused = [each for each in reported if each["event"] == "request refused"]
    assert len(refused) == 15
    assert {each["status"] for each in refused} >= {413, 404, 422, 405, 403}
    assert not any("33612345678" in each["path"] for each in refused)


def test_beside_a_console_the_api_refuses_as_without_and_what_no_page_knows_is_logged(tmp_path: Path) -> None:
    options = ("--port", "0", "--api", "0", "--console", "--log", tmp_path / "log", "-o", tmp_path / "run")
    with Served(*options) as server:
        found = re.search(r"console: (http://127\.0\.0\.1:\d+)/", server.banner)
        assert found is not None
        with httpx.Client(base_url=found[1], trust_env=False, timeout=300) as client:
            for method in ("HEAD", "OPTIONS", "PUT", "TRACE"):
                answer = client.request(method, "/api/v1/platform", headers={"X-Simbench": "test"})
                assert (answer.status_code, answer.headers.get("allow")) == (405, "GET"), method
                assert answer.headers["content-type"] == PROBLEM
            for path in ("/api", "/api/v1/nothing", "/33612345678", "/page/..%2f..%2fetc%2fpasswd"):
                answer = client.get(path)
                assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM), path
            assert client.get("/").is_success
        _, said = server.end(signal.SIGTERM)
    assert said.splitlines()[0] == "stopping", "nothing is said of refusals on standard error"
    reported = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [each["status"] for each in reported if each["event"] == "request refused"] == [405] * 4 + [404] * 4
    assert not any("33612345678" in str(each) for each in reported)


async def opened(stage: Stage, octets: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the API that has sent some octets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(octets)
    return reader, writer


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"GET /"])
def test_a_request_line_or_header_without_end_is_refused_before_it_is_long(head: bytes) -> None:
    async def script() -> None:
        async with staged() as stage:
            reader, writer = await opened(stage, head)
            sent = 0
            with contextlib.suppress(ConnectionError):
                while sent < 10_000_000:
                    writer.write(b"a" * 65_536)
                    sent += 65_536
                    await writer.drain()
                    if reader.at_eof():
                        break
            with contextlib.suppress(ConnectionError):
                assert (await reader.read()).startswith(b"HTTP/1.1 400")
            writer.close()

    asyncio.run(script())


def test_half_requests_and_slow_logins_leave_room_for_who_has_the_token() -> None:
    async def script() -> None:
        async with staged(ServiceSettings(token=TOKEN)) as stage:
            halves = [await opened(stage, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n") for _ in range(STRANGERS)]
            form = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 30\r\n\r\ntoken=" % stage.port
            halves += [await opened(stage, form) for _ in range(STRANGERS)]
            assert (await stage.ask(stage.client.platform)).state == "up"
            ended = [reader.at_eof() or await at_end(reader) for reader, _ in halves[:STRANGERS]]
            assert all(ended), "the oldest have made room"
            for _, writer in halves:
                writer.close()

    asyncio.run(script())


async def at_end(reader: asyncio.StreamReader) -> bool:
    """Wait, and tell whether the server has ended the connection."""
    async with asyncio.timeout(60):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


def test_a_form_that_does_not_come_is_not_waited_for() -> None:
    async def script() -> None:
        async with staged(ServiceSettings(token=TOKEN, limits=Limits(login_s=0.05))) as stage:
            form = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 30\r\n\r\ntoken=" % stage.port
            reader, writer = await opened(stage, form)
            assert (await reader.read(12)) == b"HTTP/1.1 408"
            writer.close()

    asyncio.run(script())


def test_requests_that_wait_take_no_place_of_the_others() -> None:
    async def script() -> None:
        async with staged(ServiceSettings(limits=Limits(waits=3, concurrent=2))) as stage:
            waiting = [asyncio.create_task(stage.ask(stage.client.wait, 10**6, 60)) for _ in range(3)]
            async with asyncio.timeout(60):
                while len(stage.site.server.waiters.waiting) < 3:  # noqa: ASYNC110 - nothing tells of a request that arrives
                    await asyncio.sleep(0.01)
            refused = await get(stage, "/api/v1/wait", "POST", json={"answered": 10**6, "timeout_s": 60})
            assert refused.status_code == 503
            assert (await get(stage, "/api/v1/platform")).is_success
            for task in waiting:
                task.cancel()

    asyncio.run(script())


def test_wrong_tokens_from_many_addresses_share_one_bound() -> None:
    async def script() -> None:
        async with staged(ServiceSettings(token=TOKEN, limits=Limits(wrong_tokens_per_min=5))) as stage:
            statuses = []
            for block in range(1, 30):
                transport = httpx.HTTPTransport(local_address=f"127.0.{block}.1")
                with httpx.Client(base_url=stage.url, transport=transport, trust_env=False) as client:
                    headers = {"Authorization": f"Bearer wrong{block}"}
                    statuses.append((await asyncio.to_thread(client.get, "/metrics", headers=headers)).status_code)
            assert statuses == [401] * 5 + [429] * 24

    asyncio.run(script())


def test_more_requests_than_allowed_are_refused_until_time_has_passed() -> None:
    async def script() -> None:
        async with staged(ServiceSettings(limits=Limits(requests_per_s=0, burst=3))) as stage:
            answers = [(await get(stage, "/metrics")).status_code for _ in range(5)]
            assert answers[:3] == [200] * 3
            assert answers[4] == 429

    asyncio.run(script())


def test_only_the_addresses_allowed_are_answered() -> None:
    async def script() -> None:
        async with staged(ServiceSettings(allow=networks(["192.0.2.0/24"]))) as stage:
            assert (await get(stage, "/metrics")).status_code == 403
        async with staged(ServiceSettings(allow=networks(["127.0.0.1"]))) as stage:
            assert (await get(stage, "/metrics")).is_success

    asyncio.run(script())


def test_another_machines_address_needs_a_token_and_a_token_needs_length(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no token"):
        check(ServiceSettings(host="192.0.2.1"))
    assert check(ServiceSettings(host="192.0.2.1", token=TOKEN)).token
    file = tmp_path / "token"
    for wrong in ("", "short", "with a space in the middle"):
        file.write_text(wrong)
        with pytest.raises(BadInput, match="token"):
            read_token(file)
    file.write_text(TOKEN + "\n")
    assert read_token(file) == TOKEN
    with pytest.raises(BadInput, match="allowed address"):
        networks(["nowhere"])


def test_no_password_is_in_what_is_reported_and_numbers_in_the_log_are_masked(tmp_path: Path) -> None:
    codes = (CodeConfig(code="36010", password="hidden-word", auth_code="98765"),)
    number = "33612345678"  # of no fictional block, so that masking shows

    async def script(path: Path, *, unmasked: bool) -> str:
        async with staged(log=EventLog(path, unmasked=unmasked), codes=codes) as stage:
            peer = await stage.site.connect()
            assert (await peer.login("36010", "wrong-word")).data[0] == "N"
            await peer.login("36010", "hidden-word")
            peer.send(harness.submit(1, AdC=number, AC="98765"))
            await peer.frame()
            await peer.submit(2, AdC=number, OAdC="99999")
            (_, message) = (await stage.ask(stage.client.messages)).messages
            frame = await stage.ask(stage.client.frame, message.id)
            assert [f.value for f in frame.fields if f.name == "AC"] == ["*****"]
            assert "98765" not in bytes.fromhex(frame.frame).decode()
            await stage.ask(stage.client.mo, number, "36010", f"call {number}")
            return (await get(stage, "/metrics")).text + frame.model_dump_json()

    for unmasked in (False, True):
        path = tmp_path / str(unmasked)
        shown = asyncio.run(script(path, unmasked=unmasked))
        reported = path.read_text()
        assert (number in reported) is unmasked
        for secret in ("hidden-word", b"hidden-word".hex().upper(), "wrong-word"):
            assert secret not in reported + shown
        events = [json.loads(line) for line in reported.splitlines()]
        (refused,) = [event for event in events if event["event"] == "refused"]
        assert refused["ec"] == "04"
        (login,) = [event for event in events if event["event"] == "login refused"]
        assert (login["ec"], login["id"]) == ("07", f"{login['session']}.{login['at']}.00")
        assert [event["account"] for event in events if event["event"] == "login accepted"] == ["36010"]
        assert refused["id"].endswith(".02")
        assert {"session open", "events"} <= {event["event"] for event in events}


def test_nothing_reads_cookies_but_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    def unquote(_value: str) -> str:
        raise AssertionError("takes the square of its length")

    async def script() -> None:
        monkeypatch.setattr(http.cookies, "_unquote", unquote)
        for token, status in ((TOKEN, 401), ("", 200)):
            async with staged(ServiceSettings(token=token)) as stage:
                name = f"simbench_token_{stage.port}"
                long = {"Cookie": f'{name}="' + "\\" * 15_000 + '"'}
                assert (await get(stage, "/api/v1/clock", headers=long)).status_code == status
                kept = hashlib.sha256(TOKEN.encode()).hexdigest()
                right = {"Cookie": f'theme="dark"; {name}={kept}; other=1'}
                assert (await get(stage, "/api/v1/clock", headers=right)).is_success

    asyncio.run(script())


def test_a_tab_with_an_outdated_cookie_is_one_wrong_token_and_leaves_the_owner_in() -> None:
    async def script() -> None:
        async with staged(ServiceSettings(token=TOKEN, limits=Limits(wrong_tokens_per_min=2))) as stage:
            name = f"simbench_token_{stage.port}"
            for _ in range(12):
                polled = await get(stage, "/api/v1/platform", headers={"Cookie": f"{name}=outdated"})
                assert polled.status_code == 401
                deleted = polled.headers["set-cookie"]
                assert deleted.startswith(f'{name}="";')
                assert "Max-Age=0" in deleted
            for _ in range(3):  # of another server of this host
                other = await get(stage, "/api/v1/platform", headers={"Cookie": "simbench_token_1=of-another"})
                assert (other.status_code, "set-cookie" in other.headers) == (401, False)
            assert (await stage.ask(stage.client.platform)).state == "up"
            assert (await get(stage, "/metrics", headers={"Authorization": "Bearer guess"})).status_code == 401
            with pytest.raises(ApiError, match="too many wrong tokens"):  # two different ones are the limit
                await stage.ask(stage.client.platform)

    asyncio.run(script())


@pytest.mark.parametrize("token", ["Passw0rd,with;and=9", 'quotes"and\\slashes\\', "+percent%3Band&both=", "a" * 300])
def test_every_token_that_a_file_may_contain_enters_by_the_form(tmp_path: Path, token: str) -> None:
    (tmp_path / "token").write_text(token + "\n")

    async def script() -> None:
        settings = ServiceSettings(token=read_token(tmp_path / "token"), console=True)
        async with staged(settings) as stage:
            entered = await get(stage, "/login", "POST", data={"token": token})
            assert entered.status_code == 303
            cookie = entered.headers["set-cookie"].split(";")[0]
            assert token not in cookie
            for _ in range(12):
                assert (await get(stage, "/", headers={"Cookie": cookie, "Accept": "text/html"})).status_code == 200
            kept = cookie.partition("=")[2]
            assert (await get(stage, "/", headers={"Authorization": f"Bearer {kept}"})).status_code == 401

    asyncio.run(script())


def test_no_path_has_parts_that_could_be_cut_in_many_ways() -> None:
    """Starlette matches a parameter by [^/]+: two in one part of a path take the square of its length, or more."""

    async def script() -> None:
        async with staged(ServiceSettings(console=True)) as stage:
            paths = [path for _, path in every_path(build(stage.platform))]
            assert len(paths) > 25
            for path in paths:
                assert all(part.count("{") <= 1 for part in path.split("/")), path

    asyncio.run(script())


def every_path(app: Any, before: str = "") -> Iterator[tuple[Any, str]]:
    """Every route of an app, and of what is mounted or included in it, with its path."""
    for route in app.routes:
        inner = getattr(route, "original_router", None) or getattr(route, "app", None)
        if hasattr(inner, "routes"):
            yield from every_path(inner, before + getattr(route, "path", ""))
        elif isinstance(route, Route):  # FastAPI's are kinds of it
            yield route, before + route.path


def test_a_long_query_or_path_is_refused() -> None:
    async def script() -> None:
        async with staged() as stage:
            for long in ("/api/v1/messages?text=" + "a" * 4_096, "/api/v1/messages/" + "." * 4_096):
                answer = await get(stage, long)
                assert (answer.status_code, answer.json()["field"]) == (414, "path")

    asyncio.run(script())


def test_no_stranger_uses_up_the_rate_of_who_has_the_token() -> None:
    async def script() -> None:
        settings = ServiceSettings(token=TOKEN, limits=Limits(requests_per_s=0, burst=3, wrong_tokens_per_min=5))
        async with staged(settings) as stage:
            strangers = [(await get(stage, "/metrics")).status_code for _ in range(6)]
            assert strangers[:3] + strangers[-1:] == [401, 401, 401, 429]
            assert (await stage.ask(stage.client.platform)).state == "up"
            for number in range(5):  # tokens are counted though the rate is used up: no answer says which one is right
                guess = await get(stage, "/metrics", headers={"Authorization": f"Bearer {TOKEN[:-1]}{number}"})
                assert guess.status_code == 429
            with pytest.raises(ApiError, match="too many wrong tokens"):
                await stage.ask(stage.client.platform)

    asyncio.run(script())


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def script() -> None:
        async with staged(ServiceSettings(limits=Limits(body_s=0.05))) as stage:
            head = f"POST /api/v1/mo HTTP/1.1\r\nHost: 127.0.0.1:{stage.port}\r\nContent-Type: {JSON}\r\n"
            reader, writer = await opened(stage, f"{head}Content-Length: 30\r\n\r\n{{".encode())
            assert (await reader.read(12)) == b"HTTP/1.1 408"
            writer.close()

    asyncio.run(script())


def test_a_connection_that_was_trusted_does_not_stay_for_half_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> None:
        async with staged() as stage:
            whole = f"GET /api/v1/clock HTTP/1.1\r\nHost: 127.0.0.1:{stage.port}\r\n".encode()
            reader, writer = await opened(stage, whole + b"\r\n")
            assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
            monkeypatch.setattr(http_bounds, "PATIENCE_S", 0.05)
            writer.write(whole)
            assert await at_end(reader)
            writer.close()

    asyncio.run(script())


async def _long(stage: Stage) -> bytes:
    """Fill the ledger with more octets than sockets hold, and ask for them."""
    for _ in range(300):
        stage.site.ledger.wire.append((stage.site.control.now(), 1, "in", os.urandom(60_000)))
    head = f"GET /api/v1/ledger/wire.parquet HTTP/1.1\r\nHost: 127.0.0.1:{stage.port}\r\n\r\n"
    return head.encode()


def test_answers_that_nobody_takes_are_few_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> None:
        async with staged(ServiceSettings(limits=Limits(downloads=2))) as stage:
            asked = await _long(stage)
            monkeypatch.setattr(http_bounds, "TAKEN_S", 2.0)
            untaken = [await opened(stage, asked) for _ in range(2)]
            for reader, _ in untaken:
                assert (await reader.read(12)) == b"HTTP/1.1 200"  # and no more than that is taken
            refused = await get(stage, "/api/v1/ledger/wire.parquet")
            assert (refused.status_code, refused.json()["detail"]) == (503, "more than 2 requests download already")
            assert (await get(stage, "/api/v1/platform")).is_success
            async with asyncio.timeout(60):
                while (await get(stage, "/api/v1/ledger/events.parquet")).status_code == 503:  # noqa: ASYNC110 - no event
                    await asyncio.sleep(0.05)
            for _, writer in untaken:
                writer.close()

    asyncio.run(script())


def test_texts_that_no_application_takes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> None:
        monkeypatch.setattr(platform, "MOST_TEXTS", 3)
        async with staged() as stage:
            for _ in range(3):
                await stage.ask(stage.client.mo, "33639980001", "36010", "hello")
            with pytest.raises(ApiError, match="3 segments to 36010 wait for its application already"):
                await stage.ask(stage.client.mo, "33639980001", "36010", "hello")
            peer = await stage.site.session("36010")
            for _ in range(3):
                peer.acknowledge(await peer.frame())
            assert await stage.site.until(lambda: not stage.site.control.unacknowledged())
            await stage.ask(stage.client.mo, "33639980001", "36010", "hello")

    asyncio.run(script())


def test_texts_that_wait_for_one_code_do_not_stop_those_to_another_and_end_with_a_reset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def script() -> None:
        monkeypatch.setattr(platform, "MOST_TEXTS", 3)
        async with staged(codes=(CodeConfig(code="36010"), CodeConfig(code="36020"))) as stage:
            peer = await stage.site.session("36020")
            for _ in range(3):
                await stage.ask(stage.client.mo, "33639980001", "36010", "hello")
            await stage.ask(stage.client.mo, "33639980001", "36020", "hello")
            assert (await peer.frame()).ot == "52"
            with pytest.raises(ApiError, match="3 segments to 36010"):
                await stage.ask(stage.client.mo, "33639980001", "36010", "hello")
            await stage.ask(stage.client.reset)
            await stage.ask(stage.client.mo, "33639980001", "36010", "hello")

    asyncio.run(script())
