"""Sentences of a plan in the language of its report; in English on the terminal and in plan.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from simbench.contract import Contract
from simbench.planning.candidates import Candidate
from simbench.planning.code_plan import CodePlan
from simbench.planning.confidence import Share
from simbench.planning.confirm import Confirmation
from simbench.planning.sensitivity import Sensitivity
from simbench.reporting.translations import Translations

HOME: Final = Path(__file__).parent / "report"
MOST_CHANGES: Final = 3


class Note(msgspec.Struct, frozen=True):
    """A note for the reader: the key of its sentence, and the values in it."""

    key: str
    values: dict[str, str | float] = {}


def english(currency: str = "") -> Translations:
    """Return the texts for the terminal."""
    return Translations("en", HOME, currency=currency)


def in_language(language: str, contract: Contract) -> Translations:
    """The texts of a plan in a language, with the civil time and the currency of its contract."""
    return Translations(language, HOME, contract.calendar, contract.terms.money.currency.value)


def percent(t: Translations, share: float, digits: int = 2) -> str:
    """Write a share, rounded, but not up to a required share that it does not reach, nor up to 100 %."""
    text = f"{100 * share:.{digits}f}"
    if share < 1 and float(text) == 100:
        text = f"{100 - 10**-digits:.{digits}f}"
    return text.replace(".", t("form.decimal")) + t("form.percent")


def promised(t: Translations, share: float) -> str:
    """Write a required figure without trailing zeros."""
    return t.number(100 * share, 4) + t("form.percent")


def day_of(t: Translations, day: date) -> str:
    """Write a day: "1 Oct 2026", "1er oct. 2026"."""
    number = "1er" if day.day == 1 and t.language == "fr" else day.day
    return f"{number}\u00a0{t.month(day.month)} {day.year}"


def interval(t: Translations, share: Share) -> str:
    """The 95 % interval of a share."""
    return t("share.interval", low=percent(t, share.low), high=percent(t, share.high))


def sure(t: Translations, share: Share) -> str:
    """Write the certainty of a promise."""
    if share.sure > 0.999:
        return t("share.almost-sure")
    return t("share.hardly-sure") if share.sure < 0.001 else percent(t, share.sure, 1)


def subject(t: Translations, about: str) -> str:
    """Write the subject of a share: a demand in quotes, or the whole period."""
    return t("share.of", demand=about) if about else t("share.of-period")


def code_plan_words(t: Translations, mix: CodePlan) -> str:
    """Write a code plan for managers: "2 codes 36ABC at 50/s", with changes in order."""
    found = []
    for prefix, months in mix.held.items():
        runs = [held for place, held in enumerate(months) if not place or held != months[place - 1]]
        shown = [_held(t, prefix, held) for held in runs[:MOST_CHANGES]]
        more = t("mix.more", count=len(runs) - MOST_CHANGES) if len(runs) > MOST_CHANGES else ""
        found.append(t("mix.then").join(shown) + more)
    return t("mix.and").join(found) if len(found) < 3 else "; ".join(found)


def _held(t: Translations, prefix: str, held: tuple[tuple[int, int], ...]) -> str:
    parts = [t("mix.one" if n == 1 else "mix.many", count=n, rate=rate, prefix=prefix) for rate, n in held]
    return t("mix.and").join(parts) if parts else t("mix.none", prefix=prefix)


def verdict(t: Translations, chosen: Candidate, more: int | None, one_more: Candidate | None) -> str:
    """Write whether the promise is kept, the certainty, and how to increase it."""
    score, mine = chosen.score, chosen.score.promised
    measured = t(
        "verdict.measured", share=percent(t, mine.share), subject=subject(t, score.about), interval=interval(t, mine),
        futures=t.number(score.futures),
    )  # fmt: skip
    asked = promised(t, score.asked)
    if chosen.holds:
        return t("verdict.holds", asked=asked, measured=measured)
    text = t("verdict.sure", asked=asked, sure=sure(t, mine), measured=measured)
    if more is not None and more > score.futures:
        text += " " + t("verdict.more", futures=t.number(more), replications=more)
    if one_more is not None:
        other = one_more.score.promised
        then = t("verdict.then-holds") if one_more.holds else t("verdict.then-sure", sure=sure(t, other))
        text += " " + t(
            "verdict.one-more", mix=code_plan_words(t, one_more.mix), euros=t.money(one_more.euros - chosen.euros),
            then=then, share=percent(t, other.share), interval=interval(t, other),
        )  # fmt: skip
    return text


def why(t: Translations, one: Candidate, chosen: Candidate) -> str:
    """Write why a code plan is not the advised one."""
    score, mine = one.score, one.score.promised
    about, share = subject(t, score.about), percent(t, mine.share)
    if not one.holds and not one.doubt:
        return t("why.short", share=share, subject=about, asked=promised(t, score.asked))
    dearer = one.euros - chosen.euros
    key = "why.dearer" if dearer > 0 else "why.cheaper" if dearer else "why.same"
    price = t(key, euros=t.money(abs(dearer)))
    if one.doubt:
        return price + t("why.doubt", share=share, subject=about, interval=interval(t, mine))
    more = mine.share > chosen.probability
    return price + (t("why.more", share=share, chosen=percent(t, chosen.probability)) if more else "")


def confirmed(t: Translations, confirmation: Confirmation) -> str:
    """Describe in a sentence what was sent message by message."""
    if not confirmation.samples:
        return t("confirmed.none", budget=t.number(confirmation.budget))
    alike = sum(one.agrees and one.late == one.late_by_fluid for one in confirmation.samples)
    figures = {"messages": t.number(confirmation.messages), "alike": alike, "samples": len(confirmation.samples)}
    text = t("confirmed.one" if len(confirmation.samples) == 1 else "confirmed.many", **figures)
    if confirmation.left_out:
        text += " " + t("confirmed.left", left=confirmation.left_out, budget=t.number(confirmation.budget))
    return text


def broken_by(t: Translations, row: Sensitivity, asked: float, chosen_euros: Decimal) -> list[tuple[bool, str]]:
    """Return whether the chosen code plan keeps the promise under another assumption, with a sentence."""
    name = assumption(t, row.assumption)
    found = []
    for side, share, euros, about in (
        (row.low, row.at_low, row.euros_at_low, row.about_low),
        (row.high, row.at_high, row.euros_at_high, row.about_high),
    ):
        keeps = share >= asked - 1e-9
        case = t("breaks.case", assumption=name, side=scale(t, side))
        text = t("breaks.share", case=case, share=percent(t, share), subject=subject(t, about))
        if not keeps:
            more = None if euros is None else euros - chosen_euros
            text += t("breaks.never") if more is None else t("breaks.euros", euros=t.money(max(Decimal(0), more)))
        found.append((keeps, text + "."))
    return found


def assumption(t: Translations, name: str) -> str:
    """The name of an assumption."""
    return t("assumption." + name.replace(",", "").replace(" ", "-"))


def scale(t: Translations, side: str) -> str:
    """Write the change of an assumption: a word, or a percentage."""
    key = f"scale.{side}"
    return t(key) if t.has(key) else side.replace(" %", t("form.percent"))


def notes_in_words(t: Translations, notes: Iterable[Note]) -> tuple[str, ...]:
    """Each note as a sentence."""
    return tuple(t(f"note.{one.key}", **_filled(t, one.values)) for one in notes)


def _filled(t: Translations, values: Mapping[str, str | float]) -> dict[str, Any]:
    found: dict[str, Any] = dict(values)
    for name in ("share", "low", "high"):
        if isinstance(value := found.get(name), float):
            found[name] = percent(t, value)
    if isinstance(first := found.get("first"), str):
        found["first"] = day_of(t, date.fromisoformat(first))
    if isinstance(euros := found.get("euros"), float):
        found["euros"] = t.money(Decimal(str(round(euros, 2))))
    return found
