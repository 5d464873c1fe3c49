"""Typed events of a run, in one closed union; the table `events` stores them.

`row_of` converts an event to a row and `event_of` reads it back: kind, subject and end are columns, the other fields
are JSON. Instants are microseconds since the Unix epoch, UTC; `_s` means seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, Final, Literal, NamedTuple, cast, get_args

import msgspec

from simbench.base.errors import LedgerError
from simbench.ledger.capture_events import CaptureEvent, ConnectionAttempted
from simbench.ledger.recorded import Recorded

if TYPE_CHECKING:
    import pyarrow as pa


# Platform ------------------------------------------------------------------------------------------------------------


class _Down(Recorded, frozen=True, omit_defaults=True):
    """The platform, a part of it or one connection goes down.

    `mode` is given in a live run, `ticket` in a simulated or imported history. `subject` is "total", a short code,
    "session:N" or a platform; `until` is the announced end.
    """

    SUBJECT: ClassVar[str] = "subject"
    subject: str = "total"
    until: int | None = None
    mode: str = ""
    why: str = ""
    ticket: str = ""
    scope: Literal["", "total", "partial"] = ""
    share: float | None = None
    announced_at: int | None = None
    announced_end: int | None = None
    noticed_at: int | None = None
    attributed_to: str | None = None
    cause: str = ""


class OutageBegan(_Down, frozen=True, tag="outage"):
    """An outage that was not announced began."""


class MaintenanceBegan(_Down, frozen=True, tag="maintenance"):
    """An announced outage began."""


class Restored(Recorded, frozen=True, omit_defaults=True, tag="restored"):
    """An outage or maintenance has ended."""

    SUBJECT: ClassVar[str] = "subject"
    subject: str = "total"
    mode: str = ""
    why: str = ""
    ticket: str = ""


class OutageScheduled(Recorded, frozen=True, tag="scheduled"):
    """An outage was scheduled to begin at `at` and to end at `until` (0: open end); `id` identifies it."""

    SUBJECT: ClassVar[str] = "scope"
    scope: str
    id: int
    at: int
    until: int
    mode: str
    planned: bool


class OutageUnscheduled(Recorded, frozen=True, tag="unscheduled"):
    """A scheduled outage was cancelled."""

    id: int


class ClockStepped(Recorded, frozen=True, tag="clock"):
    """The platform's clock jumped by `seconds`, or runs at `speed` from now on."""

    SUBJECT: ClassVar[str] = "what"
    what: str  # "step" or "speed"
    seconds: float | msgspec.UnsetType = msgspec.UNSET
    speed: float | msgspec.UnsetType = msgspec.UNSET


class Resumed(Recorded, frozen=True, tag="resumed"):
    """A run was resumed: its pending messages and notifications, and whether it had been killed."""

    messages: int
    notifications: int
    killed: bool


class RunEnded(Recorded, frozen=True, tag="ended"):
    """The server stopped."""


class ExerciseEnded(Recorded, frozen=True, tag="end"):
    """The script of an exercise ended."""

    SUBJECT: ClassVar[str] = "exercise"
    exercise: str


class Troubled(Recorded, frozen=True, tag="trouble"):
    """A planned action did not happen, for the reason in `problem`."""

    SUBJECT: ClassVar[str] = "subject"
    subject: str
    problem: str


# Terms ---------------------------------------------------------------------------------------------------------------


class LimitSet(Recorded, frozen=True, omit_defaults=True, tag="limit"):
    """A short code's rate limit and what its meter does above it; account and window if the server gives them."""

    SUBJECT: ClassVar[str] = "code"
    code: str
    rate_per_s: int
    mode: str
    meter: str = ""
    account: str = ""
    window: int = 0


class TierSet(Recorded, frozen=True, tag="tier"):
    """The contractual rate of a short code in a simulation."""

    SUBJECT: ClassVar[str] = "code"
    code: str
    rate_per_s: int


