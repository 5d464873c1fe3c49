"""Access: who may connect, how often and how much; errors reveal nothing."""

from __future__ import annotations

import asyncio
import hashlib
import http.cookies
import json
import re
import signal
from pathlib import Path

import httpx
import pytest

import fake_smsc
from fake_smsc.scenario import CodeConfig
from simbench.base.errors import BadInput
from simbench.service.log import EventLog
from simbench.service.settings import Limits, ServiceSettings, check, networks, read_token
from tests import harness
from tests.cli.child import Served
from tests.service.stage import JSON, PROBLEM, TOKEN, get, staged


def test_only_the_token_is_answered_and_it_is_accepted_among_too_many_wrong_ones(tmp_path: Path) -> None:
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
            for wrong in ("another", TOKEN[:-1]):
                assert (await get(stage, "/metrics", headers={"Authorization": f"Bearer {wrong}"})).status_code == 429
                assert (await get(stage, "/login", "POST", content=f"token={wrong}")).status_code == 429
            assert (await get(stage, "/metrics")).status_code == 429
            assert (await get(stage, "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})).is_success
            assert (await get(stage, "/metrics", headers={"Cookie": cookie})).is_success
            assert (await get(stage, "/login", "POST", content=f"token={TOKEN}")).status_code == 303

    asyncio.run(script())
    reported = (tmp_path / "log").read_text()
    events = [json.loads(line) for line in reported.splitlines()]
    assert {each["status"] for each in events if each["event"] == "request refused"} == {401, 429}
    assert [each["status"] for each in events if each["event"] == "token shown"] == [303, 303]
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
                assert str(Path(fake_smsc.__file__).parents[1]) not in answer.text
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


def test_with_a_console_the_api_refuses_as_without_one_and_unknown_paths_are_logged(tmp_path: Path) -> None:
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
        _, errors = server.end(signal.SIGTERM)
    assert errors.splitlines()[0] == "stopping", "refusals are not printed on standard error"
    reported = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [each["status"] for each in reported if each["event"] == "request refused"] == [405] * 4 + [404] * 4
    assert not any("33612345678" in str(each) for each in reported)


def test_wrong_tokens_from_many_addresses_share_one_bound() -> None:
    async def script() -> None:
        async with staged(ServiceSettings(token=TOKEN, limits=Limits(wrong_tokens_per_min=5))) as stage:
            statuses = []
            for block in range(1, 30):
                transport = httpx.HTTPTransport(local_address=f"127.0.{block}.1")
                with httpx.Client(base_url=stage.url, transport=transport, trust_env=False, timeout=300) as client:
                    headers = {"Authorization": f"Bearer wrong{block}"}
                    statuses.append((await asyncio.to_thread(client.get, "/metrics", headers=headers)).status_code)
            assert statuses == [401] * 5 + [429] * 24

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


def test_no_password_is_in_answers_or_log_and_numbers_in_the_log_are_masked(tmp_path: Path) -> None:
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
            assert await stage.site.until(lambda: stage.site.control.answered() == 2)
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


def test_no_cookie_but_the_token_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_page_with_an_outdated_cookie_counts_as_one_wrong_token() -> None:
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
            polled = await get(stage, "/api/v1/platform", headers={"Cookie": f"{name}=outdated"})
            assert polled.status_code == 429  # two different ones are the limit
            assert (await stage.ask(stage.client.platform)).state == "up"

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
