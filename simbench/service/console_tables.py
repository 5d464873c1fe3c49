"""The console's tables with links to frames: messages, verdicts, and the feed of events, all refreshed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from nicegui import ui

from simbench.service.console_parts import fill, heading, show_frame, shown_at, table
from simbench.service.messages import Query
from simbench.service.platform import ServedPlatform
from simbench.service.problems import Refusal
from simbench.service.records import Judgement

FOUND: Final = ("when", "session", "code", "recipient", "text", "outcome", "ec", "scts")
JUDGED: Final = ("purpose", "outcome", "blame", "summary", "frames")
FED: Final = ("when", "session", "account", "event", "answer", "decided_by")
OUTCOMES: Final = ["", "pending", "accepted", "refused", "buffered", "delivered", "undelivered", "deleted"]
LIVE_S: Final = 2.0
EVENTS_SHOWN: Final = 25
FRAMES_SHOWN: Final = 3  # per verdict
UNDECIDED: Final = frozenset({"inconclusive", "unsupported"})
FIRST: Final = ("error", "fail", "weak", "pass")  # the order of verdicts
# Buttons within a cell, so that frames can be opened by keyboard too.
FRAMES: Final = """<q-td :props="props"><q-btn v-for="id in props.value.split(' ').filter(Boolean)" :key="id" flat dense
 no-caps :label="id" :aria-label="'Frame ' + id" @click="$parent.$emit('explain', id)" /></q-td>"""


def opens_frames(made: Any, platform: ServedPlatform) -> None:
    """Make the buttons of a table show their frame below the table."""
    place = ui.column().classes("w-full").props("role=status")

    async def explain(id_: str) -> None:
        from simbench.service.routes import decoded  # noqa: PLC0415 - needed only here

        session, at, trn = id_.split(".")
        octets = await platform.frame(int(session), int(at), trn)
        place.clear()
        with place:
            if octets is None:
                ui.label(f"{id_}: not found among submissions and the latest findings and events")
            else:
                show_frame(decoded(id_, octets))

    async def clicked(event: Any) -> None:
        if event.args[1].get("id"):
            await explain(event.args[1]["id"])

    made.on("explain", lambda event: explain(str(event.args)))
    made.on("rowClick", clicked)


def live(platform: ServedPlatform, show: Callable[[], Awaitable[bool]], period_s: float = LIVE_S) -> None:
    """Call `show` again while there is new traffic, and until it returns that it showed all of it.

    A page left open on an idle server costs almost nothing.
    """
    seen: list[object] = []

    async def look() -> None:
        written = platform.smsc.ledger.written
        stands = [written["wire"], written["centre"], written["events"]]
        if stands != seen:
            with suppress(Refusal):  # a full disk, which the page's head shows
                if await show():
                    seen[:] = stands

    ui.timer(period_s, look)


def messages_panel(platform: ServedPlatform) -> None:
    """Show messages by recipient, code, text and outcome, and the decoded frame of each."""
    with ui.card().classes("w-full"):
        heading("Messages")
        with ui.row().classes("items-center"):
            recipient, code, text = (ui.input(name).classes("w-32") for name in ("Recipient", "Code", "Text contains"))
            outcome = ui.select(OUTCOMES, value="", label="Outcome").classes("w-24")
            go = ui.button("Search").props("dense no-caps")
        made = table("Messages found", FOUND, "id", opens="when", rows=8, level=3)

        async def search(*, fresh: bool = True) -> None:
            asked = Query(recipient.value or "", code.value or "", text.value or "", outcome.value or "")
            found = await platform.messages(asked, fresh=fresh)
            calendar = platform.smsc.contract.calendar
            fill(made, [{**each.model_dump(), "when": shown_at(each.at, calendar)} for each in found.messages])

        async def follow() -> bool:
            if platform.control.answered() <= platform.settings.limits.followed_messages:
                await search(fresh=False)
            return True

        go.on_click(search)
        for field in (recipient, code, text):
            field.on("keydown.enter", search)
        outcome.on_value_change(search)
        opens_frames(made, platform)
        live(platform, follow)


def verdicts_panel(platform: ServedPlatform) -> None:
    """Show the findings so far, judged again while there is new traffic."""
    with ui.card().classes("w-full"):
        heading("Verdicts so far")
        with ui.row().classes("items-center"):
            go = ui.button("Judge now").props("dense no-caps")
            summary = ui.label("nothing judged yet").classes("text-sm").props("role=status")
        made = table("Findings", JUDGED, "purpose", rows=10, level=3)
        made.add_slot("body-cell-frames", FRAMES)

        async def show(*, now: bool = False) -> bool:
            judged = await (platform.judged() if now else platform.verdicts())
            decided = sorted((each for each in judged.findings if each.outcome not in UNDECIDED), key=_rank)
            fill(made, [_verdict(each) for each in decided])
            at = shown_at(platform.judged_at, platform.smsc.contract.calendar)
            summary.text = f"{len(decided)} of {len(judged.findings)} rules had something to judge, as of {at}"
            return platform.is_judged()

        async def at_once() -> None:
            await show(now=True)

        go.on_click(at_once)
        opens_frames(made, platform)
        live(platform, show)


def _rank(each: Judgement) -> tuple[int, str]:
    return FIRST.index(each.outcome) if each.outcome in FIRST else len(FIRST), each.purpose


def _verdict(each: Judgement) -> dict[str, Any]:
    return {**each.model_dump(include=set(JUDGED)), "frames": " ".join(each.frames[:FRAMES_SHOWN])}


def events_panel(platform: ServedPlatform) -> None:
    """Show operations, results and the deciding rule of the SMSC, and events of the platform."""
    with ui.card().classes("w-full"):
        made = table("Events", FED, "key", opens="when", rows=10)
        opens_frames(made, platform)

        async def show() -> bool:
            calendar = platform.smsc.contract.calendar
            exchanges = await platform.exchanges(EVENTS_SHOWN)
            rows = [
                (each.at, {"key": f"x{each.id or (each.session, each.at, each.came)}", "id": each.id,
                 "session": str(each.session), "account": each.account, "event": each.came, "answer": each.answered,
                 "decided_by": each.decided})
                for each in exchanges
            ]  # fmt: skip
            for number, row in enumerate(list(platform.watch.events)[-EVENTS_SHOWN:]):
                detail = ", ".join(f"{name} {value}" for name, value in row["detail"].items())[:120]
                rows.append(
                    (row["at"], {"key": f"e{row['at']}.{row['kind']}.{number}", "id": "", "session": "", "account": "",
                     "event": f"{row['kind']} {row['subject']}".rstrip(), "answer": "", "decided_by": detail})
                )  # fmt: skip
            latest = sorted(rows, key=lambda each: each[0], reverse=True)[:EVENTS_SHOWN]
            fill(made, [{**row, "when": shown_at(at, calendar)} for at, row in latest])
            return True

        live(platform, show, 1.0)
