"""The console used by keyboard alone, its tables that follow the traffic, and its texts."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from fake_smsc.faults.registry import FAULTS, sentence
from tests.cli.child import Served
from tests.fake_smsc.live import dial
from tests.ports import lasting_port
from tests.real.test_console import browser, console_of
from tests.service.patient import PatientClient

pytestmark = pytest.mark.real
MOST_TABS = 400
NAME = "(e => e.getAttribute('aria-label') || (e.labels?.[0] ?? e).innerText.trim())(document.activeElement)"
TOKEN = "0123456789abcdef"
SEARCH = re.compile(r"/messages\?")


def go_to(page: Page, name: str, key: str = "Tab") -> None:
    """Press a key until the element of this name, or of one that begins with it, has the focus."""
    met: list[str] = []
    for _ in range(MOST_TABS):
        page.keyboard.press(key)
        met.append(page.evaluate(NAME))
        if met[-1] == name or (name.startswith("Frame ") and met[-1].startswith(name)):
            return
    raise AssertionError(f"{name!r} is not reached: {list(dict.fromkeys(each[:40] for each in met))}")


async def _traffic(port: int, first: int = 0) -> None:
    """Submits of an application, some from an originator that is not its own."""
    peer = await dial(port)
    assert (await peer.login()).data[0] == "A"
    for trn in range(first, first + 8):
        text = f"order {trn}".encode().hex().upper()
        await peer.submit(trn, OAdC="99999" if trn % 2 else "36010", Msg=text, NRq="", NT="")
    await peer.close()


def traffic(port: int, first: int = 0) -> None:
    """The same from a thread: a loop runs in this one, the browser's."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(_traffic(port, first))).result()


