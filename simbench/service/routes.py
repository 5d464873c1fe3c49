"""The control API: each route is one call of the platform's control."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from msgspec.structs import replace

from simbench.base.errors import BadInput
from simbench.base.units import SECOND_US
from simbench.ledger.rows import ORDINAL, TABLES
from simbench.service import messages as searching
from simbench.service import records
from simbench.service.extent import following
from simbench.service.log import frame_id
from simbench.service.platform import ServedPlatform
from simbench.service.problems import RESPONSES, Refusal
from simbench.tables.writer import csv_text
from simbench.ucp.explain import Explained, explain, heading
from simbench.ucp.frame import Frame, Framer
from simbench.ucp.masking import HIDDEN, without_secrets

Number = Annotated[int, Path(ge=0, le=1 << 31)]
# Taken apart here: a path of several parts between dots is matched in the cube of its length.
FrameId = Annotated[str, Path(alias="id", pattern=r"^[0-9]{1,10}\.[0-9]{1,18}\.[0-9]{2}$")]
Address = Annotated[str, Path(pattern=r"^\+?[0-9]{3,18}$")]
Wanted = Annotated[str, Query(pattern=r"^(\+?[0-9]{3,18})?$")]
Name = Annotated[str, Query(pattern=r"^[a-z-]{0,40}$")]
Fresh = Annotated[bool, Query(description="Whether what is not on disk yet counts too.")]
TableName = Literal["wire", "events", "stimuli", "centre", "timing_error"]
JSON = "application/json"
EXPORTED_AT_ONCE = 5_000
DOWNLOADED = 100_000, 16_000_000  # rows, octets
EXPORTED = ("id", "at", "session", "code", "recipient", "text", "outcome", "ec", "scts")


async def sought(
    recipient: Wanted = "",
    code: Annotated[str, Query(pattern=r"^[0-9A-Za-z ]{0,32}$")] = "",
    text: Annotated[str, Query(max_length=160, pattern=r"^[^\x00]*$")] = "",
    outcome: records.Sought = "",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
    offset: Annotated[int, Query(ge=0, le=100_000_000)] = 0,
) -> searching.Query:
    """Search parameters for messages; asynchronous, since others are made in a thread."""
    return searching.Query(recipient, code, text, outcome, limit, offset)


def api(platform: ServedPlatform) -> APIRouter:
    """Return the router of every route under /api/v1."""
    router = APIRouter(prefix="/api/v1", responses=RESPONSES, dependencies=[Depends(_known)])
    for add in (_looking, _messages, _sessions, _subscribers, _troubles, _clock, _ledger):
        add(router, platform)
    return router


@contextmanager
def _at_fault(field: str) -> Iterator[None]:
    """Convert errors of the control to refusals naming the request's field, or the fault parameter they name."""
    try:
        yield
    except BadInput as error:
        kind, dot, parameter = error.place.partition(".")
        place = f"body.{parameter}" if (kind, dot) == ("fault", ".") else field
        raise Refusal(422, str(error), place) from None


async def _known(request: Request) -> None:
    """Refuse unknown query parameters, because a search that ignored them would return everything."""
    if not request.query_params:
        return
    path = request.app.openapi()["paths"][request.scope["route"].path_format]
    parameters = path[request.method.lower()].get("parameters", ())
    names = {each["name"] for each in parameters if each["in"] == "query"}
    for name in request.query_params:
        if name not in names:
            raise Refusal(422, f"no such parameter; expected one of {sorted(names)}", f"query.{name[:40]}")


def _looking(router: APIRouter, platform: ServedPlatform) -> None:
    @router.get("/platform", tags=["platform"])
    async def look() -> records.Platform:
        """Return the platform's state: clock, outage, sessions, each short code with its tier."""
        return platform.platform()

    @router.get("/findings", tags=["platform"], response_model=records.Judgements)
    async def findings(fresh: Fresh = True) -> Response:
        """Return the findings so far on the latest reads and writes; without `fresh` perhaps those of seconds ago."""
        return _ready(await (platform.judged() if fresh else platform.verdicts()))

    @router.get("/rates", tags=["platform"])
    async def rates(since: Annotated[int, Query(ge=0, le=1 << 62)] = 0) -> records.RateHistory:
        """Return the rates of the last two minutes, a sample a second, after the instant `since` (us)."""
        return platform.rates(since)

    @router.get("/events", tags=["platform"], response_model=list[records.EventSeen])
    async def events(limit: Annotated[int, Query(ge=1, le=100)] = 25) -> Response:
        """Return the latest events, the latest first: what came, what was answered, and which rule decided."""
        return Response(_listed(await platform.events(limit)), media_type=JSON)

    @router.post("/reset", tags=["platform"])
    async def reset() -> records.Platform:
        """End outage, faults and schedules; restore limits, accounts, subscribers and speed. Messages stay."""
        await platform.reset()
        return platform.platform()

    @router.post("/wait", tags=["platform"])
    async def wait(asked: records.WaitFor) -> records.Waited:
        """Wait until that many submits have been answered since the start."""
        control = platform.control
        reached = await platform.wait_until(lambda: control.answered() >= asked.answered, asked.timeout_s)
        return records.Waited(reached=reached, answered=control.answered())


