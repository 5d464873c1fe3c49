"""Judges recorded traffic: the information each rule needs besides the wire, and the effect of gaps in a capture.

A purpose is unsupported without information it needs, and inconclusive if the missing part of a capture could change
its outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec

from simbench.base.text import count
from simbench.finding import Finding, doubted, prose
from simbench.ledger.capture_events import BeganMidway, ConnectionCaptured, MetadataGiven, OctetsMissing
from simbench.rulebook import Suite
from simbench.rules import capture_times
from simbench.rules.capture_times import Times, times_of
from simbench.rules.moved_clock import in_moved_time, moved_spans
from simbench.rules.repeated import without
from simbench.rules.rule import Case, Rule, judge, load, ordered
from simbench.trace.trace import Trace

KINDS: Final[dict[str, str]] = {
    "codes": "the accounts and rates of the short codes ([[codes]] of --campaigns)",
    "requests": "the requests to the client with their times (--requests)",
    "classes": "the marketing campaigns ([[campaigns]] of --campaigns)",
    "consent": "the recipients' consent (opted_in or consents of every marketing campaign)",
    "outages": "the platform's outages ([[outages]] of --campaigns)",
    "recipients": "the state of each recipient, which only the platform knows",
    "accounts": "the state of the accounts, which only the platform knows",
    "exercise": "an exercise of `simbench conform`",
}

OTHERS: Final = ("exercise",)  # the need of a rule that recorded traffic cannot satisfy

# Kind of list to the KIND of information that its unread lines make incomplete.
NEED_OF_LIST: Final = {"requests": "requests", "recipients": "classes"}


class Lacks(msgspec.Struct, frozen=True):
    """The gaps of a capture: octets not captured, and the sessions concerned."""

    holes: int = 0
    octets: int = 0
    one_way: int = 0
    midway: int = 0
    sessions: frozenset[int] = frozenset()
    lists: Mapping[str, int] = {}  # unread lines by kind of list

    @property
    def reasons(self) -> list[str]:
        """The missing information, one sentence for each kind."""
        parts = []
        if self.holes:
            parts.append(f"{count(self.octets, 'octet')} in {count(self.holes, 'gap')} not captured")
        if self.one_way:
            parts.append(f"{count(self.one_way, 'connection')} captured in one direction only")
        return parts


def lacks_of(trace: Trace) -> Lacks:
    """Return the gaps that the events of a capture record; none for a run of the bench."""
    holes = octets = one_way = midway = 0
    touched: set[int] = set()
    lists: Mapping[str, int] = {}
    for _, event in trace.events:
        match event:
            case MetadataGiven(unread=unread):
                lists = unread
            case OctetsMissing(session, _, missing, continues):
                holes += 1
                octets += missing
                touched |= {session, continues or session}
            case BeganMidway():
                midway += 1
            case ConnectionCaptured(session=session, directions=directions) if len(directions) < 2:
                one_way += 1
                touched.add(session)
    return Lacks(holes, octets, one_way, midway, frozenset(touched), lists)


def given_by(trace: Trace) -> set[str]:
    """Return the KINDS in a run. A capture lists them; a platform records outages, recipients, accounts and codes."""
    for _, event in trace.events:
        if isinstance(event, MetadataGiven):
            return set(event.given)
    given = {"outages", "recipients", "accounts"} | ({"codes"} if trace.limits else set())
    return given | ({"requests", "classes", "consent"} if len(trace.stimuli) else set())


def audit(
    case: Case, given: Collection[str], kind: str = "audit", suites: Sequence[Suite] = ("client", "audit"), *,
    unread: Mapping[str, int] | None = None, progress: Callable[[Finding], object] = lambda _: None,
) -> list[Finding]:  # fmt: skip
    """Return one finding for every purpose of these suites, in order of the contract's clauses.

    `given` names the available KINDS of information; `unread` counts unread lines of lists if the run does not record
    them. `progress` gets each finding.
    """
    rules = load()
    lacks, times, moved = lacks_of(case.trace), times_of(case.trace), moved_spans(case.trace)
    if unread:
        lacks = msgspec.structs.replace(lacks, lists=unread)
    found = []
    for purpose in ordered(case.contract, *suites):
        found.append(in_moved_time(_finding(rules[purpose], case, given, (lacks, times), kind), moved))
        progress(found[-1])
    return found


def _finding(rule: Rule, case: Case, given: Collection[str], of: tuple[Lacks, Times], kind: str) -> Finding:
    (lacks, times), purpose = of, rule.purpose
    needs: Sequence[str] = rule.reads if "audit" in rule.suites else OTHERS
    clause = case.contract.clause_of(purpose)
    if parts := tuple(f"needs {KINDS[need]}" for need in needs if need not in given):
        return Finding(purpose, clause, "unsupported", prose(parts), exercise=kind, parts=parts)
    if capture_times.hangs_on_missing_times(rule, times):
        parts = times.remarks
        return Finding(purpose, clause, "inconclusive", prose(parts), blame="bench", exercise=kind, parts=parts)
    found = without_occasion(rule, capture_times.in_doubt(rule, judge(purpose, case, kind), times))
    if lacks.lists:
        found = _of_lists(rule, found, lacks.lists)
    return _in_doubt(rule, found, case, lacks) if lacks.reasons else found


def without_occasion(rule: Rule, found: Finding) -> Finding:
    """Return a finding on recorded traffic; a purpose for which the occasion did not arise becomes unsupported."""
    if rule.occasional and found.outcome == "inconclusive" and found.measured is None:
        return msgspec.structs.replace(found, outcome="unsupported", blame="")
    return found


def _of_lists(rule: Rule, found: Finding, lists: Mapping[str, int]) -> Finding:
    """Return the finding, inconclusive if an unread line of a list may concern one of its messages."""
    for name, unread in lists.items():
        need = NEED_OF_LIST.get(name)
        incomplete = found.outcome == "pass" and need is not None and need in rule.reads
        excused = found.outcome in {"fail", "weak"} and name in rule.excused_by
        if incomplete or excused:
            return doubted(found, [f"{count(unread, 'line')} of the {name} could not be read"])
    return found


def _in_doubt(rule: Rule, found: Finding, case: Case, lacks: Lacks) -> Finding:
    """Return the finding, inconclusive if the gaps of the capture could change it."""
    broken = found.outcome in {"fail", "weak"}
    if broken and rule.absence == "session":
        again = judge(found.purpose, Case(Trace(without(case.trace.run, lacks.sessions)), case.contract), "")
        doubtful = again.outcome != found.outcome  # if not, sessions without gaps show the breach too
    else:
        doubtful = rule.absence == "anywhere" if broken else rule.counts_all and found.outcome == "pass"
    return doubted(found, lacks.reasons) if doubtful else found
