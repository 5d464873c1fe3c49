"""What binds each account over time, as the events of a run say it: rates, windows, suspensions, outages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

import msgspec

from simbench.rules.rule import Case

FOREVER: Final = 1 << 62


class Period(msgspec.Struct, frozen=True):
    """From `start` until before `end` (us) a code is held to `rate` operations a second.

    `before` is the highest rate of its earlier periods, 0 for the first: where it was higher, the rate was lowered.
    """

    start: int
    end: int
    rate: int
    before: int = 0


def rate_periods(case: Case, code: str) -> list[Period]:
    """The rates of a code in order; the first holds from the beginning of time. Empty for a code without a limit."""
    limits = case.reading.limits.get(code, [])
    found: list[Period] = []
    for number, (at, rate, _) in enumerate(limits):
        end = limits[number + 1][0] if number + 1 < len(limits) else FOREVER
        if found and found[-1].rate == rate:
            found[-1] = msgspec.structs.replace(found[-1], end=end)
        else:
            found.append(Period(at if found else -FOREVER, end, rate, max((one.rate for one in found), default=0)))
    return [one for one in found if one.start < one.end]


def without_outages(case: Case, code: str, period: Period) -> list[tuple[int, int]]:
    """What outages of the platform or of the code leave of a period, as (start, end)."""
    left, start = [], period.start
    for begins, ends, scope, _ in case.reading.outages:
        if scope in {"total", code}:
            if start < min(begins, period.end):
                left.append((start, min(begins, period.end)))
            start = max(start, ends)
    return [*left, (start, period.end)] if start < period.end else left


def windows(case: Case) -> dict[str, int]:
    """Account to its window, where the events say it; every other account has the contract's."""
    found = {}
    for row in case.reading.story.rows():
        if row.kind == "limit" and row.detail.get("window"):
            found[row.detail.get("account", row.subject)] = int(row.detail["window"])
    return found


def owners(case: Case) -> dict[str, set[str]]:
    """Account to its codes; under "" all of them, for a session whose login was not seen."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in case.reading.story.rows():
        if row.kind == "limit" and "account" in row.detail:
            found[row.detail["account"]].add(row.subject)
            found[""].add(row.subject)
    return found


def suspensions(case: Case) -> dict[str, list[tuple[int, int]]]:
    """Account to the stretches (start, end) in which it was not active."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    since: dict[str, int] = {}
    for row in case.reading.story.rows():
        state = row.detail.get("state") if row.kind == "account" else None
        if state == "active" and row.subject in since:
            found[row.subject].append((since.pop(row.subject), row.at))
        elif state is not None and state != "active":
            since.setdefault(row.subject, row.at)
    for account, start in since.items():
        found[account].append((start, FOREVER))
    return found


def options(case: Case) -> set[str]:
    """Accounts with the option to send under a name, as the events say."""
    return {row.subject for row in case.reading.story.rows() if row.kind == "account" and row.detail.get("oadc_option")}


def option_unknown(case: Case) -> Callable[[str], bool]:
    """Of which accounts nobody says whether they have the option: of a capture, all that its auditor leaves out."""
    rows = case.reading.story.rows()
    said = {row.subject for row in rows if row.kind == "account" and row.detail.get("oadc_option") is not None}
    of_a_capture = captured(case)
    return lambda account: of_a_capture and account not in said


def truth(case: Case) -> dict[str, dict[str, Any]]:
    """Recipient to the last thing the events say of it: fate, operator, attached, roaming."""
    return {row.subject: row.detail for row in case.reading.story.rows() if row.kind == "subscriber"}


def captured(case: Case) -> bool:
    """Whether the record is a capture: taken by somebody beside the line, who may have come late."""
    return any(row.kind == "capture" for row in case.reading.story.rows())
