"""The distinctive figures of the offer NetRevenu, for the finder of stray figures in `strays`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from simbench.dialup.offer import Offer
from tests.contract.strays import Figures, Value


class FrancFigures(Figures):
    """Prices, rates and points of an offer: large ones and decimals of three digits stand nowhere else."""

    def __init__(self, offer: Offer) -> None:
        self.prices = dict(self._prices(offer))
        self.tiers = (-1,)  # the offer has none
        self.shares, self.ladders, self.patterns, self.seconds = {}, {}, {}, {}
        hours = offer.terms.hours
        self.hours = {hours.peak_from_h.value: "hours.peak_from_h", hours.peak_to_h.value: "hours.peak_to_h"}
        terms = offer.terms.by_name().items()
        self.named = list(self._named({name: (term.value, term.unit) for name, term in terms}))
        self.anywhere = dict(reversed(list(self._distinctive())))  # the first to say a figure names it

    @staticmethod
    def _prices(offer: Offer) -> Iterator[tuple[str, Decimal]]:
        for name, term in offer.terms.by_name().items():
            if isinstance(term.value, Decimal) and name.startswith("money."):
                yield name, term.value
            if name.startswith("points."):
                yield name, Decimal(term.value)
        for name, function in offer.functions.items():
            for rate in function.rates:
                yield f"functions.{name}.rate_from_{rate.from_minutes}", rate.ff_per_min
                if rate.from_minutes:  # nothing is nobody's figure
                    yield f"functions.{name}.from_{rate.from_minutes}", Decimal(rate.from_minutes)
            yield from [(f"functions.{name}", function.exponent)] if function.exponent else []
        for tariff in offer.retail:
            for name in ("credit_ff", "peak_ff_per_min", "off_peak_ff_per_min"):
                yield f"retail.{tariff.since}.{name}", getattr(tariff, name)
        yield from ((f"vat.{rate.since}", rate.share) for rate in offer.vat)

    def _distinctive(self) -> Iterator[tuple[Value, str]]:
        """Yield distinctive figures: large whole numbers, and odd decimals."""
        for name, price in self.prices.items():
            if price >= 100_000 or (price % 1 and len(price.normalize().as_tuple().digits) >= 3):
                yield (int(price) if price == int(price) else float(price)), name
