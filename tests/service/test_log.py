"""The log: every login in order, with an API or without, and a flood that does not fill the disk."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fake_smsc.scenario import CodeConfig
from simbench.ledger.events import ViolationSeen, row_of
from simbench.service.log import BURST, EventLog
from simbench.service.observed import Observed
from simbench.service.watch import PIECE, Watch
from simbench.ucp.frame import encode
from simbench.ucp.operations import build
from tests import harness
from tests.cli.child import Served
from tests.fake_smsc.live import Site, dial, serving
from tests.service.ticks import Ticks

CODES = (
    CodeConfig(code="36010", sessions=1), CodeConfig(code="36020", state="suspended"), CodeConfig(code="36050"),
)  # fmt: skip


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the contents of a log."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def logins(path: Path) -> list[tuple[str, ...]]:
    """The logins of a log: how they ended, account, kind, error code and reason."""
    return [
        (each["event"].removeprefix("login "), each["account"], each["kind"], each.get("ec", ""), each.get("why", ""))
        for each in lines(path) if each["event"].startswith("login ")
    ]  # fmt: skip


async def _every_kind(site: Site) -> None:
    """Log in with every outcome, one after the other."""
    first = await site.session("36010")
    for account, password in (("36010", "secret"), ("36010", "wrong"), ("99999", "secret"), ("36020", "secret")):
        peer = await site.connect()
        assert (await peer.login(account, password)).data[0] == "N"
    peer = await site.connect()
    password = b"secret".hex().upper()
    peer.send(build("60", "O", "03", OAdC="36010", OTON="6", ONPI="5", STYP="4", PWD=password, VERS="0100"))
    assert (await peer.frame()).data[0] == "A"
    peer = await site.connect()
    peer.send(encode(3, "O", "60", "36010/6/5/9/zz//0100//////"))
    assert (await peer.frame()).data[0] == "N"
    first.send(harness.login("36010", "secret"))
    await first.frame()
    site.control.fault("login-refused", ec="04")
    peer = await site.connect()
    assert (await peer.login("36050")).data[:2] == ["N", "04"]
    site.control.clear()
    await site.control.outage("accept-close", "36010")
    peer = await site.connect()
    peer.send(harness.login("36010", "secret"))
    assert await peer.end() in {"fin", "rst"}


EVERY_KIND = [
    ("accepted", "36010", "session", "", ""),
    ("refused", "36010", "session", "04", "too many sessions"),
    ("refused", "36010", "session", "07", "authentication failure"),
    ("refused", "99999", "session", "07", "authentication failure"),
    ("refused", "36020", "session", "04", "account suspended"),
    ("accepted", "36010", "provisioning", "", ""),
    ("refused", "36010", "unknown", "", "malformed"),
    ("accepted", "36010", "session", "", ""),
    ("refused", "36050", "session", "04", "fault login-refused"),
    ("refused", "36010", "session", "", "outage"),
]


def test_every_login_is_logged_in_order_with_its_account_peer_and_reason(tmp_path: Path) -> None:
    async def script() -> None:
        async with serving(*CODES) as site, Observed(site.smsc, EventLog(tmp_path / "log")):
            await _every_kind(site)

    asyncio.run(script())
    assert logins(tmp_path / "log") == EVERY_KIND
    found = lines(tmp_path / "log")
    assert {each["peer"] for each in found if each["event"].startswith("login ")} == {"127.0.0.1"}
    assert "secret" not in (tmp_path / "log").read_text()
    instants = [each["at"] for each in found if each["event"].startswith(("login ", "session "))]
    assert instants == sorted(instants), "connections stand among the logins in their order"


def test_a_served_process_logs_logins_without_an_api(tmp_path: Path) -> None:
    async def script(port: int) -> None:
        for account, password in (("36010", "secret"), ("36010", "guess"), ("nobody", "secret")):
            peer = await dial(port)
            await peer.login(account, password)
            await peer.close()

    with Served("--port", "0", "-o", tmp_path / "run", "--log", tmp_path / "log") as server:
        asyncio.run(script(server.port))
        status, errors = server.end(signal.SIGTERM)
    assert (status, errors.splitlines()[0]) == (0, "stopping")
    assert [each[:2] for each in logins(tmp_path / "log")] == [
        ("accepted", "36010"), ("refused", "36010"), ("refused", "nobody"),
    ]  # fmt: skip
    assert [each["event"] for each in lines(tmp_path / "log")].count("session open") == 3


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("settle", [EventLog.settle, lambda log: log.event("login refused", account="b", why="y")])
def test_every_refusal_of_a_flood_is_counted(tmp_path: Path, settle: Callable[[EventLog], None]) -> None:
    clock = Clock()
    log = EventLog(tmp_path / "log", clock=clock)
    for number in range(50_000):
        log.event(
            "login refused", account=f"a{number % 1_000}" if number % 2 else "36010", why="authentication failure"
        )
    log.event("ledger", problem="other events have their own room")
    assert len(lines(tmp_path / "log")) == BURST + 1
    clock.now = 1.0
    settle(log)
    found = lines(tmp_path / "log")
    (left_out,) = [each for each in found if each["event"] == "left out"]
    assert (left_out["of"], left_out["count"]) == ("login refused", 50_000 - BURST)
    assert sum(left_out["as"].values()) == 50_000 - BURST
    assert left_out["as"]["36010 authentication failure"] == (50_000 - BURST) // 2
    assert len(left_out["as"]) <= 21, "whatever a stranger sends, the line is short"
    log.close()
    written = sum(each["event"] == "login refused" for each in found)
    assert written + left_out["count"] == 50_000 + (settle is not EventLog.settle)


def test_a_flood_of_one_kind_of_event_is_counted_and_hides_no_other(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "log", clock=lambda: 0.0)
    for number in range(BURST + 500):
        log.event("events", kind="violation", at=number)
    log.event("events", kind="outage", at=0)
    log.close()
    found = lines(tmp_path / "log")
    assert [each.get("kind") for each in found].count("violation") == BURST
    (outage,) = (each for each in found if each.get("kind") == "outage")
    assert found.index(outage) == BURST, "in its order"
    assert [each["as"] for each in found if each["event"] == "left out"] == [{"violation": 500}]


def test_a_flood_of_events_is_read_in_pieces_one_in_each_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> None:
        async with serving(*CODES) as site:
            watch, ticks, seen = Watch(site.control, EventLog()), Ticks(), list[int]()
            see = watch._see

            def counted(row: dict[str, Any]) -> None:
                seen.append(ticks.now)
                see(row)

            monkeypatch.setattr(watch, "_see", counted)
            for number in range(5_000):
                site.ledger.events.append(row_of(number, ViolationSeen("session:1", "checksum")))
            await watch.look()
            ticks.stop()
            assert len(seen) >= 5_000
            assert max(Counter(seen).values()) <= PIECE

    asyncio.run(script())


def test_the_count_of_events_left_out_is_written_when_the_log_closes(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "log", clock=Clock())
    for _ in range(BURST + 7):
        log.event("session open", peer="x")
    log.close()
    assert lines(tmp_path / "log")[-1] | {"ts": 0} == {
        "ts": 0, "event": "left out", "of": "session open", "count": 7, "as": {"": 7},
    }  # fmt: skip


def test_no_character_of_a_request_steers_the_terminal_that_shows_the_log(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "log")
    log.event("request refused", path="/\x9b31m\u202e\x1b]0;title\x07é")
    log.close()
    text = (tmp_path / "log").read_text()
    assert not any(sign in text for sign in "\x9b\u202e\x1b\x07")
    assert lines(tmp_path / "log")[0]["path"] == "/\x9b31m\u202e\x1b]0;title\x07é"
