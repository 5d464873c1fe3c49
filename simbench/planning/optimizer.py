"""The optimizer, a mixed-integer program: the cheapest code plan with enough occasions on time.

It models the complete tariff grid (OPS-TAR-01 to 13, 21, 22 and their ambiguities): opening, changing and closing
codes, bands, tiers by the calendar month. HiGHS solves it and proves that no cheaper code plan exists.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np

from simbench.contract import Contract
from simbench.contract.terms import Charge, TariffRow
from simbench.planning.campaign import Plan
from simbench.planning.code_plan import CodePlan, code_plan_of
from simbench.planning.required_rates import RequiredRates

ACTS: Final[tuple[Charge, ...]] = ("opening", "rate_change", "other_change")

TIME_LIMIT_S = 20.0
LADDER = (0.5, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 1.0)  # probabilities tried besides the required one
Row = dict[int, float]


class Wish(msgspec.Struct, frozen=True):
    """The requirements on a solution: the probability, and bounds for an alternative to the cheapest.

    codes: the number of codes opened in total. steady: the codes opened first are not changed.
    """

    probability: float
    codes: int | None = None
    steady: bool = False


class Solution(msgspec.Struct, frozen=True):
    """A code plan, its euros without messages by the program, and whether it is proved to be the cheapest."""

    mix: CodePlan
    euros: float
    proved: bool


def solve(plan: Plan, needs: Sequence[RequiredRates], wish: Wish) -> Solution | None:
    """Return the cheapest code plan that meets the requirements; None if there is none."""
    return _Program(plan, needs, wish).solve()


class _Program:
    """Variables by name, rows of constraints, costs."""

    def __init__(self, plan: Plan, needs: Sequence[RequiredRates], wish: Wish) -> None:
        self.plan, self.needs, self.wish = plan, needs, wish
        self.cost: list[float] = []
        self.whole: list[int] = []
        self.upper: list[float] = []
        self.rows: list[tuple[Row, float, float]] = []
        self.months = range(len(plan.months))
        self.tiers = _priced(plan)
        self.held: dict[tuple[str, int, int], int] = {}
        self.reached: dict[tuple[str, int, int], int] = {}
        self.opened: list[int] = []
        for each in needs:
            self._codes(each.prefix)
            self._levels(each)
        self._bands()
        (self._by_sending if plan.campaign.promise == "sending" else self._by_period)()
        for month in self.months:
            self._row({var: 1 for (_, at, _), var in self.held.items() if at == month}, 0, plan.campaign.codes_max)
        if wish.codes is not None:
            self._row(dict.fromkeys(self.opened, 1.0), wish.codes, wish.codes)

    def _new(self, cost: float = 0.0, upper: float = math.inf, *, whole: bool = False) -> int:
        self.cost.append(cost)
        self.upper.append(upper)
        self.whole.append(int(whole))
        return len(self.cost) - 1

    def _row(self, row: Row, low: float, high: float = math.inf) -> None:
        if row:
            self.rows.append((row, low, high))

    def _codes(self, prefix: str) -> None:
        """Add the number of codes by rate, and the cost of changes from the month before."""
        terms = self.plan.contract.terms
        before = Counter(rate for code, rate in self.plan.held.items() if code.startswith(prefix))
        setup, change, close = (float(sum(row.value for row in terms.rows(charge))) for charge in ACTS)
        for month in self.months:
            later = month > 0
            may_change = not self.wish.steady if later else bool(before)
            opened = self._new(setup, 0 if later and self.wish.steady else math.inf)
            closed = self._new(close, math.inf if may_change else 0)
            changed = self._new(change, math.inf if may_change else 0)
            self.opened.append(opened)
            arrivals: Row = {opened: -1, changed: -1}
            balance: Row = {opened: -1, closed: 1}
            for rate, price in self.tiers.items():
                held = self._new(price, self.plan.campaign.codes_max, whole=True)
                self.held[prefix, month, rate] = held
                more, fewer = self._new(), self._new()
                step: Row = {held: 1, more: -1, fewer: 1}
                balance[held] = 1
                arrivals[more] = 1
                if later:
                    last = self.held[prefix, month - 1, rate]
                    step[last] = balance[last] = -1
                had = 0 if later else before[rate]
                self._row(step, had, had)
            self._row(arrivals, 0, 0)
            all_held = 0 if later else before.total()
            self._row(balance, all_held, all_held)

    def _levels(self, needs: RequiredRates) -> None:
        """Add variables for whether the rates of a month reach each required level."""
        for month in self.months:
            of_month = needs.need[:, [at == month for at in needs.months]]
            wanted = sorted({int(place) for place in np.unique(of_month) if place < len(needs.levels)})
            row: Row = {var: float(rate) for (p, m, rate), var in self.held.items() if (p, m) == (needs.prefix, month)}
            if needs.quiet[month] >= 0:  # for any probability, nothing may be late in a future without incidents
                self._row(dict(row), needs.levels[needs.quiet[month]])
            before, rate = None, 0
            for place in wanted:
                var = self.reached[needs.prefix, month, place] = self._new(0, 1, whole=True)
                row[var] = -float(needs.levels[place] - rate)
                rate = needs.levels[place]
                if before is not None:
                    self._row({before: 1, var: -1}, 0)
                before = var
            self._row(row, 0)

    def _by_sending(self) -> None:
        """Require enough occasions of each demand, over all replications, to be on time."""
        for needs in self.needs:
            for demand in dict.fromkeys(needs.demands):
                weights: defaultdict[int, float] = defaultdict(float)
                which = np.flatnonzero(needs.kept(demand))
                for occasion in which:
                    for place in needs.need[:, occasion]:
                        if place < len(needs.levels):
                            weights[self.reached[needs.prefix, needs.months[occasion], int(place)]] += 1
                self._row(dict(weights) or {0: 0}, enough(self.wish.probability, len(which) * len(needs.need)))

    def _by_period(self) -> None:
        """Require enough replications without lateness."""
        runs = len(self.needs[0].need)
        good = [self._new(0, 1, whole=True) for _ in range(runs)]
        for needs in self.needs:
            months = np.array(needs.months)
            for run, var in enumerate(good):
                for month in sorted(set(needs.months)):
                    place = int(needs.need[run, months == month].max())
                    if place == len(needs.levels):
                        self.upper[var] = 0
                    else:
                        self._row({self.reached[needs.prefix, month, place]: 1, var: -1}, 0)
        self._row(dict.fromkeys(good, 1.0), enough(self.wish.probability, runs))

    def _bands(self) -> None:
        """Add monthly prices by the number of codes, in total and of separately counted ranges, by the readings."""
        contract, terms = self.plan.contract, self.plan.contract.terms
        special = set(terms.ranges_apart)
        standard = terms.throughput.default_per_s.value
        apart = contract.reading("range-price") != "adds"
        earlier = int(contract.reading("band-overlap") == "from_10")
        for month in self.months:
            counted = [
                var
                for (prefix, at, rate), var in self.held.items()
                if at == month
                and not (apart and prefix in special)
                and (contract.reading("tier-price") == "adds" or rate == standard)
            ]
            self._band(counted, _bands_of(terms.rows("code_month")), slab=contract.reading("band-scope") == "slab")
            for prefix in sorted(special):
                own = [var for (p, at, _), var in self.held.items() if (p, at) == (prefix, month)]
                rows = [row for row in terms.rows("range_month") if terms.numbering.use_of(prefix) in row.uses]
                self._band(own, _bands_of(rows, earlier))

    def _band(self, counted: list[int], bands: list[tuple[int, float, float]], *, slab: bool = False) -> None:
        """Price codes by bands of (first, last, price): each code in its own band; slab: all in the band reached."""
        if not counted or not bands:
            return
        most = self.plan.campaign.codes_max
        within = [self._new(price) for _, _, price in bands]  # the number of codes with the price of each band
        self._row({**dict.fromkeys(counted, 1.0), **dict.fromkeys(within, -1.0)}, 0, 0)
        rising = all(low[2] <= high[2] for low, high in pairwise(bands))
        if not slab:
            for var, (first, last, _) in zip(within, bands, strict=True):
                self.upper[var] = max(0.0, last - first + 1)
            if rising:  # the minimum fills the cheaper bands first
                return
        chosen = [self._new(0, 1, whole=True) for _ in bands]  # 1 if a band is reached
        for place, (var, reached, (first, last, _)) in enumerate(zip(within, chosen, bands, strict=True)):
            self._row({var: 1, reached: -float(min(last, most))}, -math.inf, 0)
            if slab:
                self._row({var: 1, reached: -float(first)}, 0)
            elif place:  # a band is reached if the one below is full
                self._row({within[place - 1]: 1, reached: -self.upper[within[place - 1]]}, 0)
        if slab:
            self._row(dict.fromkeys(chosen, 1.0), 0, 1)

    def solve(self) -> Solution | None:
        from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - half a second to load
        from scipy.sparse import coo_array  # noqa: PLC0415 - as above

        at = [(number, var, value) for number, (row, _, _) in enumerate(self.rows) for var, value in row.items()]
        rows, columns, values = (np.array(each) for each in zip(*at, strict=True))
        matrix = coo_array((values.astype(float), (rows, columns)), shape=(len(self.rows), len(self.cost))).tocsr()
        low, high = (np.array([row[place] for row in self.rows], float) for place in (1, 2))
        found = milp(
            np.array(self.cost), integrality=np.array(self.whole), bounds=Bounds(0, np.array(self.upper)),
            constraints=LinearConstraint(matrix, low, high), options={"time_limit": TIME_LIMIT_S, "mip_rel_gap": 0.0},
        )  # fmt: skip
        if found.x is None:  # infeasible, or no solution found in time
            return None
        counts: dict[str, list[dict[int, int]]] = {each.prefix: [{} for _ in self.months] for each in self.needs}
        for (prefix, month, rate), var in self.held.items():
            counts[prefix][month][rate] = round(found.x[var])
        return Solution(code_plan_of(counts), float(found.fun), found.status == 0)


def enough(probability: float, total: int) -> int:
    """Return the smallest number that is at least such a share of a total."""
    return math.ceil(probability * total - 1e-9)


def _priced(plan: Plan) -> dict[int, float]:
    """Return the prices of the tiers that have one; the standard rate's is zero."""
    contract: Contract = plan.contract
    tiers = contract.terms.throughput.paid_tiers
    prices = {rate: float(tier.price) for rate, tier in tiers.items() if tier.price is not None}
    if contract.reading("high-rates") == "quotation":
        prices = {rate: price for rate, price in prices.items() if rate == min(prices)}
    standard = contract.terms.throughput.default_per_s.value
    return {rate: prices.get(rate, 0.0) for rate in plan.tiers if rate == standard or rate in prices}


def _bands_of(rows: list[TariffRow], earlier: int = 0) -> list[tuple[int, float, float]]:
    """Return bands as (first code, last code, price); `earlier` moves the edges between them down."""
    return [
        (row.first - earlier * (row.first > 1), math.inf if row.last is None else row.last - earlier, float(row.value))
        for row in rows
    ]
