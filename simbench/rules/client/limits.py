"""Reads the limits of each account over time from the events of a run: rates, windows, suspensions, outages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np
from msgspec import UNSET

from simbench.ledger.events import AccountSet, LimitSet, SubscriberSet, is_capture
from simbench.rules.rule import Case
from simbench.trace.view import Index, Ints

FOREVER: Final = 1 << 62


class Period(msgspec.Struct, frozen=True):
    """A period [start, end) (us) in which the rate of a code is `rate` operations a second.

    `before` is the highest rate of the code's earlier periods, 0 for the first period.
    """

    start: int
    end: int
    rate: int
    before: int = 0


def rate_periods(case: Case, code: str) -> list[Period]:
    """Return the rates of a code in order; the first period has no beginning. Empty for a code without a limit."""
    limits = case.trace.limits.get(code, [])
    found: list[Period] = []
    for number, (at, rate, _) in enumerate(limits):
        end = limits[number + 1].since if number + 1 < len(limits) else FOREVER
        if found and found[-1].rate == rate:
            found[-1] = msgspec.structs.replace(found[-1], end=end)
        else:
            found.append(Period(at if found else -FOREVER, end, rate, max((one.rate for one in found), default=0)))
    return [one for one in found if one.start < one.end]


def without_outages(case: Case, code: str, period: Period) -> list[tuple[int, int]]:
    """Return the parts (start, end) of a period outside outages of the platform or of the code."""
    left, start = [], period.start
    for begins, ends, scope, _ in case.trace.outages:
        if scope in {"total", code}:
            if start < min(begins, period.end):
                left.append((start, min(begins, period.end)))
            start = max(start, ends)
    return [*left, (start, period.end)] if start < period.end else left


def windows(case: Case) -> dict[str, int]:
    """Return the windows that events set, by account; other accounts have the contract's window."""
    found = {}
    for _, event in case.trace.events:
        if isinstance(event, LimitSet) and event.window:
            found[event.account or event.code] = event.window
    return found


def window_sizes(case: Case) -> tuple[Ints, Index]:
    """Return the windows of the accounts, and the index of each submit's account."""
    known, default = windows(case), case.contract.terms.session.window.value
    accounts, account = case.trace.submits.texts("account")
    return np.array([known.get(name, default) for name in accounts], np.int64), account


def owners(case: Case) -> dict[str, set[str]]:
    """Return the codes of each account; "" has all codes, for sessions whose login was not recorded."""
    found: dict[str, set[str]] = defaultdict(set)
    for _, event in case.trace.events:
        if isinstance(event, LimitSet) and event.account:
            found[event.account].add(event.code)
            found[""].add(event.code)
    return found


def suspensions(case: Case, *states: str) -> dict[str, list[tuple[int, int]]]:
    """Return the periods (start, end) in which each account was in one of these states (default: not active)."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    since: dict[str, int] = {}
    for at, event in case.trace.events:
        match event:
            case AccountSet(account, str() as state) if state in states or (not states and state != "active"):
                since.setdefault(account, at)
            case AccountSet(account, str()) if account in since:
                found[account].append((since.pop(account), at))
    for account, start in since.items():
        found[account].append((start, FOREVER))
    return found


def options(case: Case) -> set[str]:
    """Return the accounts with the sender-name option; all accounts if the contract grants names to every code."""
    if case.contract.terms.numbering.sender_names.value == "always":
        return {event.account for _, event in case.trace.events if isinstance(event, LimitSet) and event.account}
    accounts = (event for _, event in case.trace.events if isinstance(event, AccountSet))
    return {event.account for event in accounts if event.oadc_option is True}


def option_unknown(case: Case) -> Callable[[str], bool]:
    """Return a test whether the sender-name option of an account is unknown, as in a capture without this data."""
    accounts = (event for _, event in case.trace.events if isinstance(event, AccountSet))
    recorded = {event.account for event in accounts if event.oadc_option is not UNSET}
    of_a_capture = captured(case) and case.contract.terms.numbering.sender_names.value == "option"
    return lambda account: of_a_capture and account not in recorded


def truth(case: Case) -> dict[str, SubscriberSet]:
    """Return the latest state of each recipient in the events."""
    return {event.msisdn: event for _, event in case.trace.events if isinstance(event, SubscriberSet)}


def captured(case: Case) -> bool:
    """Return whether the record is a capture, which may begin in mid-connection."""
    return is_capture(case.trace.events)