def test_everything_can_be_done_by_keyboard_alone(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with (
        Served("--port", str(lasting_port()), "--api", "0", "--console", "--limit", "monitor", "-o", run) as server,
        browser() as chromium,
        PatientClient(console_of(server)) as api,
    ):
        traffic(server.port)
        page = chromium.new_page(viewport={"width": 1500, "height": 1250})
        page.goto(console_of(server))
        state = page.locator("[data-test=state]")
        expect(page.get_by_role("region", name="Findings").get_by_text("sender.allotted-codes")).to_be_visible()
        go_to(page, "Start outage")
        page.keyboard.press("Enter")
        expect(state).to_have_text("down: cut (total)")
        go_to(page, "Restore")
        page.keyboard.press("Space")
        expect(state).to_have_text("up")

        go_to(page, f"All {len(FAULTS)} faults")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Choose nack", exact=True)).to_be_visible()
        go_to(page, "Choose nack")
        page.keyboard.press("Enter")
        expect(page.get_by_label("ec", exact=True)).to_be_visible()
        go_to(page, "ec", "Shift+Tab")
        page.keyboard.type("06")
        go_to(page, "Start fault")
        page.keyboard.press("Enter")
        expect(page.get_by_text("active: nack")).to_be_visible()
        assert api.platform().faults == ["nack"]

        go_to(page, "Text contains", "Shift+Tab")
        page.keyboard.type("order 4")
        page.keyboard.press("Enter")
        found = page.get_by_role("region", name="Messages found")
        expect(found.get_by_role("cell", name="order 4", exact=True)).to_be_visible()
        expect(found.get_by_role("row")).to_have_count(2)
        go_to(page, "Frame of ")
        page.keyboard.press("Enter")
        expect(page.get_by_text("51 submit short message, operation, TRN 04")).to_be_visible()

        go_to(page, "Frame 1.")
        page.keyboard.press("Enter")
        expect(page.get_by_text("51 submit short message, operation")).to_have_count(2)


def test_messages_verdicts_and_events_follow_the_traffic_without_a_click(tmp_path: Path) -> None:
    with (
        Served("--port", "0", "--api", "0", "--console", "-o", tmp_path / "run") as server,
        browser() as chromium,
    ):
        page = chromium.new_page(viewport={"width": 1500, "height": 1250})
        page.goto(console_of(server))
        expect(page.get_by_role("heading", name="Wire faults")).to_be_visible()
        for first in (0, 10):
            traffic(server.port, first)
            text = f"order {first + 7}"
            messages = page.get_by_role("region", name="Messages found")
            expect(messages.get_by_role("cell", name=text, exact=True)).to_be_visible()
            submits = f"{first // 10 * 4 + 4} of {first // 10 * 8 + 8} submits from other codes"
            verdict = page.get_by_role("region", name="Findings").get_by_text(submits)
            expect(verdict).to_be_visible()
        events = page.get_by_role("region", name="Events")
        rule = events.get_by_text("sender.in-service of 36010: 99999 is no code of it (OPS-ACH-02)")
        expect(rule.first).to_be_visible()
        expect(events.get_by_text("connection ended").first).to_be_visible()


def test_a_search_counts_when_it_is_entered_and_an_empty_share_is_not_sent(tmp_path: Path) -> None:
    with (
        Served("--port", "0", "--api", "0", "--console", "-o", tmp_path / "run") as server,
        browser() as chromium,
        PatientClient(console_of(server)) as api,
    ):
        traffic(server.port)
        page = chromium.new_page(viewport={"width": 1500, "height": 1250})
        searches: list[str] = []
        page.on("request", lambda each: searches.append(each.url) if SEARCH.search(each.url) else None)
        page.goto(console_of(server))
        found = page.get_by_role("region", name="Messages found")
        expect(found.get_by_role("row")).to_have_count(9)
        page.get_by_label("Recipient", exact=True).fill("06")  # no number yet
        with page.expect_request(SEARCH):
            traffic(server.port, 10)
        expect(found.get_by_role("cell", name="order 17", exact=True)).to_be_visible()
        assert not [url for url in searches if "recipient=06" in url], "nobody has entered it"
        page.get_by_label("Recipient", exact=True).fill("33710000001")
        with page.expect_request(re.compile(r"/messages\?.*recipient=33710000001")):
            page.get_by_role("button", name="Search").click()
        expect(found.get_by_role("cell", name="order 17", exact=True)).to_be_visible()

        page.get_by_label("Share", exact=True).fill("")
        with page.expect_request("**/faults") as sent:
            page.get_by_role("button", name="Start fault").click()
        assert "share" not in (sent.value.post_data or "share")
        expect(page.get_by_text("active: late-result")).to_be_visible()
        assert api.platform().faults == ["late-result"]


def test_of_two_quick_clicks_the_later_one_counts_whichever_frame_comes_first(tmp_path: Path) -> None:
    with (
        Served("--port", "0", "--api", "0", "--console", "-o", tmp_path / "run") as server,
        browser() as chromium,
    ):
        traffic(server.port)
        page = chromium.new_page()
        asked: list[Route] = []

        def keep(route: Route) -> None:
            asked.append(route)

        page.route(re.compile(r"/api/v1/messages/\d"), keep)
        page.goto(console_of(server))
        found = page.get_by_role("region", name="Messages found")
        for count, text in enumerate(("order 3", "order 5"), 1):
            found.get_by_role("cell", name=text, exact=True).click()
            while len(asked) < count:
                page.evaluate("0")  # routes are called meanwhile
        first, second = (route.request.url.rpartition("/")[2] for route in asked)
        assert first != second
        shown = page.get_by_role("status").filter(has_text="51 submit short message")
        asked[1].continue_()
        expect(shown).to_contain_text(f"({second})")
        with page.expect_response(lambda response: response.url.endswith(first)):
            asked[0].continue_()
        page.evaluate("fetch('/api/v1/platform').then(answer => answer.text())")  # the page has read the one before it
        expect(shown).to_have_count(1)
        expect(shown).to_contain_text(f"({second})")


def test_a_page_with_an_outdated_token_sends_no_more_requests(tmp_path: Path) -> None:
    with (
        Served("--port", "0", "--api", "0", "--console", "-o", tmp_path / "run") as server,
        browser() as chromium,
    ):
        page = chromium.new_page()
        refused: list[str] = []
        refusal = {"status": 401, "content_type": "application/problem+json", "body": '{"detail": "a token is needed"}'}

        def refuse(route: Route) -> None:
            refused.append(route.request.url)
            route.fulfill(**refusal)  # type: ignore[arg-type]

        page.route("**/api/v1/**", refuse)
        page.clock.install()
        page.goto(console_of(server))
        state = page.locator("[data-test=state]")
        expect(state).to_contain_text("the token is not valid any more; reload this page")
        for _ in range(30):
            page.clock.run_for(1_000)
        assert len(refused) == 1
        refusal["status"] = 429
        page.reload()
        expect(state).to_contain_text("no answer")
        before, began_ms = len(refused), page.evaluate("Date.now()")
        for _ in range(30):
            page.clock.run_for(1_000)
        more, passed_ms = len(refused) - before, page.evaluate("Date.now()") - began_ms
        assert 1 <= more <= 1 + passed_ms / 10_000, "one in ten seconds of the page's clock, which runs beside"


def test_the_policy_of_each_page_allows_what_it_does(tmp_path: Path) -> None:
    with (
        Served("--port", "0", "--api", "0", "--console", "-o", tmp_path / "run") as server,
        browser() as chromium,
    ):
        page = chromium.new_page()
        messages: list[str] = []
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        traffic(server.port)
        page.goto(console_of(server))
        expect(page.get_by_role("img", name="Accepted submits per second")).to_be_visible()
        expect(page.get_by_role("region", name="Events").get_by_role("row")).not_to_have_count(1)
        page.goto(f"{console_of(server)}/docs")
        expect(page.get_by_text("/api/v1/platform").first).to_be_visible()
        assert [text for text in messages if "Content Security Policy" in text or "Error" in text] == []


def test_every_fault_is_explained_with_its_parameters(tmp_path: Path) -> None:
    with (
        Served("--port", "0", "--api", "0", "--console", "-o", tmp_path / "run") as server,
        browser() as chromium,
    ):
        page = chromium.new_page(viewport={"width": 390, "height": 900})
        page.goto(console_of(server))
        page.get_by_text(f"All {len(FAULTS)} faults").click()
        rows = page.get_by_role("row", name="Choose ")
        expect(rows).to_have_count(len(FAULTS))
        shown = {text.split("\t")[0].strip(): text for text in rows.all_inner_texts()}
        for name, fault in FAULTS.items():
            assert sentence(name) in shown[name], name
            assert all(f"{key} ({value})" in shown[name] for key, value in fault.parameters.items()), name
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_wrong_token_is_refused_on_the_page_and_the_right_one_opens_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    options = ("--port", "0", "--api", "0", "--console", "-o", tmp_path / "run", "--token-file", tmp_path / "token")
    with Served(*options) as server, browser() as chromium:
        page = chromium.new_page()
        page.goto(console_of(server))
        expect(page.get_by_label("Token")).to_be_focused()
        page.keyboard.type("0123456789abcdee")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("That token is wrong.")
        expect(page.get_by_label("Token")).to_be_focused()
        page.keyboard.type(TOKEN)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Wire faults")).to_be_visible()
