"""Event-Timestamp as text, in the forms of different dictionaries, versions and locales.

Sources: FreeRADIUS 3 prints "Aug 20 2000 13:00:00 UTC" in the locale of the server, version 4 ISO 8601; RFC 822
section 5 for the zones of North America.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from simbench.base.text import is_number
from simbench.base.units import SECOND_US

_DATE: Final = re.compile(
    r"([^\W\d]{3,9})\.? +(\d{1,2}),? (\d{4}) (\d{2}):(\d{2}):(\d{2}) ?([A-Z]{1,5}|[+-]\d\d(?::?\d\d)?)"
)
_NUMERIC: Final = re.compile(r"([+-])(\d\d):?(\d\d)?")
_MONTHS: Final = {
    word: number
    for number, words in enumerate(
        ("jan janv january janvier", "feb fev fevr february fevrier", "mar mars march", "apr avr april avril",
         "may mai", "jun juin june", "jul juil july juillet", "aug aou aout august", "sep sept september septembre",
         "oct october octobre", "nov november novembre", "dec december decembre"),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
_ZONES_H: Final = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "EET": 2,
    "EEST": 3, "MSK": 3, "MSD": 4, "EST": -5, "EDT": -4, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9,
    "KST": 9, "HKT": 8, "SAST": 2, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
# CST and CDT (North America, China, Cuba) and IST (India, Israel, Ireland) are ambiguous and not accepted.


def event_of(text: str) -> int:
    """Return the instant (us, UTC) of an Event-Timestamp: seconds, ISO 8601 or a date with a clear zone; else -1."""
    text = text.strip()
    if is_number(text, 10):
        return int(text) * SECOND_US
    try:
        when = _worded(text) if text[4:5] != "-" else datetime.fromisoformat(text)
        if when is None or when.tzinfo is None:
            return -1
        seconds = (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    except (ValueError, OverflowError):
        return -1
    return max(-1, seconds * SECOND_US)


def _worded(text: str) -> datetime | None:
    found = _DATE.fullmatch(text)
    month = _MONTHS.get(_plain(found[1])) if found else None
    zone = _zone(found[7]) if found else None
    if found is None or month is None or zone is None:
        return None
    day, year, hour, minute, second = (int(found[n]) for n in range(2, 7))
    return datetime(year, month, day, hour, minute, second, tzinfo=zone)


def _zone(text: str) -> timezone | None:
    number = _NUMERIC.fullmatch(text)
    if number:
        distance = timedelta(hours=int(number[2]), minutes=int(number[3] or 0))
        return timezone(-distance if number[1] == "-" else distance)
    return timezone(timedelta(hours=_ZONES_H[text])) if text in _ZONES_H else None


def _plain(word: str) -> str:
    """Return a word without accents and in lower case: "aout" for "août"."""
    return "".join(each for each in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(each))
