"""Push-SMS contracts: parties, clauses, terms and ambiguities, and questions about dates, hours and texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec

from simbench.base.calendar import Calendar
from simbench.base.toml_files import Frozen
from simbench.contract.engine import ContractFile
from simbench.contract.plan import PlanData
from simbench.contract.term import Ambiguity, Means, Strength, Term, Word, clause_of, known
from simbench.contract.terms import Label, Terms, minutes_of

Role = Literal["operator", "client", "sender"]
FIGURE = re.compile(r"\{([a-z0-9_.\[\]-]+)\}")


class Party(Frozen, frozen=True):
    """A party bound by clauses: the operator, its client, or the sender for whom a client acts."""

    role: Role
    name: Word


class Clause(Frozen, frozen=True):
    """One commitment of the contract, paraphrased in `gist`; `key_term` is its central term in the contract's language.

    `bound` names the parties it binds. `verified_by` lists the purposes that verify it; without any, `not_verified` is
    the reason. A text may refer to the value of a term, as in `{quality.availability}`.

    `chapter` is the chapter of the contract. `strength` is the strength of the commitment. `verify` lists the means of
    verification. `source` is the line of the offer or the document. `check` describes the verification.
    """

    chapter: str
    gist: str
    key_term: str
    bound: tuple[Word, ...]
    strength: Strength
    verify: tuple[Means, ...]
    source: str
    check: str
    verified_by: tuple[Word, ...] = ()
    not_verified: str = ""


class SmsFile(ContractFile, frozen=True, kw_only=True):
    """The top level of a push-SMS contract file, overlays merged. `language` is the language of key terms and labels.

    `compensation` is the clause that gives a right to compensation for missed commitments.
    """

    language: Word = "en"
    compensation: str = ""
    parties: dict[str, Party]
    terms: Terms
    clauses: dict[str, Clause]
    ambiguities: dict[str, Ambiguity]
    numbering_plan: PlanData


class Contract(msgspec.Struct, frozen=True):
    """A whole contract as read: `digest` identifies its content (16 hexadecimal digits), `files` are its files.

    `source` loads it again: the name of a built-in contract, or an absolute path.

    >>> contract = load_contract()
    >>> contract.clauses["OPS-ENG-01"].bound
    ('cocontractant',)
    >>> contract.terms.throughput.default_per_s.value
    10
    """

    name: str
    title: str
    digest: str
    files: tuple[str, ...]
    clauses: dict[str, Clause]
    terms: Terms
    ambiguities: dict[str, Ambiguity]
    parties: dict[str, Party]
    numbering_plan: PlanData
    language: str = "en"
    invented: bool = False
    compensation: str = ""
    source: str = ""
    topics: dict[str, str] = {}

    def clause(self, clause_id: str) -> Clause:
        """Return a clause by id. Raises BadInput, with the nearest id, for an unknown one."""
        return known(self.clauses, clause_id, f"contract {self.name}", "clause")

    def ambiguity_id(self, topic: str) -> str:
        """Return the contract's name of the ambiguity on a topic; any other word is returned unchanged."""
        return self.topics.get(topic, topic)

    def ambiguity(self, topic: str) -> Ambiguity:
        """Return an ambiguity by topic or name. Raises BadInput for an unknown one."""
        return known(self.ambiguities, self.ambiguity_id(topic), f"contract {self.name}", "ambiguity")

    def reading(self, topic: str) -> str:
        """Return the key of the reading in force of an ambiguity by topic or name.

        Raises BadInput for an unknown one.
        """
        ambiguity = self.ambiguity(topic)
        return ambiguity.reading or ambiguity.default

    def reads_as_usual(self, topic: str) -> bool:
        """Return whether the reading in force is the default one."""
        return self.reading(topic) == self.ambiguity(topic).default

    def read_as(self, topic: str, reading: str) -> Contract:
        """The same contract with one ambiguity, by topic or name, read so; BadInput when it has no such reading."""
        ambiguity = self.ambiguity(topic)
        known(ambiguity.readings, reading, f"contract {self.name}: {topic}", "reading")
        changed = msgspec.structs.replace(ambiguity, reading=reading)
        return msgspec.structs.replace(self, ambiguities={**self.ambiguities, self.ambiguity_id(topic): changed})

    def assumed(self, *names: str) -> tuple[str, ...]:
        """Return those of the given terms ("throughput.jitter_ms") and ambiguities that are assumptions.

        An ambiguity may be given by its topic. The contract's names are returned, in order, for `Finding.assumed`.
        Raises BadInput for an unknown name.
        """
        table: Mapping[str, Term[Any] | Ambiguity] = {**self.terms.by_name(), **self.ambiguities}
        place = f"contract {self.name}"
        own = map(self.ambiguity_id, names)
        return tuple(name for name in own if known(table, name, place, "term").status == "assumption")

    def clauses_for(self, purpose: str) -> tuple[str, ...]:
        """Return the clauses that a purpose verifies; none if the contract does not name the purpose."""
        return tuple(name for name, clause in self.clauses.items() if purpose in clause.verified_by)

    def clause_of(self, purpose: str) -> str:
        """Return the first clause that a purpose verifies, "" if there is none: then the purpose is not judged."""
        return clause_of(self.clauses, purpose)

    def party(self, role: Role) -> Party:
        """Return the first party of a role; a contract has one operator and one client."""
        return next(party for party in self.parties.values() if party.role == role)

    @property
    def operator(self) -> str:
        """The key of the operator among the parties."""
        return next(key for key, party in self.parties.items() if party.role == "operator")

    @property
    def calendar(self) -> Calendar:
        """Civil time and holidays of the contract."""
        return self.terms.calendar.calendar

    def may_send(self, traffic_class: str, us: int) -> bool:
        """Return whether messages of a traffic class are allowed at an instant.

        The hours are half-open: the closing time is too late, unless the ambiguity "closing-second" is read otherwise.
        """
        return not self.hours_broken(traffic_class, us)

    def hours_broken(self, traffic_class: str, us: int) -> tuple[str, ...]:
        """Return the terms that forbid messages of a traffic class at an instant; none if they are allowed."""
        hours = self.terms.hours.get(traffic_class)
        if hours is None:
            return ()
        then = self.calendar.civil(us)
        closed = self.reading("closing-second") == "closed"
        second_of_day = (then.hour * 60 + then.minute) * 60 + then.second
        broken = {
            "opens_at_h": second_of_day < hours.opens_min * 60,
            "closes_at_h": second_of_day >= hours.closes_min * 60 + closed,
            "days": not self.is_sending_day(traffic_class, then.date()),
        }
        return tuple(f"hours.{traffic_class}.{name}" for name, is_broken in broken.items() if is_broken)

    def is_sending_day(self, traffic_class: str, day: date) -> bool:
        """Return whether messages of a traffic class are allowed on a date, within their hours."""
        hours = self.terms.hours.get(traffic_class)
        if hours is None or hours.days.value == "every-day":
            return True
        counts = (
            self.calendar.is_jour_ouvrable if hours.days.value == "monday-to-saturday" else self.calendar.is_jour_ouvre
        )
        return counts(day, regional=self.regional_holidays)

    @property
    def regional_holidays(self) -> bool:
        """Whether the additional holidays of the calendar's region count."""
        return not self.reads_as_usual("regional-holidays")

    def openings(self, traffic_class: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield opening and closing of each day from `start` until `end` on which a traffic class may be sent.

        If the contract gives no hours for the class, yield the whole period.
        """
        hours, calendar = self.terms.hours.get(traffic_class), self.calendar
        if hours is None:
            yield start, end
            return
        day = calendar.civil(start).date()
        while calendar.from_civil(midnight := datetime.combine(day, datetime.min.time())) < end:
            if self.is_sending_day(traffic_class, day):
                edges = (midnight + timedelta(minutes=edge) for edge in (hours.opens_min, hours.closes_min))
                opens, closes = (calendar.from_civil(edge) for edge in edges)
                yield opens, closes
            day += timedelta(days=1)

    def labelled(self, labels: Label, otherwise: str, **parts: object) -> str:
        """Return a label in the contract's language, else in its first language, with `parts` filled in."""
        text = labels.get(self.language) or next(iter(labels.values()), otherwise)
        for name, value in parts.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text


def with_figures(clause: Clause, values: Mapping[str, str]) -> Clause:
    """Return a clause with the values of terms in place of their names in braces."""
    texts = {name: getattr(clause, name) for name in ("gist", "key_term", "check")}
    changed = {name: FIGURE.sub(lambda m: values.get(m[1], m[0]), text) for name, text in texts.items()}
    return clause if changed == texts else msgspec.structs.replace(clause, **changed)


def written(term: Term[Any]) -> str:
    """Write the value of a term for a sentence: a share in percent, a time with minutes, a list with commas."""
    if term.unit == "share":
        return f"{Decimal(str(term.value)) * 100:f}".rstrip("0").rstrip(".") + " %"
    if term.unit == "hour of day":
        hours, minutes = divmod(minutes_of(term.value), 60)
        return f"{hours}:{minutes:02d}"
    return ", ".join(map(str, term.value)) if isinstance(term.value, tuple) else str(term.value)
