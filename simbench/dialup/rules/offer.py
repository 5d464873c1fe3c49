"""Rules on the tariff function: the published points, the first minute, progression."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from simbench.dialup.rules.case import RULES, Case, verdict
from simbench.finding import Evidence
from simbench.rulebook import Verdict


@RULES.rule("revenue.first-point", "The tariff function gives the first published share", binds="", unit="FF")
def first_point(case: Case) -> Verdict:
    """Check that the function gives exactly the share of the first point, in francs."""
    points, assumed = case.offer.terms.points, case.offer.assumed("tariff-function")
    wanted, share = points.first_share_ff.value, case.offer.share_ff(points.first_minutes.value, case.tariff)
    wrong = [] if share == wanted else [Evidence(f"{int(share):,} FF")]
    words = (f"{case.tariff} gives the published share", f"{case.tariff} misses the published share")
    return verdict(wrong, words, measured=int(share), limit=wanted, assumed=assumed)


@RULES.rule("revenue.second-point", "The tariff function gives more than the second published share", binds="",
            unit="FF")  # fmt: skip
def second_point(case: Case) -> Verdict:
    """Check that the function gives more than the share of the second point, in francs."""
    points, assumed = case.offer.terms.points, case.offer.assumed("tariff-function")
    over, share = points.second_share_over_ff.value, case.offer.share_ff(points.second_minutes.value, case.tariff)
    wrong = [] if share > over else [Evidence(f"{int(share):,} FF")]
    words = (
        f"{case.tariff} gives more than the published share", f"{case.tariff} gives no more than the published share",
    )  # fmt: skip
    return verdict(wrong, words, measured=int(share), limit=over, assumed=assumed)


@RULES.rule("revenue.first-minute", "The share begins at zero and never decreases", binds="")
def first_minute(case: Case) -> Verdict:
    """Check the steps of `_ladder`."""
    shares = _ladder(case)
    falls = [
        Evidence(f"{b:,} minutes bring {f:,} FF, {a:,} bring {e:,} FF") for (a, e), (b, f) in pairwise(shares) if f < e
    ]
    nothing = [Evidence(f"0 minutes bring {shares[0][1]} FF")] * (shares[0][1] != 0)
    words = (
        f"{case.tariff} never falls, from the first minute on", f"{case.tariff} falls, or does not begin at nothing",
    )  # fmt: skip
    return verdict([*nothing, *falls], words, assumed=case.offer.assumed("tariff-function"))


@RULES.rule("revenue.progressive", "The average rate never decreases as minutes increase", binds="")
def progressive(case: Case) -> Verdict:
    """Check the steps of `_ladder`; half the smallest amount is allowed either way for rounding."""
    half = Fraction(case.offer.terms.money.smallest.value) / 2
    slower = [
        Evidence(f"on average more at {a:,} minutes than at {b:,}")
        for (a, e), (b, f) in pairwise(_ladder(case)[1:])
        if (Fraction(f) + half) / b < (Fraction(e) - half) / a
    ]
    words = (f"the average rate of {case.tariff} never falls", f"the average rate of {case.tariff} falls")
    return verdict(slower, words, assumed=case.offer.assumed("tariff-function"))


def _ladder(case: Case) -> list[tuple[int, Decimal]]:
    """Return minutes and share from zero to twice the second point, and around every edge of a bracket."""
    most = 2 * case.offer.terms.points.second_minutes.value
    edges = [rate.from_minutes for rate in case.offer.functions[case.tariff].rates]
    steps = {0, 1, 100, *(most * step // 200 for step in range(1, 201))}
    minutes = steps | {edge + more for edge in edges for more in (-1, 0, 1) if edge + more >= 0}
    return [(one, case.offer.share_ff(one, case.tariff)) for one in sorted(minutes)]
