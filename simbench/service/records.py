"""Records of the API, shared by its server, its documentation and its client."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fake_smsc.scenario import LimitMode, Mode
from simbench.finding import Outcome

Msisdn = Annotated[str, Field(pattern=r"^\+?[0-9]{3,18}$", description="A number in any usual spelling.")]
Code = Annotated[str, Field(pattern=r"^[0-9]{3,8}$", description="A short code in service.")]
Seconds = Annotated[float, Field(ge=0, le=31_536_000, allow_inf_nan=False)]
Scope = Annotated[str, Field(pattern=r"^(total|[0-9]{3,8}|session:[0-9]{1,9})$", description="Scope of the outage.")]
Result = Literal["pending", "accepted", "refused", "buffered", "delivered", "undelivered", "deleted"]
Sought = Literal["", "pending", "accepted", "refused", "buffered", "delivered", "undelivered", "deleted"]


MOST_FIELDS = 50


class Record(BaseModel):
    """Base of all records: frozen, without unknown keys, strictly typed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Asked(Record):
    """Base of request bodies; each wrong field is a separate error, so the number of fields is limited."""

    @model_validator(mode="before")
    @classmethod
    def _has_few_fields(cls, brought: object) -> object:
        if isinstance(brought, dict) and len(brought) > MOST_FIELDS:
            raise ValueError(f"more than {MOST_FIELDS} fields")
        return brought


class Platform(Record):
    """The platform's state. `now` is its instant (us, UTC); rates are per second over the last whole second.

    `ledger` says why rows cannot be written, "" while they can; `rows` are those of each table on disk.
    """

    now: int
    speed: float
    state: str
    outage: Outage | None
    faults: list[str]
    scheduled: list[Scheduled]
    sessions: int
    answered: int
    on_the_way: int
    untold: int
    codes: list[CodeRate]
    ledger: str = ""
    rows: dict[str, int] = {}


class CodeRate(Record):
    """A short code and its tier."""

    code: str
    account: str
    tier_per_s: int
    mode: LimitMode
    accepted_per_s: int
    refused_per_s: int
    accepted: int
    refused: int


class Outage(Record):
    """An outage, active or requested."""

    mode: Mode
    scope: Scope = "total"
    planned: bool = False


class AskedOutage(Asked, Outage):
    """An outage to start `in_s` platform seconds from now and to end `for_s` later (0: when restored)."""

    in_s: Seconds = 0
    for_s: Seconds = 0


class Scheduled(Record):
    """A scheduled outage: instants in us; `until` 0 for an open end."""

    id: int
    at: int
    until: int
    mode: Mode
    scope: str
    planned: bool


class SessionRecord(Record):
    """One connection; `window` is how many operations each side may have unanswered."""

    number: int
    account: str
    state: str
    window: int
    unanswered_by_client: int
    unanswered_by_smsc: int


class SubscriberRecord(Record):
    """The subscriber at an address."""

    msisdn: str
    standing: str
    fate: Annotated[str, Field(deprecated="now `standing`; dropped in the next release")]
    operator: str
    attached: bool
    roaming: bool


class Porting(Asked):
    """The operator to port a number to; the own one ports it in."""

    operator: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]


class Mo(Asked):
    """A text from a subscriber to a short code; with `wait_s` the answer waits for the acknowledgement (real s)."""

    sender: Msisdn
    code: Code
    text: Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"^[^\x00]*$")]
    wait_s: Annotated[float, Field(ge=0, le=60)] = 0


class MoSent(Record):
    """The SCTS (s) of its segments, and whether the application acknowledged all of them."""

    scts: list[int]
    acknowledged: bool


