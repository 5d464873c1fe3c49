"""The code plans tried, the choice among them, and the reason against each other one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec

from simbench.planning.campaign import Plan
from simbench.planning.code_plan import CodePlan, code_plan_of, cost
from simbench.planning.evaluate import Score, screened
from simbench.planning.loads import Group, Replication
from simbench.planning.optimizer import LADDER, Wish, solve
from simbench.planning.required_rates import RequiredRates

MOST_CANDIDATES, MOST_ADDED = 24, 5
Step = Callable[[], object]


class Candidate(msgspec.Struct, frozen=True):
    """A code plan and its score in futures other than those in which it was found.

    euros: over the period, without messages. meets: whether the measured share is sufficient; holds: whether the lower
    end of its interval is. why: the reason for or against it. doubt: whether another set of futures might decide
    differently.
    """

    mix: CodePlan
    words: str
    euros: Decimal
    score: Score
    meets: bool
    holds: bool
    proved: bool
    doubt: bool = False
    why: str = ""

    @property
    def probability(self) -> float:
        """The measured share of the promise's subject."""
        return self.score.promised.share


class Pool:
    """The code plans of a plan, each scored at most once per set of futures."""

    def __init__(self, plan: Plan, groups: list[Group], choosing: list[Replication], scoring: list[Replication]):
        self.plan, self.groups = plan, groups
        self._choosing, self._scoring = choosing, scoring
        self._chosen_by: dict[str, Score] = {}
        self._scored: dict[str, Score] = {}

    def first(self, mix: CodePlan) -> Score:
        """Return the score used for choosing a code plan."""
        key = repr(mix.held)  # its text leaves out the month of a change
        if key not in self._chosen_by:
            self._chosen_by[key] = screened(self.groups, self._choosing, mix)
        return self._chosen_by[key]

    def candidate(self, mix: CodePlan, *, proved: bool = True) -> Candidate:
        """Return the code plan with the score that is shown, from futures not used for choosing."""
        words, key = mix.words(), repr(mix.held)
        if key not in self._scored:
            self._scored[key] = screened(self.groups, self._scoring, mix)
        score = self._scored[key]
        doubt = score.doubtful or self.first(mix).doubtful or score.holds != self.first(mix).holds
        return Candidate(mix, words, self.price(mix), score, score.reaches, score.holds, proved, doubt)

    def price(self, mix: CodePlan) -> Decimal:
        """Return the euros over the period without messages."""
        return cost(mix, self.plan.months, self.plan.contract, self.plan.held)

    def choose(self, mixes: list[CodePlan]) -> CodePlan | None:
        """Choose the cheapest plan with an interval above the required share, or else with a sufficient share."""
        ordered = sorted(mixes, key=lambda mix: (self.price(mix), -mix.lowest))
        enough = None
        for mix in ordered:
            score = self.first(mix)
            if score.holds:
                return mix
            if enough is None and score.reaches:
                enough = mix
        return enough


def code_plans_of(plan: Plan, needs: list[RequiredRates], step: Step) -> dict[str, tuple[CodePlan, bool]]:
    """Return the distinct solutions of the program and their neighbours, and whether each is proved, by text."""
    target = plan.campaign.probability
    best = solve(plan, needs, Wish(target))
    step()
    around = max(1, best.mix.codes - len(plan.held)) if best else 1  # number of codes opened
    wishes = [Wish(target, steady=True), *(Wish(each) for each in LADDER)]
    wishes += [Wish(target, codes=around + more) for more in (1, -1, 2, -2, 3, 5, 10, -3) if around + more > 0]
    solutions = [best]
    for wish in wishes:
        solutions.append(solve(plan, needs, wish))
        step()
    tried = [(one.mix, one.proved) for one in solutions if one is not None]
    steady = solutions[1]
    for one in (best, steady):
        if one is not None:
            tried += [(mix, True) for mix in neighbours(one.mix, plan)]
    found: dict[str, tuple[CodePlan, bool]] = {}
    for mix, proved in tried:
        if len(found) < MOST_CANDIDATES:
            found.setdefault(mix.words(), (mix, proved))
    return found


def widened(plan: Plan, mix: CodePlan) -> list[CodePlan]:
    """Return the code plan with one, two and more standard codes added to every month, by range, within codes_max."""
    found, standard = [], plan.tiers[0]
    for prefix in mix.held:
        for more in range(1, MOST_ADDED + 1):
            months = [{**dict(month), standard: dict(month).get(standard, 0) + more} for month in mix.held[prefix]]
            wider = code_plan_of({**_counts(mix), prefix: months})
            if wider.codes <= plan.campaign.codes_max:
                found.append(wider)
    return found


def partial(plan: Plan, mixes: list[CodePlan]) -> list[CodePlan]:
    """Return each constant code plan with one code of the lowest rate fewer before or from some month on."""
    found = []
    for mix in mixes:
        for prefix, months in mix.held.items():
            if len(set(months)) > 1 or sum(n for _, n in months[0]) < 2:
                continue
            lowest = months[0][0][0]
            fewer = {**dict(months[0]), lowest: dict(months[0])[lowest] - 1}
            for at in range(1, len(plan.months)):
                for less in (range(at), range(at, len(months))):
                    changed = [fewer if place in less else dict(months[0]) for place in range(len(months))]
                    found.append(code_plan_of({**_counts(mix), prefix: changed}))
    return found


def neighbours(mix: CodePlan, plan: Plan) -> Iterator[CodePlan]:
    """Yield the constant code plans with a range's highest code removed or moved by a tier, or with one more code."""
    for prefix, months in mix.held.items():
        for change in ("less", "lower", "higher", "more"):
            changed = [_changed(dict(month), plan.tiers, change) for month in months]
            if any(sum(counts.values()) == 0 for counts in changed):
                continue  # no message would leave
            other = code_plan_of({**_counts(mix), prefix: changed})
            if other.codes <= plan.campaign.codes_max:
                yield other


def _counts(mix: CodePlan) -> dict[str, list[dict[int, int]]]:
    return {prefix: [dict(month) for month in months] for prefix, months in mix.held.items()}


def _changed(counts: dict[int, int], tiers: tuple[int, ...], change: str) -> dict[int, int]:
    top = max(counts, default=tiers[0])
    if counts and change != "more":
        counts[top] -= 1
    if change != "less":
        step = {"lower": -1, "higher": 1, "more": -len(tiers)}[change]
        other = tiers[min(max(0, tiers.index(top) + step), len(tiers) - 1)]
        counts[other] = counts.get(other, 0) + 1
    return counts
