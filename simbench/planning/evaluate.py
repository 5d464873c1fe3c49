"""A code plan in every future of a set, by the fluid model: the share of each demand in time, with its interval."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.planning.campaign import Plan
from simbench.planning.code_plan import CodePlan
from simbench.planning.confidence import Share, share_of
from simbench.planning.loads import Group, Replication

FEW = (10, 50)


class Score(msgspec.Struct, frozen=True):
    """A code plan in a number of futures: the share of occasions in time by demand, and the share of futures without
    lateness.

    asked: the promised probability; by_period: whether the promise is about whole futures.
    """

    kept: dict[str, Share]
    whole: Share
    futures: int
    asked: float
    by_period: bool

    @property
    def least_sure(self) -> str:
        """The demand with the lowest probability of being on time."""
        return min(self.kept, key=lambda name: (self.kept[name].low, self.kept[name].share))

    @property
    def promised(self) -> Share:
        """The share that the promise is about: of whole futures, or of the least certain demand."""
        return self.whole if self.by_period else self.kept[self.least_sure]

    @property
    def about(self) -> str:
        """The demand of the promised share; "" for the whole period."""
        return "" if self.by_period else self.least_sure

    @property
    def _shares(self) -> list[Share]:
        return [self.whole] if self.by_period else list(self.kept.values())

    @property
    def reaches(self) -> bool:
        """Whether the measured share is sufficient."""
        return all(one.share >= self.asked - 1e-9 for one in self._shares)

    @property
    def holds(self) -> bool:
        """Whether the lower end of the interval is sufficient for every demand."""
        return all(one.low >= self.asked - 1e-9 for one in self._shares)

    @property
    def doubtful(self) -> bool:
        """Whether the required share is within the interval: neither certainly kept nor certainly broken."""
        return not self.holds and self.promised.high >= self.asked


def evaluate(groups: list[Group], futures: list[Replication], mix: CodePlan) -> Score:
    """Evaluate a code plan in every future."""
    plan = groups[0].plan
    late: dict[str, list[NDArray[np.bool_]]] = {}
    whole = np.zeros((len(futures), 1), bool)
    for group in groups:
        rates = mix.rates(group.prefix)
        mine = {
            demand.name: np.array([one.demand.name == demand.name for one in group.occasions])
            for demand in group.sendings
        }
        for number, future in enumerate(futures):
            sendings, days = group.late(*group.run(rates, future))
            whole[number] |= sendings.any() or days.any()
            for name, which in mine.items():
                late.setdefault(name, []).append(sendings[which])
            for flow, each in zip(group.flows, days, strict=True):
                late.setdefault(flow.name, []).append(each)
    return score(plan, {name: np.array(rows) for name, rows in late.items()}, whole)


def screened(groups: list[Group], futures: list[Replication], mix: CodePlan) -> Score:
    """Evaluate a code plan, but stop after ten or fifty futures if it is clearly insufficient; the score shows this."""
    target = groups[0].plan.campaign.probability
    for amount in FEW:
        if amount < len(futures):
            found = evaluate(groups, futures[:amount], mix)
            mine = found.promised
            if mine.high + 2 * (mine.high - mine.share) < target:
                return found
    return evaluate(groups, futures, mix)


def score(plan: Plan, late: dict[str, NDArray[np.bool_]], whole: NDArray[np.bool_]) -> Score:
    """Return a score from lateness: (futures, occasions) of each demand, (futures, 1) of the whole period."""
    target = plan.campaign.probability
    return Score(
        {name: share_of(rows, target) for name, rows in late.items()}, share_of(whole, target), len(whole), target,
        plan.campaign.promise == "period",
    )  # fmt: skip
