"""The feed: each exchange with its answer, and the rule and clause by which the SMSC refused or held it."""

from __future__ import annotations

import ast
import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import fake_smsc
from fake_smsc.core.refusals import RULES
from fake_smsc.scenario import CodeConfig
from simbench.contract import load_contract
from simbench.service.feed import Exchange, Feed
from simbench.service.log import EventLog
from simbench.service.observed import Observed
from simbench.service.watch import Watch
from simbench.ucp.frame import STX, encode
from tests import harness
from tests.fake_smsc.live import SLOW_CLOCK, Site, serving
from tests.service.stage import staged

CODES = (
    CodeConfig(code="36010", limit="nack", rate_per_s=1, sessions=1),
    CodeConfig(code="36020", limit="discard", rate_per_s=1),
    CodeConfig(code="36050", limit="delay", rate_per_s=1),
)  # fmt: skip
NO_FRAME_TEXTS = frozenset({"lower-case-hex", "RPI", "AMsg"})  # names of a violation or a field


async def _exchanges(site: Site, feed: Feed, watch: Watch) -> list[Exchange]:
    stranger = await site.connect()
    assert (await stranger.submit(1)).data[0] == "N"
    assert (await stranger.login("36010", "guess")).data[0] == "N"
    peer = await site.session("36010")
    second = await site.connect()
    assert (await second.login("36010")).data[0] == "N"
    assert (await peer.submit(1, AdC="0140000000")).data[0] == "N"
    await peer.submit(2, NRq="", NT="")
    assert (await peer.submit(3, OAdC="99999")).data[0] == "N"
    peer.send(encode(5, "O", "51", "33710000001/"))
    await peer.frame()
    peer.send(STX + b"no frame\x03" + encode(6, "O", "31", "36010/0539/"))
    await peer.frame()
    other = await site.session("36020")
    site.control.fault("nack", ec="06")
    assert (await other.submit(1, OAdC="36020", NRq="", NT="")).data[1] == "06"
    site.control.clear()
    assert (await other.submit(2, OAdC="36020", NRq="", NT="")).data[0] == "A"
    other.send(harness.submit(3, OAdC="36020", NRq="", NT=""))
    assert await site.until(lambda: bool(site.rows("centre", "discarded")))
    delayed = await site.session("36050")
    for trn in (1, 2):
        delayed.send(harness.submit(trn, OAdC="36050", NRq="", NT=""))
    await delayed.frame()
    assert await site.until(lambda: bool(site.rows("centre", "held")))
    await watch.look()
    return await asyncio.to_thread(feed.latest, 100, list(watch.events))


def test_each_exchange_names_the_rule_and_the_clause_that_decided() -> None:
    async def script() -> list[Exchange]:
        async with serving(*CODES, server=SLOW_CLOCK) as site, Observed(site.smsc, EventLog()) as observed:
            feed = Feed(site.control, site.ledger, site.smsc.contract)
            return await _exchanges(site, feed, observed.watch)

    found = asyncio.run(script())
    decided = [(each.answered, each.decided) for each in found if each.decided]
    terms = load_contract().terms
    rate, sessions = terms.throughput.default_per_s.clause, terms.session.sessions_per_code.clause
    for expected in (
        ("refused 04 throughput exceeded", f"rate.tier of 36010: 1/s exceeded ({rate})"),
        ("refused 04 too many sessions", f"sessions.count of 36010 ({sessions})"),
        ("not answered", f"rate.tier of 36020: 1/s exceeded ({rate})"),
        ("refused 06", "wire fault nack"),
        ("held until the rate allows it", f"rate.tier of 36050: 1/s exceeded ({rate})"),
    ):
        assert expected in decided, decided
    rules = " ".join(rule for _, rule in decided)
    for rule in ("login.password of 36010 (", "sender.in-service of 36010: 99999 is no code of it (", "syntax: header",
                 "recipients.served for 36010: 0140000000 (", "sessions.login-first"):  # fmt: skip
        assert rule in rules, decided
    accepted = [each for each in found if each.answered == "accepted"]
    assert accepted
    assert all(not each.decided for each in accepted)
    assert [each.at for each in found] == sorted((each.at for each in found), reverse=True)


class OfOneThread(deque[dict[str, Any]]):
    """Events that only the thread which adds them may iterate over."""

    def __init__(self, events: Iterable[dict[str, Any]]) -> None:
        super().__init__(events, maxlen=2_000)
        self._own = threading.get_ident()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        assert threading.get_ident() == self._own
        return super().__iter__()

    def __reversed__(self) -> Iterator[dict[str, Any]]:
        assert threading.get_ident() == self._own
        return super().__reversed__()


def test_no_other_thread_reads_events_while_they_are_added() -> None:
    async def script() -> None:
        async with staged() as stage:
            watch = stage.platform.watch
            watch.events = OfOneThread(watch.events)
            peer = await stage.site.session("36010")
            stage.site.control.fault("nack", ec="06")
            assert (await peer.submit(1, NRq="", NT="")).data[1] == "06"
            await watch.look()
            decided = [each.decided_by for each in await stage.ask(stage.client.events)]
            assert "wire fault nack" in decided

    asyncio.run(script())


def _texts(tree: ast.AST) -> set[str]:
    """The texts of negative results in a module."""
    found: set[str] = set()
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in {"Refused", "nack", "_refuse"}:
                found |= {
                    arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                }
    return found


def test_every_text_of_a_refusal_has_its_rule() -> None:
    root = Path(fake_smsc.__file__).parent
    found = {text for path in root.rglob("*.py") for text in _texts(ast.parse(path.read_text()))}
    texts = {text for text in found if not text.isdigit()}
    assert len(texts) > 20
    assert texts - set(RULES) <= NO_FRAME_TEXTS


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: str(rule.name))
def test_the_ground_of_a_rule_is_in_the_contract_and_its_sentence_begins_with_its_name(rule: Any) -> None:
    contract = load_contract()
    assert not rule.ground or rule.ground in contract.terms.by_name() or contract.clause_of(rule.ground)
    sentence = rule.sentence(code="36010", account="36010", recipient="33639980001", rate=10, window=10)
    assert sentence.startswith(rule.name)
