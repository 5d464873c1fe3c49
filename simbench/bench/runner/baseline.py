"""Known deviations: accepted failures with reason and expiry. Findings are not changed.

A deviation excuses its purpose until it expires. A deviation that passes is shown, so that its entry can be removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from textwrap import shorten
from typing import Final, Literal

import msgspec

from simbench.base.errors import BadInput
from simbench.base.json_files import write_octets
from simbench.base.outputs import replacing
from simbench.base.toml_files import as_typed, label, read_table
from simbench.finding import Finding, Outcome, exit_status
from simbench.rules.rule import current

State = Literal["", "new", "known", "expired", "passes"]
DAYS: Final = 90  # lifetime of an entry written by the bench
REASON: Final = 150  # characters of the summary in the reason of such an entry
STRICT: Final[tuple[Outcome, ...]] = ("fail", "weak", "inconclusive", "error")
STATES: Final[dict[State, str]] = {
    "new": "new failure",
    "known": "known deviation",
    "expired": "known deviation, expired",
    "passes": "known deviation that passes now",
}


class Deviation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One accepted failure of a purpose, in every exercise or in the one named; valid through the day `expires`.

    `reason` and `ticket` are shown with the finding; `--update-baseline` leaves `ticket` empty. After `expires` the
    failure counts again.

    `purpose` is the purpose that fails. `exercise` is the exercise in which it fails; empty: every exercise.
    """

    purpose: str
    reason: str
    ticket: str
    expires: date
    exercise: str = ""


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a baseline file: `[[deviation]]` tables."""

    deviation: tuple[Deviation, ...] = ()


class Standing(msgspec.Struct, frozen=True):
    """A finding compared with the baseline; state "" if the baseline has no entry for it."""

    finding: Finding
    state: State = ""
    deviation: Deviation | None = None


def remark(standing: Standing) -> str:
    """Return the baseline's remark on a finding, "" without one."""
    entry = standing.deviation
    if entry is None or not standing.state:
        return ""
    ticket = f" ({entry.ticket})" if entry.ticket else ""
    return f"{STATES[standing.state]}, until {entry.expires}: {entry.reason}{ticket}."


def read_baseline(path: Path, known: Iterable[str]) -> Baseline:
    """Read a baseline; `known` are all purposes. Raises BadInput naming the entry."""
    baseline: Baseline = as_typed(read_table(path, BadInput), Baseline, BadInput, lambda _: label(path))
    entries = tuple(msgspec.structs.replace(one, purpose=current(one.purpose)) for one in baseline.deviation)
    baseline = msgspec.structs.replace(baseline, deviation=entries)
    purposes, seen = set(known), set()
    for number, entry in enumerate(entries):
        place = f"{label(path)}: deviation[{number}]"
        if entry.purpose not in purposes:
            raise BadInput(f"{place}.purpose", f"{entry.purpose[:80]!r} is not a purpose", "one of `simbench list`")
        if not entry.reason.strip():
            raise BadInput(f"{place}.reason", "is empty", "the reason for accepting it")
        if (entry.purpose, entry.exercise) in seen:
            raise BadInput(place, f"{entry.purpose} appears twice", "one entry for each purpose and exercise")
        seen.add((entry.purpose, entry.exercise))
    return baseline


def compare(findings: Iterable[Finding], baseline: Baseline, today: date, *, strict: bool = False) -> list[Standing]:
    """Compare each finding with the baseline. `strict`: weak, inconclusive and error count as failures."""
    return [_standing(finding, baseline, today, strict) for finding in findings]


def status(standings: Iterable[Standing], *, strict: bool = False) -> int:
    """Return the exit status of the findings without known deviations; `strict`: 1 also for a deviation that passes."""
    standings = list(standings)
    if strict and any(
        one.state in {"expired", "passes"} or (_failed(one.finding, strict) and one.state != "known")
        for one in standings
    ):
        return 1
    return exit_status(
        msgspec.structs.replace(one.finding, outcome="pass") if one.state == "known" else one.finding
        for one in standings
    )


def updated(standings: Iterable[Standing], baseline: Baseline, today: date) -> Baseline:
    """Return the baseline that covers this run: entries that pass are removed, failures are added or kept.

    Entries of purposes not judged are kept; expired ones that still fail get a new date.
    """
    standings = list(standings)
    gone = {one.deviation for one in standings if one.state == "passes"}
    late = {one.deviation for one in standings if one.state == "expired"}
    until = today + timedelta(days=DAYS)
    kept = [
        msgspec.structs.replace(entry, expires=until) if entry in late else entry
        for entry in baseline.deviation
        if entry not in gone
    ]
    new = [
        Deviation(one.purpose, shorten(one.summary, REASON, placeholder=" …"), "", until, one.exercise)
        for one in (standing.finding for standing in standings if standing.state == "new")
    ]
    return Baseline((*kept, *new))


def write_baseline(path: Path, baseline: Baseline, before: Baseline | None = None) -> None:
    """Write a baseline as TOML over the file it was read from, `before`; a copy of that remains as FILE.before.

    Raises the errors of `outputs.replacing`.
    """
    if before is not None and (there := path.read_bytes()) != _as_toml(before):
        copies = (path.with_name(f"{path.name}.before{number}") for number in ("", *map("-{}".format, range(2, 1000))))
        write_octets(next(copy for copy in copies if not copy.exists()), there)
    with replacing(path, edited=before is not None) as part:
        part.write_bytes(_as_toml(baseline))


def _as_toml(baseline: Baseline) -> bytes:
    lines = ["# Known deviations, read by `simbench conform --baseline`. Give each its reason and ticket.\n"]
    for entry in baseline.deviation:
        lines.append("\n[[deviation]]\n")
        names = ("purpose", "exercise", "reason", "ticket")
        lines += [f"{name} = {_quoted(getattr(entry, name))}\n" for name in names]
        lines.append(f"expires = {entry.expires.isoformat()}\n")
    return "".join(lines).encode()


def _standing(finding: Finding, baseline: Baseline, today: date, strict: bool) -> Standing:
    failed = _failed(finding, strict)
    entry = _entry(finding, baseline, failed)
    if entry is None:
        return Standing(finding, "new" if failed else "")
    if failed:
        return Standing(finding, "known" if today <= entry.expires else "expired", entry)
    return Standing(finding, "passes" if finding.outcome == "pass" else "", entry)


def _entry(finding: Finding, baseline: Baseline, failed: bool) -> Deviation | None:
    """Return the entry for a finding: its exercise's own, otherwise the entry for every exercise.

    A failure of the session with entries of single exercises needs one for each exercise in which it failed; the one
    that expires first is used.
    """
    own = {one.exercise: one for one in baseline.deviation if one.purpose == finding.purpose}
    if finding.exercise or "" in own:
        return own.get(finding.exercise) or own.get("")
    where = {one.exercise for one in finding.evidence if one.exercise}
    entries = sorted((own[name] for name in where & own.keys()), key=lambda one: (one.expires, one.exercise))
    return entries[0] if entries and (not failed or len(entries) == len(where)) else None


def _failed(finding: Finding, strict: bool) -> bool:
    return finding.outcome in (STRICT if strict else ("fail",))


def _quoted(text: str) -> str:
    return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
