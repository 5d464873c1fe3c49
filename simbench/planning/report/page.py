"""The report of a plan as one self-contained HTML file.

It takes the advice as plain values, in the form of plan.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from simbench.base.json_files import write_octets
from simbench.billing.invoice import Invoice
from simbench.billing.page import euro
from simbench.report.format import number
from simbench.report.html import environment, stylesheet


def write_plan_report(path: Path, advice: Mapping[str, Any], invoices: Sequence[Invoice]) -> None:
    """Write the report of an advice as one HTML file. Raises BadInput when it cannot be written."""
    write_octets(path, plan_page(advice, invoices).encode())


def plan_page(advice: Mapping[str, Any], invoices: Sequence[Invoice]) -> str:
    """The report of an advice as HTML."""
    from simbench.planning.report import figures  # noqa: PLC0415 - matplotlib is slow to load
    from simbench.report.style import COLOURS, look  # noqa: PLC0415 - as above

    chosen = advice["chosen"]
    base, subject = promised(chosen)
    with look():
        pictures = [figures.draw_frontier(advice["candidates"], advice["target"])]
        pictures += [figures.draw_curve(curve) for curve in advice["curves"]]
        if advice["sensitivities"]:
            pictures.append(figures.draw_tornado(advice["sensitivities"], base["share"], float(chosen["euros"])))
    return (
        environment(Path(__file__).parent, str)
        .get_template("planning.html.j2")
        .render(
            advice=advice,
            chosen=chosen,
            base=base,
            subject=subject,
            strip=_strip(chosen["mix"]["held"], invoices),
            rows=[(one, *promised(one)) for one in sorted(_all_of(advice), key=lambda one: float(one["euros"]))],
            confirmation_words=_confirmed(advice["confirmation"]),
            invoices=invoices,
            pictures=pictures,
            euro=euro,
            decimal=Decimal,
            number=number,
            colours=COLOURS,
            styles=stylesheet(),
        )
    )


def promised(candidate: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The share a candidate's promise is about, and what it is a share of."""
    score = candidate["score"]
    if score["by_period"]:
        return score["whole"], "the whole period"
    name = min(score["kept"], key=lambda each: (score["kept"][each]["low"], score["kept"][each]["share"]))
    return score["kept"][name], name


def _all_of(advice: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*advice["candidates"], *({**one, "words": f"yours: {one['words']}"} for one in advice["own"])]


def _strip(held: Mapping[str, Sequence[Any]], invoices: Sequence[Invoice]) -> list[tuple[str, list[str]]]:
    """Each month with its codes and tiers, a line a range and rate."""
    return [
        (str(bill.month), [f"{prefix}ABC: {n} x {rate}/s" for prefix in held for rate, n in held[prefix][place]])
        for place, bill in enumerate(invoices)
    ]


def _confirmed(confirmation: Mapping[str, Any]) -> str:
    import msgspec  # noqa: PLC0415 - as above

    from simbench.planning.confirm import Confirmation  # noqa: PLC0415 - as above

    return msgspec.convert(confirmation, Confirmation).words
