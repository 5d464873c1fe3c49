"""Figures of traffic: busiest minutes against the tier, load by hour, delivery, backlog."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from simbench.base.calendar import Calendar
from simbench.base.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from simbench.ledger.events import LimitSet, TierSet
from simbench.ledger.rows import TIMES, WITHIN_S
from simbench.reporting import style
from simbench.sla.report.counts import Hours
from simbench.sla.report.picture import CivilAxis, Picture, picture
from simbench.sla.report.translations import Words
from simbench.sla.report.view import Recovery, View

MOST_CODES = 6  # the codes drawn; the others are in the data
WORST_SHOWN = 3
MOST_BUSY = 10  # minutes in the table
HOURLY_DAYS = 3  # runs up to this length are drawn by the hour
NO_TRAFFIC = "#e9ecf0"  # the same on light and dark pages, so that both ends of the map are visible
QUICK_S = 60  # the heading gives the share delivered within this time


def draw_throughput(view: View, words: Words) -> Picture | None:
    """Draw the busiest minute of each day and the tier, one panel per code."""
    hours = view.traffic.hours
    shown, left_out = hours.codes[:MOST_CODES], hours.codes[MOST_CODES:]
    if not shown:
        return None
    axis, step = CivilAxis(view.service.period, words), _step(view)
    step_name = words(f"throughput.step_{step}")
    figure, panels = style.canvas((style.WIDE_IN[0], 0.9 + 1.75 * len(shown)), [1] * len(shown))
    columns, reached = _throughput_columns(view, words)
    for code, axes in zip(shown, panels, strict=True):
        days, peaks, tiers, _ = _day_peaks(view, hours.of(code), code)
        _peak_panel(axes, axis, 1 if step == "day" else 1 / 24, (days, peaks), _tier_steps(view, code))
        axes.set_title(style.label(code), loc="left", fontsize=10.5, fontweight="bold")
        axes.set_ylim(0, max([1.0, *peaks.tolist(), *tiers.tolist()]) * 1.15)
        axes.set_ylabel(words("throughput.rate"))
        axes.yaxis.set_major_locator(MaxNLocator(4, min_n_ticks=1))
        axes.yaxis.set_major_formatter(lambda value, _: words.number(value, 1))
    named = dict(zip(*panels[0].get_legend_handles_labels()[::-1], strict=True))
    labels = {"peak": words("throughput.peak", step=step_name), "tier": words("throughput.tier")}
    panels[0].legend(
        [named[name] for name in labels], list(labels.values()), loc="lower right", bbox_to_anchor=(1.0, 1.01), ncols=2
    )
    axis.mark(panels[-1])
    reached_texts = [
        words("throughput.one", code=style.label(code), share=words.share(share, 0))
        for share, code in sorted(reached, reverse=True)
    ]
    heading = words("throughput.heading", codes=", ".join(reached_texts[:WORST_SHOWN]))
    note = words("throughput.left_out", codes=", ".join(map(style.label, left_out))) if left_out else ""
    return picture(
        words, "throughput", heading, figure, columns, note, step=step_name, zone=words.calendar.zone
    )  # fmt: skip


def _throughput_columns(view: View, words: Words) -> tuple[dict[str, list[Any]], list[tuple[float, str]]]:
    """Return the data of all codes' bars, and the highest share of its tier that each code reached."""
    hours = view.traffic.hours
    columns: dict[str, list[Any]] = {name: [] for name in ("code", "from", "busiest_per_s", "tier_per_s")}
    reached: list[tuple[float, str]] = []
    for code in hours.codes:
        days, peaks, tiers, share = _day_peaks(view, hours.of(code), code)
        reached.append((share, code))
        for name, values in zip(
            columns, ([code] * len(days), [words.iso(at) for at in days.tolist()], peaks, tiers), strict=True
        ):
            columns[name] += values if isinstance(values, list) else np.round(values, 4).tolist()
    return columns, reached


def _day_peaks(view: View, own: Hours, code: str) -> tuple[Any, Any, Any, float]:
    """Return the days (or hours) with traffic, the rate of their busiest minute, the tier, and the highest share."""
    names, place = _beginnings(own.at, _step(view), view.case.contract.calendar)
    peaks = np.zeros(len(names))
    np.maximum.at(peaks, place, own.busiest / 60)
    busy = peaks > 0
    tiers = view.tier(code, own.busiest_at)
    of_day = np.zeros(len(names))
    np.maximum.at(of_day, place, tiers.astype(np.float64))
    return names[busy], peaks[busy], of_day[busy], float((own.busiest / 60 / np.maximum(1, tiers)).max(initial=0))


