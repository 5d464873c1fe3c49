"""Rules and rulebooks: the facts about a rule, its registration by purpose, and the finding made from its verdict.

A purpose is `topic.slug`, the same for every contract; the contract names the clause that the purpose verifies. Each
kind of input (a ledger, a bill, a probe's connections, …) has its own rulebook.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from math import inf
from pathlib import Path
from typing import Generic, Literal, TypedDict, TypeVar, Unpack, get_args

import msgspec

from simbench.base.text import broken
from simbench.finding import GRAVEST_FIRST, Blame, Evidence, Finding, Outcome, prose

Suite = Literal["client", "watched", "audit", "sla", "platform", "soak"]
AuditInput = Literal[
    "codes", "requests", "classes", "consent", "outages", "recipients", "accounts", "records", "ports", "statement"
]  # fmt: skip
Absence = Literal["", "session", "anywhere"]
Given = TypeVar("Given")
Judge = Callable[[Given], "Verdict"]
SUITES: tuple[Suite, ...] = get_args(Suite)


@cache
def former_ids() -> Mapping[str, str]:
    """Return the purposes by their ids of earlier versions; any other CLAUSE/slug is the purpose of that slug."""
    import tomllib  # noqa: PLC0415 - needed only where an id is not known

    return tomllib.loads(Path(__file__).with_name("renamed.toml").read_text("utf-8"))


def is_former(word: str) -> bool:
    """Tell whether a word is the id of a purpose in an earlier version."""
    return "/" in word or word in former_ids()


def renamed(word: str, purposes: Collection[str]) -> str:
    """The purpose that an id of an earlier version means, any other word as it is."""
    if word in former_ids():
        return former_ids()[word]
    _, slash, slug = word.partition("/")
    return next((purpose for purpose in purposes if slash and purpose.rpartition(".")[2] == slug), word)


class Verdict(msgspec.Struct, frozen=True):
    """The result of a rule, before purpose and exercise are filled in; `parts` are the sentences of its summary."""

    outcome: Outcome
    summary: str
    measured: float | None = None
    limit: float | None = None
    unit: str = ""
    blame: Blame = ""
    assumed: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    parts: tuple[str, ...] = ()


def none_wrong(  # noqa: PLR0913 - the parts of a verdict
    summary: str,
    wrong: int,
    unit: str,
    evidence: tuple[Evidence, ...],
    *,
    outcome: Outcome = "fail",
    blame: Blame = "client",
    assumed: tuple[str, ...] = (),
) -> Verdict:
    """Return a pass if `wrong` is 0, else `outcome` with the evidence."""
    if not wrong:
        return Verdict("pass", summary, 0, 0, unit, "", assumed)
    return Verdict(outcome, summary, wrong, 0, unit, blame, assumed, evidence)


class Facts(TypedDict, total=False):
    """The facts of a rule besides its purpose, sentence and function; `Rule` explains each."""

    binds: Blame
    catches: tuple[str, ...]
    suites: tuple[Suite, ...]
    capability: str
    reads: tuple[AuditInput, ...]
    absence: Absence
    counts_all: bool
    by_duration: bool
    occasional: bool
    excused_by: tuple[str, ...]
    standing: bool
    at_worst: Outcome
    unit: str
    usual_cause: str


class Rule(msgspec.Struct, Generic[Given], frozen=True):
    """One rule, with every fact about its purpose.

    `sentence` is the expected behaviour, `binds` the party it binds, and `catches` the planted faults that prove the
    rule. `suites` are its uses: "client" in an exercise, "watched" for a client that sends on its own, "audit" for
    recorded traffic, "sla" over months, "platform" in a probe, "soak" in an endurance run. `capability` is one the
    client must declare; `reads` is the input needed besides the wire and the contract.
    `absence`: the breach is something not seen, which a gap of the record may hide, in the same "session" or
    "anywhere". `counts_all`: a pass counts messages, some of which a gap may hide. `by_duration`: the rule measures
    durations, so it depends on the clock of the record. `occasional`: the rule has nothing to judge if the occasion
    did not arise. `excused_by`: lists of which one line would excuse a breach. `standing`: the purpose is judged in
    every exercise. `at_worst`: the worst outcome of a breach, "weak" if the clause only recommends. `unit`: the unit
    of measurement, unless the verdict gives another. `usual_cause`: the most frequent cause of a breach, if not that
    of the topic.
    """

    purpose: str
    sentence: str
    judge: Callable[[Given], Verdict]
    binds: Blame = "client"
    catches: tuple[str, ...] = ()
    suites: tuple[Suite, ...] = ("client",)
    capability: str = ""
    reads: tuple[AuditInput, ...] = ()
    absence: Absence = ""
    counts_all: bool = False
    by_duration: bool = False
    occasional: bool = False
    excused_by: tuple[str, ...] = ()
    standing: bool = False
    at_worst: Outcome = "fail"
    unit: str = ""
    usual_cause: str = ""


class Rulebook(Mapping[str, Rule[Given]], Generic[Given]):
    """The rules on one kind of input by purpose, in the order in which they were entered.

    `clause_of` returns the clause that a purpose verifies, from the input and the purpose; `facts` are the defaults for
    its rules.
    """

    def __init__(
        self, clause_of: Callable[[Given, str], str] = lambda _given, _purpose: "", **facts: Unpack[Facts]
    ) -> None:
        self._rules: dict[str, Rule[Given]] = {}
        self._clause_of = clause_of
        self._facts = facts

    def __getitem__(self, purpose: str) -> Rule[Given]:
        return self._rules[purpose]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def rule(self, purpose: str, sentence: str, **facts: Unpack[Facts]) -> Callable[[Judge[Given]], Judge[Given]]:
        """Enter the decorated function as the rule of a purpose. Raises ValueError if the purpose already has one."""

        def enter(judge: Judge[Given]) -> Judge[Given]:
            if purpose in self._rules:
                raise ValueError(f"{purpose} has a rule already")
            self._rules[purpose] = Rule(purpose, sentence, judge, **(self._facts | facts))
            return judge

        return enter

    def forget(self, purposes: Collection[str]) -> None:
        """Remove the rules of a package that could not be loaded."""
        for purpose in purposes:
            del self._rules[purpose]

    def judge(self, purpose: str, given: Given, exercise: str = "") -> Finding:
        """Apply one rule. An exception in the rule is an error of the bench, never a failure of the party it binds."""
        return finding_of(self._rules[purpose], given, exercise, self._clause_of(given, purpose))

    def judge_all(
        self, given: Given, exercise: str = "", having: Collection[str] = get_args(AuditInput)
    ) -> list[Finding]:
        """Return one finding for each rule that needs no input beyond `having`, in order of entry."""
        return [self.judge(rule.purpose, given, exercise) for rule in self.values() if {*rule.reads} <= {*having}]


def finding_of(rule: Rule[Given], given: Given, exercise: str, clause: str) -> Finding:
    """Apply a rule and return its finding.

    A breach is blamed on the party the rule binds, unless the verdict differs.
    """
    try:
        judged = rule.judge(given)
        if not isinstance(judged, Verdict):
            raise TypeError(f"it gave a {type(judged).__name__} instead of a verdict")
    except Exception as error:  # an exception in a rule becomes a finding
        judged = Verdict("error", f"the rule broke: {broken(error)}", blame="bench")
    found = Finding(
        purpose=rule.purpose,
        clause=clause,
        exercise=exercise,
        **{name: getattr(judged, name) for name in Verdict.__struct_fields__},
    )
    blame = found.blame or (rule.binds if found.outcome in {"fail", "weak"} else "")
    unit = found.unit or (rule.unit if found.measured is not None else "")
    return msgspec.structs.replace(found, blame=blame, unit=unit)


def _distance(one: Verdict) -> float:
    """Return the sort key for verdicts of one outcome: those without a figure first, then the worst figure first."""
    if one.measured is None or one.limit is None:
        return -inf
    apart = abs(one.measured - one.limit) / (abs(one.limit) or 1)
    return apart if one.outcome == "pass" else -apart


def worst(judged: Iterable[Verdict], summary: str = "") -> Verdict:
    """Combine verdicts of one purpose: the worst outcome, with the parts and evidence of all verdicts that have it.

    The figure is the worst of these: the furthest beyond its limit or, for a pass, the nearest to it.
    """
    ranked = sorted(judged, key=lambda one: GRAVEST_FIRST.index(one.outcome))
    if not ranked:
        return Verdict("inconclusive", summary or "nothing to judge", blame="bench")
    same = sorted((one for one in ranked if one.outcome == ranked[0].outcome), key=_distance)
    first = same[0]
    parts = tuple(part for one in same for part in one.parts or (one.summary,))
    return msgspec.structs.replace(
        first,
        summary=prose(parts),
        parts=parts,
        evidence=tuple(e for one in same for e in one.evidence),
        assumed=tuple(sorted({name for one in ranked for name in one.assumed})),
    )
