"""The figure of the longest outage: incidents, traffic and backlog by minute, and the minutes after its end."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simbench.base.units import MINUTE_US
from simbench.ledger.incidents import Period
from simbench.reporting import style
from simbench.sla.report.availability_figure import lanes
from simbench.sla.report.picture import CivilAxis, Panel, Picture, picture
from simbench.sla.report.translations import Words
from simbench.sla.report.view import Recovery, View, around_longest, longest_of
from simbench.sla.rolling_window import Instants

BEFORE_MIN, LEAST_AFTER_MIN = 5, 15  # colour of the end of the outage, in the panels of recovery
MOST_AFTER_MIN = 240


def draw_worst(view: View, words: Words) -> Picture | None:
    """Draw the time around the longest total, unplanned outage, and the minutes after service returned."""
    longest, period = longest_of(view.service), view.service.period
    if longest is None:
        return None
    start, end = longest.start, longest.end or period.end
    since, until = around_longest(view.service) or (start, end)
    axis = CivilAxis(Period(since, until, since), words)
    counts = _by_minute(view, since, until)
    heading = words(
        "worst.heading", ticket=words.short(longest.ticket, 40), start=words.moment(start), end=words.moment(end),
        time=words.lasting(end - start),
    )  # fmt: skip
    if counts is None:
        figure, (only,) = style.canvas((style.WIDE_IN[0], 2.0))
        lanes(only, view, words, axis, since, until)
        axis.mark(only)
        columns: dict[str, list[Any]] = {
            "ticket": [longest.ticket], "start": [words.iso(start)], "end": [words.iso(end)],
        }  # fmt: skip
        return picture(words, "worst", heading, figure, columns)
    recovery = next((one for one in view.recoveries if one.start == start), None)
    figure, panels = _drawn(view, words, axis, counts, (end, _after(recovery)))
    columns = {"minute": [words.iso(at) for at in counts["at"].tolist()]}
    columns |= {name: values.tolist() for name, values in counts.items() if name != "at"}
    return picture(words, "worst", heading + _cleared(recovery, words), figure, columns, panels=panels)


def _drawn(
    view: View, words: Words, axis: CivilAxis, counts: dict[str, Instants], returned: tuple[int, int]
) -> tuple[Figure, tuple[Panel, ...]]:
    """Draw on the left the complete time, on the right some minutes before and after the return of service (us)."""
    end, after_min = returned
    rows = ["traffic", "waiting"] if "waiting" in counts else ["traffic"]
    figure = Figure(figsize=(style.WIDE_IN[0], 2.0 + 1.6 * len(rows)), layout="constrained")
    cells: list[Any] = [["lanes", "."], *[[name, f"{name} after"] for name in rows]]
    named = figure.subplot_mosaic(
        cells, width_ratios=(2.1, 1),
        height_ratios=(0.8, *[1.2] * len(rows)),
    )  # fmt: skip
    lanes(named["lanes"], view, words, axis, axis.period.start, axis.period.end)
    zoomed = Period(end - BEFORE_MIN * MINUTE_US, end + after_min * MINUTE_US, end)
    near = CivilAxis(zoomed, words, most=6)
    panels = []
    for scale, suffix in ((axis, ""), (near, " after")):
        within = (counts["at"] + MINUTE_US > scale.period.start) & (counts["at"] < scale.period.end)
        own = {name: values[within] for name, values in counts.items()}
        for name in rows:
            axes = named[name + suffix]
            if name == "traffic":
                _draw_traffic(axes, scale, own, words)
            else:
                _draw_waiting(axes, scale, own)
            axes.axvline(scale.of(end), color=style.GREEN, linewidth=1.4, linestyle=(0, (4, 2)))
            scale.mark(axes)
            axes.yaxis.set_major_formatter(lambda value, _: words.number(value))
            panels.append(Panel(axes, own["at"].tolist(), _texts(own, name, words), scale.period.start))
    named["lanes"].set_xlim(*named["traffic"].get_xlim())
    named["lanes"].set_xticks(named["traffic"].get_xticks(), [""] * len(named["traffic"].get_xticks()))
    for name in rows[:-1]:
        named[name].tick_params(labelbottom=False)
        named[f"{name} after"].tick_params(labelbottom=False)
    named["traffic"].set_ylabel(words("worst.traffic"))
    named["traffic after"].set_title(words("worst.after"), loc="left", fontsize=10)
    if "waiting" in named:
        named["waiting"].set_ylabel(words("recovery.axis"))
    handles, labels = named["traffic"].get_legend_handles_labels()
    legend = named["lanes"].legend(handles, labels, loc="upper left", bbox_to_anchor=(1.04, 1.05), ncols=1)
    legend.set_in_layout(False)
    return figure, tuple(panels)


def _draw_traffic(axes: Axes, axis: CivilAxis, counts: dict[str, Instants], words: Words) -> None:
    x = axis.of(counts["at"])
    axes.fill_between(
        x, counts["accepted"], color=style.BLUE, alpha=0.55, step="post", linewidth=0, label=words("table.accepted")
    )
    if counts["refused"].any():
        axes.step(x, counts["refused"], where="post", color=style.RED, linewidth=1.2, label=words("table.refused"))
    if counts["offered"].any():
        axes.step(x, counts["offered"], where="post", color=style.INK, linewidth=1.0, label=words("table.offered"))
    axes.set_ylim(0, max(1, *(int(counts[name].max(initial=1)) for name in ("accepted", "refused", "offered"))) * 1.1)


def _draw_waiting(axes: Axes, axis: CivilAxis, counts: dict[str, Instants]) -> None:
    """Draw the backlog at the end of each minute."""
    x = axis.of(counts["at"] + MINUTE_US)
    axes.fill_between(x, counts["waiting"], color=style.AMBER, alpha=0.5, linewidth=0)
    axes.plot(x, counts["waiting"], color=style.AMBER, linewidth=1.4, marker="." if len(x) < 90 else "")
    axes.set_ylim(0, max(1, int(counts["waiting"].max(initial=1))) * 1.1)


def _texts(counts: dict[str, Instants], row: str, words: Words) -> dict[str, list[str]]:
    """Return the values shown under the pointer."""
    names = {"waiting": words("recovery.axis")} if row == "waiting" else {
        name: words(f"table.{name}") for name in ("accepted", "refused", "offered") if counts[name].any()
    }  # fmt: skip
    return {title: [words.number(value) for value in counts[name].tolist()] for name, title in names.items()}


def _after(recovery: Recovery | None) -> int:
    """Return the number of minutes shown after service returned."""
    gone = recovery.gone_after_min if recovery is not None else None
    return min(MOST_AFTER_MIN, max(LEAST_AFTER_MIN, 2 * (gone or 0)))


def _cleared(recovery: Recovery | None, words: Words) -> str:
    if recovery is None or not recovery.most:
        return ""
    most = words.number(recovery.most)
    if recovery.gone_after_min is None:
        return words("worst.lasting", most=most)
    return words("worst.cleared", most=most, after=words.number(recovery.gone_after_min))


def _by_minute(view: View, since: int, until: int) -> dict[str, Instants] | None:
    """Return the messages by minute, over all codes; None if the record has none in this time."""
    recorded = view.traffic.around
    if recorded is None:
        return None
    minutes = np.arange(since // MINUTE_US * MINUTE_US, until, MINUTE_US, dtype=np.int64)
    first, last = np.searchsorted(recorded["at"], [minutes[0], until]).tolist()
    places = (recorded["at"][first:last] - minutes[0]) // MINUTE_US
    found = {"at": minutes}
    for name, values in recorded.items():
        if name != "at":
            found[name] = np.zeros(len(minutes), dtype=np.int64)
            found[name][places] = values[first:last]
    return found if any(values.any() for name, values in found.items() if name != "at") else None