class AccountSet(Recorded, frozen=True, tag="account"):
    """The properties of an account from now on; a field that is left out stays as it was."""

    SUBJECT: ClassVar[str] = "account"
    account: str
    state: str | msgspec.UnsetType = msgspec.UNSET
    oadc_option: bool | msgspec.UnsetType = msgspec.UNSET
    password_known: bool | msgspec.UnsetType = msgspec.UNSET


class PasswordSet(Recorded, frozen=True, tag="password"):
    """A client changed a password of its account (operation 60). Logs never contain it; the wire does."""

    SUBJECT: ClassVar[str] = "account"
    account: str
    purpose: Literal["session", "provisioning"]
    password: str


class ListEdited(Recorded, frozen=True, tag="list"):
    """A client changed a list of addresses of its account (operation 61)."""

    SUBJECT: ClassVar[str] = "account"
    account: str
    which: str
    action: str
    address: str


class PeriodCovered(Recorded, frozen=True, tag="period"):
    """The period that a history covers completely, until `until`; all incidents are known from `known_from` on."""

    SUBJECT: ClassVar[str] = "subject"
    until: int
    known_from: int
    subject: str = "run"


class NumbersPorted(Recorded, frozen=True, tag="ported"):
    """A share of the subscribers moved to other operators."""

    SUBJECT: ClassVar[str] = "subject"
    share: float
    subject: str = "subscribers"


class ForecastGiven(Recorded, frozen=True, tag="forecast"):
    """The traffic forecast for a short code, in messages per month."""

    SUBJECT: ClassVar[str] = "code"
    code: str
    per_month: int


# Subscribers and messages --------------------------------------------------------------------------------------------


class SubscriberSet(Recorded, frozen=True, tag="subscriber"):
    """The properties of a subscriber from now on."""

    SUBJECT: ClassVar[str] = "msisdn"
    FORMER: ClassVar[dict[str, str]] = {"fate": "standing"}
    msisdn: str
    standing: str
    operator: str
    attached: bool
    roaming: bool = False


class TextSent(Recorded, frozen=True, tag="mo"):
    """A subscriber sent a text to a short code."""

    SUBJECT: ClassVar[str] = "sender"
    sender: str
    code: str
    text: str


class TermsTaken(Recorded, frozen=True, tag="terms"):
    """Terms of an accepted message that the table `centre` does not hold; a resumed run needs them."""

    SUBJECT: ClassVar[str] = "entity"
    entity: str
    scts: int
    expires_at: int
    notify: int
    special: dict[str, str | int | bool] | None


# Clients and lines ---------------------------------------------------------------------------------------------------


class FaultActed(Recorded, frozen=True, omit_defaults=True, tag="fault"):
    """A wire fault: `what` is "begins", "ends" or its action; `name` is "session:N" for a dropped connection."""

    SUBJECT: ClassVar[str] = "name"
    name: str
    until: int | None = None
    what: str = ""
    share: float | None = None
    code: str = ""
    line: int | None = None
    trn: str = ""
    drop: str | bool = ""
    delay_s: float | None = None
    ec: str | None = None
    ot: str | None = None
    octets: int | None = None
    octets_per_s: int | None = None
    per_s: float | None = None
    after: int | None = None


class ViolationSeen(Recorded, frozen=True, omit_defaults=True, tag="violation"):
    """The SMSC found a protocol violation by a client."""

    SUBJECT: ClassVar[str] = "session"
    session: str
    name: str
    what: str = ""


class ClientSampled(Recorded, frozen=True, tag="sample"):
    """A sample of an endurance run: memory of the client's processes (KiB, 0: not measurable), and messages."""

    SUBJECT: ClassVar[str] = "subject"
    rss_kib: int
    backlog: int
    accepted: int
    subject: str = "client"


class ClientCalibrated(Recorded, frozen=True, tag="calibration"):
    """The time for which the clock exercise waits for a client's keepalives."""

    SUBJECT: ClassVar[str] = "subject"
    keepalive_s: float
    subject: str = "keepalive"


