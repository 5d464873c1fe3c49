"""Rules on arrays: they find what rules find that look at one operation after the other.

The same ledgers are judged with the kernels compiled and without; `tests/rules/plain_rules.py` is the oracle.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.contract import load_contract
from simbench.kernels import jit
from simbench.ledger.events import AccountSet, Event, LimitSet, OutageBegan, Restored, SubscriberSet, row_of
from simbench.ledger.stimuli import Reported, stimulus_row
from simbench.rules.client.admission import objections
from simbench.rules.client.connection_sessions import window
from simbench.rules.client.losses import no_duplicates, received_results
from simbench.rules.client.refusals import trn_discipline
from simbench.rules.rule import Case
from simbench.trace import wire
from simbench.trace.trace import Trace
from simbench.ucp.frame import encode
from tests.paris import scts_text
from tests.rules import plain_rules
from tests.trace.test_wire import NOON_US, ledger_of, submit

SETTINGS = settings(max_examples=40, deadline=None)


@pytest.fixture(params=["compiled", "plain"], scope="module", autouse=True)
def _way(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param == "compiled" and not jit.compiles():
        pytest.skip("nothing is compiled here")
    with pytest.MonkeyPatch.context() as patched:
        few = 0 if request.param == "compiled" else 1 << 60
        patched.setattr(wire, "FEW", few)
        patched.setattr(jit, "FEW", few)
        yield


texts = st.sampled_from(["Bonjour", "Bonjour", "code #A1B2C ici", "#00000", "{[€]}", "ê ж", "x" * 161])
recipients = st.sampled_from(["33639980001", "33639980001", "33639980002", "0033639980003", "4915112345678", "12"])
given_fields: st.SearchStrategy[dict[str, str]] = st.sampled_from(
    [{}, {}, {}, {"VP": "0101271200"}, {"VP": "9901271200"}, {"OAdC": "36020"}, {"OAdC": "99999"}, {"PR": "1"},
     {"OAdC": "0E5", "OTOA": "5039"}, {"MT": "3", "Msg": "44E96AE0"}, {"MT": "3", "Msg": "7F80"}]
)  # fmt: skip
sent = st.builds(submit, st.integers(0, 3), recipients, texts, given_fields)
answered = st.builds(
    lambda trn, body: encode(trn, "R", "51", body),
    st.integers(0, 3),
    st.sampled_from(
        [f"A//33639980001:{scts_text(NOON_US)}/", f"A//33639980001:{scts_text(NOON_US)}/", "N/04//", "N/06//"]
    ),
)
traffic = st.lists(
    st.tuples(
        st.sampled_from([1, 1_000, 20_000, 400_000, 1_000_000, 61_000_000]),
        st.integers(1, 2),
        st.one_of(
            st.tuples(st.just("in"), st.lists(sent, min_size=1, max_size=6).map(b"".join)),
            st.tuples(st.just("out"), st.lists(answered, min_size=1, max_size=6).map(b"".join)),
        ),
    ),
    max_size=16,
)  # fmt: skip
seconds = st.integers(0, 70).map(lambda second: NOON_US + second * 1_000_000 + 7)
events: st.SearchStrategy[list[tuple[int, Event]]] = st.lists(
    st.tuples(
        seconds,
        st.sampled_from([
            LimitSet(code="36010", rate_per_s=2, mode="monitor", account="36010", window=3),
            LimitSet(code="36010", rate_per_s=1, mode="monitor", account="36010", window=1),
            LimitSet(code="36020", rate_per_s=3, mode="monitor", account="36020"),
            SubscriberSet("33639980002", "ported-out", "", attached=True),
            SubscriberSet("33639980001", "malformed", "", attached=True),
            AccountSet("36010", state="suspended"), AccountSet("36010", state="active"),
            AccountSet("36010", oadc_option=True),
            OutageBegan("total", mode="cut"), Restored("total", mode="cut"), OutageBegan("36020", mode="cut"),
        ]),
    ),
    max_size=5,
)  # fmt: skip
reports = st.lists(st.tuples(seconds, st.sampled_from(["#A1B2C", "#00000"])), max_size=2)


def case_of(
    drawn: list[tuple[int, int, tuple[str, bytes]]], happened: list[tuple[int, Event]], reported: list[tuple[int, str]]
) -> Case:
    ledger = ledger_of(drawn, opened=True)
    ledger.events.extend(row_of(at, event) for at, event in sorted(happened, key=lambda one: one[0]))
    ledger.stimuli.extend(stimulus_row(Reported(at, "accepted", token)) for at, token in sorted(reported))
    if drawn:
        ledger.timing_error.append((NOON_US + 300_000, NOON_US + 900_000, 40_000, "loop"))
    return Case(Trace(ledger.snapshot()), load_contract())


@given(traffic, events, reports)
@SETTINGS
def test_objections_are_those_of_one_submit_after_the_other(
    drawn: list[tuple[int, int, tuple[str, bytes]]], happened: list[tuple[int, Event]], reported: list[tuple[int, str]]
) -> None:
    case = case_of(drawn, happened, reported)
    assert [set(one) for one in objections(case)] == plain_rules.objections(case)


@given(traffic, events, reports)
@SETTINGS
def test_repetitions_are_those_of_one_submit_after_the_other(
    drawn: list[tuple[int, int, tuple[str, bytes]]], happened: list[tuple[int, Event]], reported: list[tuple[int, str]]
) -> None:
    case = case_of(drawn, happened, reported)
    assert received_results(case).tolist() == plain_rules.received_results(case)
    accepted, known, doubtful, alike = plain_rules.duplicates(case)
    found = no_duplicates(case)
    if not accepted:
        assert found.summary == "nothing was accepted"
        return
    assert found.summary.startswith(
        f"{accepted} accepted, {len(known)} repeated after a received result, {len(doubtful)} in doubt"
    )
    assert (f"{len(alike)} like an earlier one" in found.summary) == bool(alike)
    assert found.outcome == ("fail" if known else "inconclusive" if alike else "pass")
    shown = [case.trace.submits.rows()[place].at for place in (known or doubtful or alike)[:6]]
    assert [one.start for one in found.evidence] == shown


@given(traffic, events, reports)
@SETTINGS
def test_windows_and_numbers_are_those_of_one_operation_after_the_other(
    drawn: list[tuple[int, int, tuple[str, bytes]]], happened: list[tuple[int, Event]], reported: list[tuple[int, str]]
) -> None:
    case = case_of(drawn, happened, reported)
    highest, allowed, broken = plain_rules.window(case)
    found = window(case)
    if len(case.trace.submits):
        assert (found.measured, found.limit) == (highest, allowed)
        assert [one.note for one in found.evidence] == broken[:5]
        assert found.outcome == ("fail" if broken else "pass")
    total, in_use, odd, same = plain_rules.trn_discipline(case)
    summary = trn_discipline(case).summary
    if total:
        assert f"{total} operation" in summary
        assert f", {in_use} with a number in use, {odd} out of order" in summary
        assert (f"{same} with the number of the previous one" in summary) == bool(same)
    for session, (longest, last) in plain_rules.longest_silences(case).items():
        silence, _, seen = case.trace.silence(session)
        assert (silence, seen) == (longest, last)
