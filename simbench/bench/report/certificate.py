"""The certificate of a session: one page for the acceptance meeting, with its data inside.

Its digest covers the data, so that a later change is detected; it does not prove who issued the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from markupsafe import Markup

from simbench.base.calendar import UTC_CALENDAR
from simbench.base.errors import BadInput
from simbench.base.inputs import read_octets
from simbench.base.json_files import MOST_JSON, NOT_READ, write_octets
from simbench.base.terminal import harmless
from simbench.bench.report.page import VERDICTS
from simbench.finding import Finding, Outcome, exit_status, tally
from simbench.ledger.reader import Run
from simbench.ledger.rows import TABLES
from simbench.reporting.format import WORST_FIRST, moment
from simbench.reporting.html import rendered

FORMAT: Final = 1
_DATA: Final = re.compile(r'<script type="application/json" id="certificate">(.*?)</script>', re.DOTALL)


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The outcome of one purpose in one exercise."""

    purpose: str
    exercise: str
    outcome: Outcome


class Excused(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A known deviation that both parties accepted; `expires` as year-month-day."""

    purpose: str
    exercise: str
    reason: str
    ticket: str
    expires: str


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of the page. `untried`: purposes of the suite that the session did not include; `ledgers`: the digest
    of each exercise's rows; `digest`: that of all other fields."""

    system: str
    system_version: str
    contract: str
    contract_digest: str
    seed: int
    started_at: int
    versions: dict[str, str]
    outcomes: tuple[Verdict, ...]
    ledgers: dict[str, str]
    untried: tuple[str, ...] = ()
    deviations: tuple[Excused, ...] = ()
    digest: str = ""
    format: int = FORMAT


def sealed(certificate: Certificate) -> Certificate:
    """Return the certificate with its digest."""
    bare = msgspec.structs.replace(certificate, digest="")
    return msgspec.structs.replace(bare, digest=sha256(msgspec.json.encode(bare, order="sorted")).hexdigest())


def digest_of(run: Run) -> str:
    """Return the digest of all rows of a run, independent of its files."""
    total = sha256()
    for name in TABLES:
        total.update(name.encode() + b"\n")
        for row in run.table(name).to_pylist():
            total.update(msgspec.json.encode(list(row.values())) + b"\n")
    return total.hexdigest()


def outcomes_of(findings: Iterable[Finding]) -> tuple[Verdict, ...]:
    """Return the outcomes of findings in a certificate's order."""
    ordered = sorted(findings, key=lambda finding: (finding.purpose, finding.exercise))
    return tuple(Verdict(finding.purpose, finding.exercise, finding.outcome) for finding in ordered)


def page(certificate: Certificate) -> str:
    """Return the certificate as HTML; the same certificate gives the same octets."""

    excused = {(one.purpose, one.exercise) for one in certificate.deviations}
    findings = []
    for one in certificate.outcomes:
        own = {exercise for purpose, exercise in excused if purpose == one.purpose}
        known = bool(own if not one.exercise else own & {one.exercise, ""})  # "": the whole session
        findings.append(Finding(one.purpose, "", "pass" if known else one.outcome, ""))
    status = exit_status(findings)
    verdict = VERDICTS[status] + (" except for known deviations" if certificate.deviations and status == 0 else "")
    verdict += " (part of the suite)" if certificate.untried and status == 0 else ""
    lines: dict[tuple[str, Outcome], list[str]] = {}
    for one in certificate.outcomes:
        lines.setdefault((one.purpose, one.outcome), []).append(one.exercise)
    data = msgspec.json.encode(certificate).decode().replace("<", "\\u003c")
    return harmless(
        rendered(
            Path(__file__).with_name("certificate.html.j2"),
            findings,
            certificate=certificate,
            verdict=verdict,
            started=moment(certificate.started_at, UTC_CALENDAR),
            counts=tally(Finding(one.purpose, "", one.outcome, "") for one in certificate.outcomes),
            outcomes=WORST_FIRST,
            lines=lines,
            tried=len({one.purpose for one in certificate.outcomes}),
            data=Markup(data),  # noqa: S704 - JSON without any "<"
        )
    )


def write_certificate(path: Path, certificate: Certificate) -> None:
    """Write the page. Raises BadInput when the file cannot be written."""
    write_octets(path, page(certificate))


def read_certificate(path: Path) -> tuple[Certificate, str]:
    """Return the certificate in a page, and the page. Raises BadInput if the page contains none."""
    try:
        text = read_octets(path, MOST_JSON).decode()
        found = _DATA.search(text)
        if found is None:
            raise BadInput(str(path), "contains no certificate", "a page that `simbench certificate` wrote")
        certificate = msgspec.json.decode(found[1].encode(), type=Certificate)
    except OSError as problem:
        raise BadInput(str(path), problem.strerror or "cannot be read", "a certificate") from None
    except NOT_READ as problem:
        raise BadInput(str(path), str(problem), "a page that `simbench certificate` wrote") from None
    if certificate.format != FORMAT:
        raise BadInput(str(path), f"format {certificate.format}", f"format {FORMAT}")
    return certificate, text


def differences(certificate: Certificate, text: str, again: Certificate) -> list[str]:
    """Return the differences between a certificate's page, its data and the ledgers; [] for none."""
    found = []
    if sealed(certificate).digest != certificate.digest:
        found.append("the digest does not match the certificate's data")
    if page(certificate) != text:
        found.append("the visible page does not match the data in it")
    for name in (
        "system", "system_version", "contract", "contract_digest", "seed", "started_at", "versions", "untried",
    ):  # fmt: skip
        stated, actual = getattr(certificate, name), getattr(again, name)
        if stated != actual:
            found.append(f"{name}: {stated} in the certificate, {actual} in the run")
    found += [
        f"the ledger of {name} is not the certified one"
        for name in sorted({*certificate.ledgers, *again.ledgers})
        if certificate.ledgers.get(name) != again.ledgers.get(name)
    ]
    stated_of = {(one.purpose, one.exercise): one.outcome for one in certificate.outcomes}
    actual_of = {(one.purpose, one.exercise): one.outcome for one in again.outcomes}
    for key in sorted({*stated_of, *actual_of}):
        if stated_of.get(key) != actual_of.get(key):
            says, gives = stated_of.get(key, "nothing"), actual_of.get(key, "nothing")
            where = f" in {key[1]}" if key[1] else ""
            found.append(f"{key[0]}{where}: {says} in the certificate, {gives} from the ledger")
    return found
