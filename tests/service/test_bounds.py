"""Bounds on requests, connections and what waits: nobody without the token uses up what its owner needs."""

from __future__ import annotations

import asyncio
import contextlib
import os

import pytest

from fake_smsc.scenario import CodeConfig
from simbench.service import http_bounds, platform
from simbench.service.client import ApiError
from simbench.service.http_bounds import STRANGERS, BoundedHttp
from simbench.service.serving import build
from simbench.service.settings import Limits, ServiceSettings
from tests.fake_smsc.live import DEADLINE_S
from tests.service.stage import JSON, TOKEN, Stage, at_end, every_path, get, opened, staged


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


def test_half_requests_and_slow_logins_leave_room_for_a_client_with_the_token() -> None:
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


def test_a_login_form_that_does_not_arrive_in_time_is_refused() -> None:
    async def script() -> None:
        async with staged(ServiceSettings(token=TOKEN, limits=Limits(login_s=0.05))) as stage:
            form = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 30\r\n\r\ntoken=" % stage.port
            reader, writer = await opened(stage, form)
            assert (await reader.read(12)) == b"HTTP/1.1 408"
            writer.close()

    asyncio.run(script())


def test_requests_that_wait_are_limited_and_do_not_count_among_the_others() -> None:
    async def script() -> None:
        async with staged(ServiceSettings(limits=Limits(waits=3, concurrent=2))) as stage:
            waiting = [asyncio.create_task(stage.ask(stage.client.wait, 10**6, 60)) for _ in range(3)]
            async with asyncio.timeout(DEADLINE_S):
                while len(stage.site.server.waiters.waiting) < 3:  # noqa: ASYNC110 - no event of a request that arrives
                    await asyncio.sleep(0.01)
            refused = await get(stage, "/api/v1/wait", "POST", json={"answered": 10**6, "timeout_s": 60})
            assert refused.status_code == 503
            assert (await get(stage, "/api/v1/platform")).is_success
            for task in waiting:
                task.cancel()

    asyncio.run(script())


def test_more_requests_than_allowed_are_refused_until_time_has_passed() -> None:
    async def script() -> None:
        async with staged(ServiceSettings(limits=Limits(requests_per_s=0, burst=3))) as stage:
            answers = [(await get(stage, "/metrics")).status_code for _ in range(5)]
            assert answers[:3] == [200] * 3
            assert answers[4] == 429

    asyncio.run(script())


def test_no_part_of_a_path_has_two_parameters() -> None:
    """Starlette matches a parameter by [^/]+: two in one part of a path take the square of its length, or more."""

    async def script() -> None:
        async with staged(ServiceSettings(console=True)) as stage:
            paths = [path for _, path in every_path(build(stage.platform))]
            assert len(paths) > 25
            for path in paths:
                assert all(part.count("{") <= 1 for part in path.split("/")), path

    asyncio.run(script())


def test_a_long_query_or_path_is_refused() -> None:
    async def script() -> None:
        async with staged() as stage:
            for long in ("/api/v1/messages?text=" + "a" * 4_096, "/api/v1/messages/" + "." * 4_096):
                answer = await get(stage, long)
                assert (answer.status_code, answer.json()["field"]) == (414, "path")

    asyncio.run(script())


def test_strangers_do_not_use_up_the_rate_of_a_client_with_the_token() -> None:
    async def script() -> None:
        settings = ServiceSettings(token=TOKEN, limits=Limits(requests_per_s=0, burst=3, wrong_tokens_per_min=5))
        async with staged(settings) as stage:
            strangers = [(await get(stage, "/metrics")).status_code for _ in range(6)]
            assert strangers[:3] + strangers[-1:] == [401, 401, 401, 429]
            assert (await stage.ask(stage.client.platform)).state == "up"
            for number in range(5):  # tokens are counted though the rate is used up: no answer says which one is right
                guess = await get(stage, "/metrics", headers={"Authorization": f"Bearer {TOKEN[:-1]}{number}"})
                assert guess.status_code == 429
            assert (await stage.ask(stage.client.platform)).state == "up"

    asyncio.run(script())


def test_a_body_that_does_not_arrive_in_time_is_refused() -> None:
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


async def untaken(stage: Stage, monkeypatch: pytest.MonkeyPatch, taken_s: float) -> list[asyncio.StreamWriter]:
    """Two downloads of which the peers take nothing; the server waits for them as long as it may (s)."""
    paused: list[BoundedHttp] = []
    pause = BoundedHttp.pause_writing

    def noted(connection: BoundedHttp) -> None:
        pause(connection)
        paused.append(connection)

    monkeypatch.setattr(BoundedHttp, "pause_writing", noted)
    monkeypatch.setattr(http_bounds, "TAKEN_S", taken_s)
    request = await _long(stage)
    writers = [(await opened(stage, request))[1] for _ in range(2)]
    async with asyncio.timeout(DEADLINE_S):
        while len(set(paused)) < 2:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
    return writers


def test_answers_that_nobody_takes_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> None:
        async with staged(ServiceSettings(limits=Limits(downloads=2))) as stage:
            writers = await untaken(stage, monkeypatch, 3_600)
            refused = await get(stage, "/api/v1/ledger/wire.parquet")
            assert (refused.status_code, refused.json()["detail"]) == (503, "more than 2 requests download already")
            assert (await get(stage, "/api/v1/platform")).is_success
            for writer in writers:
                writer.transport.abort()

    asyncio.run(script())


def test_answers_that_nobody_takes_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> None:
        async with staged(ServiceSettings(limits=Limits(downloads=2))) as stage:
            writers = await untaken(stage, monkeypatch, 0.05)
            async with asyncio.timeout(DEADLINE_S):
                while (await get(stage, "/api/v1/ledger/events.parquet")).status_code == 503:  # noqa: ASYNC110 - no event
                    await asyncio.sleep(0.05)
            for writer in writers:
                writer.transport.abort()

    asyncio.run(script())


def test_texts_that_wait_for_their_application_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
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
