"""The confidence interval of a share, compared with exact probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from simbench.planning.advise import advise
from simbench.planning.campaign import CampaignError
from simbench.planning.confidence import bounds, futures_needed, share_of
from simbench.planning.loads import Group, replications, widths
from simbench.planning.own_code_plan import own_code_plan
from tests.planning.plans import OUTAGES, flow, plan_of, sending
from tools.bench.calibration import drawn, stated

pytestmark = pytest.mark.slow


def test_the_interval_is_the_exact_one_of_clopper_and_pearson() -> None:
    low, high, _ = bounds(0.9, 10, 0.5)  # nine of ten: tables give 55.5 % to 99.7 %
    assert [low, high] == pytest.approx([0.55498, 0.99747], abs=1e-4)
    assert bounds(1.0, 100, 0.95)[0] == pytest.approx(0.025 ** (1 / 100))


@pytest.mark.parametrize("truth", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("together", [False, True])
def test_at_least_nineteen_of_twenty_intervals_hold_the_truth(*, truth: float, together: bool) -> None:
    """Occasions of a future late each for itself, or all of them together."""
    chance = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        late = chance.random((300, 1 if together else 12)) >= truth
        found = share_of(np.repeat(late, 12, axis=1) if together else late, truth)
        held += found.low <= truth <= found.high
    assert held >= 372, "nineteen of twenty, less three standard deviations"


def test_occasions_that_are_late_together_count_as_one() -> None:
    late = np.zeros((200, 10), bool)
    late[:20] = True
    assert share_of(late, 0.9).effective == pytest.approx(200, rel=0.01)


def test_more_futures_settle_only_what_measures_more_than_is_asked() -> None:
    late = np.zeros((1000, 1), bool)
    late[:48] = True
    found = share_of(late, 0.95)
    needed = futures_needed(found, 1000, 0.95)
    assert needed is not None
    assert bounds(0.952, needed, 0.95)[0] >= 0.95
    assert bounds(0.952, needed * 0.9, 0.95)[0] < 0.95
    assert futures_needed(found, 1000, 0.96) is None


def test_sigma_is_drawn_for_each_occasion_and_sigma_period_for_all_of_a_future() -> None:
    plan = plan_of(
        sendings=[sending(every="week", sigma=0.2), sending(name="t", every="week", sigma_period=0.2)],
        flows=[flow(sigma=0.1)], replications=400,
    )  # fmt: skip
    futures = replications(plan)
    each, together, days = (np.log([one.factors[name] for one in futures]) for name in ("s", "t", "f"))
    assert [widths(plan)[name] for name in ("s", "t", "f")] == [5, 5, 31]
    assert each.std() == pytest.approx(0.2, rel=0.1)
    assert days.std() == pytest.approx(0.1, rel=0.1)
    assert abs(np.corrcoef(each[:, 0], each[:, 1])[0, 1]) < 0.2
    assert (together == together[:, :1]).all()
    assert together[:, 0].std() == pytest.approx(0.2, rel=0.1)


def test_what_never_leaves_is_late() -> None:
    plan = plan_of(flows=[flow(per_day=10_000_000)])
    (group,) = (Group(plan, prefix) for prefix in plan.groups)
    _, days = group.late(*group.run((10,), replications(plan, 1)[0]))
    assert days.all()


def test_a_mix_of_one_s_own_is_scored_beside_the_advice() -> None:
    plan = plan_of(sendings=[sending(volume=500_000)], outages=OUTAGES, probability=0.5)
    advice = advise(plan, own=(own_code_plan("36010=20,36020=50", plan),))
    (mine,) = advice.own
    assert mine.words == "36ABC: 1 x 20/s + 1 x 50/s"
    assert mine.euros >= advice.chosen.euros
    assert mine.score.futures == advice.scored


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("36010", "is not a code with a rate; expected CODE=RATE"),
        ("36010=25", "36010 at 25/s; expected a tier of the contract: 10, 20, 50"),
        ("35010=20", "35010 has no traffic in this plan; expected codes of 36ABC"),
        ("36010=20,36010=20", "36010 appears twice"),
    ],
)
def test_a_mix_the_contract_does_not_have_is_refused(text: str, reported: str) -> None:
    with pytest.raises(CampaignError, match=reported):
        own_code_plan(text, plan_of(sendings=[sending()]))


def test_promises_said_to_hold_do_in_futures_nobody_has_seen() -> None:
    """Sixteen drawn plans, each against two thousand futures of its own; `tools.bench.calibration` takes 200."""
    found = [reported for reported in (stated(drawn(number), 2000) for number in range(16)) if reported is not None]
    assert len(found) >= 8
    noise = 0.01  # of the truth itself, in two thousand futures
    assert sum(one.low - noise <= one.truth <= one.high + noise for one in found) >= len(found) - 1
    assert all(one.truth >= one.asked - noise for one in found if one.holds)
