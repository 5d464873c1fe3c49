"""The findings on a record, by purpose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, overload

from simbench.base.notebook import html_table
from simbench.base.toml_files import choice
from simbench.finding import OUTCOMES, Finding, Outcome, counted, exit_status, tally
from simbench.rules.rule import RENAMED
from simbench.tables.frames import Frame

if TYPE_CHECKING:
    from simbench.sla.dispute import Dispute
    from simbench.sla.forecast import BackTest, Forecast
    from simbench.tables.rows import RejectedRow

STATUS: Final[Mapping[int, Outcome]] = {0: "pass", 1: "fail", 3: "inconclusive"}
RANK: Final = {name: place for place, name in enumerate(("fail", "error", "inconclusive", "weak", "pass"))}
HEADINGS: Final = ("outcome", "clause", "purpose", "exercise", "measured", "limit", "unit", "blame", "summary")


class Findings(Sequence[Finding]):
    """One finding for each purpose, in the order of the contract's clauses.

    `findings["sla.availability"]` is the finding of a purpose, `findings[0]` the first. `facts` are those of the
    record: source, period, contract, rows. `notes` are remarks on rejected or doubtful rows of tables. `before`
    contains the findings before any decision was applied; `dispute`, `forecast` and `back_test` the other requested
    results. An unknown purpose raises KeyError, which names similar ones.

    >>> found = judge(simulate("year/01_quiet_day"))
    >>> found["sla.restoration"].clause
    'OPS-QOS-02'
    >>> found.frame.columns[:3]
    ['outcome', 'clause', 'purpose']
    """

    def __init__(  # noqa: PLR0913 - the possible results
        self,
        found: Sequence[Finding],
        *,
        facts: Mapping[str, str | int | float] | None = None,
        notes: Sequence[RejectedRow] = (),
        before: Sequence[Finding] = (),
        dispute: Dispute | None = None,
        forecast: Forecast | None = None,
        back_test: BackTest | None = None,
        origin: Any = None,
    ) -> None:
        self._found = tuple(found)
        self.facts = dict(facts or {})
        self.notes = tuple(notes)
        self.before = tuple(before)
        self.dispute, self.forecast, self.back_test = dispute, forecast, back_test
        self.origin = origin
        """The input of `report`."""
        self.record: Any = None
        """The judged record, if a list of records was judged."""

    @property
    def outcome(self) -> Outcome:
        """The overall outcome: fail if anything failed, inconclusive if anything was not decided, otherwise pass."""
        return STATUS[exit_status(self._found)]

    @property
    def counts(self) -> dict[str, int]:
        """The number of findings by outcome."""
        return tally(self._found)

    @property
    def failures(self) -> list[Finding]:
        """The findings that failed."""
        return self.of("fail")

    def of(self, outcome: Outcome) -> list[Finding]:
        """Return the findings with one outcome. Raises ValueError for an unknown outcome."""
        if outcome not in OUTCOMES:
            raise ValueError(f"no outcome {outcome!r}; there are {', '.join(OUTCOMES)}")
        return [one for one in self._found if one.outcome == outcome]

    @property
    def frame(self) -> Frame:
        """The findings as a table: outcome, clause, purpose, exercise, measured, limit, unit, blame, summary."""
        return Frame(_arrow(self._found), "findings")

    @property
    def chances(self) -> Frame | None:
        """The probability of a breach by each date of the forecast, as a table; None without a forecast.

        Columns: by (UTC), and for `availability` and `restoration` the probability of a breach by then (from 0 to 1),
        with the ends `_low` and `_high` of its band (null if the distributions were given).
        """
        return None if self.forecast is None else Frame(_chances(self.forecast), "chances")

    @overload
    def __getitem__(self, key: int | str) -> Finding: ...

    @overload
    def __getitem__(self, key: slice) -> Findings: ...

    def __getitem__(self, key: int | str | slice) -> Finding | Findings:
        if isinstance(key, slice):
            return Findings(self._found[key], facts=self.facts, origin=self.origin)
        if isinstance(key, int):
            return self._found[key]
        if key in RENAMED:
            key = RENAMED[key]
        for one in self._found:
            if one.purpose == key:
                return one
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
        return "\n".join(f"{one.outcome:<13}{one.clause:<12}{one.purpose:<28}{one.summary}" for one in self._found)

    def _repr_html_(self) -> str:
        worst = sorted(self._found, key=lambda one: RANK.get(one.outcome, len(RANK)))
        from simbench.reporting.format import quantity

        rows = [
            (one.outcome, one.clause, one.purpose, quantity(one.measured, one.unit, one.limit),
             quantity(one.limit, "share" if one.unit.startswith("share") else ""), one.summary)
            for one in worst
        ]  # fmt: skip
        headings = ("outcome", "clause", "purpose", "measured", "limit", "what was seen")
        return html_table(headings, rows, len(rows), counted(self._found))


def _chances(made: Forecast) -> Any:
    import pyarrow as pa

    columns: dict[str, Any] = {"by": pa.array([one.at for one in made.dates], pa.timestamp("us", "UTC"))}
    for name in ("availability", "restoration"):
        chances = [getattr(one, name) for one in made.dates]
        columns[name] = pa.array([one.share for one in chances], pa.float64())
        for end, place in (("low", 0), ("high", 1)):
            bands = [None if one.band is None else one.band[place] for one in chances]
            columns[f"{name}_{end}"] = pa.array(bands, pa.float64())
    return pa.table(columns)


def _arrow(found: Sequence[Finding]) -> Any:
    import pyarrow as pa

    numbers = {"measured", "limit"}
    return pa.table(
        {
            name: pa.array([getattr(one, name) for one in found], pa.float64() if name in numbers else pa.string())
            for name in HEADINGS
        }
    )
