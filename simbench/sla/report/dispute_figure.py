"""The difference between both sides' down time as a waterfall chart."""

from __future__ import annotations

from typing import Any

from simbench.base.units import SECOND_US
from simbench.reporting import style
from simbench.sla.dispute import Dispute, Reason, Side
from simbench.sla.report.picture import Picture, picture
from simbench.sla.report.tables import Table
from simbench.sla.report.translations import Words


def draw_dispute(dispute: Dispute, words: Words) -> Picture:
    """Draw the down time by the tickets, the corrections in both directions, and the down time seen by the client."""
    totals = dispute.totals
    steps = (
        ("tickets", totals.tickets_s, style.BLUE), ("served", -totals.served_s, style.AMBER),
        ("unwatched", -totals.unwatched_s, style.SOFT), ("other", totals.other_s, style.PINK),
        ("unticketed", totals.unticketed_s, style.RED),
        ("client", totals.client_s, style.BLUE),
    )  # fmt: skip
    figure, (axes,) = style.canvas((style.WIDE_IN[0], 3.2))
    reached = 0.0
    for place, (name, seconds, colour) in enumerate(steps):
        hours = seconds / 3600
        whole = name in {"tickets", "client"}
        bottom = 0.0 if whole else min(reached, reached + hours)
        axes.bar(place, abs(hours), bottom=bottom, width=0.62, color=colour, hatch="" if whole else "///")
        top = bottom + abs(hours)
        sign = "" if whole or not seconds else "+ " if seconds > 0 else "− "
        axes.annotate(
            sign + words.lasting(round(abs(seconds) * SECOND_US)), (place, top), xytext=(0, 4),
            textcoords="offset points", ha="center", va="bottom", fontsize=9,
        )  # fmt: skip
        reached = hours if whole else reached + hours
    axes.set_xticks(range(len(steps)), [words(f"dispute.{name}") for name, _, _ in steps], fontsize=9)
    axes.set_ylabel(words("dispute.axis"))
    axes.set_ylim(0, max(1e-3, axes.get_ylim()[1]) * 1.15)
    axes.yaxis.set_major_formatter(lambda value, _: words.number(value, 1))
    gap = totals.client_s - totals.tickets_s
    heading = words(
        "dispute.heading", tickets=words.lasting(round(totals.tickets_s * SECOND_US)),
        client=words.lasting(round(totals.client_s * SECOND_US)),
        gap=words.lasting(round(abs(gap) * SECOND_US)),
    )  # fmt: skip
    note = words("dispute.note", covered=words.share(totals.covered, 1), lost=words.number(dispute.in_a_row))
    columns: dict[str, list[Any]] = {
        "step": [name for name, _, _ in steps],
        "seconds": [seconds for _, seconds, _ in steps],
    }
    return picture(words, "dispute", heading, figure, columns, note)


def sides_table(dispute: Dispute, words: Words) -> Table:
    """Return a table of each ticket and the client's observations."""
    rows = [
        (
            side.ticket or "–", words(f"dispute.verdict_{side.verdict.replace(' ', '_')}"),
            _span(side.ticket_start, side.ticket_end, words), _span(side.seen_start, side.seen_end, words),
            _reasons(side, words),
        )
        for side in dispute.sides
    ]  # fmt: skip
    columns: dict[str, list[Any]] = {
        name: [getattr(side, name) for side in dispute.sides]
        for name in (
            "ticket",
            "verdict",
            "ticket_start",
            "ticket_end",
            "seen_start",
            "seen_end",
            "ticket_s",
            "seen_s",
            "why",
        )
    }
    headings = tuple(words(f"dispute.column_{name}") for name in ("ticket", "verdict", "ticket_time", "seen", "why"))
    return Table(
        "sides", words("dispute.table_title"), words("dispute.table_note"), headings, rows, columns,
        frozenset(range(5)),
    )  # fmt: skip


def _span(start: int, end: int, words: Words) -> str:
    return "–" if start < 0 else f"{words.moment(start)} – {words.moment(end)}"


def _reasons(side: Side, words: Words) -> str:
    texts = [reason_text(one, words) for one in side.reasons]
    return words.sentence(", ".join(texts))


def reason_text(reason: Reason, words: Words) -> str:
    """Return the reason for a difference, in the language of the report."""
    key = f"dispute.why_{reason.kind.replace(' ', '_')}"
    return words(
        key, time=words.lasting(reason.us // SECOND_US * SECOND_US), some=words.number(reason.some),
        of=words.number(reason.of), at=words.moment(reason.us) if reason.kind == "opened" else "",
    )  # fmt: skip
