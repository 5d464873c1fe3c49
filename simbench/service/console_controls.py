"""The console's controls: the clock, outages, wire faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, get_args

from nicegui import ui

from fake_smsc.faults.registry import FAULTS, sentence
from fake_smsc.scenario import FAULT_PARAMETERS, Mode
from simbench.service.console_parts import button, heading
from simbench.service.platform import ServedPlatform
from simbench.service.records import AskedOutage, Fault, Speed, Step

PARAMETERS: Final[dict[str, Callable[[str], object]]] = {
    "delay_s": float, "ec": str, "ot": str, "octets": int, "octets_per_s": int, "per_s": float, "after": int,
}  # fmt: skip
OF_ALL: Final = frozenset({"share", "code", "from_s", "for_s"})  # parameters of nearly every fault
CHOOSER: Final = """<q-td :props="props"><q-btn flat dense no-caps align="left" :label="props.value"
 :aria-label="'Choose ' + props.value" @click="$parent.$emit('choose', props.value)" /></q-td>"""


async def _now(action: Callable[[], object]) -> None:
    action()


def clock_panel(platform: ServedPlatform) -> None:
    """The platform's clock: its speed, and a step forward."""
    control = platform.control
    with ui.card().classes("w-full"):
        heading("Clock")
        with ui.row().classes("items-center"):
            speed = ui.number("Speed", value=control.server.clock.speed).classes("w-24")
            button("Set", lambda: _now(lambda: control.set_speed(Speed(speed=speed.value).speed)))
            step = ui.number("Step (s)", value=60).classes("w-24")
            button("Step", lambda: _now(lambda: control.step(Step(seconds=step.value).seconds)))


def outage_panel(platform: ServedPlatform) -> None:
    """An outage or maintenance, now or later."""
    control = platform.control
    with ui.card().classes("w-full"):
        heading("Outage")
        with ui.row().classes("items-center"):
            mode = ui.select(list(get_args(Mode)), value="cut", label="Mode").classes("w-32")
            scopes = ["total", *control.server.gateway.centre.limiters]
            scope = ui.select(scopes, value="total", label="Scope").classes("w-24")
            in_s = ui.number("Starts in (s)", value=0).classes("w-24")
            for_s = ui.number("Lasts (s)", value=0).classes("w-24")
            planned = ui.checkbox("maintenance")
        with ui.row():
            button(
                "Start outage",
                lambda: platform.outage(
                    AskedOutage(
                        mode=mode.value, scope=scope.value, planned=planned.value,
                        in_s=in_s.value or 0, for_s=for_s.value or 0,
                    )
                ),
                "red-9",
            )  # fmt: skip
            button("Restore", control.restore, "green-9")


def faults_panel(platform: ServedPlatform) -> ui.label:
    """Show every wire fault with its parameters; return the label for the active ones."""
    control = platform.control
    with ui.card().classes("w-full"):
        heading("Wire faults")
        with ui.row().classes("items-center"):
            name = ui.select(list(FAULTS), value="late-result", label="Fault").classes("w-48")
            share = ui.number("Share", value=1.0, step=0.1).classes("w-20")
            from_s = ui.number("Fault starts in (s)", value=0).classes("w-32")
            for_s = ui.number("Fault lasts (s)", value=0).classes("w-28")
            code = ui.select(["", *control.server.gateway.centre.limiters], value="", label="Code").classes("w-24")
            inputs = {key: ui.input(key).classes("w-28") for key in PARAMETERS}
        what = ui.label().classes("text-sm").props("role=status")

        def describe() -> None:
            taken = FAULT_PARAMETERS[name.value]
            what.text = sentence(name.value)
            for key, field in [*inputs.items(), ("code", code)]:
                field.set_visibility(key in taken)
                if key in FAULTS[name.value].parameters:
                    field.props(f"placeholder={FAULTS[name.value].parameters[key]} stack-label")

        async def start() -> None:
            entered = {key: field.value for key, field in [*inputs.items(), ("code", code)] if field.visible}
            given: dict[str, Any] = {key: PARAMETERS.get(key, str)(value) for key, value in entered.items() if value}
            wanted = Fault(
                name=name.value, share=share.value, from_s=from_s.value or 0, for_s=for_s.value or 0, **given
            )  # fmt: skip
            control.fault(wanted.name, **wanted.model_dump(exclude={"name"}, exclude_defaults=True))

        name.on_value_change(describe)
        describe()
        with ui.row():
            button("Start fault", start, "brown-8")
            button("Clear all", lambda: _now(control.clear))
        active = ui.label().classes("text-sm").props("role=status")
        with ui.expansion(f"All {len(FAULTS)} faults").classes("w-full"):
            _catalogue(name.set_value)
    return active


def _catalogue(choose: Callable[[str], object]) -> None:
    """Show a table of all faults, with a description and the parameters with their defaults."""
    columns = [
        {"name": each, "label": each, "field": each, "align": "left"} for each in ("fault", "what", "parameters")
    ]
    rows = [
        {"fault": name, "what": sentence(name), "parameters": ", ".join(
            f"{key} ({FAULTS[name].parameters[key]})" if key in FAULTS[name].parameters else key
            for key in FAULT_PARAMETERS[name] if key not in OF_ALL
        )}
        for name in FAULTS
    ]  # fmt: skip
    made = ui.table(columns=columns, rows=rows, row_key="fault").classes("w-full").props("dense flat wrap-cells")
    made.add_slot("body-cell-fault", CHOOSER)
    made.on("choose", lambda event: choose(str(event.args)))
