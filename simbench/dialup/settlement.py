"""Settlement: the amount due for the minutes of a month, in exact decimals.

Rounding follows the offer (`money.smallest`): the share once a month, VAT on the rounded share, euros from rounded
francs.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import msgspec

from simbench.base.errors import BadInput
from simbench.base.units import MINUTE_US
from simbench.dialup.grid import last_day_of
from simbench.dialup.minutes import Laid, Month
from simbench.dialup.offer import Offer

AVERAGE = Decimal("0.0001")  # centimes a minute
MOST_MINUTES = 10**12  # two hundred years of ten thousand ports; exact in JSON and every reader


class Settled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The revenue of one month: gross share before VAT, VAT, and both, in francs and in euros."""

    month: str
    minutes: int
    tariff: str
    share_ff: Decimal
    vat_ff: Decimal
    share_ttc_ff: Decimal
    share_eur: Decimal
    share_ttc_eur: Decimal
    vat_share: Decimal
    average_centimes: Decimal


JUNE_2000 = date(2000, 6, 30)
"""The last day of the month in which the offer was announced."""


def settle_minutes(minutes: int, offer: Offer, tariff: str = "", on: date = JUNE_2000, name: str = "") -> Settled:
    """Settle one month of whole minutes by a tariff function ("": the one in force), with the VAT of a day.

    Raises BadInput for negative minutes, more than MOST_MINUTES, an unknown function, or a day without a known VAT.
    """
    if not 0 <= minutes <= MOST_MINUTES:
        raise BadInput("minutes", f"is {minutes}", f"a whole number from 0 to {MOST_MINUTES:,}")
    vat = offer.vat_on(on)
    announced = offer.share_ff(minutes, tariff)
    if offer.reading("share-vat") == "with":
        both, share = announced, offer.rounded(announced / (1 + vat))
        tax = both - share
    else:
        share, tax = announced, offer.rounded(announced * vat)
        both = share + tax
    return Settled(
        month=name,
        minutes=minutes,
        tariff=tariff or offer.reading("tariff-function"),
        share_ff=share,
        vat_ff=tax,
        share_ttc_ff=both,
        share_eur=offer.eur(share),
        share_ttc_eur=offer.eur(both),
        vat_share=vat,
        average_centimes=(100 * share / minutes).quantize(AVERAGE, ROUND_HALF_UP) if minutes else Decimal(0),
    )


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The revenue of a month under every tariff function of the offer: the announced share by name, least and most."""

    by_tariff: dict[str, Decimal]
    least: str
    least_ff: Decimal
    most: str
    most_ff: Decimal


def span(minutes: int, offer: Offer) -> Span:
    """Return the shares of minutes under all readings of the tariff function (NRV-AMB-01); the first of equal ones."""
    shares = {name: offer.share_ff(minutes, name) for name in offer.functions}
    least, most = min(shares, key=lambda name: shares[name]), max(shares, key=lambda name: shares[name])
    return Span(shares, least, shares[least], most, shares[most])


def settle(months: Iterable[Month], offer: Offer, tariff: str = "") -> tuple[Settled, ...]:
    """Settle months, each with the VAT of its last day."""
    return tuple(
        settle_minutes(month.minutes, offer, tariff, last_day_of(month.month, offer.calendar), month.month)
        for month in months
    )


def retail_ff(laid: Laid, offer: Offer) -> Decimal:
    """Return the payment of the users for calls begun within the months, with VAT, in francs (NRV-RET-01).

    A call has the credit of the day on which it begins; each further unit has the price of the hour in which it begins.
    """
    grid, total = laid.grid, Fraction(0)
    for place, tariff in enumerate(offer.retail):
        hours = (grid.retail == place) & grid.inside
        total += Fraction(tariff.credit_ff) * int(laid.begun[hours].sum())
        for period, price in ((grid.peak, tariff.peak_ff_per_min), (~grid.peak, tariff.off_peak_ff_per_min)):
            units = int(laid.charged[hours & period].sum())
            total += Fraction(price) * units * laid.charged_unit_us / MINUTE_US
    return offer.rounded(Decimal(total.numerator) / Decimal(total.denominator))
