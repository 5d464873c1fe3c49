"""HTML pages: the base template, the style sheet and the template environment of every report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from simbench.base.text import count
from simbench.finding import Finding, outcome_of, tally
from simbench.reporting.format import BLAMED, SYMBOLS, WORST_FIRST, legible, quantity, source

HOME: Final = Path(__file__).parent


def environment(templates: Path, hide: Callable[[str], str]) -> Environment:
    """Return the environment for the templates of a folder and their base template. `hide` masks private data in texts.

    Every text is escaped, and characters not allowed in HTML are replaced.
    """
    environment = Environment(
        loader=FileSystemLoader([templates, HOME]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalized,
    )
    environment.filters.update(
        hidden=lambda text: hide(str(text)),
        quantity=lambda finding, name: quantity(getattr(finding, name), finding.unit, finding.limit),
        svg=Markup,  # own drawings: matplotlib escapes the texts in them
        blamed=lambda finding: BLAMED[finding.blame],
        count=count,
        source=source,
    )
    environment.globals.update(symbols=SYMBOLS)
    return environment


def rendered(
    template: Path, judged: Sequence[Finding] | None = None, hide: Callable[[str], str] = str, /, **values: Any
) -> str:
    """A page from its template. With findings it is given their whole as `tone`, and their counts as `chips`."""
    from simbench.reporting.style import COLOURS  # noqa: PLC0415 - matplotlib is slow to load

    if judged is not None:
        counts = tally(judged)
        values["tone"] = outcome_of(judged)
        values["chips"] = [(outcome, counts[outcome]) for outcome in WORST_FIRST if counts[outcome]]
    page = environment(template.parent, hide).get_template(template.name)
    return page.render(colours=COLOURS, styles=stylesheet(), **values)


def stylesheet() -> Markup:
    """Return the style sheet, to be included in each page."""
    return Markup((HOME / "page.css").read_text("utf-8"))  # noqa: S704 - our own file


def _finalized(value: Any) -> Any:
    return legible(value) if type(value) is str else value
