"""The findings on a record, by purpose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, overload

from simbench.base.notebook import html_table
from simbench.base.toml_files import choice
from simbench.finding import GRAVEST_FIRST, OUTCOMES, Blame, Finding, Outcome, counted, outcome_of, tally
from simbench.reporting.format import quantity
from simbench.rulebook import former_ids
from simbench.tables.frames import Frame

if TYPE_CHECKING:
    from simbench.tables.rows import RejectedRow

HEADINGS: Final = ("outcome", "clause", "purpose", "exercise", "measured", "limit", "unit", "blame", "summary")


class Findings(Sequence[Finding]):
    """One finding for each purpose, in the order of the contract's clauses.

    `findings["sla.availability"]` is the finding of a purpose, `findings[0]` the first. `facts` are those of the
    record: source, period, contract, rows. `notes` are remarks on rejected or doubtful rows of tables. `before`
    contains the findings before any decision was applied. An unknown purpose raises KeyError, which names similar
    ones.

    >>> found = judge(simulate("year/01_quiet_day"))
    >>> found["sla.restoration"].clause
    'OPS-QOS-02'
    >>> found.frame.columns[:3]
    ['outcome', 'clause', 'purpose']
    """

    def __init__(
        self,
        found: Sequence[Finding],
        *,
        facts: Mapping[str, str | int | float] | None = None,
        notes: Sequence[RejectedRow] = (),
        before: Sequence[Finding] = (),
        origin: Any = None,
    ) -> None:
        self._found = tuple(found)
        self.facts = dict(facts or {})
        self.notes = tuple(notes)
        self.before = tuple(before)
        self.origin = origin
        """The input of `report`."""
        self.record: Any = None
        """The judged record, if a list of records was judged."""

    @property
    def outcome(self) -> Outcome:
        """The overall outcome: fail if anything failed, inconclusive if anything was not decided, otherwise pass."""
        return outcome_of(self._found)

    @property
    def counts(self) -> dict[str, int]:
        """The number of findings by outcome."""
        return tally(self._found)

    @property
    def failures(self) -> list[Finding]:
        """The findings that failed."""
        return self.of("fail")

    def failures_of(self, blame: Blame = "client") -> list[str]:
        """Return the failures for which "client", "platform" or "bench" is blamed, one line each.

        `assert found.failures_of("client") == []` is a test of a client.
        """
        return [f"{one.clause} {one.purpose}: {one.summary}" for one in self.failures if one.blame == blame]

    def of(self, outcome: Outcome) -> list[Finding]:
        """Return the findings with one outcome. Raises ValueError for an unknown outcome."""
        if outcome not in OUTCOMES:
            __tracebackhide__ = True
            raise ValueError(f"no outcome {outcome!r}; there are {', '.join(OUTCOMES)}")
        return [one for one in self._found if one.outcome == outcome]

    @property
    def frame(self) -> Frame:
        """The findings as a table: outcome, clause, purpose, exercise, measured, limit, unit, blame, summary."""
        return Frame(_arrow(self._found), "findings")

    @overload
    def __getitem__(self, key: int | str) -> Finding: ...

    @overload
    def __getitem__(self, key: slice) -> Findings: ...

    def __getitem__(self, key: int | str | slice) -> Finding | Findings:
        if isinstance(key, slice):
            return Findings(self._found[key], facts=self.facts, origin=self.origin)
        if isinstance(key, int):
            return self._found[key]
        if key in former_ids():
            key = former_ids()[key]
        for one in self._found:
            if one.purpose == key:
                return one
        __tracebackhide__ = True
        raise KeyError(f"no finding of {key}; {choice(key, [one.purpose for one in self._found])}")

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found)

    def __eq__(self, other: object) -> bool:
        return self._found == other._found if isinstance(other, Findings) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # lists of results are compared, not looked up

    def __repr__(self) -> str:
        return f"<Findings: {counted(self._found) or 'none'}>"

    def __str__(self) -> str:
        width = max((len(one.purpose) for one in self._found), default=0)
        lines = ((f"{one.outcome:<13}{one.clause:<12}{one.purpose:<{width}}", one.summary) for one in self._found)
        return "\n".join("  ".join(parts) for parts in lines)

    def _repr_html_(self) -> str:
        worst = sorted(self._found, key=lambda one: GRAVEST_FIRST.index(one.outcome))
        rows = [
            (one.outcome, one.clause, one.purpose, quantity(one.measured, one.unit, one.limit),
             quantity(one.limit, "share" if one.unit.startswith("share") else ""), one.summary)
            for one in worst
        ]  # fmt: skip
        headings = ("outcome", "clause", "purpose", "measured", "limit", "what was seen")
        return html_table(headings, rows, len(rows), counted(self._found))


def _arrow(found: Sequence[Finding]) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load

    numbers = {"measured", "limit"}
    return pa.table(
        {
            name: pa.array([getattr(one, name) for one in found], pa.float64() if name in numbers else pa.string())
            for name in HEADINGS
        }
    )
