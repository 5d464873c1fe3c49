"""The hours in which marketing messages are allowed."""

from __future__ import annotations

from simbench.base.calendar import civil, is_jour_ouvrable
from simbench.contract.terms import Terms


def marketing_hours(us: int, terms: Terms, *, closed: bool = False, alsace_moselle: bool = False) -> bool:
    """Whether marketing messages are allowed at an instant (OPS-PRO-03).

    The window is half-open: 22:00:00 is too late; `closed` includes its last second (AMB-20).
    """
    then = civil(us)
    opens, closes = terms.marketing.opens_at_h.value, terms.marketing.closes_at_h.value
    second_of_day = (then.hour * 60 + then.minute) * 60 + then.second
    inside = opens * 3600 <= second_of_day < closes * 3600 + closed
    return inside and is_jour_ouvrable(then.date(), alsace_moselle=alsace_moselle)
