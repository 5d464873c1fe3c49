"""Shared parts of the console: headings, tables, buttons whose action may be refused, decoded frames."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nicegui import ui
from pydantic import ValidationError

from simbench.base.calendar import Calendar
from simbench.base.errors import SimbenchError
from simbench.service.problems import Refusal
from simbench.service.records import DecodedFrame

# A cell as a button, so that it can be opened by keyboard too.
OPENER = """<q-td :props="props"><q-btn v-if="props.row.id" flat dense no-caps align="left" :label="String(props.value)"
 :aria-label="'Frame of ' + props.value" @click.stop="$parent.$emit('explain', props.row.id)" />
 <span v-else>{{ props.value }}</span></q-td>"""


def shown_at(us: int, calendar: Calendar) -> str:
    """Return an instant as civil time, to the second."""
    return calendar.civil(us).strftime("%Y-%m-%d %H:%M:%S")


def button(text: str, action: Callable[[], Awaitable[object]], colour: str = "primary") -> None:
    """Add a button whose action may be refused; the visitor sees the reason."""

    async def pressed() -> None:
        try:
            await action()
        except ValidationError as error:
            first = error.errors()[0]
            ui.notify(f"{first['loc'][0]}: {first['msg']}", type="negative")
        except (SimbenchError, Refusal, ValueError) as error:
            ui.notify(str(error).splitlines()[0], type="negative")

    ui.button(text, on_click=pressed, color=colour).props("dense no-caps")


def heading(text: str, level: int = 2) -> None:
    """Add the heading of a part of the page, or at level 3 within a part."""
    size = "text-lg" if level == 2 else "text-base"
    ui.html(f'<h{level} class="{size} font-medium">{text}</h{level}>', sanitize=False)


def table(title: str, columns: Sequence[str], key: str, *, opens: str = "", rows: int = 0, level: int = 2) -> Any:
    """Add a table with a heading; cells of the column `opens` are buttons, and a page has `rows` rows (0: all)."""
    heading(title, level)
    shown = [
        {"name": name, "label": name.replace("_per_s", "/s").replace("_", " "), "field": name, "align": "left"}
        for name in columns
    ]
    made = ui.table(columns=shown, rows=[], row_key=key, pagination=rows or None).classes("w-full")
    made.props(f'dense flat bordered wrap-cells role=region aria-label="{title}"')
    if opens:
        made.add_slot(f"body-cell-{opens}", OPENER)
    return made


def fill(made: Any, rows: list[dict[str, Any]]) -> None:
    """Show rows; nothing is sent if they are already shown."""
    if made.rows != rows:
        made.rows = rows


def show_frame(frame: DecodedFrame) -> None:
    """Show a frame field by field."""
    ui.label(f"{frame.heading}   ({frame.id})").classes("font-bold")
    columns = [{"name": n, "label": n, "field": n, "align": "left"} for n in ("name", "value", "what", "meaning")]
    rows = [field.model_dump() for field in frame.fields]
    ui.table(columns=columns, rows=rows, row_key="name").classes("w-full").props("dense flat wrap-cells")
