"""The client's observations compared with the tickets."""

from __future__ import annotations

import numpy as np
import pytest

from simbench.base.units import DAY_US, HOUR_US, MINUTE_US
from simbench.ledger.incidents import Incident, Period
from simbench.rules.rule import judge
from simbench.sla.classification import service_of
from simbench.sla.dispute import Side, compare, seen_by_the_client
from simbench.sla.probes import Probes, probes_of
from tests.paris import FRANCE
from tests.rules.scene import Scene, us
from tests.sla.years import START, case_of, outage

DAY = Period(START, START + DAY_US, START)


def probes(*silent_h: tuple[float, float], until_h: float = 24, from_h: float = 0) -> Probes:
    """One a minute; unanswered in these hours."""
    at = START + MINUTE_US * np.arange(round(from_h * 60), round(until_h * 60))
    ok = np.ones(len(at), dtype=np.bool_)
    for begin, end in silent_h:
        ok &= ~((at >= START + begin * HOUR_US) & (at < START + end * HOUR_US))
    return Probes(at, ok)


def side(incident: Incident, seen: Probes) -> Side:
    (found,) = compare(service_of(case_of([incident], DAY)), seen, 60, 2, FRANCE)
    return found


@pytest.mark.parametrize(
    ("seen", "verdict", "why"),
    [
        (probes((10, 12)), "agree", "agrees with the ticket"),
        (probes((9.5, 12)), "differ", "down for the client 30 min 00 s before the ticket's start"),
        (probes((10, 12.5)), "differ", "still down for the client 30 min 00 s after the ticket's end"),
        (probes((10.5, 12)), "differ", "the client saw it only 30 min 00 s after"),
        (probes((10, 11.5)), "differ", "served again 30 min 00 s before the ticket's end"),
        (probes((10, 10.5), (11, 12)), "differ", "2 separate silences"),
        (probes(), "only the ticket", "120 of 120 probes answered"),
        (probes(until_h=9), "nobody looked", "sent no probe"),
    ],
)
def test_a_ticket_is_compared_with_the_silence_it_meets(seen: Probes, verdict: str, why: str) -> None:
    found = side(outage(10, 2), seen)
    assert found.verdict == verdict
    assert why in found.why


def test_a_silence_without_a_ticket_is_reported_and_a_short_one_is_none() -> None:
    seen = probes((3, 3.5), (5, 5.01))
    (found,) = compare(service_of(case_of([], DAY)), seen, 61, 2, FRANCE)
    assert (found.verdict, found.seen_s) == ("only the client", 1800)
    assert (found.seen_start, found.ticket_start) == (START + 3 * HOUR_US, -1)


def test_probes_in_a_ledger_give_variant_v5() -> None:
    case = case_of([outage(10, 2)], DAY)
    assert len(probes_of(case).at) == 0
    assert "V5" not in judge("sla.availability", case, "").summary


def test_the_wire_shows_what_the_client_saw() -> None:
    scene = Scene()
    scene.login(1).submit(2, 1).wire(30, "close", b"outage: the platform went down")
    scene.login(330, session=2)
    seen = seen_by_the_client(scene.trace())
    ((start, end, count),) = list(seen.silences())
    assert (start, end, count) == (us(30), us(330.001), 1)
