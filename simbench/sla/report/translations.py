"""Texts, numbers and dates of the SLA report in its language."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from simbench.contract import Contract
from simbench.reporting import translations
from simbench.reporting.style import label
from simbench.reporting.translations import LANGUAGES, Translations
from simbench.sla.classification import OVERRUN
from simbench.sla.imports.decisions import MEANING

__all__ = ["LANGUAGES", "Words", "texts"]
HOME: Final = Path(__file__).parent
DECIDED: Final = re.compile(rf"\[({'|'.join(MEANING)}):")


class Words(Translations):
    """The texts of one language, with the civil time and the currency of a contract.

    Raises KeyError for an unknown key.
    """

    def __init__(self, language: str, contract: Contract) -> None:
        super().__init__(language, HOME, contract.calendar, contract.terms.money.currency.value)

    @property
    def colon(self) -> str:
        """The colon after a word."""
        return ":" if self.language == "en" else "\u00a0:"

    def ticket(self, name: str) -> str:
        """Return the name of an incident; an addition made by the bench is translated."""
        return name.replace(OVERRUN, f" ({self('ticket.overrun')})")

    def cause(self, text: str) -> str:
        """Return the cause of an incident; a class that a decision wrote into it is translated."""
        return DECIDED.sub(lambda found: f"[{self(f'decision.{found[1]}')}{self.colon}", text)

    def short(self, name: str, longest: int = 24) -> str:
        """Return the name of an incident for a narrow column; its end is kept, because tickets differ in it."""
        found = label(self.ticket(name), 200)
        return found if len(found) <= longest else "..." + found[3 - longest :]

    def iso(self, us: int) -> str:
        """Write an instant as ISO 8601 with its offset."""
        return self.calendar.iso(us)

    def lasting(self, us: int) -> str:
        """Write a duration (us): "6 h 05", with seconds unless they are zero, "45 s" below a minute."""
        if 0 < us < 60_000_000:
            return f"{self.number(us / 1_000_000, 3)}\u00a0s"
        return self.hours(us / 3_600_000_000, exact=True)

    def signed_hours(self, value: float) -> str:
        """Write hours that may be negative."""
        return f"{'−' if value < 0 else ''}{self.hours(abs(value))}"

    def days(self, since: int, until: int) -> str:
        """Write a range of days, or the only day."""
        first, last = self.day(since), self.day(until)
        return first if first == last else f"{first} – {last}"

    def period(self, since: int, until: int) -> str:
        """Write a range of instants, with seconds if the minutes are the same."""
        first, last = self.moment(since), self.moment(until)
        if first == last:
            first, last = (f"{self.moment(at)}:{self.calendar.civil(at):%S}" for at in (since, until))
        return f"{first} – {last}"

    def sentence(self, text: str) -> str:
        """Return a text with a capital first letter."""
        return text[:1].upper() + text[1:]


def texts(language: str) -> dict[str, str]:
    """Return the table of a language, with dotted keys."""
    return translations.texts(language, HOME)
