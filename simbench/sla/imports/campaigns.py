"""Reads an auditor's additions to a capture: codes, campaigns, outages (TOML) and requested messages (CSV).

They become rows of `events` and `stimuli`, and tokens of the matching submits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import label, read_toml, shown
from simbench.ledger.events import AccountSet, At, LimitSet, OutageBegan, Restored
from simbench.ledger.stimuli import Request, Unrequested
from simbench.numbering.plan import NumberingPlan
from simbench.sla.imports.numbers import listed, read_numbers
from simbench.tables.cells import digits_of, text_of
from simbench.tables.instants import instant_of, moment_of
from simbench.tables.reader import read_table
from simbench.tables.rows import Kind, RejectedRow, Row, collect, filled, rejected
from simbench.trace.trace import Trace
from simbench.ucp import content
from simbench.ucp.fields import BEFORE_DATA

REQUESTED: Mapping[str, Kind] = {"at": "instant", "code": "text", "recipient": "text", "text": "text"}
REQUESTS, CONSENTS, RECIPIENTS = (
    "requests",
    "consents",
    "recipients",
)  # kinds of lists of which some rows may be rejected
Code = Annotated[str, msgspec.Meta(pattern="^[0-9]{3,18}$")]
Trait = Literal["all-free", "optout-told", "presence", "special"]


class CodeKnown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One short code: its subscribed rate (messages per second) and its account (default: the code itself).

    `oadc_option`: whether the account may send under a sender name; unknown if left out.

    `code` is the short code, `rate_per_s` its subscribed rate, `account` its account.
    """

    code: Code
    rate_per_s: Annotated[int, msgspec.Meta(ge=1)]
    account: str = ""
    oadc_option: bool | None = None


class Campaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """Messages sent over one code from `from` up to, but not including, `to`.

    `class` is the traffic class, such as "marketing". Times without a zone have that of `--tz`. `recipients` and
    `consents` (the users who agreed to marketing) are each a list of numbers or the name of a file in the same folder,
    with one number per line. Without `recipients` the campaign covers every recipient. `opted_in` states for all
    recipients whether they agreed; this is unknown if both `opted_in` and `consents` are left out.

    `name` and `brand` appear in findings; daily limits and opt-outs apply per brand. `traits`: "optout-told" if users
    were informed of STOP earlier, "special" for the special cases that the hours of marketing do not bind, "all-free"
    if everything promoted is free, "presence" if the recipients are from a presence list.

    `code` is the short code that sends the messages.
    """

    code: Code
    start: datetime
    end: datetime
    traffic_class: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]+$")] = msgspec.field(name="class")
    name: str = ""
    brand: str = ""
    opted_in: bool | None = None
    recipients: tuple[str, ...] | str = ()
    consents: tuple[str, ...] | str | None = None
    traits: tuple[Trait, ...] = ()


class OutageKnown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """One outage of the platform from `from` to `to`; `scope` is "total" or a short code."""

    start: datetime
    end: datetime
    scope: str = "total"