def _step(view: View) -> str:
    """Return the time that one bar of the throughput covers."""
    return "hour" if (view.service.period.end - view.service.period.start) / DAY_US <= HOURLY_DAYS else "day"


def _beginnings(at: NDArray[np.int64], step: str, calendar: Calendar) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the bars (hours, or days by their midnight) of some hours, ascending, and the bar of each hour."""
    if step == "hour":
        names, place = np.unique(at, return_inverse=True)
        return names, place
    days, place = np.unique(_local(at, calendar) // DAY_US, return_inverse=True)
    dates = [date(1970, 1, 1) + timedelta(days=day) for day in days.tolist()]
    return np.array([calendar.instant(day.year, day.month, day.day) for day in dates], dtype=np.int64), place


def _local(at: NDArray[np.int64], calendar: Calendar) -> NDArray[np.int64]:
    """Convert hours to civil time: us since the epoch, plus the offset from UTC."""
    names, place = np.unique(at, return_inverse=True)
    offsets = [int(calendar.civil(one).utcoffset().total_seconds()) * SECOND_US for one in names.tolist()]  # type: ignore[union-attr]  # it has one
    found: NDArray[np.int64] = at + np.array(offsets, dtype=np.int64)[place] if len(at) else at
    return found


def _peak_panel(axes: Axes, axis: CivilAxis, width: float, bars: tuple[Any, Any], tier: tuple[Any, Any]) -> None:
    days, peaks = bars
    left = axis.of(days)
    corners = [(x, x, x + width, x + width) for x in left.tolist()]
    boxes = [list(zip(xs, (0, high, high, 0), strict=True)) for xs, high in zip(corners, peaks.tolist(), strict=True)]
    axes.add_collection(PolyCollection(boxes, facecolor=style.BLUE, alpha=0.75, linewidth=0, label="peak"))
    axes.stairs(
        tier[1], axis.of(tier[0]), baseline=None, color=style.INK, linestyle=(0, (6, 3)), linewidth=1.2, label="tier"
    )


def _tier_steps(view: View, code: str) -> tuple[Any, Any]:
    """Return the instants at which the tier of a code changes, with both ends of the period, and the tiers between."""
    period = view.service.period
    changes = [
        at for at, event in view.case.trace.events
        if isinstance(event, LimitSet | TierSet) and event.code == code and period.start < at < period.end
    ]  # fmt: skip
    since = np.array(sorted({period.start, *changes}), dtype=np.int64)
    return np.append(since, period.end), view.tier(code, since + MINUTE_US)


def draw_heat(view: View, words: Words) -> Picture | None:
    """Draw the busiest minute as a share of the tier, by hour of the day and day, week or month; one map per code."""
    hours = view.traffic.hours
    shown = hours.codes[:MOST_CODES]
    if not shown or not hours.total("accepted"):
        return None
    axis, period = CivilAxis(view.service.period, words), view.service.period
    days = (period.end - period.start) / DAY_US
    column = "day" if days <= 62 else "week" if days <= 400 else "month"
    width = {"day": 1, "week": 7, "month": 30.44}[column]
    figure, panels = style.canvas((style.WIDE_IN[0], 1.0 + 1.95 * len(shown)), [1] * len(shown))
    size = int(np.ceil(days / width))
    maps = {code: _heat(view, hours.of(code), code, (size, width)) for code in hours.codes}
    most = max(1.0, *(float(np.nan_to_num(maps[code]).max()) for code in shown))
    for code, axes in zip(shown, panels, strict=True):
        image = axes.imshow(
            maps[code], aspect="auto", origin="lower", interpolation="none",
            cmap=colormaps["cividis_r"].with_extremes(bad=NO_TRAFFIC), norm=PowerNorm(0.5, 0, most),
            extent=(0, size * width, 0, 24),
        )  # fmt: skip
        axes.set_yticks([0, 6, 12, 18, 24])
        axes.set_ylabel(words("heat.axis", zone=words.calendar.zone))
        axes.grid(visible=False)
        axes.set_title(style.label(code), loc="left", fontsize=10.5, fontweight="bold")
    bar = figure.colorbar(image, ax=panels, pad=0.01, aspect=30, label=words("heat.colour"))
    bar.outline.set_visible(False)
    axis.mark(panels[-1])
    columns = _heat_columns(maps, period.start, width, words)
    by_hour = np.bincount(_local(hours.at, words.calendar) // HOUR_US % 24, hours.sums["accepted"], 24)
    busiest = int(by_hour.argmax())
    values = {
        "hour": words("heat.hours", start=f"{busiest:02}", end=f"{busiest + 1:02}"),
        "share": words.share(float(by_hour.max() / by_hour.sum()), 1),
    }
    heading = words("heat.heading", **values)
    return picture(words, "heat", heading, figure, columns, column=words(f"heat.column_{column}"))


def _heat_columns(maps: dict[str, NDArray[np.float64]], start: int, width: float, words: Words) -> dict[str, list[Any]]:
    """Return the cells with traffic: code, first day of the column, hour of the day, per cent of the tier."""
    columns: dict[str, list[Any]] = {name: [] for name in ("code", "from_day", "hour", "percent_of_tier")}
    for code, found in maps.items():
        place = np.argwhere(~np.isnan(found))
        columns["code"] += [code] * len(place)
        columns["from_day"] += [
            words.calendar.civil(at).date().isoformat()
            for at in (start + (place[:, 1] * width * DAY_US).astype(np.int64) + HOUR_US).tolist()
        ]
        columns["hour"] += place[:, 0].tolist()
        columns["percent_of_tier"] += np.round(found[place[:, 0], place[:, 1]], 3).tolist()
    return columns


def _heat(view: View, own: Hours, code: str, grid: tuple[int, float]) -> NDArray[np.float64]:
    """Return hour of the day by column: the busiest minute in % of the tier, NaN without traffic."""
    size, width = grid
    calendar = view.case.contract.calendar
    local = _local(own.at, calendar)
    start = int(_local(np.array([view.service.period.start // HOUR_US * HOUR_US]), calendar)[0])
    column = np.clip(((local - start) / DAY_US / width).astype(np.int64), 0, size - 1)
    found = np.full((24, size), -1.0)
    shares = 100 * own.busiest / 60 / np.maximum(1, view.tier(code, own.busiest_at))
    np.maximum.at(found, (local // HOUR_US % 24, column), np.where(own.sums["accepted"] > 0, shares, -1.0))
    found[found < 0] = np.nan
    return found


def draw_delivery(view: View, words: Words) -> Picture | None:
    """Draw delivery times as cumulative shares, and the outcomes of the accepted messages."""
    hours = view.traffic.hours
    if not hours.codes:
        return None
    figure = Figure(figsize=(style.WIDE_IN[0], 3.9), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.35, 1))
    names = hours.codes[:MOST_CODES]
    columns: dict[str, list[Any]] = {
        "code": hours.codes,
        **{name: [hours.total(name, code) for code in hours.codes]
           for name in ("accepted", "delivered", "undelivered", "expired", *TIMES)},
    }  # fmt: skip
    for number, code in enumerate(names):
        counts = np.array([hours.total(name, code) for name in TIMES], dtype=np.float64)
        if counts.sum():
            shares = 100 * np.cumsum(counts)[:-1] / counts.sum()
            marker = "os^Dv*"[number]
            left.plot(range(len(shares)), shares, color=style.SERIES[number], marker=marker, label=style.label(code))
    left.set_xticks(range(len(WITHIN_S)), [_span(seconds) for seconds in WITHIN_S])
    left.set_xlim(-0.3, len(WITHIN_S) - 0.7)
    left.set_ylim(top=101)
    left.set_ylabel(words("delivery.cumulative"))
    left.set_xlabel(words("delivery.time"))
    if left.lines:
        style.legend_above(left, MOST_CODES)
    _outcomes(right, hours, names, words)
    return picture(words, "delivery", _delivery_heading(hours, words), figure, columns)


def _span(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in ((3600, "h"), (60, "min"), (1, "s")) if seconds % size == 0)
    return f"{seconds // size} {unit}"


def _outcomes(axes: Axes, hours: Hours, names: list[str], words: Words) -> None:
    """Draw stacked shares of the accepted messages, one bar per code."""
    left = np.zeros(len(names))
    accepted = np.array([max(1, hours.total("accepted", code)) for code in names])
    sums = {
        name: np.array([hours.total(name, code) for code in names]) for name in ("delivered", "undelivered", "expired")
    }
    parts = (
        ("delivered", sums["delivered"], style.GREEN, ""),
        ("expired", sums["expired"], style.AMBER, "..."),
        ("failed", sums["undelivered"] - sums["expired"], style.RED, "///"),
        ("pending", np.maximum(0, accepted - sums["delivered"] - sums["undelivered"]), style.SOFT, "xxx"),
    )
    for name, counts, colour, hatch in parts:
        shares = 100 * counts / accepted
        label = words(f"delivery.{name}")
        axes.barh(range(len(names)), shares, left=left, height=0.55, color=colour, hatch=hatch, label=label)
        left += shares
    axes.set_yticks(range(len(names)), [style.label(code) for code in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.set_xlabel(words("delivery.outcome"))
    style.legend_above(axes, 2)


def _delivery_heading(hours: Hours, words: Words) -> str:
    accepted, delivered = hours.total("accepted"), hours.total("delivered")
    if not accepted:
        return words("delivery.none")
    quick = sum(hours.total(name) for name, most in zip(TIMES, WITHIN_S, strict=False) if most <= QUICK_S)
    within = words.share(quick / delivered if delivered else None, 2)
    return words("delivery.heading", share=words.share(delivered / accepted, 2), within=within, seconds=QUICK_S)


def draw_recovery(view: View, words: Words) -> Picture | None:
    """Draw the backlog from some minutes before the end of each total outage, the largest ones in colour."""
    if not view.recoveries:
        return None
    ranked = sorted(view.recoveries, key=lambda one: (-one.most, one.start))
    figure, (axes,) = style.canvas((style.WIDE_IN[0], 3.8))
    for one in ranked[WORST_SHOWN:]:
        axes.plot(one.after, one.waiting, color=style.SOFT, alpha=0.45, linewidth=1)
    if len(ranked) > WORST_SHOWN:
        axes.lines[-1].set_label(words("recovery.others"))
    for number, one in list(enumerate(ranked[:WORST_SHOWN]))[::-1]:
        label = f"{words.short(one.ticket)}, {words.day(one.end)}"
        axes.plot(
            one.after, one.waiting, color=style.SERIES[number], linestyle=("-", (0, (6, 2)), (0, (2, 1.5)))[number],
            linewidth=2, label=label,
        )  # fmt: skip
    axes.axvline(0, color=style.INK, linewidth=1)
    shown = [one.after[-1] for one in ranked[:WORST_SHOWN]]
    axes.set_xlim(-max(5, max(shown) // 3), max(5, *shown))
    axes.set_xlabel(words("recovery.time"))
    axes.set_ylabel(words("recovery.axis"))
    axes.set_ylim(bottom=0)
    for each in (axes.xaxis, axes.yaxis):
        each.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
        each.set_major_formatter(lambda value, _: words.number(value))
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="lower left", bbox_to_anchor=(0.0, 1.01), ncols=4)
    columns: dict[str, list[Any]] = {
        "ticket": [one.ticket for one in view.recoveries for _ in one.after],
        "minutes_after_end": [minute for one in view.recoveries for minute in one.after],
        "waiting": [waiting for one in view.recoveries for waiting in one.waiting],
    }
    return picture(words, "recovery", _recovery_heading(ranked[0], words), figure, columns)


def _recovery_heading(worst: Recovery, words: Words) -> str:
    if not worst.most:
        return words("recovery.none")
    values = {"most": words.number(worst.most), "ticket": words.short(worst.ticket)}
    if worst.gone_after_min is None:
        return words("recovery.lasting", **values)
    return words("recovery.heading", after=_lasting(worst.gone_after_min, words), **values)


def _lasting(minutes: int, words: Words) -> str:
    return f"{minutes}\u00a0min" if minutes < 120 else words.hours(minutes / 60)


def busiest_rows(view: View) -> list[tuple[str, int, int, int]]:
    """Return the busiest minutes by share of the tier: code, minute (us), messages accepted, tier."""
    rows = []
    for code in view.traffic.hours.codes:
        own = view.traffic.hours.of(code)
        rates = view.tier(code, own.busiest_at)
        found = zip(own.busiest_at.tolist(), own.busiest.tolist(), rates.tolist(), strict=True)
        rows += [(code, *one) for one in found]
    ranked = sorted(rows, key=lambda row: (-row[2] / max(1, row[3]), row[1], row[0]))
    return [row for row in ranked[:MOST_BUSY] if row[2]]


def busiest_columns(view: View, words: Words) -> dict[str, list[Any]]:
    """Return the busiest minutes as columns."""
    rows = busiest_rows(view)
    return {
        "code": [code for code, *_ in rows], "minute": [words.iso(at) for _, at, _, _ in rows],
        "messages": [count for *_, count, _ in rows], "tier_per_s": [tier for *_, tier in rows],
    }  # fmt: skip