def _messages(router: APIRouter, platform: ServedPlatform) -> None:
    search = Depends(sought)

    @router.get("/messages", tags=["messages"], response_model=records.Messages)
    async def messages(asked: searching.Query = search, fresh: Fresh = True) -> Response:
        """Return messages by recipient, code, text and outcome, latest first; without `fresh` those on disk."""
        return _ready(await platform.messages(asked, fresh=fresh))

    @router.get("/messages.csv", tags=["messages"], response_class=Response)
    async def export(asked: searching.Query = search) -> StreamingResponse:
        """Return every matching message as CSV; `limit` and `offset` are ignored."""
        return StreamingResponse(_csv(platform, asked), media_type="text/csv")

    @router.get("/messages/{id}", tags=["messages"])
    async def frame(id_: FrameId) -> records.DecodedFrame:
        """Return the decoded frame of a message, by the id used in messages, logs and findings."""
        session, at, trn = id_.split(".")
        octets = await platform.frame(int(session), int(at), trn)
        if octets is None:
            raise Refusal(404, "no message with that id", "id")
        return decoded(id_, octets)

    @router.post("/mo", tags=["messages"])
    async def mo(asked: records.Mo) -> records.MoSent:
        """Send a text from a subscriber to a short code; with `wait_s`, wait for the application's acknowledgement."""
        with _at_fault("body.code"):
            return await platform.mo(asked)


def _ready(answer: records.Record) -> Response:
    """Encode a record as JSON directly: validating a long response again would block the loop for tens of ms."""
    return Response(answer.model_dump_json(), media_type=JSON)


def _listed(answer: Sequence[records.Record]) -> bytes:
    """Encode many records as JSON, in a thread: they may be thousands."""
    return b"[" + b",".join(each.model_dump_json().encode() for each in answer) + b"]"


def decoded(id_: str, octets: bytes) -> records.DecodedFrame:
    """Return a decoded frame with hidden passwords."""
    frame = next((item for item in Framer(len(octets)).feed(octets) if isinstance(item, Frame)), None)
    if frame is None:
        return records.DecodedFrame(id=id_, heading="not a valid frame", frame=octets.hex().upper(), fields=[])
    frame = without_secrets(frame)
    fields = [
        records.FieldRecord(name=each.name, value=each.value, what=each.what, meaning=_unless_hidden(each))
        for each in explain(frame)
    ]
    return records.DecodedFrame(id=id_, heading=heading(frame), frame=frame.octets.hex().upper(), fields=fields)


def _unless_hidden(field: Explained) -> str:
    return field.meaning if field.value.strip(HIDDEN) else "hidden"


async def _csv(platform: ServedPlatform, query: searching.Query) -> AsyncIterator[str]:
    below = (await platform.messages(searching.Query(limit=1))).indexed  # later messages are left out
    yield ",".join(EXPORTED) + "\r\n"
    while below:
        asked = replace(query, limit=EXPORTED_AT_ONCE, offset=0, below=below)
        lines, below = await asyncio.to_thread(_lines, platform.search, asked)
        yield lines


def _lines(search: searching.MessageSearch, query: searching.Query) -> tuple[str, int]:
    """Return lines of CSV, and the number below which to continue; 0 at the end."""
    found, _ = search.search(query, flush=False)
    rows = [{**each, "id": frame_id(each["session"], each["at"], each["trn"])} for each in found]
    text = csv_text((), ([str(row[name]) for name in EXPORTED] for row in rows), end="\r\n")
    return text, found[-1]["number"] if len(found) == query.limit else 0


def _sessions(router: APIRouter, platform: ServedPlatform) -> None:
    @router.get("/sessions", tags=["sessions"], response_model=list[records.SessionRecord])
    async def sessions() -> Response:
        """Return every connection, oldest first."""
        return Response(await asyncio.to_thread(_listed, await platform.sessions()), media_type=JSON)

    @router.delete("/sessions/{number}", tags=["sessions"])
    async def drop(number: Number, abruptly: bool = False) -> records.Cleared:
        """Close a connection, with FIN or RST."""
        if number not in platform.control.server.connections:
            raise Refusal(404, f"no session {number}", "path.number")
        platform.control.drop(number, abruptly=abruptly)
        return records.Cleared(ended=1)