class Campaigns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An auditor's additions to a capture. Every key is optional.

    A purpose is unsupported if data it needs are left out.
    """

    codes: tuple[CodeKnown, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    outages: tuple[OutageKnown, ...] = ()


class Known(msgspec.Struct, frozen=True):
    """A campaign prepared for look-ups: [start, end) in us, canonical numbers (None: everybody)."""

    campaign: Campaign
    start: int
    end: int
    recipients: frozenset[str] | None
    consents: frozenset[str] | None
    plan: NumberingPlan

    def covers(self, code: str, recipient: str, at: int) -> bool:
        """Tell whether the campaign covers a message."""
        fits = self.campaign.code == code and self.start <= at < self.end
        return fits and (self.recipients is None or self.plan.key(recipient) in self.recipients)

    def agreed(self, recipient: str) -> bool:
        """Tell whether this recipient had opted in; None if unknown."""
        if self.consents is not None:
            return self.plan.key(recipient) in self.consents
        return bool(self.campaign.opted_in)


class Listed(msgspec.Struct, frozen=True):
    """One message that the client was asked to send. An empty text matches any text."""

    at: int
    code: str
    recipient: str
    text: str = ""


class Metadata(msgspec.Struct, frozen=True):
    """The auditor's additions to a capture. `given` names their kinds (`simbench.rules.audit.KINDS`).

    `notes` concern rows of the requests and of lists of numbers; `unread` counts the rejected rows by kind of list.
    """

    events: tuple[At, ...] = ()
    outages: tuple[tuple[int, int, str], ...] = ()  # start, end (us), scope
    campaigns: tuple[Known, ...] = ()
    requests: tuple[Listed, ...] | None = None
    given: frozenset[str] = frozenset()
    notes: tuple[RejectedRow, ...] = ()
    unread: Mapping[str, int] = {}


def read_metadata(
    campaigns: Path | None, requests: Path | None, plan: NumberingPlan, zone: tzinfo | None = None
) -> Metadata:
    """Read the given files. Raises BadInput, which names the file and the key or line."""
    stated = read_toml(campaigns, Campaigns, BadInput) if campaigns else Campaigns()
    place = label(campaigns) if campaigns else ""
    lists: dict[str, list[RejectedRow]] = {RECIPIENTS: [], CONSENTS: [], REQUESTS: []}
    known = tuple(
        _known(one, f"{place}: campaigns[{n}]", campaigns, (zone, plan), lists)
        for n, one in enumerate(stated.campaigns)
    )
    requested, lists[REQUESTS] = _requests(requests, zone, plan) if requests else (None, [])
    unread = {kind: len(rejected(notes)) for kind, notes in lists.items() if rejected(notes)}
    marketing = [one for one in known if one.campaign.traffic_class == "marketing"]
    consent_known = all(one.consents is not None or one.campaign.opted_in is not None for one in marketing)
    given = {
        "codes": bool(stated.codes), "classes": bool(known), "consent": bool(marketing) and consent_known,
        "outages": bool(stated.outages), "requests": requested is not None,
    }  # fmt: skip
    outages = tuple(_outages(stated, place, zone))
    return Metadata(
        tuple(_limits(stated)), outages, known, requested, frozenset(name for name, is_ in given.items() if is_),
        tuple(one for notes in lists.values() for one in notes), unread,
    )  # fmt: skip


def _known(
    one: Campaign, place: str, file: Path | None, reads: tuple[tzinfo | None, NumberingPlan],
    lists: dict[str, list[RejectedRow]],
) -> Known:  # fmt: skip
    zone, plan = reads
    start, end = instant_of(one.start, zone, f"{place}.from"), instant_of(one.end, zone, f"{place}.to")
    if end <= start:
        raise BadInput(f"{place}.to", "is not after from", "a later time")
    recipients = _numbers(one.recipients, f"{place}.recipients", file, plan, lists[RECIPIENTS])
    consents = _numbers(one.consents, f"{place}.consents", file, plan, lists[CONSENTS])
    return Known(one, start, end, recipients or None, consents, plan)


def _numbers(
    stated: tuple[str, ...] | str | None, place: str, file: Path | None, plan: NumberingPlan, notes: list[RejectedRow]
) -> frozenset[str] | None:
    """Return the numbers of a list in the file itself or in a separate file; notes on the latter's lines are added."""
    if stated is None:
        return None
    if isinstance(stated, str):
        assert file is not None, "campaigns come from a file"
        try:
            found = read_numbers(file.parent / stated, plan)
        except BadInput as problem:
            raise BadInput(f"{place}: {problem.place}", problem.problem, problem.expected) from None
    else:
        found = listed(stated, plan, place)
    notes += found.notes
    return found.numbers


def _limits(stated: Campaigns) -> list[At]:
    """Return the limits of the codes, without dates yet."""
    events: list[At] = []
    for one in stated.codes:
        account = one.account or one.code
        events.append(At(0, LimitSet(one.code, one.rate_per_s, "stated", account=account)))
        if one.oadc_option is not None:
            events.append(At(0, AccountSet(account, oadc_option=one.oadc_option)))
    return events


def _outages(stated: Campaigns, place: str, zone: tzinfo | None) -> Iterator[tuple[int, int, str]]:
    for number, one in enumerate(stated.outages):
        at = f"{place}: outages[{number}]"
        start, end = instant_of(one.start, zone, f"{at}.from"), instant_of(one.end, zone, f"{at}.to")
        if end <= start:
            raise BadInput(f"{at}.to", "is not after from", "a later time")
        yield start, end, one.scope


def _requests(path: Path, zone: tzinfo | None, plan: NumberingPlan) -> tuple[tuple[Listed, ...], list[RejectedRow]]:
    """Read the columns at, code, recipient and, if present, text; unusable rows are rejected."""

    def request(row: Row) -> Listed:
        filled(row, "at", "code", "recipient")
        moment = moment_of(row.cells["at"], zone, "at")
        code, written = digits_of(row.cells["code"]), row.cells["recipient"]
        if not code.isdecimal():
            raise BadInput("code", f"is {shown(code)}", "a short code")
        to = plan.read(written) or digits_of(written)
        if not to.isdecimal():  # digits outside any numbering plan may occur on the wire as well
            raise BadInput("recipient", f"{shown(str(written))} is not a valid phone number", "a phone number")
        # The earlier of two possible instants: a message is never sent before its request.
        return Listed(min(moment.readings), code, to, text_of(row.cells.get("text", "")))

    read = collect(read_table(path, REQUESTED, needed=("at", "code", "recipient")), request)
    found = [one for _, one in read.items]
    return tuple(sorted(found, key=lambda one: one.at)), list(read.notes)


