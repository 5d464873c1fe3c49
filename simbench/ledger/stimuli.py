"""Requests to the client and its reports, as typed records in one closed union; the table `stimuli` stores them.

`stimulus_row` converts a stimulus to a row and `stimuli_in` reads it back: kind, token, code, recipient, text, class,
brand and consent are columns, the other fields are JSON. Instants are microseconds since the Unix epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, Literal, cast, get_args

import msgspec

from simbench.base.errors import LedgerError

if TYPE_CHECKING:
    import pyarrow as pa

ReportKind = Literal[
    "queued", "accepted", "refused", "delivered", "undelivered", "buffered", "withheld", "doubtful", "mo", "error"
]
REPORT_KINDS: Final[tuple[str, ...]] = get_args(ReportKind)
StimulusRow = tuple[int, str, str, str, str, str, str, str, bool, str]


class _Message(msgspec.Struct, frozen=True):
    """A message.

    `traits` are declared by its campaign; `places` are the numbers of its submits, in order of arrival.
    """

    at: int
    token: str
    code: str
    recipient: str
    text: str
    traffic_class: str = ""
    brand: str = ""
    opted_in: bool = False
    oadc: str = ""
    validity_s: int = 0
    traits: tuple[str, ...] = ()
    campaign: str = ""
    places: tuple[int, ...] = ()


class Request(_Message, frozen=True):
    """The client was asked to send a message.

    `oadc`: another originator than the code; `validity_s`: 0 for the default.
    """


class Unrequested(_Message, frozen=True):
    """A message seen on the wire without a known request."""


LATER: Final = ", to be tried again"
"""The end of the detail of a report "refused" of a client that will send the message again."""


class Reported(msgspec.Struct, frozen=True):
    """A report of the client: about a message, with its token, or an MO, with sender, code and text (`detail`)."""

    at: int
    kind: ReportKind
    token: str = ""
    code: str = ""
    recipient: str = ""
    detail: str = ""


class Announced(msgspec.Struct, frozen=True):
    """Maintenance from `start` to `end` was announced to the client."""

    at: int
    start: int
    end: int


class Probe(msgspec.Struct, frozen=True):
    """The client reported one of its own probes, and whether it was answered."""

    at: int
    answered: bool


Stimulus = Request | Unrequested | Reported | Announced | Probe
ANSWERED, LOST = "probe-ok", "probe-lost"
_COLUMNS: Final = (
    "at", "kind", "token", "code", "recipient", "text", "traffic_class", "brand", "opted_in", "detail",
)  # fmt: skip
_MESSAGES: Final[dict[str, type[Request | Unrequested]]] = {"send": Request, "seen": Unrequested}


class _Rest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The fields of a message that are not columns."""

    oadc: str = ""
    validity_s: int = 0
    traits: tuple[str, ...] = ()
    campaign: str = ""
    places: tuple[int, ...] = ()


class _Detail(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The fields of a report that are not columns."""

    detail: str = ""


class _Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The time of an announced maintenance."""

    start: int
    end: int


def stimulus_row(one: Stimulus) -> StimulusRow:
    """Return the row of table `stimuli` that stores a stimulus."""
    match one:
        case Request() | Unrequested():
            rest = _json(_Rest(one.oadc, one.validity_s, one.traits, one.campaign, one.places))
            kind = "send" if isinstance(one, Request) else "seen"
            return (
                one.at, kind, one.token, one.code, one.recipient, one.text, one.traffic_class, one.brand,
                one.opted_in, rest,
            )  # fmt: skip
        case Reported():
            detail = _json(_Detail(one.detail))
            return (one.at, one.kind, one.token, one.code, one.recipient, "", "", "", False, detail)
        case Announced():
            return (one.at, "announcement", "", "", "", "", "", "", False, _json(_Span(one.start, one.end)))
        case Probe():
            return (one.at, ANSWERED if one.answered else LOST, "", "", "", "", "", "", True, "{}")


def stimuli_of(rows: Iterable[StimulusRow]) -> Iterator[Stimulus]:
    """Yield the stimuli of rows of table `stimuli`, in order. Raises LedgerError."""
    for row in rows:
        try:
            yield _stimulus_of(row)
        except (ValueError, RecursionError) as problem:  # msgspec's own errors are kinds of the former
            place = f"stimuli: {row[1]:.40} {row[2]:.40}".strip()
            raise LedgerError(place, str(problem), "a row of this version") from None


def stimuli_in(table: pa.Table) -> list[Stimulus]:
    """Return the stimuli of a table `stimuli`, in order. Raises LedgerError."""
    return list(stimuli_of(zip(*(table[name].to_pylist() for name in _COLUMNS), strict=True)))


def _stimulus_of(row: StimulusRow) -> Stimulus:
    at, kind, token, code, recipient, text, traffic_class, brand, opted_in, detail = row
    if kind in _MESSAGES:
        rest = msgspec.json.decode(detail or "{}", type=_Rest)
        return _MESSAGES[kind](
            at, token, code, recipient, text, traffic_class, brand, opted_in, rest.oadc, rest.validity_s, rest.traits,
            rest.campaign, rest.places,
        )  # fmt: skip
    if kind in {ANSWERED, LOST}:
        return Probe(at, kind == ANSWERED)
    if kind == "announcement":
        span = msgspec.json.decode(detail, type=_Span)
        return Announced(at, span.start, span.end)
    if kind not in REPORT_KINDS:
        raise ValueError("is of an unknown kind")
    report = msgspec.json.decode(detail or "{}", type=_Detail)
    return Reported(at, cast(ReportKind, kind), token, code, recipient, report.detail)


def _json(part: msgspec.Struct) -> str:
    return msgspec.json.encode(part).decode()
