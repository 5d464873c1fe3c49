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
    base = chosen["whole"] if advice["promise"] == "period" else min(chosen["kept"].values())
    with look():
        pictures = [figures.draw_frontier(advice["candidates"], advice["target"])]
        pictures += [figures.draw_curve(curve) for curve in advice["curves"]]
        if advice["sensitivities"]:
            pictures.append(figures.draw_tornado(advice["sensitivities"], base, float(chosen["euros"])))
    return (
        environment(Path(__file__).parent, str)
        .get_template("planning.html.j2")
        .render(
            advice=advice,
            chosen=chosen,
            base=base,
            candidates=sorted(advice["candidates"], key=lambda one: float(one["euros"])),
            invoices=invoices,
            pictures=pictures,
            euro=euro,
            decimal=Decimal,
            number=number,
            colours=COLOURS,
            styles=stylesheet(),
        )
    )