class Fault(Asked):
    """A wire fault (docs/reference/faults.md); parameters left out take the fault's default."""

    name: Annotated[str, Field(pattern=r"^[a-z-]{1,40}$")]
    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    code: Annotated[str, Field(pattern=r"^([0-9]{3,8})?$")] = ""
    from_s: Seconds = 0
    for_s: Seconds = 0
    delay_s: Seconds | None = None
    ec: Annotated[str, Field(pattern=r"^[0-9]{2}$")] | None = None
    ot: Annotated[str, Field(pattern=r"^[0-9]{2}$")] | None = None
    octets: Annotated[int, Field(ge=1, le=100_000)] | None = None
    octets_per_s: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    per_s: Annotated[float, Field(gt=0, le=1_000)] | None = None
    after: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None


class Limit(Asked):
    """A code's rate and meter answer."""

    rate_per_s: Annotated[int, Field(ge=1, le=10_000)]
    mode: LimitMode


class Clock(Record):
    """The platform's time (us, UTC) and speed."""

    now: int
    speed: float


class Speed(Asked):
    """Platform seconds per real second."""

    speed: Annotated[float, Field(gt=0, le=100_000)]


class Step(Asked):
    """A step forward."""

    seconds: Seconds


class Instant(Asked):
    """An instant to step to (us, UTC), at most a year ahead."""

    to: Annotated[int, Field(ge=0, le=1 << 60)]


class WaitFor(Asked):
    """Wait until the platform has answered that many submits since it started (real s)."""

    answered: Annotated[int, Field(ge=0, le=1 << 60)]
    timeout_s: Annotated[float, Field(ge=0, le=60)] = 10


class Waited(Record):
    """Whether the number was reached in time, and the number answered."""

    reached: bool
    answered: int


class MessageRecord(Record):
    """One submission as on the wire. `id` is its frame's id in logs and findings; `scts` its time stamp."""

    id: str
    at: int
    session: int
    code: str
    recipient: str
    text: str
    outcome: Result
    ec: str
    scts: str


class Messages(Record):
    """Messages found, latest first; `more` if there are further ones."""

    messages: list[MessageRecord]
    more: bool
    indexed: int


class FieldRecord(Record):
    """One field of a frame: its name, value, purpose and meaning."""

    name: str
    value: str
    what: str
    meaning: str


class DecodedFrame(Record):
    """A decoded frame with hidden passwords. `frame` is hexadecimal, STX to ETX."""

    id: str
    heading: str
    frame: str
    fields: list[FieldRecord]


class TextSeen(Record):
    """One text on a subscriber's phone: `way` "in" was delivered to it, "out" sent by it."""

    at: int
    way: Literal["in", "out"]
    code: str
    text: str


class Judgement(Record):
    """One finding; `parts` are the sentences of its summary, `frames` the ids of the frames it is based on."""

    purpose: str
    clause: str
    outcome: Outcome
    summary: str
    parts: list[str]
    blame: str
    measured: float | None
    limit: float | None
    unit: str
    assumed: list[str]
    frames: list[str]


class Judgements(Record):
    """The findings for reads and writes from `since` (us) to `until`, as of `judged_at`.

    `up_to_date`: nothing has been read or written since.
    """

    since: int
    until: int
    findings: list[Judgement]
    judged_at: int = 0
    up_to_date: bool = True


class RateHistory(Record):
    """Submits accepted per platform second by short code, at each instant of `at` (us)."""

    at: list[int]
    accepted_per_s: dict[str, list[float]]


class EventSeen(Record):
    """One operation, opening or end of a connection, or event of the platform at `at` (us).

    `id` is the frame's, "" where there is none; `session` 0 for the platform; `answer` the result, "" while there is
    none; `decided_by` the SMSC's rule that refused or held it, or the details of an event.
    """

    id: str
    at: int
    session: int
    account: str
    event: str
    answer: str
    decided_by: str


class Snapshot(Record):
    """The present ledger: rows of each table on disk, and rows waiting; rows being written are in neither."""

    run: str
    rows: dict[str, int]
    backlog: int


class Cleared(Record):
    """The number of connections or faults ended."""

    ended: int


class Problem(Record):
    """An error (RFC 9457): `field` is the one at fault, `errors` lists all of them."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    field: str = ""
    errors: list[dict[str, str]] = []


Platform.model_rebuild()
