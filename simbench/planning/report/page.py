"""The report of a plan as one self-contained HTML file, in English or French."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from simbench.base.json_files import write_octets
from simbench.billing.acts import Month
from simbench.billing.due import rate_in
from simbench.contract import Contract
from simbench.planning import wording
from simbench.planning.candidates import Candidate
from simbench.planning.orders import grouped
from simbench.planning.report.inputs import inputs
from simbench.reporting.html import rendered
from simbench.reporting.translations import Translations

if TYPE_CHECKING:
    from simbench.planning.advise import Advice

CHEAPER, BROKEN = 3, 6
"""The number of cheaper code plans, and of assumptions, on the first screen."""


class Cell(NamedTuple):
    """Consecutive months in which codes have one rate, 0 if they are not open."""

    rate: int
    months: int


class Strip(NamedTuple):
    """Codes with the same rates in all months, and these rates."""

    codes: str
    cells: tuple[Cell, ...]


def write_plan_report(path: Path, advice: Advice, contract: Contract, language: str = "en") -> None:
    """Write the report of an advice as one HTML file. Raises BadInput when it cannot be written."""
    write_octets(path, plan_page(advice, contract, language))


def plan_page(advice: Advice, contract: Contract, language: str = "en") -> str:
    """The report of an advice as HTML."""
    t = wording.in_language(language, contract)
    chosen = advice.chosen
    months = [Month.parse(bill.month) for bill in advice.invoices]
    return rendered(
            Path(__file__).with_name("planning.html.j2"),
            t=t, advice=advice, chosen=chosen, mine=chosen.score.promised, wording=wording,
            months=[f"{t.month(one.month)} {one.year}" for one in months],
            sentence=_sentence(t, advice, months), verdict=wording.verdict(
                t, chosen, advice.more_futures, advice.one_more
            ),
            asked=wording.promised(t, advice.target), day=lambda day: wording.day_of(t, day),
            orders=[(_codes(codes), one) for codes, one in grouped(advice.orders)],
            percent=lambda share, digits=2: wording.percent(t, share, digits),
            interval=lambda share: wording.interval(t, share), strip=list(_strip(advice, contract, months)),
            dial=_dial(chosen, advice.target), cheaper=_cheaper(t, advice), broken=_broken(t, advice),
            mixes=list(_mixes(t, advice)), notes=wording.notes_in_words(t, advice.remarks),
            paper=lambda clause: _paper(contract, clause, language), inputs=inputs(t, advice),
            confirmed=wording.confirmed(t, advice.confirmation), pictures=_pictures(t, advice), money=t.money,
            number=t.number,
    )  # fmt: skip


def _sentence(t: Translations, advice: Advice, months: list[Month]) -> str:
    """The advice in one sentence."""
    chosen = advice.chosen
    first, last = (f"{t.month(one.month)} {one.year}" for one in (months[0], months[-1]))
    changing = any(len(set(held)) > 1 for held in chosen.mix.held.values())
    same = advice.current is not None and advice.current.mix == chosen.mix
    key = "page.advice-changing" if changing else "page.advice-held" if advice.asked.held else "page.advice"
    key = "page.keep" if same else key
    return t(key, mix=wording.code_plan_words(t, chosen.mix), first=first, last=last)


def _strip(advice: Advice, contract: Contract, months: list[Month]) -> Iterator[Strip]:
    """Yield the codes with their rates by month; codes with equal rates together."""
    courses: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for code in advice.acts.codes:
        rates = tuple(
            rate_in(code, contract, month) if code.closed is None or code.closed >= month.first else 0
            for month in months
        )
        if any(rates):
            courses.setdefault((code.code[:2], rates), []).append(code.code)
    for (_, rates), codes in courses.items():
        cells: list[Cell] = []
        for rate in rates:
            if cells and cells[-1].rate == rate:
                cells[-1] = Cell(rate, cells[-1].months + 1)
            else:
                cells.append(Cell(rate, 1))
        yield Strip(_codes(codes), tuple(cells))


def _codes(codes: list[str]) -> str:
    if len(codes) < 4:
        return ", ".join(codes)
    return f"{codes[0]} … {codes[-1]} ({len(codes)})"


class Dial(NamedTuple):
    """Positions on a scale of 0 to 100: interval, share and promised share; and the ends of the scale."""

    low: float
    high: float
    share: float
    asked: float
    first: float
    last: float


def _dial(chosen: Candidate, asked: float) -> Dial:
    """Return the positions of the interval on a scale that ends at 100 %."""
    mine = chosen.score.promised
    first = max(0.0, min(mine.low, asked) - 1.5 * max(1 - min(mine.low, asked), 0.001))

    def at(share: float) -> float:
        return round(100 * (share - first) / (1 - first), 2)

    return Dial(at(mine.low), at(mine.high), at(mine.share), at(asked), first, 1.0)


def _cheaper(t: Translations, advice: Advice) -> list[tuple[str, str, str]]:
    """Return the code plans just cheaper than the chosen one, each with its price and the reason against it."""
    below = sorted(
        (one for one in advice.candidates if one.euros < advice.chosen.euros), key=lambda one: one.euros, reverse=True
    )
    return [
        (wording.code_plan_words(t, one.mix), t.money(one.euros), wording.why(t, one, advice.chosen))
        for one in below[:CHEAPER]
    ]


def _broken(t: Translations, advice: Advice) -> list[tuple[bool, str]]:
    """Return the effects of other assumptions, the worst first."""
    found = [
        (keeps, share, text)
        for row in advice.sensitivities
        for (keeps, text), share in zip(
            wording.broken_by(t, row, advice.target, advice.chosen.euros), (row.at_low, row.at_high), strict=True
        )
    ]
    return [(keeps, text) for keeps, _, text in sorted(found, key=lambda one: (one[0], one[1]))][:BROKEN]


def _mixes(t: Translations, advice: Advice) -> Iterator[tuple[str, Candidate, str]]:
    """Yield every scored code plan by price: its text, its score, the reason against it."""
    extra = [(one, "page.yours") for one in advice.own]
    extra += [(advice.current, "page.held")] if advice.current else []
    rows = [(one, "") for one in advice.candidates] + extra
    for one, key in sorted(rows, key=lambda row: (row[0].euros, row[1])):
        words = wording.code_plan_words(t, one.mix)
        is_chosen = one.words == advice.chosen.words and not key
        why = t("why.chosen") if is_chosen else wording.why(t, one, advice.chosen)
        yield t(key, mix=words) if key else words, one, why


def _paper(contract: Contract, clause: str, language: str) -> str:
    """Return the requirement of a clause, in French with the contract's own term."""
    found = contract.clauses.get(clause)
    if found is None:
        return clause
    return f"{clause}: {found.gist}" if language == "en" else f"{clause}\u00a0: {found.key_term}"


def _pictures(t: Translations, advice: Advice) -> dict[str, list[Any]]:
    from simbench.planning.report import figures  # noqa: PLC0415 - matplotlib is slow to load
    from simbench.reporting.style import look  # noqa: PLC0415 - as above

    base, euros = advice.chosen.probability, Decimal(advice.chosen.euros)
    with look():
        cost = [figures.draw_frontier(t, advice.candidates, advice.target)]
        if advice.tradeoffs:
            cost.append(figures.draw_tradeoffs(t, advice.tradeoffs))
        if advice.sensitivities:
            cost.append(figures.draw_tornado(t, advice.sensitivities, base, euros))
        course = [figures.draw_curve(t, curve) for curve in advice.curves]
        course += [figures.draw_waits(t, one) for one in advice.waits]
    return {"cost": cost, "course": course}
