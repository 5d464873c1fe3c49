"""Incidents of a world: scripted ones, planned maintenance with its announcement, and random ones.

Random incidents depend only on the seed and the name of their source, so they are the same on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import count
from statistics import NormalDist
from typing import Annotated, Any, Literal

import msgspec

from simbench.base.calendar import Calendar
from simbench.base.errors import ScenarioError
from simbench.base.toml_files import shown
from simbench.base.units import DAY_US, HOUR_US, MINUTE_US
from simbench.contract import Contract
from simbench.kernels.chance import draw, entity_of, quantile
from simbench.ledger.incidents import OPERATOR, PLATFORM, TOTAL, Incident, Scope, check_incidents, named_operator

QUANTILES = 4096
MAINTENANCE = "maintenance"
BETWEEN, LASTING = entity_of("incident, time to the next"), entity_of("incident, how long")

Hours = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]
Width = Annotated[float, msgspec.Meta(gt=0, le=10)]
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Days = Annotated[float, msgspec.Meta(ge=0, le=366)]
Minutes = Annotated[float, msgspec.Meta(ge=0, le=100_000)]


class Law(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A distribution of durations with the mean `mean_h`, in hours.

    `shape` is used by "weibull" only (below 1: the longer the duration so far, the longer the rest; 1: exponential),
    `sigma` by "lognormal" only: the standard deviation of the logarithm. "fixed" always lasts the mean.

    `law` is the kind of distribution.
    """

    mean_h: Annotated[float, msgspec.Meta(ge=0.1, le=1_000_000)]
    law: Literal["exponential", "weibull", "lognormal", "fixed"] = "exponential"
    shape: Width = 1.0
    sigma: Width = 1.0


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The properties that all incidents of one entry share."""

    scope: Scope = "total"
    share: Share = 1.0
    subject: str = PLATFORM
    attributed_to: str = OPERATOR
    cause: str = ""

    def incident(self, ticket: str, start: int, end: int, **more: Any) -> Incident:
        """Return one incident of this source."""
        named = {"cause": self.cause, **more}
        return Incident(
            ticket=ticket, start=start, end=end, scope=self.scope, share=self.share, subject=self.subject,
            attributed_to=self.attributed_to, **named,
        )  # fmt: skip


class Scripted(Source, frozen=True, forbid_unknown_fields=True):
    """One unplanned incident from `at` on (civil time of the contract's zone), for `for_h` hours.

    The ticket is opened `noticed_after_min` minutes later, at the latest at its end. `scope`: "total" stops the whole
    platform, "partial" a part: the short code in `subject`, or `share` of the codes if `subject` is no short code.
    `attributed_to`: only incidents of "operator" count against the service level; "client" or another name excludes
    them. `cause` is a text for reports.
    """

    at: str
    for_h: Hours
    noticed_after_min: Minutes = 0.0


class Maintenance(Source, frozen=True, forbid_unknown_fields=True):
    """Planned work from `at` on (civil time of the contract's zone), for `for_h` hours.

    It is announced `notice_days` times 24 hours ahead and repeated at the same civil time every `every_days` days (0:
    once). `scope`: "total" stops the whole platform, "partial" a part: the short code in `subject`, or `share` of the
    codes if `subject` is no short code. `attributed_to`: only incidents of "operator" count against the service level;
    "client" or another name excludes them. `cause` is a text for reports; empty: "maintenance".
    """

    at: str
    for_h: Hours
    notice_days: Days
    every_days: Annotated[int, msgspec.Meta(ge=0, le=3660)] = 0


class Drawn(Source, frozen=True, forbid_unknown_fields=True):
    """A source of random incidents: `between` restoration and next failure, `lasting` until restoration.

    `name` is unique and begins the tickets. A random incident that would overlap another one is dropped. The ticket is
    opened `noticed_after_min` minutes after the start, at the latest at its end. `scope`: "total" stops the whole
    platform, "partial" a part: the short code in `subject`, or `share` of the codes if `subject` is no short code.
    `attributed_to`: only incidents of "operator" count against the service level; "client" or another name excludes
    them. `cause` is a text for reports; empty: `name`.
    """

    name: str
    between: Law
    lasting: Law
    noticed_after_min: Minutes = 0.0


class IncidentsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All incidents: scripted ones, maintenance and random ones; none by default."""

    scripted: tuple[Scripted, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    drawn: tuple[Drawn, ...] = ()


def incidents(
    config: IncidentsConfig, seed: int, span: tuple[int, int], contract: Contract, place: str = "incidents"
) -> tuple[Incident, ...]:
    """Return every incident that overlaps the `span` [start, end), by start; one that outlasts it keeps its own end.

    Scripted incidents and maintenance must not overlap; a random one that would overlap them, or one of an earlier
    source, is dropped. Tickets are S, M or D with a number, after the source's name for D. Raises ScenarioError.
    """
    (start, end), calendar = span, contract.calendar
    fixed = [_scripted(one, calendar, f"{place}.scripted[{n}]", n) for n, one in enumerate(config.scripted)]
    fixed += [
        incident
        for n, one in enumerate(config.maintenance)
        for incident in _maintenance(one, calendar, f"{place}.maintenance[{n}]", n, end)
    ]
    fixed = [one for one in fixed if one.touches(start, end)]
    check_incidents(fixed, place, ScenarioError)
    names = [source.name for source in config.drawn]
    for n, name in enumerate(names):
        if not name or name in names[:n]:
            raise ScenarioError(f"{place}.drawn[{n}].name", f"is {shown(name)}", "a unique name")
    happening = list(fixed)
    for source in config.drawn:
        happening += [one for one in drawn(source, seed, start, end) if not _meets(one, happening)]
    named = (named_operator(one, contract.operator) for one in happening)
    return tuple(sorted(named, key=lambda one: (one.start, one.ticket)))


def drawn(source: Drawn, seed: int, start: int, end: int) -> Iterator[Incident]:
    """Yield the incidents of one source that begin between `start` and `end`; they never overlap."""
    between, lasting, entity = table_of(source.between), table_of(source.lasting), entity_of(source.name)
    up_since = start
    for number in count():
        begins = up_since + max(1, quantile(between, draw(seed, entity + number, BETWEEN)))
        if begins >= end:
            return
        up_since = begins + max(1, quantile(lasting, draw(seed, entity + number, LASTING)))
        noticed = _noticed(begins, up_since, source.noticed_after_min)
        cause = source.cause or source.name
        yield source.incident(f"{source.name}-D{number + 1}", begins, up_since, noticed_at=noticed, cause=cause)


@lru_cache(maxsize=256)
def table_of(law: Law) -> tuple[int, ...]:
    """Return a distribution as quantiles (us) at the middles of equal shares, scaled to the mean `mean_h`.
    The outermost 1 in 8192 at either end is cut off; rounding is to a microsecond per quantile.
    """
    plain = [_QUANTILE[law.law](law, (place + 0.5) / QUANTILES) for place in range(QUANTILES)]
    mean = (sum(plain) - (plain[0] + plain[-1]) / 2) / (
        QUANTILES - 1
    )  # mean of the linear interpolation between the entries
    return tuple(round(value / mean * law.mean_h * HOUR_US) for value in plain)


_QUANTILE: dict[str, Callable[[Law, float], float]] = {
    "exponential": lambda _, share: -math.log1p(-share),
    "weibull": lambda law, share: (-math.log1p(-share)) ** (1 / law.shape),
    "lognormal": lambda law, share: math.exp(law.sigma * NormalDist().inv_cdf(share)),
    "fixed": lambda *_: 1.0,
}


def _scripted(one: Scripted, calendar: Calendar, place: str, number: int) -> Incident:
    begins = _instant(one.at, calendar, place)
    ends = begins + round(one.for_h * HOUR_US)
    return one.incident(f"S{number + 1}", begins, ends, noticed_at=_noticed(begins, ends, one.noticed_after_min))


def _maintenance(one: Maintenance, calendar: Calendar, place: str, number: int, end: int) -> Iterator[Incident]:
    first = calendar.civil(_instant(one.at, calendar, place)).replace(tzinfo=None)
    for repeat in count():
        begins = calendar.from_civil(first + timedelta(days=repeat * one.every_days))
        if repeat and (not one.every_days or begins >= end):
            return
        yield one.incident(
            f"M{number + 1}" + (f".{repeat + 1}" if one.every_days else ""),
            begins,
            begins + round(one.for_h * HOUR_US),
            planned=True,
            announced_at=begins - round(one.notice_days * DAY_US),
            cause=one.cause or MAINTENANCE,
        )


def _instant(text: str, calendar: Calendar, place: str) -> int:
    try:
        return calendar.from_civil(datetime.fromisoformat(text))
    except ValueError:
        expected = f"civil time of {calendar.zone} like 2026-03-02T02:00"
        raise ScenarioError(f"{place}.at", f"is {shown(text)}", expected) from None


def _noticed(begins: int, ends: int, after_min: float) -> int:
    """Return when a ticket is opened, at the latest at the end of the incident."""
    return min(ends, begins + round(after_min * MINUTE_US))


def _meets(one: Incident, others: list[Incident]) -> bool:
    same = (other for other in others if TOTAL in {one.scope, other.scope} or one.subject == other.subject)
    return any(other.touches(one.start, one.end or one.start + 1) for other in same)
