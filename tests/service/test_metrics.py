"""Metrics, the dashboard drawn from them, and that the service makes no connection of its own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.openapi import utils
from prometheus_client.parser import text_string_to_metric_families

from simbench.service import watch as watch_module
from simbench.service.metrics import METRICS
from simbench.service.settings import ServiceSettings
from tests.service.patient import PatientClient
from tests.service.stage import NUMBER, Stage, staged

REPO = Path(__file__).parents[2]
DASHBOARD = REPO / "docs" / "grafana.json"

GUARDED = """
import socket, sys, uvloop
def guard(event, arguments):
    if event == "socket.connect" and arguments[1] is not None:
        print("OUTGOING", arguments[1], file=sys.stderr, flush=True)
        raise PermissionError("no outgoing connection")
    if event == "socket.getaddrinfo" and arguments[0] not in (None, "127.0.0.1", "localhost"):
        print("OUTGOING", arguments[0], file=sys.stderr, flush=True)
        raise PermissionError("no name is looked up")
sys.addaudithook(guard)
async def refuse(*arguments, **more):
    print("OUTGOING", arguments, file=sys.stderr, flush=True)
    raise PermissionError("no outgoing connection")
class Loop(uvloop.Loop):
    create_connection = refuse
uvloop.Loop, uvloop.new_event_loop = Loop, Loop
from simbench.cli.main import main
main()
"""


async def metrics(stage: Stage) -> dict[str, dict[tuple[str, ...], float]]:
    """Values by name and labels, as Prometheus reads them."""
    text = (await asyncio.to_thread(httpx.get, f"{stage.url}/metrics", trust_env=False, timeout=300)).text
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        found[family.name] = {tuple(sample.labels.values()): sample.value for sample in family.samples}
    return found


def test_the_metrics_count_decisions_sessions_outages_and_findings() -> None:
    async def script() -> None:
        async with staged() as stage:
            peer = await stage.site.session()
            await peer.submit(1, AdC=NUMBER)
            await peer.submit(2, OAdC="99999")
            assert await stage.site.until(lambda: stage.site.control.answered() == 2)
            await stage.ask(stage.client.outage, "silent", "36020")
            await stage.ask(stage.client.findings)
            await stage.platform.watch.look()
            seen = await metrics(stage)
            assert set(seen) == set(METRICS)
            assert seen["simbench_decisions"]["36010", "accepted"] == 1
            assert seen["simbench_answered"][()] == 2
            assert seen["simbench_sessions"] == {("36010",): 1}
            assert seen["simbench_tier"][("36020",)] == 10
            assert seen["simbench_outage"] == {("silent", "36020"): 1}
            assert sum(seen["simbench_findings"].values()) > 10

    asyncio.run(script())


def test_the_document_of_the_api_is_made_once_before_any_request(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    make = utils.get_openapi

    def counted(**given: Any) -> dict[str, Any]:
        made.append(given["title"])
        return make(**given)

    monkeypatch.setattr("fastapi.applications.get_openapi", counted)

    async def script() -> None:
        async with staged(ServiceSettings(console=True)) as stage:
            before = len(made)
            await stage.ask(stage.client.messages, limit=1)
            async with httpx.AsyncClient(base_url=stage.url, trust_env=False, timeout=300) as client:
                assert (await client.get("/openapi.json")).is_success
            assert len(made) == before >= 1

    asyncio.run(script())


def test_simultaneous_looks_count_each_row_once() -> None:
    async def script() -> None:
        async with staged() as stage:
            peer, watch = await stage.site.session(), stage.platform.watch
            for number in range(1, 6):
                await peer.submit(number, AdC=NUMBER)
                stage.site.control.originate(NUMBER, "36010", f"text {number}")
                await asyncio.to_thread(stage.site.ledger.flush)
                await asyncio.gather(*(watch.look() for _ in range(8)))
            assert watch.counts["36010", "accepted"] == 5
            assert [text for _, _, text in watch.sent[NUMBER]] == [f"text {number}" for number in range(1, 6)]

    asyncio.run(script())


def test_a_cancelled_look_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "PERIOD_S", 3_600)  # nobody else looks

    async def script() -> None:
        async with staged() as stage:
            peer, watch = await stage.site.session(), stage.platform.watch
            await peer.submit(1, AdC=NUMBER)
            await asyncio.to_thread(stage.site.ledger.flush)
            await watch.look()
            await peer.submit(2, AdC=NUMBER)
            await asyncio.to_thread(stage.site.ledger.flush)
            given_up = asyncio.create_task(watch.look())
            await asyncio.sleep(0)  # it has begun, and waits for its thread
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
            assert watch.counts["36010", "accepted"] == 1
            await watch.look()
            assert watch.counts["36010", "accepted"] == 2

    asyncio.run(script())


def test_the_dashboard_draws_every_metric_and_no_other() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    wanted = {expression["expr"] for panel in dashboard["panels"] for expression in panel["targets"]}
    named = {name for expression in wanted for name in re.findall(r"simbench_[a-z_]+", expression)}
    assert {name.removesuffix("_total") for name in named} == set(METRICS)
    counters = {"simbench_decisions", "simbench_answered", "simbench_ledger_rows"}
    assert {name for name in named if name.endswith("_total")} == {f"{name}_total" for name in counters}
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def test_served_with_everything_it_makes_no_connection_of_its_own(tmp_path: Path) -> None:
    options = ["serve", "--port", "0", "--api", "0", "--console", "-o", str(tmp_path / "run")]
    with subprocess.Popen(
        [sys.executable, "-c", GUARDED, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            banner = ""
            while "Ctrl-C" not in banner:
                line = server.stdout.readline()
                assert line, server.communicate()
                banner += line
            found = re.search(r"API: (http://127\.0\.0\.1:\d+)/docs", banner)
            assert found is not None
            for path in ("/", "/docs", "/openapi.json", "/metrics"):
                assert httpx.get(found[1] + path, trust_env=False, timeout=300).is_success
            page = httpx.get(found[1] + "/redoc", trust_env=False, timeout=300)
            assert page.status_code == 404, "it would load scripts of another host"
            with PatientClient(found[1]) as client:
                client.mo(NUMBER, "36010", "hello")
                client.findings()
                client.messages()
            server.send_signal(signal.SIGTERM)
            _, errors = server.communicate(timeout=300)
        finally:
            server.kill()
    assert server.returncode == 0
    assert errors == f"stopping\nledger closed: {tmp_path / 'run'}\n"
