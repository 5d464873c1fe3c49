"""The log names every refused submission, and keeps nothing that grows with the traffic."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

from fake_smsc.scenario import CodeConfig
from simbench.kernels import jit
from simbench.kernels.frame_fields import TRNS
from simbench.ledger import MemoryLedger
from simbench.service import refusals, search_kernels
from simbench.service.log import EventLog, frame_id
from simbench.service.messages import MessageSearch, Query
from simbench.service.observed import Observed
from simbench.service.refusals import Refusals
from simbench.ucp.frame import encode
from simbench.ucp.operations import build
from tests.fake_smsc.live import serving
from tests.paris import CONTRACT

SESSIONS = 4
FACTS = ("at", "code", "recipient", "ec")  # of a refused submission, besides its id


@pytest.fixture(params=["compiled", "plain"], autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything by the kernels, and frame by frame as where nothing is compiled."""
    if request.param == "compiled" and not jit.compiles():
        pytest.skip("nothing is compiled here")
    monkeypatch.setattr(search_kernels.KERNELS, "ready", lambda *_: request.param == "compiled")


def submit(trn: int, number: int) -> bytes:
    return build("51", "O", f"{trn:02}", AdC=f"3363998{number % 10_000:04}", OAdC="36010", MT="3", Msg="41")


def result(trn: int, ec: str) -> bytes:
    data = f"N/{ec}/ no /" if ec else "A//33639980001:301126120000/"
    return encode(f"{trn:02}", "R", "51", data)


def logged(path: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert {each["event"] for each in found} <= {"refused"}
    return [{name: each[name] for name in ("id", *FACTS)} for each in found]


@pytest.mark.parametrize("seed", range(8))
def test_the_log_names_what_a_search_finds_refused(tmp_path: Path, seed: int) -> None:
    rng, ledger, log = random.Random(seed), MemoryLedger(), EventLog(tmp_path / "log", unmasked=True)
    follower = Refusals(ledger, log)
    sessions = list(range(SESSIONS))
    for at in range(400):
        place, trn = rng.randrange(SESSIONS), rng.randrange(6)
        session = sessions[place]
        if rng.random() < 0.5:
            octets = b"".join(submit(each, at) for each in (trn, trn + 6))
            cut = rng.randrange(1, len(octets))
            ledger.wire.append((at, session, "in", octets[:cut]))
            ledger.wire.append((at, session, "in", octets[cut:]))
        elif rng.random() < 0.9:
            ledger.wire.append((at, session, "out", result(trn, rng.choice(["", "04", "07"])) + result(trn + 6, "01")))
        else:
            ledger.wire.append((at, session, "close", b"peer: closed"))
            sessions[place] = max(sessions) + 1
        if rng.random() < 0.2:
            follower.follow()
    follower.follow()
    log.close()
    rows = MessageSearch(ledger, CONTRACT).search(Query(outcome="refused", limit=10_000))[0]
    wanted = [
        {"id": frame_id(row["session"], row["at"], row["trn"]), **{name: row[name] for name in FACTS}} for row in rows
    ]
    assert len(wanted) > 50
    assert sorted(logged(tmp_path / "log"), key=str) == sorted(wanted, key=str)


def test_only_submissions_that_may_get_a_result_are_kept() -> None:
    ledger = MemoryLedger()
    follower = Refusals(ledger, EventLog())
    for number in range(5_000):
        trn = number % 50
        ledger.wire.append((number, number % SESSIONS, "in", submit(trn, number)))
        if number % 2:
            ledger.wire.append((number, number % SESSIONS, "out", result(trn, "04" if number % 3 else "")))
        if number % 500 == 499:
            follower.follow()
            assert 0 < follower.kept <= SESSIONS * TRNS
    for session in range(SESSIONS):
        ledger.wire.append((5_000, session, "close", b"peer: closed"))
    follower.follow()
    assert follower.kept == 0


def test_reading_far_behind_keeps_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "SPARE", 100)
    ledger, kept = MemoryLedger(), list[int]()
    follower = Refusals(ledger, EventLog())
    take = follower._wire._take

    def counted(*given: Any) -> None:
        take(*given)
        kept.append(follower.kept)

    monkeypatch.setattr(follower._wire, "_take", counted)
    for number in range(5_000):  # one TRN, and no result
        ledger.wire.append((number, 1, "in", submit(7, number) + b"garbage"))
    follower.follow()
    assert len(kept) >= 5_000
    assert max(kept) <= refusals.SPARE + 2
    assert follower.kept == 1


def test_a_log_without_searches_keeps_no_message(tmp_path: Path) -> None:
    async def script() -> None:
        codes = (CodeConfig(code="36010", limit="monitor"),)
        async with serving(*codes) as site, Observed(site.smsc, EventLog(tmp_path / "log")) as observed:
            peer = await site.session()
            for number in range(200):
                await peer.submit(number % 100, OAdC="99999" if number % 2 else "36010", AdC=f"3363998{number:04}")
            await asyncio.to_thread(site.ledger.flush)
            await asyncio.to_thread(observed.refusals.follow)
            assert not observed.search.holds()
            assert observed.refusals.kept == 0

    asyncio.run(script())
    events = [json.loads(line)["event"] for line in (tmp_path / "log").read_text().splitlines()]
    assert events.count("refused") == 100
