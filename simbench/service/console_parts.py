"""Parts of the console: the phone, the search, the verdicts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from pydantic import ValidationError

from simbench.base.calendar import Calendar
from simbench.base.errors import SimbenchError
from simbench.numbering.plan import plan_of
from simbench.service.log import frame_id
from simbench.service.messages import Query
from simbench.service.platform import ServedPlatform
from simbench.service.problems import Refusal
from simbench.service.records import DecodedFrame, Mo

PHONE_PERIOD_S = 2.0
SCREEN = "w-full h-64 overflow-auto border rounded p-2 bg-slate-50 flex-nowrap flex-col-reverse"  # the latest in view
FOUND = ("when", "session", "code", "recipient", "text", "outcome", "ec", "scts")
JUDGED = ("purpose", "outcome", "blame", "summary", "frames")
# Buttons within rows, so that a keyboard opens a frame too.
FRAMES = """<q-td :props="props"><q-btn v-for="id in props.value.split(' ').filter(Boolean)" :key="id" flat dense
 no-caps :label="id" @click="$parent.$emit('explain', id)" /></q-td>"""
OPENER = """<q-td :props="props"><q-btn flat dense no-caps :label="props.value"
 @click.stop="$parent.$emit('explain', props.row)" /></q-td>"""


def shown_at(us: int, calendar: Calendar) -> str:
    """Return an instant as civil time, to the second."""
    return calendar.civil(us).strftime("%Y-%m-%d %H:%M:%S")


def button(text: str, action: Callable[[], Awaitable[object]], colour: str = "primary") -> None:
    """A button whose action may be refused; the visitor sees the reason."""

    async def pressed() -> None:
        try:
            await action()
        except ValidationError as error:
            first = error.errors()[0]
            ui.notify(f"{first['loc'][0]}: {first['msg']}", type="negative")
        except (SimbenchError, Refusal, ValueError) as error:
            ui.notify(str(error).splitlines()[0], type="negative")

    ui.button(text, on_click=pressed, color=colour).props("dense no-caps")


def heading(text: str) -> None:
    """The heading of a part of the page."""
    ui.html(f'<h2 class="text-lg font-medium">{text}</h2>', sanitize=False)


def phone_panel(platform: ServedPlatform) -> None:
    """A phone: the texts a subscriber received, and a text to send."""
    control = platform.control
    codes = list(control.server.gateway.centre.limiters)
    with ui.card().classes("w-full"):
        heading("Phone")
        with ui.row().classes("items-center"):
            number = ui.input("Subscriber", value=plan_of(platform.smsc.contract).writer(1)).classes("w-40")
            status = ui.label().classes("text-sm")
            code = ui.select(codes, value=codes[0], label="To").classes("w-24")
        screen = ui.column().classes(SCREEN).props("role=log aria-label='Texts of the phone' tabindex=0")
        text = ui.input("Text").classes("w-full")

        async def show(*, fresh: bool = True) -> None:
            subscriber = control.subscriber(number.value or "")
            status.text = f"{subscriber.standing}, {'on' if subscriber.attached else 'off'}"
            texts = await platform.phone(number.value or "0", fresh=fresh)
            screen.clear()
            with screen:
                for each in reversed(texts[-20:]):
                    ui.chat_message(each.text, name=each.code if each.way == "in" else "me", sent=each.way == "out")

        async def send(words: str) -> None:
            sent = await platform.mo(Mo(sender=number.value or "", code=code.value, text=words, wait_s=2))
            ui.notify("acknowledged" if sent.acknowledged else "sent; not acknowledged yet")
            text.value = ""
            await show()

        async def switch(*, on: bool) -> None:
            (control.attach if on else control.detach)(platform.served(number.value or ""))
            await show()

        with ui.row():
            button("Send", lambda: send(text.value or ""))
            button("Reply STOP", lambda: send("STOP"), "red-9")
            button("Switch on", lambda: switch(on=True), "green-9")
            button("Switch off", lambda: switch(on=False), "grey-8")
        ui.timer(PHONE_PERIOD_S, _unless_unchanged(platform, show, number))


def _unless_unchanged(platform: ServedPlatform, show: Any, number: Any) -> Any:
    """Refresh only after new decisions, so that a page left open costs almost nothing."""
    seen: list[object] = []

    async def look() -> None:
        stands = [platform.smsc.ledger.written["centre"], platform.watch.counts.total(), number.value]
        if platform.control.answered() > platform.settings.limits.followed_messages or stands == seen:
            return
        seen[:] = stands
        await show(fresh=False)

    return look


def search_panel(platform: ServedPlatform) -> None:
    """Message search, and the decoded frame of a message."""
    with ui.card().classes("w-full"):
        heading("Messages")
        with ui.row().classes("items-center"):
            recipient, code, text = (ui.input(name).classes("w-32") for name in ("Recipient", "Code", "Text contains"))
            outcome = ui.select(
                ["", "pending", "accepted", "refused", "buffered", "delivered", "undelivered", "deleted"],
                value="", label="Outcome",
            ).classes("w-24")  # fmt: skip
            go = ui.button("Search").props("dense no-caps")
        columns = [{"name": name, "label": name, "field": name, "align": "left"} for name in FOUND]
        table = ui.table(columns=columns, rows=[], row_key="id", pagination=8).classes("w-full")
        table.props("dense flat bordered")
        decoded = ui.column().classes("w-full")

        async def search() -> None:
            asked = Query(recipient.value or "", code.value or "", text.value or "", outcome.value or "")
            found = await platform.messages(asked)
            table.rows = [
                {**each.model_dump(), "when": shown_at(each.at, platform.smsc.contract.calendar)}
                for each in found.messages
            ]

        async def explain(event: Any) -> None:
            row = event.args[1]
            trn = row["id"].rpartition(".")[2]
            octets = await platform.frame(row["session"], row["at"], trn)
            decoded.clear()
            if octets:
                from simbench.service.routes import decoded as in_words  # noqa: PLC0415 - routes know the console's parts not

                with decoded:
                    _frame(in_words(frame_id(row["session"], row["at"], trn), octets))

        async def opened(event: Any) -> None:
            event.args = [None, event.args]
            await explain(event)

        table.add_slot("body-cell-when", OPENER)
        table.on("explain", opened)
        go.on_click(search)
        table.on("rowClick", explain)


def _frame(frame: DecodedFrame) -> None:
    ui.label(f"{frame.heading}   ({frame.id})").classes("font-bold")
    columns = [{"name": n, "label": n, "field": n, "align": "left"} for n in ("name", "value", "what", "meaning")]
    rows = [field.model_dump() for field in frame.fields]
    ui.table(columns=columns, rows=rows, row_key="name").classes("w-full").props("dense flat wrap-cells")


def verdict_panel(platform: ServedPlatform) -> None:
    """The findings so far, on request."""
    with ui.card().classes("w-full"):
        with ui.row().classes("items-center"):
            heading("Verdicts so far")
            go = ui.button("Judge").props("dense no-caps")
            summary = ui.label().classes("text-sm").props("role=status")
        columns = [{"name": name, "label": name, "field": name, "align": "left"} for name in JUDGED]
        table = ui.table(columns=columns, rows=[], row_key="purpose").classes("w-full")
        table.props("dense flat bordered wrap-cells")

        async def judge() -> None:
            judged = await platform.judged()
            decided = [each for each in judged.findings if each.outcome not in {"inconclusive", "unsupported"}]
            table.rows = [
                {**each.model_dump(include=set(JUDGED)), "frames": " ".join(each.frames[:3])} for each in decided
            ]
            summary.text = f"{len(decided)} of {len(judged.findings)} rules had something to judge"

        decoded = ui.column().classes("w-full")

        async def explain(event: Any) -> None:
            session, at, trn = str(event.args).split(".")
            octets = await platform.frame(int(session), int(at), trn)
            decoded.clear()
            if octets:
                from simbench.service.routes import decoded as in_words  # noqa: PLC0415 - routes know the console's parts not

                with decoded:
                    _frame(in_words(str(event.args), octets))

        table.add_slot("body-cell-frames", FRAMES)
        table.on("explain", explain)
        go.on_click(judge)