PlatformEvent = (
    OutageBegan | MaintenanceBegan | Restored | OutageScheduled | OutageUnscheduled | ClockStepped | Resumed | RunEnded
    | ExerciseEnded | Troubled | LimitSet | TierSet | AccountSet | PasswordSet | ListEdited | PeriodCovered
    | NumbersPorted | ForecastGiven
    | SubscriberSet | TextSent | TermsTaken | FaultActed | ViolationSeen | ClientSampled | ClientCalibrated
)  # fmt: skip
Event = PlatformEvent | CaptureEvent
KINDS: Final[dict[str, type[Recorded]]] = {str(kind.__struct_config__.tag): kind for kind in get_args(Event)}
NUMBERED: Final = frozenset(  # kinds whose subject is a number
    kind
    for kind in KINDS.values()
    for field in msgspec.structs.fields(kind)
    if field.name == kind.SUBJECT and field.type is int
)

EventRow = tuple[int, str, str, int | None, str]
COLUMNS: Final = ("at", "kind", "subject", "until", "detail")


class At(NamedTuple):
    """An event and its instant."""

    at: int
    event: Event


def row_of(at: int, event: Event) -> EventRow:
    """Return the row of table `events` that stores an event."""
    fields: dict[str, object] = msgspec.to_builtins(event)
    kind, subject = str(fields.pop("kind")), _subject(event)
    fields.pop(event.SUBJECT, None)
    until = cast(int | None, fields.pop("until", None)) if _has_end(type(event)) else None
    return (at, kind, subject, until, msgspec.json.encode(fields).decode())


def event_of(kind: str, subject: str, until: int | None, detail: str) -> Event:
    """Return the event that a row of table `events` stores. Raises LedgerError."""
    found = KINDS.get(kind)
    if found is None:
        raise LedgerError(_place(kind, subject), "is of an unknown kind", "an event of this version")
    try:
        stored = msgspec.json.decode(detail or "{}", type=dict[str, object])
        fields = {found.FORMER.get(name, name): value for name, value in stored.items()}
        if found.SUBJECT:
            fields[found.SUBJECT] = int(subject or 0) if found in NUMBERED else subject
        if until is not None and _has_end(found):
            fields["until"] = until
        event: Event = msgspec.convert({**fields, "kind": kind}, found)  # type: ignore[assignment]  # one of the union
    except (ValueError, RecursionError) as problem:  # msgspec's own errors are kinds of the former
        raise LedgerError(_place(kind, subject), str(problem), "an event of this version") from None
    return event


def events_of(rows: Iterable[tuple[int, str, str, int | None, str]]) -> Iterator[At]:
    """Yield the events of rows of table `events`, in order. Raises LedgerError."""
    for at, kind, subject, until, detail in rows:
        yield At(at, event_of(kind, subject, until, detail))


def events_in(table: pa.Table) -> list[At]:
    """Return the events of a table `events`, in order. Raises LedgerError."""
    return list(events_of(zip(*(table[name].to_pylist() for name in COLUMNS), strict=True)))


def is_capture(events: Iterable[At]) -> bool:
    """Return whether a capture recorded these events."""
    of_a_capture = (event for _, event in events if isinstance(event, CaptureEvent))
    return any(not isinstance(event, ConnectionAttempted) for event in of_a_capture)


def _place(kind: str, subject: str) -> str:
    return f"events: {kind:.40} {subject:.40}".strip()


def _subject(event: Event) -> str:
    if not event.SUBJECT:
        return ""
    subject = getattr(event, event.SUBJECT)
    return "" if subject == 0 and type(event) in NUMBERED else str(subject)


def _has_end(kind: type[Recorded]) -> bool:
    """Return whether the column `until` stores the field `until` of this kind; otherwise the JSON does."""
    return kind is not OutageScheduled
