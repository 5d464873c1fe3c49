"""The console: one web page for a running SMSC. All its actions go through the platform.

It is refreshed once a second, by one timer per visitor.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from nicegui import Client, ui
from nicegui import app as pages

from fake_smsc.faults.registry import FAULTS
from fake_smsc.scenario import FAULT_PARAMETERS
from simbench.service.console_parts import button, heading, phone_panel, search_panel, shown_at, verdict_panel
from simbench.service.platform import ServedPlatform
from simbench.service.problems import install
from simbench.service.records import AskedOutage, Speed, Step

PERIOD_S = 1.0
UNSEEN = 20  # pages that were fetched and not opened in a browser; beyond this the oldest goes
COLLECTED = 100  # pages that have gone, after which their objects are collected: they refer to each other
OUTAGES = ("cut", "reset", "refuse", "accept-close", "silent", "deaf-results")
EVENTS_SHOWN = 12
EVENT_COLUMNS = ("when", "event", "subject", "detail")
# The library names no language, and its tables, which scroll on a narrow screen, cannot be reached by keyboard.
ACCESS = """<script>(() => {
  const page = document.documentElement;
  const mark = () => {
    if (page.lang !== "en") page.lang = "en";
    for (const table of document.querySelectorAll(".q-table__middle")) table.tabIndex = 0;
  };
  new MutationObserver(mark).observe(page, {subtree: true, childList: true, attributeFilter: ["lang"]});
})()</script>"""
PARAMETERS: dict[str, Callable[[str], object]] = {
    "delay_s": float, "ec": str, "ot": str, "octets": int, "octets_per_s": int, "per_s": float, "after": int,
}  # fmt: skip
CHART = "role=img aria-label='Accepted submits per second of each short code, against its tier'"
CODE_COLUMNS = ("code", "account", "tier_per_s", "mode", "accepted_per_s", "refused_per_s", "accepted", "refused")
SESSION_COLUMNS = ("number", "account", "state", "window", "unanswered_by_client", "unanswered_by_smsc")


def add_console(app: FastAPI, platform: ServedPlatform) -> None:
    """Serve the page at "/"."""

    gone = itertools.count(1)

    def collect() -> None:
        if next(gone) % COLLECTED == 0:
            gc.collect()

    @ui.page("/", title="simbench")
    def page() -> None:
        unseen = [client for client in Client.instances.values() if not client.has_socket_connection]
        for client in sorted(unseen, key=lambda each: each.created)[: -UNSEEN - 1]:
            client.delete()
        Page(platform)

    pages.on_delete(collect)

    install(pages, platform.log)  # unknown paths are refused and logged as elsewhere
    ui.run_with(app, mount_path="/", show_welcome_message=False)


class Page:
    """The page of one visitor."""

    def __init__(self, platform: ServedPlatform) -> None:
        self.platform = platform
        ui.add_body_html(ACCESS)
        ui.colors(primary="#1d4e89")  # dark enough beside white
        self._head()
        with ui.element("main").classes("w-full flex flex-wrap lg:flex-nowrap gap-4"):
            with ui.column().classes("w-full lg:w-2/3 min-w-0"):
                self._throughput()
                self.sessions = _table("Sessions", SESSION_COLUMNS, "number")
                search_panel(platform)
                verdict_panel(platform)
                self.events = _table("Events", EVENT_COLUMNS, "key")
            with ui.column().classes("w-full lg:w-1/3 min-w-0"):
                self._switches()
                phone_panel(platform)
        ui.timer(PERIOD_S, self.refresh)

    def _head(self) -> None:
        with ui.header(fixed=False).classes("items-center flex-wrap bg-slate-800 py-2"):
            ui.html('<h1 class="text-xl font-bold">simbench</h1>', sanitize=False)
            ui.label(f"{self.platform.smsc.scenario.name}, contract {self.platform.smsc.contract.name}")
            ui.space()
            self.clock = ui.label().mark("clock")
            self.ledger = ui.badge("ledger cannot be written").mark("ledger").classes("text-base")
            self.ledger.props("color=red-9 role=alert")
            self.state = ui.badge("up").mark("state").classes("text-base").props("data-test=state role=status")

    def _throughput(self) -> None:
        self.codes = _table("Short codes against their tiers", CODE_COLUMNS, "code")
        self.chart = (
            ui.echart(
                {
                    "animation": False,
                    "tooltip": {"trigger": "axis"},
                    "legend": {"top": 0},
                    "grid": {"left": 50, "right": 20, "top": 40, "bottom": 30},
                    "xAxis": {"type": "category", "data": []},
                    "yAxis": {"type": "value", "name": "accepted/s"},
                    "series": [],
                }
            )
            .classes("w-full h-56")
            .props(CHART)
        )

    def _switches(self) -> None:
        control = self.platform.control
        with ui.card().classes("w-full"):
            heading("Clock")
            with ui.row().classes("items-center"):
                speed = ui.number("Speed", value=control.server.clock.speed).classes("w-24")
                button("Set", lambda: _now(lambda: control.set_speed(Speed(speed=speed.value).speed)))
                step = ui.number("Step (s)", value=60).classes("w-24")
                button("Step", lambda: _now(lambda: control.step(Step(seconds=step.value).seconds)))
        with ui.card().classes("w-full"):
            heading("Outage")
            with ui.row().classes("items-center"):
                mode = ui.select(list(OUTAGES), value="cut", label="Mode").classes("w-32")
                scopes = ["total", *control.server.gateway.centre.limiters]
                scope = ui.select(scopes, value="total", label="Whom").classes("w-24")
                in_s = ui.number("Starts in (s)", value=0).classes("w-20")
                for_s = ui.number("Lasts (s)", value=0).classes("w-16")
                planned = ui.checkbox("maintenance")
            with ui.row():
                button(
                    "Start outage",
                    lambda: self.platform.outage(
                        AskedOutage(
                            mode=mode.value, scope=scope.value, planned=planned.value,
                            in_s=in_s.value or 0, for_s=for_s.value or 0,
                        )
                    ),
                    "red-9",
                )  # fmt: skip
                button("Restore", control.restore, "green-9")
        self._faults()

    def _faults(self) -> None:
        control = self.platform.control
        with ui.card().classes("w-full"):
            heading("Wire faults")
            with ui.row().classes("items-center"):
                name = ui.select(list(FAULTS), value="late-result", label="Fault").classes("w-48")
                share = ui.number("Share", value=1.0, step=0.1).classes("w-20")
                for_s = ui.number("Fault lasts (s)", value=0).classes("w-24")
                code = ui.select(["", *control.server.gateway.centre.limiters], value="", label="Code").classes("w-24")
                inputs = {key: ui.input(key).classes("w-24") for key in PARAMETERS}
            what = ui.label().classes("text-sm")

            def describe() -> None:
                taken = FAULT_PARAMETERS[name.value]
                what.text = " ".join((FAULTS[name.value].__doc__ or "").split())
                for key, field in [*inputs.items(), ("code", code)]:
                    field.set_visibility(key in taken)

            def start() -> None:
                entered = {key: field.value for key, field in [*inputs.items(), ("code", code)] if field.visible}
                given = {key: PARAMETERS.get(key, str)(value) for key, value in entered.items() if value}
                control.fault(name.value, share=share.value, for_s=for_s.value or 0, **given)

            name.on_value_change(describe)
            describe()
            with ui.row():
                button("Start fault", lambda: _now(start), "brown-8")
                button("Clear all", lambda: _now(control.clear))
            self.faults = ui.label().classes("text-sm")

    def refresh(self) -> None:
        """Update the page."""
        seen = self.platform.platform()
        self.clock.text = f"{shown_at(seen.now, self.platform.smsc.contract.calendar)}  × {seen.speed:g}"
        outage = seen.outage
        self.state.text = f"{seen.state}: {outage.mode} ({outage.scope})" if outage else seen.state
        self.state.props(f"color={'red-9' if outage else 'green-9'}")
        self.ledger.text = seen.ledger
        self.ledger.set_visibility(bool(seen.ledger))
        planned = "".join(
            f"; planned: {each.mode} at {shown_at(each.at, self.platform.smsc.contract.calendar)}"
            for each in seen.scheduled
        )
        self.faults.text = f"active: {', '.join(seen.faults) or 'none'}{planned}"
        self.codes.rows = [code.model_dump() for code in seen.codes]
        self.sessions.rows = [session.model_dump() for session in self.platform.sessions()]
        self.events.rows = [
            {"key": key, "when": shown_at(row["at"], self.platform.smsc.contract.calendar), "event": row["kind"],
             "subject": row["subject"],
             "detail": ", ".join(f"{name} {value}" for name, value in row["detail"].items())[:120]}
            for key, row in enumerate(list(self.platform.watch.events)[: -EVENTS_SHOWN - 1 : -1])
        ]  # fmt: skip
        history = self.platform.watch.history
        busy = [each.code for each in seen.codes if each.accepted] or [each.code for each in seen.codes][:1]
        longest = max((history[code] for code in busy), key=len)
        self.chart.options["xAxis"]["data"] = [
            shown_at(rates.at, self.platform.smsc.contract.calendar)[11:19] for rates in longest
        ]
        self.chart.options["series"] = [
            {"name": code, "type": "line", "showSymbol": False,
             "data": [round(rates.accepted_per_s, 1) for rates in history[code]],
             "markLine": {"symbol": "none", "data": [{"yAxis": self._tier(code)}]}}
            for code in busy
        ]  # fmt: skip
        self.chart.update()

    def _tier(self, code: str) -> int:
        return self.platform.control.server.gateway.centre.limiters[code].limit.rate_per_s


def _table(title: str, columns: tuple[str, ...], key: str) -> Any:
    shown = [{"name": name, "label": name.replace("_per_s", "/s").replace("_", " "), "field": name} for name in columns]
    return ui.table(columns=shown, rows=[], row_key=key, title=title).classes("w-full").props("dense flat bordered")


async def _now(action: Callable[[], object]) -> None:
    action()