def _subscribers(router: APIRouter, platform: ServedPlatform) -> None:
    control = platform.control

    def record(address: str) -> records.SubscriberRecord:
        found = control.subscriber(address)
        names = records.SubscriberRecord.model_fields
        return records.SubscriberRecord(**{name: getattr(found, name) for name in names})

    @router.get("/subscribers/{address}", tags=["subscribers"])
    async def look_up(address: Address) -> records.SubscriberRecord:
        """Return the subscriber at an address."""
        return record(address)

    @router.get("/subscribers/{address}/texts", tags=["subscribers"])
    async def texts(address: Address, fresh: Fresh = True) -> list[records.TextSeen]:
        """Return the texts a subscriber received and sent, oldest first; without `fresh` those on disk."""
        return await platform.phone(address, fresh=fresh)

    @router.post("/subscribers/{address}/attach", tags=["subscribers"])
    async def attach(address: Address) -> records.SubscriberRecord:
        """Make the phone reachable: waiting messages are delivered."""
        control.attach(platform.served(address))
        return record(address)

    @router.post("/subscribers/{address}/detach", tags=["subscribers"])
    async def detach(address: Address) -> records.SubscriberRecord:
        """Make the phone unreachable (off or out of coverage)."""
        control.detach(platform.served(address))
        return record(address)

    @router.post("/subscribers/{address}/port", tags=["subscribers"])
    async def port(address: Address, asked: records.Porting) -> records.SubscriberRecord:
        """Port the number to another operator, or to the own one."""
        control.port(platform.known(address), asked.operator)
        return record(address)


def _troubles(router: APIRouter, platform: ServedPlatform) -> None:
    control = platform.control

    @router.post("/outage", tags=["outages and faults"])
    async def outage(asked: records.AskedOutage) -> records.Platform:
        """Start an outage or maintenance, now or `in_s` platform seconds from now."""
        with _at_fault("body.scope"):
            await platform.outage(asked)
        return platform.platform()

    @router.delete("/outage", tags=["outages and faults"])
    async def restore() -> records.Platform:
        """End the current outage."""
        await control.restore()
        return platform.platform()

    @router.delete("/scheduled/{number}", tags=["outages and faults"])
    async def cancel(number: Number) -> records.Platform:
        """Cancel a scheduled outage."""
        platform.cancel(number)
        return platform.platform()

    @router.post("/faults", tags=["outages and faults"])
    async def fault(asked: records.Fault) -> records.Platform:
        """Start a wire fault; faults can be combined."""
        given = asked.model_dump(exclude={"name"}, exclude_defaults=True)
        with _at_fault("body.code"):
            control.fault(asked.name, **given)
        return platform.platform()

    @router.delete("/faults", tags=["outages and faults"])
    async def clear(name: Name = "") -> records.Cleared:
        """End the wire faults of that name, or all of them."""
        return records.Cleared(ended=control.clear(name))

    @router.put("/codes/{code}/limit", tags=["outages and faults"])
    async def limit(code: Annotated[str, Path(pattern="^[0-9]{3,8}$")], asked: records.Limit) -> records.Platform:
        """Set a short code's rate and meter answer."""
        with _at_fault("path.code"):
            control.limit(code, asked.rate_per_s, asked.mode)
        return platform.platform()


def _clock(router: APIRouter, platform: ServedPlatform) -> None:
    control = platform.control

    def present() -> records.Clock:
        return records.Clock(now=control.now(), speed=control.server.clock.speed)

    @router.get("/clock", tags=["clock"])
    async def clock() -> records.Clock:
        """Return the platform's instant and speed."""
        return present()

    @router.put("/clock/speed", tags=["clock"])
    async def speed(asked: records.Speed) -> records.Clock:
        """Set the platform seconds per real second."""
        control.set_speed(asked.speed)
        return present()

    @router.post("/clock/step", tags=["clock"])
    async def step(asked: records.Step) -> records.Clock:
        """Step the clock forward: all due events happen at once, and sessions silent for too long are closed."""
        control.step(asked.seconds)
        return present()

    @router.post("/clock/advance", tags=["clock"])
    async def advance(asked: records.Instant) -> records.Clock:
        """Step the clock forward to an instant, at most a year ahead."""
        ahead_s = (asked.to - control.now()) / SECOND_US
        if not 0 <= ahead_s <= 31_536_000:
            raise Refusal(409, "the clock only goes forward, and at most a year at once", "body.to")
        control.step(ahead_s)
        return present()


def _ledger(router: APIRouter, platform: ServedPlatform) -> None:
    ledger = platform.smsc.ledger

    @router.get("/ledger", tags=["ledger"])
    async def snapshot() -> records.Snapshot:
        """Return the present size of the ledger."""
        return records.Snapshot(run=ledger.info.run, rows=ledger.written, backlog=ledger.backlog)

    @router.get("/ledger/{table}.parquet", tags=["ledger"], response_class=Response)
    async def parquet(table: TableName, first: Annotated[int, Query(ge=0, le=1 << 60)] = 0) -> Response:
        """Return at most 100,000 rows of a table, or some 16 MB of them, from its row `first`, as Parquet.

        Logins are in clear.
        """
        octets = await asyncio.to_thread(_parquet, platform, table, first)
        return Response(octets, media_type="application/vnd.apache.parquet")


def _parquet(platform: ServedPlatform, table: str, first: int) -> bytes:
    import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    platform.smsc.ledger.flush()
    names = [column.name for column in (*TABLES[table].columns, ORDINAL)]
    sink = pa.BufferOutputStream()
    pq.write_table(following(platform.smsc.ledger, table, first, names, DOWNLOADED), sink, compression="zstd")
    return bytes(sink.getvalue())
