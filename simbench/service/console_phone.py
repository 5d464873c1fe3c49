"""The console's phone: the texts a subscriber received, and a text to send."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from simbench.numbering.plan import plan_of
from simbench.service.console_parts import button, heading
from simbench.service.platform import ServedPlatform
from simbench.service.records import Mo

PHONE_PERIOD_S = 2.0
SCREEN = "w-full h-64 overflow-auto border rounded p-2 bg-slate-50 flex-nowrap flex-col-reverse"  # the latest in view


def phone_panel(platform: ServedPlatform) -> None:
    """Show a phone: the texts a subscriber received, and a text to send."""
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
