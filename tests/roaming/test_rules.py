"""Verdicts: an honest operator passes every rule, and each rule condemns a tampered file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from simbench.contract.term import clause_of
from simbench.finding import Finding, exit_status
from simbench.roaming.billing import NOTICES, RECORDS, SUBSCRIBERS, read_billing
from simbench.roaming.export import export_billing
from simbench.roaming.rules import RULES, judge_billing
from tests.roaming.bills import CONTRACT, FIRST, LAST, SOME, Files, Row, copied, scenario, written


def judged(folder: Path) -> dict[str, Finding]:
    billing = read_billing(folder, FIRST, LAST)
    assert not billing.aside
    return {finding.purpose: finding for finding in judge_billing(billing, CONTRACT)}


def first(files: Files, name: str, holds: Callable[[Row], bool]) -> Row:
    return next(row for row in files[name] if holds(row))


def charged(service: str) -> Callable[[Row], bool]:
    return lambda row: row["service"] == service and Decimal(row["amount"]) > 0


def shifted(row: Row, days: int) -> None:
    row["day"] = str(date.fromisoformat(row["day"]) + timedelta(days=days))


def without(kind: str) -> Callable[[Files], None]:
    def tamper(files: Files) -> None:
        files[NOTICES] = [row for row in files[NOTICES] if row["kind"] != kind]

    return tamper


def dearer(service: str) -> Callable[[Files], None]:
    def tamper(files: Files) -> None:
        row = first(files, RECORDS, charged(service))
        row["amount"] = str(Decimal(row["amount"]) * Decimal("1.00001"))

    return tamper


def one_octet_short(files: Files) -> None:
    row = first(files, NOTICES, lambda row: row["kind"] == "envelope")
    row["octets"] = str(int(row["octets"]) - 1)


def charged_within(files: Files) -> None:
    free = lambda row: row["service"] == "data" and row["place"] == "abroad" and row["charged"] == "0"  # noqa: E731 - short
    first(files, RECORDS, free)["charged"] = "1"


def no_envelope(files: Files) -> None:
    roamer = first(files, RECORDS, lambda row: row["place"] == "abroad")["subscriber"]
    files[NOTICES] = [row for row in files[NOTICES] if (row["subscriber"], row["kind"]) != (roamer, "envelope")]


def a_day_too_soon(files: Files) -> None:
    row = first(files, NOTICES, lambda row: row["kind"] == "surcharge-begins")
    shifted(row, -1)
    files[NOTICES].sort(key=lambda row: (row["subscriber"], row["day"]))


def surcharged_in_normal_state(files: Files) -> None:
    row = first(files, RECORDS, lambda row: row["service"] == "voice" and row["amount"] == "0")
    row["amount"] = "0.001"


def alerted_on_holiday(files: Files) -> None:
    surcharged = {row["subscriber"] for row in files[NOTICES] if row["kind"] == "alert"}
    traveller = first(files, RECORDS, lambda row: row["place"] == "abroad" and row["subscriber"] not in surcharged)
    files[NOTICES].append({"subscriber": traveller["subscriber"], "day": "2018-11-11", "kind": "alert", "octets": "0"})
    files[NOTICES].sort(key=lambda row: (row["subscriber"], row["day"]))


def alerted_too_soon(files: Files) -> None:
    alert = first(files, NOTICES, lambda row: row["kind"] == "alert")
    shifted(alert, -10)
    older(files, alert["subscriber"])
    files[NOTICES].sort(key=lambda row: (row["subscriber"], row["day"]))


def older(files: Files, younger: str) -> None:
    """Let the files begin a month before an account: another one is older."""
    subscriber = first(files, SUBSCRIBERS, lambda row: row["subscriber"] != younger)["subscriber"]
    row = dict(first(files, RECORDS, lambda row: row["subscriber"] == subscriber))
    row |= {"service": "presence", "place": "home", "quantity": "1", "charged": "0", "amount": "0"}
    shifted(row, -31)
    files[RECORDS].insert(0, row)
    notice = dict(first(files, NOTICES, lambda row: row["subscriber"] == subscriber and row["kind"] == "envelope"))
    shifted(notice, -31)
    files[NOTICES].insert(0, notice)


def surcharged_at_home(files: Files) -> None:
    surcharged = first(files, NOTICES, lambda row: row["kind"] == "surcharge-begins")["subscriber"]
    for row in files[RECORDS]:
        if row["subscriber"] == surcharged and row["service"] == "presence":
            row["place"] = "home"


def beyond_the_limit(files: Files) -> None:
    at_limit = first(files, NOTICES, lambda row: row["kind"] == "limit")["subscriber"]
    first(files, SUBSCRIBERS, lambda row: row["subscriber"] == at_limit)["agreed_beyond_limit"] = "no"
    for row in files[RECORDS]:
        if row["subscriber"] == at_limit and charged("data")(row):
            row["amount"] = str(Decimal(row["amount"]) * 2)


def by_the_minute(files: Files) -> None:
    row = first(files, RECORDS, lambda row: charged("voice")(row) and int(row["charged"]) % 60 != 0)
    row["charged"] = str(-(-int(row["charged"]) // 60) * 60)


def by_the_megabyte(files: Files) -> None:
    row = first(files, RECORDS, charged("data"))
    row["charged"] = str(-(-int(row["quantity"]) // 10**6) * 1000)


TAMPERED: list[tuple[str, Callable[[Files], None]]] = [
    ("roaming.granted", one_octet_short),
    ("roaming.granted", no_envelope),
    ("roaming.free-within", charged_within),
    ("roaming.used-up-alert", without("envelope-used-up")),
    ("roaming.two-weeks", a_day_too_soon),
    ("roaming.two-weeks", without("alert")),
    ("roaming.two-weeks", surcharged_in_normal_state),
    ("roaming.both-prevailed", alerted_on_holiday),
    ("roaming.both-prevailed", alerted_too_soon),
    ("roaming.ends", surcharged_at_home),
    ("roaming.data-price", dearer("data")),
    ("roaming.voice-price", dearer("voice")),
    ("roaming.sms-price", dearer("sms")),
    ("roaming.spending-alerts", without("warning")),
    ("roaming.spending-alerts", without("limit")),
    ("roaming.stops", beyond_the_limit),
    ("roaming.by-second", by_the_minute),
    ("roaming.by-kilobyte", by_the_megabyte),
]


def test_an_honest_operator_passes_every_rule(honest: Files, tmp_path: Path) -> None:
    findings = judged(written(tmp_path, honest))
    assert {purpose: finding.outcome for purpose, finding in findings.items()} == dict.fromkeys(RULES, "pass")
    assert exit_status(findings.values()) == 0


@pytest.mark.parametrize(("purpose", "tamper"), TAMPERED)
def test_a_tampered_file_is_condemned(
    purpose: str, tamper: Callable[[Files], None], honest: Files, tmp_path: Path
) -> None:
    files = copied(honest)
    tamper(files)
    findings = judged(written(tmp_path, files))
    assert findings[purpose].outcome == "fail"
    assert findings[purpose].evidence
    assert findings[purpose].limit is not None
    assert exit_status(findings.values()) == 1


def test_every_rule_has_a_tampered_file_and_every_clause_a_rule() -> None:
    assert {purpose for purpose, _ in TAMPERED} == set(RULES)
    assert {clause_of(CONTRACT.clauses, purpose) for purpose in RULES} == set(CONTRACT.clauses)


def from_day(files: Files, begins: date) -> Files:
    """An export of the same files that begins on a later day."""
    dated = {name: files[name] for name in (RECORDS, NOTICES)}
    late = {name: [row for row in rows if row["day"] >= str(begins)] for name, rows in dated.items()}
    return {SUBSCRIBERS: files[SUBSCRIBERS], **late}


@pytest.mark.parametrize("before", [-40, -5, 5, 40, 110])
def test_files_that_begin_in_the_middle_of_an_account_blame_nobody(before: int, honest: Files, tmp_path: Path) -> None:
    """Files that begin so many days before the first alert of a correct operator, or after it."""
    alert = date.fromisoformat(first(honest, NOTICES, lambda row: row["kind"] == "alert")["day"])
    found = judged(written(tmp_path, from_day(honest, alert - timedelta(days=before))))
    blamed = {one.purpose for one in found.values() if one.outcome in {"fail", "weak"}}
    if before < 0:  # a surcharge in force before the files cannot be known from its charges
        assert not {"roaming.granted", "roaming.both-prevailed", "roaming.ends"} & blamed
    else:
        assert blamed == set()
        assert found["roaming.both-prevailed"].outcome == "inconclusive"
        assert "before the first day of the files" in found["roaming.both-prevailed"].summary


def test_an_alert_is_a_fault_if_no_days_before_the_files_can_explain_it(tmp_path: Path) -> None:
    for begins, outcome in ((date(2018, 2, 20), "fail"), (date(2018, 4, 25), "inconclusive")):
        folder = stays(tmp_path, begins, date(2018, 5, 1), (date(2018, 5, 12), "alert"))
        assert judged(folder)["roaming.both-prevailed"].outcome == outcome


def test_prices_above_the_cap_are_reported_as_dear_as_they_are(tmp_path: Path) -> None:
    dear = replace(scenario(), operator=replace(scenario().operator, price_share=Decimal("1.1")))
    export_billing(tmp_path, dear, CONTRACT, SOME)
    finding = judged(tmp_path)["roaming.data-price"]
    assert (finding.outcome, finding.limit, finding.unit) == ("fail", 6.0, "euro/GB")
    assert finding.measured == pytest.approx(6.6)


def test_an_alert_that_only_our_reading_of_a_day_in_both_networks_forbids_is_weak(tmp_path: Path) -> None:
    strict = replace(
        CONTRACT.terms.fair_use, home_logon_counts=replace(CONTRACT.terms.fair_use.home_logon_counts, value=False)
    )
    unread = replace(CONTRACT, terms=replace(CONTRACT.terms, fair_use=strict))
    commuters = replace(scenario(), operator=replace(scenario().operator, exceptions=False))
    export_billing(tmp_path, commuters, unread, SOME)
    finding = judged(tmp_path)["roaming.both-prevailed"]
    assert (finding.outcome, finding.assumed) == ("weak", ("fair_use.home_logon_counts",))


def test_a_reminder_does_not_start_the_two_weeks_again(honest: Files, tmp_path: Path) -> None:
    files = copied(honest)
    alert = first(files, NOTICES, lambda row: row["kind"] == "alert")
    again = dict(alert)
    shifted(again, 5)
    files[NOTICES].append(again)
    files[NOTICES].sort(key=lambda row: (row["subscriber"], row["day"]))
    assert judged(written(tmp_path, files))["roaming.two-weeks"].outcome == "pass"


STAYED: Row = {"subscriber": "u1", "vat_share": "0", "price_eur": "20", "prepaid": "no", "agreed_beyond_limit": "no"}


def stays(folder: Path, home: date, abroad: date, *notices: tuple[date, str]) -> Path:
    """A SIM used at home, then from a day on abroad, and its notices."""
    days = [home + timedelta(days=number) for number in range((notices[-1][0] - home).days + 60)]
    rows = [
        {"subscriber": "u1", "day": f"{day}", "service": service, "place": "abroad" if day >= abroad else "home",
         "quantity": "1000000", "charged": "0", "amount": "0", "currency": "EUR"}
        for day in days for service in ("presence", "data")
    ]  # fmt: skip
    envelope = [{"subscriber": "u1", "day": f"{home}", "kind": "envelope", "octets": "99000000000"}]
    rows_of_notices = [{"subscriber": "u1", "day": f"{day}", "kind": kind, "octets": "0"} for day, kind in notices]
    return written(folder, {SUBSCRIBERS: [STAYED], RECORDS: rows, NOTICES: [*envelope, *rows_of_notices]})


def test_an_alert_after_a_stay_at_home_starts_two_weeks_of_its_own(tmp_path: Path) -> None:
    """An alert while the home prevails is ours to condemn; it does not serve a surcharge months later either."""
    alerted, again = date(2018, 2, 1), date(2018, 8, 20)
    folder = stays(tmp_path, date(2018, 1, 1), date(2018, 5, 1), (alerted, "alert"), (again, "alert"),
                   (again + timedelta(days=10), "surcharge-begins"))  # fmt: skip
    assert judged(folder)["roaming.two-weeks"].outcome == "fail"


@pytest.mark.parametrize(("own_days", "outcome"), [(None, "weak"), (120, "pass"), (123, "fail")])
def test_an_operator_may_observe_four_months_exactly(tmp_path: Path, own_days: int | None, outcome: str) -> None:
    """From 1 February to 1 June are 120 days: 61 of them abroad, and 61 of the contract's 123."""
    folder = stays(tmp_path, date(2018, 1, 1), date(2018, 4, 1), (date(2018, 6, 1), "alert"))
    billing = read_billing(folder, FIRST, LAST)
    found = {one.purpose: one for one in judge_billing(billing, CONTRACT, own_days)}["roaming.both-prevailed"]
    assert found.outcome == outcome
    assert found.assumed == (("fair_use.observation_days",) if outcome == "weak" else ())


def test_a_cap_that_is_only_our_assumption_makes_a_weak_finding(tmp_path: Path) -> None:
    later = replace(scenario(), population=replace(scenario().population, starts=date(2023, 1, 1)))
    dear = replace(later, operator=replace(later.operator, price_share=Decimal("1.1")))
    trips = {name: replace(profile, trips=tuple(_later(profile.trips))) for name, profile in dear.profiles.items()}
    export_billing(tmp_path, replace(dear, profiles=trips), CONTRACT, SOME)
    finding = judged(tmp_path)["roaming.voice-price"]
    assert (finding.outcome, finding.assumed) == ("weak", ("caps.voice[1]",))


def _later(trips: tuple) -> Iterator:  # type: ignore[type-arg]  # trips of a profile
    return (replace(trip, departs=trip.departs.replace(year=2023)) for trip in trips)
