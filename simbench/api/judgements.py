"""Judgement: the findings of `judge`, with the dispute, forecast and back-test made beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simbench.finding import Finding
from simbench.findings import Findings
from simbench.tables.frames import Frame

if TYPE_CHECKING:
    from simbench.sla.dispute import Dispute
    from simbench.sla.forecast import BackTest, Forecast
    from simbench.tables.rows import RejectedRow


class Judgement(Findings):
    """The findings of `judge`; `dispute`, `forecast` and `back_test` are what was asked for beside, else None.

    >>> judge(simulate("year/01_quiet_day")).forecast is None
    True
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
        super().__init__(found, facts=facts, notes=notes, before=before, origin=origin)
        self.dispute, self.forecast, self.back_test = dispute, forecast, back_test

    @property
    def chances(self) -> Frame | None:
        """The probability of a breach by each date of the forecast, as a table; None where none was asked for.

        Columns: by (UTC), and for `availability` and `restoration` the probability of falling below what is promised
        by then (from 0 to 1), with the ends `_low` and `_high` of its band (null where the distributions were given).
        """
        return None if self.forecast is None else Frame(_chances(self.forecast), "chances")


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