# Matching requests with submits ---------------------------------------------------------------------------------


class _Matched:
    """One unfinished stimulus: the message, its token, whether it was requested, and its submits."""

    def __init__(self, request: Listed, token: str, *, requested: bool) -> None:
        self.request, self.token, self.requested = request, token, requested
        self.accepted = False
        self.places: list[int] = []


def joined(trace: Trace, metadata: Metadata, plan: NumberingPlan) -> list[Request | Unrequested]:
    """Return the stimuli by time: the requests, and the messages sent without one.

    A message is assigned to the oldest request of its code, recipient and text that is not accepted yet; if all are
    accepted, to the last one, as a repetition. Requests older than the wire without a message on it are left out.
    `places` are the indices of a stimulus's submits, for `tokens_of`.
    """
    taken: dict[tuple[str, str], list[_Matched]] = defaultdict(list)
    for number, request in enumerate(metadata.requests or (), 1):
        taken[request.code, plan.key(request.recipient)].append(_Matched(request, f"request {number}", requested=True))
    seen: list[_Matched] = []
    acks = trace.submits.ack.tolist()
    frames = trace.submits.frame
    sorted_out = [
        (not one.text and any(_is_unread(frames[place]) for place in one.rows_of), number, one)
        for number, one in enumerate(trace.messages.rows(), 1)
    ]
    for unread, number, one in sorted(sorted_out, key=lambda each: each[:2]):  # readable messages are matched first
        sent = Listed(one.at, one.code, one.recipient, one.text)
        candidates = taken.get((one.code, plan.key(one.recipient)), ())
        fit = [matched for matched in candidates if _fits(matched.request, sent, unread=unread)]
        matched = next((matched for matched in fit if not matched.accepted), fit[-1] if fit else None)
        if matched is None:
            matched = _Matched(sent, f"message {number}", requested=False)
            seen.append(matched)
        matched.accepted = matched.accepted or all(acks[place] == "A" for place in one.rows_of)
        matched.places += one.rows_of
    start = trace.span[0]
    requested = [
        matched for each in taken.values() for matched in each if matched.places or matched.request.at >= start
    ]
    return sorted((_stimulus(matched, metadata) for matched in (*requested, *seen)), key=lambda one: one.at)


def tokens_of(trace: Trace) -> dict[int, str]:
    """Return the token of each submit, by its index in order of arrival, as `joined` found it."""
    return {place: one.token for one in (*trace.requests, *trace.unrequested) for place in one.places}


def _fits(request: Listed, sent: Listed, *, unread: bool) -> bool:
    """Tell whether a message may be the requested one: not sent earlier, and beginning with the requested text.

    A message whose text cannot be read may be any of those requested for its recipient.
    """
    return request.at <= sent.at and (unread or sent.text.startswith(request.text))


def _is_unread(frame: bytes) -> bool:
    """Tell whether a submit carries binary data."""
    data = [field.decode("latin-1") for field in frame.split(b"/")[BEFORE_DATA:-1]]
    return content.read(data).text is None


def _stimulus(matched: _Matched, metadata: Metadata) -> Request | Unrequested:
    one = matched.request
    known = next((k for k in metadata.campaigns if k.covers(one.code, one.recipient, one.at)), None)
    traffic_class, brand = (known.campaign.traffic_class, known.campaign.brand) if known else ("", "")
    name, traits = (known.campaign.name, tuple(known.campaign.traits)) if known else ("", ())
    agreed = known.agreed(one.recipient) if known else False
    kind = Request if matched.requested else Unrequested
    return kind(
        one.at, matched.token, one.code, one.recipient, one.text, traffic_class, brand, agreed,
        traits=traits, campaign=name, places=tuple(matched.places),
    )  # fmt: skip


def within(metadata: Metadata, start: int, end: int, patience_us: int) -> Metadata:
    """Return the part that concerns a capture of this span: limits hold from its beginning, outages are cut to it.

    A message requested before the span may also have been sent before it; one requested in the last `patience_us` may
    be sent after it.
    """
    events = [At(start, event) for _, event in metadata.events]
    for begins, ends, scope in metadata.outages:
        first, last = max(begins, start), min(ends, end)
        if first < last:
            events += [At(first, OutageBegan(scope, last)), At(last, Restored(scope))]
    listed = metadata.requests
    kept = (
        None if listed is None else tuple(one for one in listed if start - patience_us <= one.at <= end - patience_us)
    )
    return msgspec.structs.replace(metadata, events=tuple(events), requests=kept)
