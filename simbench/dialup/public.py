"""Dial-up minutes (NetRevenu): months simulated, settled, and judged from records; public as `simbench.dialup`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from simbench.base.bundled import find_scenario
from simbench.base.errors import BadInput, ScenarioError
from simbench.base.extras import need
from simbench.base.notebook import html_table
from simbench.base.progress import Progress, reported
from simbench.base.python_tables import built
from simbench.base.python_words import in_python_words
from simbench.base.text import count
from simbench.dialup.grid import last_day_of, months_named
from simbench.dialup.offer import DEFAULT_OFFER, Offer, load_netrevenu
from simbench.dialup.settlement import JUNE_2000, Settled, Span, settle_minutes
from simbench.dialup.settlement import span as spanned
from simbench.dialup.sources import Reading, read_calls
from simbench.finding import Finding
from simbench.findings import Findings
from simbench.tables.frames import Frame, frame_of
from simbench.tables.writer import Sheet

if TYPE_CHECKING:
    from simbench.dialup.replay import Replayed
    from simbench.dialup.report.model import DialupReport
    from simbench.dialup.run import DialupRun, Totals

__all__ = ["Settlement", "judge", "settle", "simulate", "span"]

HEADINGS = ("month", "calls", "minutes", "share_ff", "share_eur", "vat_ff", "share_ttc_ff", "average_centimes")
SHOWN = (
    "month", "calls", "minutes", "share (FF)", "share (EUR)", "VAT (FF)", "share with VAT (FF)", "centimes a minute",
)  # fmt: skip


class Settlement:
    """Settled months of calls: the amount due for each, and the findings on records and statement.

    `run` is the simulation or `replayed` the records from which it was made.

    >>> month = {"name": "m", "title": "M", "months": "2000-09", "minutes": 2_000_000,
    ...          "pools": [{"name": "paris", "ports": 300}]}
    >>> (september,) = simulate(month).settled
    >>> september.tariff
    'F1'
    """

    def __init__(
        self, offer: Offer, findings: Sequence[Finding], run: DialupRun | None = None, replayed: Replayed | None = None
    ) -> None:
        self.offer, self.run, self.replayed = offer, run, replayed
        self.findings = Findings(findings, origin=self)

    @property
    def settled(self) -> tuple[Settled, ...]:
        """The revenue by month: `.share_ff` (francs before VAT), `.share_eur`, `.vat_ff`, `.average_centimes`, …"""
        return self._totals.settled

    @property
    def _totals(self) -> Totals | Replayed:
        if self.run is not None:
            return self.run.totals
        assert self.replayed is not None
        return self.replayed

    @cached_property
    def months(self) -> Frame:
        """A row per month: month, calls, minutes, share (francs, euros), VAT, share with VAT, centimes per minute."""
        rows = tuple(
            (one.month, one.calls, one.minutes, owed.share_ff, owed.share_eur, owed.vat_ff, owed.share_ttc_ff,
             owed.average_centimes)
            for one, owed in zip(self._totals.months, self.settled, strict=True)
        )  # fmt: skip
        return frame_of(Sheet("months", HEADINGS, rows))

    def drawn(self) -> DialupReport:
        """The data of the report."""
        from simbench.dialup.report.model import DialupReport

        if self.run is not None:
            return DialupReport.of_run(self.run, tuple(self.findings))
        assert self.replayed is not None
        return DialupReport.of_replay(self.replayed, self.offer, tuple(self.findings))

    def __repr__(self) -> str:
        owed = sum(one.share_eur for one in self.settled)
        return f"<Settlement of {count(len(self.settled), 'month')}: {owed:,.2f} EUR before VAT; {self.findings!r}>"

    def _repr_html_(self) -> str:
        rows = [tuple(row.values()) for row in self.months.rows()]
        return html_table(SHOWN, rows, len(rows), "Settlement") + self.findings._repr_html_()


@in_python_words
def simulate(scenario: Path | str | Mapping[str, Any], *, progress: Progress | bool = False) -> Settlement:
    """Draw the calls of a scenario, carry them through its pools of ports, and settle its months.

    `scenario` is a file, the name of a bundled one, or its tables (docs/reference/scenario.md). The same scenario gives
    the same months. Raises ScenarioError, ContractError; needs the extra `fast`.

    >>> month = {"name": "m", "title": "M", "months": "2000-09", "minutes": 2_000_000,
    ...          "pools": [{"name": "paris", "ports": 300}]}
    >>> simulate(month).months.columns[:3]
    ['month', 'calls', 'minutes']
    """
    need("fast", "simulate")
    from simbench.dialup.rules import Case
    from simbench.dialup.rules import judge as judged
    from simbench.dialup.run import run_dialup
    from simbench.dialup.scenario import DialupScenario, check_dialup, read_dialup

    if isinstance(scenario, Mapping):
        chosen = built(DialupScenario, scenario, ScenarioError, "scenario")
        check_dialup(chosen, "scenario")
    else:
        chosen = read_dialup(find_scenario(Path(scenario)))
    with reported(progress) as show:
        done = run_dialup(chosen, lambda what, number, steps: show(number / max(1, steps), what))
    findings = judged(Case(done.offer, done.offer.reading("tariff-function")))
    return Settlement(done.offer, findings, run=done)


@in_python_words
def judge(  # noqa: PLR0913 - additional data
    records: Path | str,
    *,
    months: str = "",
    statement: Path | str | None = None,
    tariff: str = "",
    contract: str = DEFAULT_OFFER,
    readings: Mapping[str, str] | None = None,
    ports: Mapping[str, int] | None = None,
    clock: Literal["reception", "event"] = "reception",
    progress: Progress | bool = False,
) -> Settlement:
    """Settle the calls of records and judge records and statement, as `simbench dialup replay` does.

    `records`: call records (CSV, Parquet, XLSX), a detail file of FreeRADIUS, or a capture of RADIUS accounting.
    `months`: "2000-09", "2000" or "2000-09/2000-11"; by default that of most calls. `statement`: the provider's, to be
    compared. `tariff` and `readings` choose how the offer is read. `ports`: modems of each access server ("" for all).
    `clock` dates accounting records. Raises BadInput; needs the extra `fast`.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as home:
    ...     calls = Path(home, "calls.csv")
    ...     _ = calls.write_text("start,duration_s\\n2000-09-04T10:00:00,2700\\n")
    ...     judge(calls, months="2000-09").months["minutes"]
    [45]
    """
    need("fast", "judge")
    from simbench.dialup.replay import replay
    from simbench.dialup.rules import Case
    from simbench.dialup.rules import judge as judged
    from simbench.dialup.statement import read_statement

    offer = offer_in(contract, readings)
    offer.function(tariff)
    stated = read_statement(Path(statement)) if statement else None
    if clock not in {"reception", "event"}:
        raise BadInput("clock", f"is {clock!r:.40}", '"reception" or "event"')
    with reported(progress) as show:
        read = read_calls(
            Path(records), offer, Reading(months, clock),
            lambda done, whole: show(done / whole if whole else None, f"reading {records}"),
        )  # fmt: skip
        done = replay(read, offer, tariff)
    case = Case(offer, tariff or offer.reading("tariff-function"), read, stated, dict(ports or {}))
    return Settlement(offer, judged(case), replayed=done)


@in_python_words
def settle(
    minutes: int, *, month: str = "", tariff: str = "", contract: str = DEFAULT_OFFER,
    readings: Mapping[str, str] | None = None,
) -> Settled:  # fmt: skip
    """The revenue of a month of `minutes` whole minutes: gross share before and with VAT, in francs and euros.

    `month` ("2000-09") chooses the VAT rate, by default that of June 2000; `tariff` and `readings` how the offer is
    read. Raises BadInput for minutes out of range, an unknown tariff or reading.

    >>> settle(50_000_000).share_eur
    Decimal('...')
    """
    offer = offer_in(contract, readings)
    on = last_day_of(months_named(month)[0], offer.calendar) if month else JUNE_2000
    return settle_minutes(minutes, offer, tariff, on, month)


@in_python_words
def span(minutes: int, *, contract: str = DEFAULT_OFFER, readings: Mapping[str, str] | None = None) -> Span:
    """The revenue of a month of `minutes` minutes under every reading of the tariff: by name, the least and the most.

    >>> found = span(50_000_000)
    >>> found.least_ff <= found.most_ff
    True
    """
    return spanned(minutes, offer_in(contract, readings))


def offer_in(contract: str, readings: Mapping[str, str] | None) -> Offer:
    """Return the offer by name or file, with the selected readings. Raises BadInput."""
    return load_netrevenu(contract).with_readings(dict(readings or {}))
