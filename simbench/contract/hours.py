"""The hours in which marketing messages are allowed."""

from __future__ import annotations

from simbench.base.calendar import Calendar
from simbench.contract.terms import Terms


def marketing_hours(us: int, terms: Terms, *, closed: bool = False, alsace_moselle: bool = False) -> bool:
    """Whether marketing messages are allowed at an instant (OPS-PRO-03).

    The window is half-open: 22:00:00 is too late; `closed` includes its last second (AMB-20).
    """
    hours, zone = terms.hours["marketing"], terms.calendar
    calendar = Calendar(zone.zone.value, zone.country.value, zone.region.value)
    then = calendar.civil(us)
    second_of_day = (then.hour * 60 + then.minute) * 60 + then.second
    inside = hours.opens_at_h.value * 3600 <= second_of_day < hours.closes_at_h.value * 3600 + closed
    return inside and calendar.is_jour_ouvrable(then.date(), regional=alsace_moselle)
