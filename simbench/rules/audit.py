"""Which rules can judge traffic nobody conducted: what each needs beside the wire, and what a hole does to it.

Measures nothing itself. A need that was not given makes a purpose unsupported; a capture that lacks something makes it
inconclusive where the outcome could have been another with what is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from simbench.finding import Finding
from simbench.ledger.reader import Run
from simbench.rulebook import Suite
from simbench.rules import capture_times
from simbench.rules.capture_times import Times, times_of
from simbench.rules.rule import Case, Rule, judge, load, ordered
from simbench.trace.trace import Reading

GIVEN: Final = "metadata"  # story row of kind "capture" that names the kinds of metadata there were
KINDS: Final[dict[str, str]] = {
    "codes": "which short codes are whose, and their rates ([[codes]] of --campaigns)",
    "requests": "what the client was asked for, and when (--requests)",
    "classes": "which messages are marketing ([[campaigns]] of --campaigns)",
    "consent": "whether recipients had agreed (opted_in or consents of every marketing campaign)",
    "outages": "when the platform was down ([[outages]] of --campaigns)",
    "recipients": "the truth about recipients, which the platform alone knows",
    "accounts": "what was decided about accounts, which the platform alone knows",
    "exercise": "an exercise that puts the client to it (simbench conform)",
}

OTHERS: Final = ("exercise",)  # what a rule needs that no recorded traffic can satisfy

# What lines of a list that could not be read may change: kind of list -> need of the purposes that look into it.
NEED_OF_LIST: Final = {"requests": "requests", "recipients": "classes"}


class Lacks(msgspec.Struct, frozen=True):
    """What a capture lacks: octets that were not captured, and the sessions that touches."""

    holes: int = 0
    octets: int = 0
    one_way: int = 0
    midway: int = 0
    sessions: frozenset[int] = frozenset()
    lists: Mapping[str, int] = {}  # lines that could not be read, by the kind of list they stood in

    def __str__(self) -> str:
        told = []
        if self.holes:
            told.append(f"{self.octets} octets in {self.holes} holes were not captured")
        if self.one_way:
            told.append(f"{self.one_way} connections were captured in one direction only")
        return "; ".join(told)


def lacks_of(reading: Reading) -> Lacks:
    """What the story of a capture says that is missing; nothing for a run of the bench."""
    holes = octets = one_way = midway = 0
    touched: set[int] = set()
    lists: Mapping[str, int] = {}
    for row in reading.story.rows():
        if row.kind != "capture":
            continue
        what, session = row.detail["what"], int(row.subject or 0)
        lists = row.detail.get("unread", lists)
        if what == "hole":
            holes += 1
            octets += row.detail["octets"]
            touched |= {session, row.detail["continues"] or session}
        elif what == "began midway":
            midway += 1
        elif what == "connection" and len(row.detail["directions"]) < 2:
            one_way += 1
            touched.add(session)
    return Lacks(holes, octets, one_way, midway, frozenset(touched), lists)


def given_by(reading: Reading) -> set[str]:
    """KINDS a run has by itself: a capture says which; a platform knows outages, recipients, accounts and codes."""
    for row in reading.story.rows():
        if row.kind == "capture" and row.detail["what"] == GIVEN:
            return set(row.detail["given"])
    given = {"outages", "recipients", "accounts"} | ({"codes"} if reading.limits else set())
    return given | ({"requests", "classes", "consent"} if len(reading.asked) else set())


def audit(
    case: Case, given: Collection[str], kind: str = "audit", suites: Sequence[Suite] = ("client", "audit"), *,
    unread: Mapping[str, int] | None = None,
) -> list[Finding]:  # fmt: skip
    """One finding for every purpose of these suites, in order of the contract's clauses.

    `given` names the KINDS of metadata there are, `unread` counts lines of lists that could not be read, where the run
    itself does not say so.
    """
    rules = load()
    lacks, times = lacks_of(case.reading), times_of(case.reading)
    if unread:
        lacks = msgspec.structs.replace(lacks, lists=unread)
    return [_finding(rules[purpose], case, given, (lacks, times), kind) for purpose in ordered(case.contract, *suites)]


def _finding(rule: Rule, case: Case, given: Collection[str], of: tuple[Lacks, Times], kind: str) -> Finding:
    (lacks, times), purpose = of, rule.purpose
    needs: Sequence[str] = rule.reads if "audit" in rule.suites else OTHERS
    missing = [need for need in needs if need not in given]
    if missing:
        told = "needs " + "; ".join(KINDS[need] for need in missing)
        return Finding(purpose, rule.clause, "unsupported", told, exercise=kind)
    if capture_times.hangs_on_missing_times(rule, times):
        return Finding(purpose, rule.clause, "inconclusive", str(times), blame="bench", exercise=kind)
    found = capture_times.in_doubt(rule, judge(purpose, case, kind), times)
    found = without_occasion(rule, found)
    if lacks.lists:
        found = _of_lists(rule, found, lacks.lists)
    return _in_doubt(rule, found, case, lacks) if str(lacks) else found


def without_occasion(rule: Rule, found: Finding) -> Finding:
    """A finding of a record nobody conducted: what had no occasion in it cannot be judged, and need not be."""
    if rule.occasional and found.outcome == "inconclusive" and found.measured is None:
        return msgspec.structs.replace(found, outcome="unsupported", blame="")
    return found


def _of_lists(rule: Rule, found: Finding, lists: Mapping[str, int]) -> Finding:
    """The finding as lines of lists that were not read leave it: one of them may tell of the very message."""
    for name, count in lists.items():
        need = NEED_OF_LIST.get(name)
        incomplete = found.outcome == "pass" and need is not None and need in rule.reads
        excused = found.outcome in {"fail", "weak"} and name in rule.excused_by
        if incomplete or excused:
            told = f"{found.summary}, but {count} {'line' if count == 1 else 'lines'} of the {name} could not be read"
            return msgspec.structs.replace(found, outcome="inconclusive", summary=told, blame="bench")
    return found


def _in_doubt(rule: Rule, found: Finding, case: Case, lacks: Lacks) -> Finding:
    """The finding as what is missing leaves it."""
    broken = found.outcome in {"fail", "weak"}
    if broken and rule.absence == "session":
        again = judge(found.purpose, Case(Reading(_whole_sessions(case.reading.run, lacks)), case.contract), "")
        doubtful = again.outcome != found.outcome  # else it is there as well where nothing is missing
    else:
        doubtful = rule.absence == "anywhere" if broken else rule.counts_all and found.outcome == "pass"
    if not doubtful:
        return found
    told = f"{found.summary}, but {lacks}"
    return msgspec.structs.replace(found, outcome="inconclusive", summary=told, blame="bench")


def _whole_sessions(run: Run, lacks: Lacks) -> Run:
    """The run without the sessions that lack something."""
    wire = run.wire
    kept = wire.filter(pc.invert(pc.is_in(wire["session"], value_set=pa.array(sorted(lacks.sessions), pa.int32()))))
    return Run(run.info, lambda table: kept if table.name == "wire" else run.table(table.name))
