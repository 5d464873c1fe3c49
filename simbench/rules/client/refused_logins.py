"""Finds refused logins for which the record shows a reason other than a mistake of the client: OPS-CON-03."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from msgspec import UNSET

from simbench.ledger.events import AccountSet, ExerciseEnded, FaultActed, LimitSet
from simbench.rules.rule import Case
from simbench.trace.rows import FrameSeen
from simbench.ucp.codes import PASSWORD_CHANGES
from simbench.ucp.frame import Framer, WireError

BAD_LOGIN: Final = "07"
_REFUSING: Final = "login-refused"  # the fault by which the bench refuses logins
_FIELDS: Final = {("in", "O"): 6, ("out", "R"): 1}  # fields that an operation 60 and its result need here
_OF_SESSIONS: Final = {"1", "3"}  # values of STYP: open a session, change its password


def excused(case: Case) -> dict[int, str]:
    """Return the sessions whose last login was refused with error code 07 through no fault of the client, with reasons.

    A refusal is the client's own unless the account is closed, unknown to the platform or was given a wrong password, a
    fault refused the login, or the platform had accepted this very password, or a change of it had no result.
    """
    faults = [(at, event) for at, event in case.trace.events if isinstance(event, FaultActed)]
    ours = {event.line: at for at, event in faults if event.name == _REFUSING}  # the last one of each session
    known, states = _known(case), _states(case)
    held: dict[tuple[str, bool], set[str]] = defaultdict(set)
    open_: dict[tuple[str, bool], set[str]] = defaultdict(set)  # passwords of changes without a result
    asked: dict[tuple[int, str], tuple[int, list[str]]] = {}
    reasons = {session: "a fault of the bench refused it" for session in ours if session is not None}
    for row, data in _sixties(case):
        if row.kind == "O":
            asked[row.session, row.trn] = row.at, data
            if data[3] in PASSWORD_CHANGES:
                open_[_of(data)].update(_passwords(data))
            continue
        since, asking = asked.pop((row.session, row.trn), (0, None))
        if asking is None:
            continue
        of, (old, new), change = _of(asking), _passwords(asking), asking[3] in PASSWORD_CHANGES
        if change:
            open_[of] -= {old, new}
        if data[:1] == ["A"]:
            held[of] = {new if change else old}
            open_[of] = open_[of] if change else set()
        elif not change and data[1:2] == [BAD_LOGIN]:
            reason = _closed(states, asking[0], row.at) or known.get(asking[0], known.get("", ""))
            if old in held[of]:
                reason = reason or "the platform had accepted this password before"
            elif old in open_[of]:
                reason = reason or "a change of this password had no result"
            if ours.get(row.session, -1) < since:
                reasons[row.session] = reason
    return {session: why for session, why in reasons.items() if why}


def _of(data: list[str]) -> tuple[str, bool]:
    return data[0], data[3] in _OF_SESSIONS


def _passwords(data: list[str]) -> list[str]:
    return [digits.upper() for digits in data[4:6]]


def _sixties(case: Case) -> list[tuple[FrameSeen, list[str]]]:
    """Return the operations 60 of clients that have all fields, and the results, in order."""
    frames, equal = case.trace.other_frames, case.trace.other_frames.equal
    found = []
    for row in frames.where(equal("ot", "60")).rows():
        for item in Framer(len(row.frame)).feed(row.frame):
            least = _FIELDS.get((row.direction, row.kind))
            if least is not None and not isinstance(item, WireError) and len(item.data) >= least:
                found.append((row, item.data))
    return found


def _known(case: Case) -> dict[str, str]:
    """Return the reason for each account of the run, "" for none; with key "" the reason for all other accounts.

    Only an exercise gives its accounts to the client; elsewhere client and scenario are configured separately.
    """
    found, exercise = dict[str, str](), False
    for _, event in case.trace.events:
        match event:
            case LimitSet(account=account) if account:
                found.setdefault(account, "")
            case AccountSet(account, password_known=False):
                found[account] = f"the bench gave a wrong password of account {account}"
            case ExerciseEnded():
                exercise = True
    if found and not exercise:
        found[""] = "no account of the scenario has this name"
    return found


def _states(case: Case) -> list[tuple[int, str, str]]:
    """Return the states of accounts: instant, account, state."""
    events = ((at, event) for at, event in case.trace.events if isinstance(event, AccountSet))
    return [(at, event.account, event.state) for at, event in events if event.state is not UNSET]


def _closed(states: list[tuple[int, str, str]], account: str, at: int) -> str:
    state = next((state for since, name, state in reversed(states) if name == account and since <= at), "")
    return f"account {account} is closed" if state == "closed" else ""
