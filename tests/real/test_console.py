"""The console in a real browser: a visitor sends a text, causes an outage, and sees a real client come back.

Pictures are kept in docs/images when SIMBENCH_PICTURES names that folder.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from simbench.client import lines
from simbench.client.messages import Outgoing
from tests.cli.child import Served
from tests.ports import lasting_port
from tests.real.conftest import require
from tests.service.patient import PatientClient

pytestmark = pytest.mark.real
NUMBER = "33639980001"
WAIT_MS = 120_000  # guards against hanging; says nothing about speed
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@contextmanager
def browser() -> Iterator[Browser]:
    chromium = require("chromium", package="chromium")
    with sync_playwright() as playwright:
        expect.set_options(timeout=WAIT_MS)  # else five seconds
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def reference_client(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The reference client, which logs in at once and again after every disconnection."""
    accounts = [{"code": "36010", "account": "36010", "password": "secret", "rate_per_s": 10}]
    environment = {
        **os.environ,
        "SIMBENCH_HOST": "127.0.0.1",
        "SIMBENCH_PORT": str(port),
        "SIMBENCH_ACCOUNTS": json.dumps(accounts),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "simbench.client"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def console_of(server: Served) -> str:
    """The address of the console, from the server's banner."""
    found = re.search(r"console: (http://127\.0\.0\.1:\d+)/", server.banner)
    assert found is not None, server.banner
    return found[1]


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("SIMBENCH_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WAIT_MS / 1000
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)  # the API grants a caller so many requests a second


def test_a_visitor_sends_a_text_causes_an_outage_and_sees_the_client_recover(tmp_path: Path) -> None:
    with (
        Served("--port", str(lasting_port()), "--api", "0", "--console", "-o", tmp_path / "run") as server,
        reference_client(server.port) as client,
        PatientClient(console_of(server)) as api,
        browser() as chromium,
    ):
        requested: list[str] = []
        page = chromium.new_page(viewport={"width": 1500, "height": 1250})
        page.on("request", lambda request: requested.append(request.url))
        page.goto(console_of(server))
        session = page.get_by_role("region", name="Sessions").get_by_role("cell", name="36010", exact=True)
        expect(session).to_be_visible()
        _send(client, 25)
        until(lambda: api.messages(outcome="delivered", limit=1).indexed >= 25, "the client sends")
        expect(page.get_by_role("img", name="Accepted submits per second")).to_be_visible()

        page.get_by_label("Text", exact=True).fill("Hello from a phone")
        page.get_by_role("button", name="Send").click()
        sent = page.get_by_text(re.compile("^acknowledged$|^sent; not acknowledged yet$"))  # within two seconds, or not
        expect(sent).to_be_visible()
        expect(page.get_by_text("Hello from a phone", exact=True)).to_be_visible()
        page.get_by_role("button", name="Reply STOP").click()
        texts = page.get_by_role("log", name="Texts of the phone")
        expect(texts.get_by_text("STOP", exact=True).first).to_be_visible()

        page.get_by_label("Text contains").fill("order")
        page.get_by_role("button", name="Search").click()
        row = page.get_by_role("row", name=NUMBER)
        row.first.click()
        expect(page.get_by_text("51 submit short message, operation")).to_be_visible()
        page.get_by_role("button", name="Judge").click()
        expect(page.get_by_text("rules had something to judge")).to_be_visible()
        picture(page, "console-traffic")

        page.get_by_role("button", name="Start outage").click()
        state = page.locator("[data-test=state]")
        expect(state).to_have_text("down: cut (total)")
        expect(session).to_have_count(0)
        picture(page, "console-outage")
        page.get_by_role("button", name="Restore").click()
        expect(state).to_have_text("up")
        expect(session).to_be_visible(timeout=6 * WAIT_MS)
        _send(client, 1, first=900)
        until(lambda: api.messages(text="order 900", outcome="delivered").messages, "the client goes on")
        picture(page, "console-recovered")
        outside = [url for url in requested if not re.match(r"http://127\.0\.0\.1:|data:", url)]
        assert outside == []


def test_invalid_entries_of_a_visitor_are_refused_in_words_and_change_nothing(tmp_path: Path) -> None:
    with (
        Served("--port", "0", "--api", "0", "--console", "-o", tmp_path / "run") as server,
        browser() as chromium,
    ):
        page = chromium.new_page()
        page.goto(console_of(server))
        for label, entered, button, reported in (
            ("Step (s)", "1e12", "Step clock", "seconds: Input should be less than or equal to 31536000"),
            ("Speed", "1e9", "Set speed", "speed: Input should be less than or equal to 100000"),
            ("Starts in (s)", "-3", "Start outage", "in_s: Input should be greater than or equal to 0"),
            ("Subscriber", "abc", "Switch off", "not a valid phone number"),
            ("Subscriber", "0639980001", "Send", "text: String should have at least 1 character"),
        ):
            page.get_by_label(label, exact=True).fill(entered)
            page.get_by_role("button", name=button, exact=True).click()
            expect(page.get_by_text(reported)).to_be_visible()
        with PatientClient(console_of(server)) as api:
            seen = api.platform()
            assert (seen.speed, seen.outage, seen.scheduled) == (1.0, None, [])
            assert abs(seen.now / 1e6 - time.time()) < 60
        page.close()
        _, errors = server.end(signal.SIGTERM)
        assert errors.splitlines()[0] == "stopping", errors


@pytest.mark.parametrize("width", [390, 1500])
def test_the_console_has_no_violation_of_accessibility_and_fits_a_phone(tmp_path: Path, width: int) -> None:
    with (
        Served("--port", "0", "--api", "0", "--console", "-o", tmp_path / "run") as server,
        browser() as chromium,
    ):
        page = chromium.new_page(viewport={"width": width, "height": 900})
        page.goto(console_of(server))
        expect(page.get_by_role("heading", name="Wire faults")).to_be_visible()
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]})
        violations = [(one["id"], node["html"][:150]) for one in found.response["violations"] for node in one["nodes"]]
        assert violations == [], "\n".join(map(str, violations))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.documentElement.lang")


def _send(client: subprocess.Popen[bytes], count: int, first: int = 0) -> None:
    assert client.stdin is not None
    for number in range(first, first + count):
        command = Outgoing(f"n{number}", "36010", NUMBER, f"Your order {number} #{number:05d}")
        client.stdin.write(lines.write(command))
    client.stdin.flush()
