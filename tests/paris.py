"""Civil time and numbers of the built-in contract, in which most facts of these tests are stated."""

from __future__ import annotations

from typing import Final

from simbench.contract import load_contract
from simbench.numbering.plan import plan_of

CONTRACT: Final = load_contract()
FRANCE: Final = CONTRACT.calendar
PARIS: Final = FRANCE.tz
PLAN: Final = plan_of(CONTRACT)

civil = FRANCE.civil
from_civil = FRANCE.from_civil
instant = FRANCE.instant
midnight_after = FRANCE.midnight_after
months_before = FRANCE.months_before
month_of = FRANCE.month_of
days_before = FRANCE.days_before
is_jour_ouvrable = FRANCE.is_jour_ouvrable
is_jour_ouvre = FRANCE.is_jour_ouvre
holidays_of = FRANCE.holidays_of
scts_text = FRANCE.scts_text
minute_text = FRANCE.minute_text
parse_scts = FRANCE.parse_scts
parse_minute = FRANCE.parse_minute

classify = PLAN.classify
spellings = PLAN.spellings
plain_mobile = PLAN.plain_mobile
MONDAY: Final = instant(2026, 3, 2, 10, 0, 0)
