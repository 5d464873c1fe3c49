"""Prints the result of `simbench judge`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click
from rich.table import Table

from simbench.api.judge_output import Answer
from simbench.api.judging import SHOWN_NOTES
from simbench.base.calendar import Calendar
from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.cli.console import console
from simbench.cli.findings import columns, findings_table
from simbench.cli.judge.options import Options
from simbench.contract import Contract
from simbench.finding import counted
from simbench.sla.dispute import Side, Totals
from simbench.sla.forecast import Forecast
from simbench.sla.report.forecast_texts import answers
from simbench.sla.report.translations import Words
from simbench.sla.tickets import moment
from simbench.tables.rows import RejectedRow, Remark


def print_notes(notes: Sequence[RejectedRow]) -> None:
    """Print each rejected row or remark in a line on standard error."""
    for one in notes[:SHOWN_NOTES]:
        click.echo(f"{'note' if isinstance(one, Remark) else 'set aside'}: {one}", err=True)
    if len(notes) > SHOWN_NOTES:
        click.echo(f"... and {len(notes) - SHOWN_NOTES} more", err=True)


def _total_lines(totals: Totals) -> str:
    """Return the difference between both sides as a sentence."""
    hours = [
        f"{seconds / 3600:.2f} h"
        for seconds in (
            totals.tickets_s, totals.served_s, totals.unwatched_s, totals.other_s, totals.unticketed_s, totals.client_s,
        )
    ]  # fmt: skip
    return (
        f"tickets {hours[0]} - probes answered {hours[1]} - nobody looked {hours[2]} + tickets counted otherwise "
        f"{hours[3]} + without a ticket {hours[4]} = client {hours[5]}; probes cover {totals.covered:.1%} of the period"
    )


def print_answer(answer: Answer, options: Options, contract: Contract) -> None:
    """Print a judgement as tables."""
    out = console(180)
    out.print(
        f"{answer.run['kind']}, {answer.run['from']} to {answer.run['to']}, "
        f"{count(int(answer.run['incidents']), 'incident')}"
    )
    if answer.before:
        out.print("\nbefore the decisions:")
        out.print(findings_table(answer.before))
        out.print("\nafter them:")
    out.print(findings_table(answer.findings))
    if answer.dispute:
        out.print("\noutages by the client's probes and by the tickets:")
        out.print(_sides(answer.dispute, contract.calendar))
    if answer.dispute_totals:
        out.print(_total_lines(answer.dispute_totals))
    if answer.forecast:
        out.print(f"\nprobability of a breach by each date ({answer.forecast.confidence:.0%} bands):")
        out.print(_chances(answer.forecast, contract.calendar))
        for line in answers(answer.forecast, answer.back_test, Words("en", contract)):
            out.print(line)
    for line in _not_read(answer):
        out.print(line)
    written = f".  Written to {options.output}" if options.output else ""
    out.print(f"\n{counted(answer.findings)}{written}")


def _not_read(answer: Answer) -> Iterator[str]:
    """Yield the gaps of the record that limit the verdicts, one line each."""
    run = answer.run
    if run.get("unread"):
        yield f"\nNot read: {run['unread']}"
    if run.get("lacks"):
        yield f"\nNot captured: {run['lacks']}"
    if run.get("holes"):
        holes = int(run["holes"])
        yield f"\n{count(holes, 'silence')} in the record, perhaps gaps in it"
    if run.get("unanswered"):
        yield f"\n{count(int(run['unanswered']), 'operation')} without a result"


def _sides(sides: Iterable[Side], calendar: Calendar) -> Table:
    table = columns("", "ticket", "ticket says", "client saw", "ticket s", "client s", "why")
    for one in sides:
        reported = _span(one.ticket_start, one.ticket_end, calendar)
        seen = _span(one.seen_start, one.seen_end, calendar)
        table.add_row(one.verdict, one.ticket, reported, seen, f"{one.ticket_s:.0f}", f"{one.seen_s:.0f}", one.why)
    return table


def _chances(made: Forecast, calendar: Calendar) -> Table:
    table = columns("by", "availability", "band", "noise", "restoration", "band", "noise")
    for one in made.dates:
        cells = [
            text
            for chance in (one.availability, one.restoration)
            for text in (f"{chance.share:.1%}", _percents(chance.band), _percents(chance.noise))
        ]
        table.add_row(moment(one.at, calendar)[:16], *cells)
    return table


def _percents(band: tuple[float, float] | None) -> str:
    return "given" if band is None else f"{band[0]:.1%} - {band[1]:.1%}"


def _span(start: int, end: int, calendar: Calendar) -> str:
    if start < 0:
        return ""
    begins, ends = (moment(at // SECOND_US * SECOND_US, calendar)[:19] for at in (start, end))
    return f"{begins} - {ends[11:]}"
