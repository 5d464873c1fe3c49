"""The console: one web page for a running SMSC. All its actions go through the platform.

The page is refreshed once a second, by one timer per visitor.
"""

from __future__ import annotations

import asyncio
import gc
import itertools

from fastapi import FastAPI
from nicegui import Client, ui
from nicegui import app as pages

from simbench.service.console_controls import clock_panel, faults_panel, outage_panel
from simbench.service.console_parts import fill, shown_at, table
from simbench.service.console_phone import phone_panel
from simbench.service.console_tables import events_panel, messages_panel, verdicts_panel
from simbench.service.platform import ServedPlatform
from simbench.service.problems import install

PERIOD_S = 1.0
UNSEEN = 10  # pages fetched but not opened in a browser; beyond this the oldest is deleted
BUILT_S = 60.0  # longest wait of a page that waits for others to be built
BREATH_S = 0.005  # pause between two parts of a page, in which clients of the SMSC are served
COLLECTED = 20  # garbage is collected after this many deleted pages, whose objects refer to each other
PAUSE_S = 0.5  # pause between two pages
# The library sets no language, and its tables, which scroll on a narrow screen, cannot be reached by keyboard.
ACCESS = """<script>(() => {
  const page = document.documentElement;
  const mark = () => {
    if (page.lang !== "en") page.lang = "en";
    for (const table of document.querySelectorAll(".q-table__middle")) table.tabIndex = 0;
  };
  new MutationObserver(mark).observe(page, {subtree: true, childList: true, attributeFilter: ["lang"]});
})()</script>"""
CHART = "role=img aria-label='Accepted submits per second of each short code, against its tier'"
CODE_COLUMNS = ("code", "account", "tier_per_s", "mode", "accepted_per_s", "refused_per_s", "accepted", "refused")
SESSION_COLUMNS = ("number", "account", "state", "window", "unanswered_by_client", "unanswered_by_smsc")


def add_console(app: FastAPI, platform: ServedPlatform) -> None:
    """Serve the page at "/"."""

    building, built = asyncio.Lock(), dict[str, Client]()

    @ui.page("/", title="simbench", response_timeout=BUILT_S)
    async def page() -> None:
        async with building:  # one page at a time, so that a turn of the loop builds only one part
            for id_ in [id_ for id_, client in built.items() if client.has_socket_connection]:
                del built[id_]
            while len(built) > UNSEEN:
                oldest = built.pop(next(iter(built)))
                if oldest.id in Client.instances:
                    oldest.delete()
            await Page(platform).build()
            await asyncio.sleep(PAUSE_S)
            built[ui.context.client.id] = ui.context.client

    gone = itertools.count(1)

    def collect() -> None:
        if next(gone) % COLLECTED == 0:
            gc.collect()

    pages.on_delete(collect)
    install(pages, platform.log)  # unknown paths are refused and logged as in the API
    ui.run_with(app, mount_path="/", show_welcome_message=False)


class Page:
    """The page of one visitor."""

    def __init__(self, platform: ServedPlatform) -> None:
        self.platform = platform
        ui.add_body_html(ACCESS)
        ui.colors(primary="#1d4e89")  # enough contrast with white

    async def build(self) -> None:
        """Build the parts of the page, one in each turn of the loop, to serve clients of the SMSC in between."""
        self._head()
        with ui.element("main").classes("w-full flex flex-wrap lg:flex-nowrap gap-4"):
            left = ui.column().classes("w-full lg:w-2/3 min-w-0")
            right = ui.column().classes("w-full lg:w-1/3 min-w-0")
        for column, part in (
            (left, self._throughput), (left, self._sessions), (left, messages_panel), (left, verdicts_panel),
            (left, events_panel), (right, clock_panel), (right, outage_panel), (right, self._faults),
            (right, phone_panel),
        ):  # fmt: skip
            await asyncio.sleep(BREATH_S)
            with column:
                part(self.platform)
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

    def _sessions(self, _platform: ServedPlatform) -> None:
        with ui.card().classes("w-full"):
            self.sessions = table("Sessions", SESSION_COLUMNS, "number")

    def _faults(self, platform: ServedPlatform) -> None:
        self.faults = faults_panel(platform)

    def _throughput(self, _platform: ServedPlatform) -> None:
        with ui.card().classes("w-full"):
            self.codes = table("Short codes against their tiers", CODE_COLUMNS, "code")
            self._draw()

    def _draw(self) -> None:
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
        fill(self.codes, [code.model_dump() for code in seen.codes])
        fill(self.sessions, [session.model_dump() for session in self.platform.sessions()])
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
