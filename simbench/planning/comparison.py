"""Plans beside each other: what each buys, what it costs, and what each of its demands is promised and keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from simbench.base.errors import BadInput
from simbench.base.inputs import read_octets
from simbench.base.json_files import MOST_JSON, NOT_READ
from simbench.planning.advise import Advice
from simbench.planning.wording import code_plan_words, english, interval, percent, promised, sure
from simbench.tables.writer import Sheet

FILE = "plan.json"
MOST_EUROS = 10**15  # of a plan somebody made by hand; longer numbers fill pages


class Compared(NamedTuple):
    """A plan and the name it is compared under."""

    name: str
    advice: Advice


def read_advice(path: Path) -> Compared:
    """A plan as `simbench plan -o` wrote it, by its folder or file. Raises BadInput."""
    file = path / FILE if path.is_dir() else path
    try:
        advice = msgspec.json.decode(read_octets(file, MOST_JSON), type=Advice)
    except OSError as problem:
        raise BadInput(str(file), problem.strerror or str(problem), "a folder that `simbench plan -o` wrote") from None
    except NOT_READ as problem:
        raise BadInput(str(file), f"is no plan: {problem}", f"a {FILE} that this version wrote") from None
    if wrong := _lacks(advice):
        raise BadInput(str(file), f"is no plan: {wrong}", f"a {FILE} that this version wrote")
    return Compared(str(path), advice)


def _lacks(advice: Advice) -> str:
    """Return what is wrong with a plan whose values have the right types; "" if nothing is."""
    months, euros = len(advice.invoices), (advice.chosen.euros, advice.euros_in_all)
    if not months or any(len(held) != months for held in advice.chosen.mix.held.values()):
        return "it has not one invoice for each month of its codes"
    return "" if all(amount.is_finite() and abs(amount) < MOST_EUROS for amount in euros) else "a price is no amount"


def comparison(plans: Sequence[Compared]) -> Sheet:
    """A row for each thing compared, a column for each plan; prices beside their difference from the first plan."""
    rows = [
        ("title", *(one.advice.title for one in plans)),
        ("period", *(f"{one.advice.invoices[0].month} to {one.advice.invoices[-1].month}" for one in plans)),
        ("mix", *(code_plan_words(english(one.advice.currency), one.advice.chosen.mix) for one in plans)),
        ("codes and tiers", *_euros(plans, with_messages=False)),
        ("with messages", *_euros(plans, with_messages=True)),
        ("promised", *(promised(english(one.advice.currency), one.advice.target) for one in plans)),
        ("sure to hold", *(sure(english(one.advice.currency), one.advice.chosen.score.promised) for one in plans)),
    ]
    demands = dict.fromkeys(name for one in plans for name in one.advice.chosen.score.kept)
    rows += [(f"in time: {name}", *(_kept(one, name) for one in plans)) for name in demands]
    rows.append(("nothing late in the period", *(_share(one, "") for one in plans)))
    months = dict.fromkeys(bill.month for one in plans for bill in one.advice.invoices)
    rows += [(month, *(_held(one.advice, month) for one in plans)) for month in months]
    return Sheet("comparison", ("", *(one.name for one in plans)), tuple(rows))


def _euros(plans: Sequence[Compared], *, with_messages: bool) -> list[str]:
    amounts = [one.advice.euros_in_all if with_messages else one.advice.chosen.euros for one in plans]
    found = [english(plans[0].advice.currency).money(amounts[0])]
    for one, amount in zip(plans[1:], amounts[1:], strict=True):
        t, more = english(one.advice.currency), amount - amounts[0]
        found.append(f"{t.money(amount)} ({'+' if more >= 0 else '-'}{t.money(abs(more))})")
    return found


def _kept(one: Compared, name: str) -> str:
    return _share(one, name) if name in one.advice.chosen.score.kept else "–"


def _share(one: Compared, name: str) -> str:
    score = one.advice.chosen.score
    share = score.kept[name] if name else score.whole
    return f"{percent(english(one.advice.currency), share.share)} ({interval(english(one.advice.currency), share)})"


def _held(advice: Advice, month: str) -> str:
    place = next((at for at, bill in enumerate(advice.invoices) if bill.month == month), None)
    if place is None:
        return "–"
    held = advice.chosen.mix.held
    parts = [f"{n} x {rate}/s ({prefix})" for prefix in held for rate, n in held[prefix][place]]
    return ", ".join(parts) or "none"
