"""Rules by purpose: all that is known of a rule, the book it is entered in, and how its verdict becomes a finding.

A purpose is `topic.slug`, whatever contract it is judged by; the contract in force says which of its clauses it
verifies. Each kind of input (a ledger, a bill, a probe's connections, …) has a book of its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from math import inf
from pathlib import Path
from typing import Final, Generic, Literal, TypedDict, TypeVar, Unpack, get_args

import msgspec

from simbench.finding import GRAVEST_FIRST, Blame, Evidence, Finding, Outcome, prose

Suite = Literal["client", "watched", "audit", "sla", "platform", "soak"]
AuditInput = Literal[
    "codes", "requests", "classes", "consent", "outages", "recipients", "accounts", "records", "ports", "statement"
]  # fmt: skip
Absence = Literal["", "session", "anywhere"]
Given = TypeVar("Given")
Judge = Callable[[Given], "Verdict"]
SUITES: tuple[Suite, ...] = get_args(Suite)
RENAMED: Final[dict[str, str]] = tomllib.loads(Path(__file__).with_name("renamed.toml").read_text("utf-8"))
"""Ids of purposes of earlier versions, accepted for one release; any other CLAUSE/slug is the purpose of that slug."""


def is_former(word: str) -> bool:
    """Whether a word is the id of a purpose in an earlier version."""
    return word in RENAMED or "/" in word


def renamed(word: str, purposes: Collection[str]) -> str:
    """The purpose that an id of an earlier version means, any other word as it is."""
    if word in RENAMED:
        return RENAMED[word]
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
    """A pass if nothing is `wrong`, else `outcome` with the evidence of what is."""
    if not wrong:
        return Verdict("pass", summary, 0, 0, unit, "", assumed)
    return Verdict(outcome, summary, wrong, 0, unit, blame, assumed, evidence)


class Facts(TypedDict, total=False):
    """The facts of a rule beside its purpose, sentence and function; `Rule` says what each means."""

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
    """One rule, with every fact there is about its purpose.

    Its sentence says what is expected; `binds` whom, `catches` names the planted faults that prove it, `suites` where
    it is used: "client" by an exercise, "watched" on a client that is not asked to send, "audit" on recorded traffic,
    "sla" over months, "platform" by a probe, "soak" by an endurance run. `capability` is what the client must declare.
    `reads` is what must be given beside wire or contract. `absence` says that a breach consists in something not
    seen, which may lie in a hole of the record: of the same "session", or "anywhere". A pass of `counts_all` counts
    messages of which a hole may hide some; what is measured `by_duration` hangs on the clock of the record.
    `occasional` rules have nothing to judge where no occasion arose; `excused_by` names the lists a line of which
    would excuse a breach. A `standing` purpose is judged in every exercise. `at_worst` is the worst outcome of a
    breach: "weak" where the clause recommends. `unit` is what the rule measures in, unless its verdict says otherwise.
    `usual_cause`, a sentence, names what breaks the purpose most often, where it differs from that of its topic.
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

    `clause_of` looks up the clause that a purpose verifies in what is given; `facts` are those of every rule in it,
    unless a rule says otherwise.
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
        """Enter the decorated function as the rule of a purpose. Raises ValueError when the purpose has one."""

        def enter(judge: Judge[Given]) -> Judge[Given]:
            if purpose in self._rules:
                raise ValueError(f"{purpose} has a rule already")
            self._rules[purpose] = Rule(purpose, sentence, judge, **(self._facts | facts))
            return judge

        return enter

    def forget(self, purposes: Collection[str]) -> None:
        """Take rules out again: those of a package that could not be loaded."""
        for purpose in purposes:
            del self._rules[purpose]

    def judge(self, purpose: str, given: Given, exercise: str = "") -> Finding:
        """Apply one rule. A rule that breaks is the bench's error, never the failure of whom it binds."""
        return finding_of(self._rules[purpose], given, exercise, self._clause_of(given, purpose))

    def judge_all(
        self, given: Given, exercise: str = "", having: Collection[str] = get_args(AuditInput)
    ) -> list[Finding]:
        """One finding a rule that reads no more than we are `having`, in order of entry."""
        return [self.judge(rule.purpose, given, exercise) for rule in self.values() if {*rule.reads} <= {*having}]


def finding_of(rule: Rule[Given], given: Given, exercise: str, clause: str) -> Finding:
    """The finding of a rule on what it is given; a breach is blamed on whom the rule binds, unless it names another."""
    try:
        judged = rule.judge(given)
        if not isinstance(judged, Verdict):
            raise TypeError(f"it gave a {type(judged).__name__} instead of a verdict")
    except Exception as error:  # any mistake of a rule must become a finding of its own
        judged = Verdict("error", f"the rule broke: {type(error).__name__}: {error}", blame="bench")
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
    """Sorts verdicts of one outcome, the worst figure first; those without a figure stay in front, in their order."""
    if one.measured is None or one.limit is None:
        return -inf
    apart = abs(one.measured - one.limit) / (abs(one.limit) or 1)
    return apart if one.outcome == "pass" else -apart


def worst(judged: Iterable[Verdict], summary: str = "") -> Verdict:
    """Several measurements of one purpose as one: the worst outcome, with parts and evidence of all that have it.

    The figure is the worst of them: the furthest beyond its limit, or of those within theirs the nearest to it.
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
