"""The figures of a forecast: the fan of availability, the probability of a breach, and the back test."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from simbench.ledger.incidents import Period
from simbench.reporting import style
from simbench.sla.forecast import BackTest, Forecast
from simbench.sla.report.forecast_texts import answers, tried_text
from simbench.sla.report.picture import CivilAxis, Panel, Picture, picture
from simbench.sla.report.translations import Words


def draw_fan(made: Forecast, words: Words) -> Picture:
    """Draw forecast availability with the bounds of 50 % and 95 % of the futures, and the probability of a breach."""
    at = np.array(made.fan.at, dtype=np.int64)
    axis = CivilAxis(Period(int(at[0]), int(at[-1]), int(at[0])), words)
    figure, (top, bottom) = style.canvas((style.WIDE_IN[0], 5.4), (1.6, 1))
    x, quantiles = axis.of(at), 100 * np.array(made.fan.quantiles)
    top.fill_between(x, quantiles[0], quantiles[4], color=style.SKY, alpha=0.45, label=words("forecast.most"))
    top.fill_between(x, quantiles[1], quantiles[3], color=style.BLUE, alpha=0.45, label=words("forecast.half"))
    top.plot(x, quantiles[2], color=style.BLUE, linewidth=1.8, label=words("forecast.middle"))
    known = np.array([share is not None for share in made.fan.was])
    was = np.array([np.nan if share is None else 100 * share for share in made.fan.was])
    if known.sum() > 1:
        top.plot(x, was, color=style.INK, linewidth=1.8, linestyle=(0, (2, 1)), label=words("forecast.was"))
    label = words("availability.promised", limit=words.share(made.target))
    top.axhline(100 * made.target, color=style.INK, linestyle=(0, (6, 3)), linewidth=1.2, label=label)
    low = min(100 * made.target, float(quantiles[0].min()), float(np.nanmin(was)) if known.any() else 100.0)
    top.set_ylim(low - 0.15, 100.1)
    top.set_ylabel(words("availability.curve"))
    top.yaxis.set_major_formatter(lambda value, _: words.number(value, 2))
    style.legend_above(top, 5)
    dates = axis.of(np.array([one.at for one in made.dates], dtype=np.int64))
    for place, (name, colour) in enumerate((("availability", style.BLUE), ("restoration", style.AMBER))):
        chances = [getattr(one, name) for one in made.dates]
        shares = np.array([100 * chance.share for chance in chances])
        bands = [chance.band or chance.noise for chance in chances]
        spread = [[share - 100 * low for share, (low, _) in zip(shares, bands, strict=True)],
                  [100 * high - share for share, (_, high) in zip(shares, bands, strict=True)]]  # fmt: skip
        shift = (place - 0.5) * axis.of(int(at[-1])) * 0.008
        bottom.errorbar(
            dates + shift, shares, yerr=np.maximum(0, spread), color=colour, marker="os"[place], markersize=5,
            capsize=3, linestyle="none", label=words(f"forecast.of_{name}"),
        )  # fmt: skip
    bottom.set_ylim(0, 104)
    bottom.set_ylabel(words("forecast.chance"))
    style.legend_above(bottom, 2)
    axis.mark(bottom)
    values = {
        words("forecast.middle"): [words.share(share / 100) for share in quantiles[2].tolist()],
        words("forecast.most"): [
            f"{words.share(low / 100)} – {words.share(high / 100)}"
            for low, high in zip(quantiles[0].tolist(), quantiles[4].tolist(), strict=True)
        ],
    }
    columns: dict[str, list[Any]] = {
        "at": [words.iso(one) for one in made.fan.at], **{
            name: list(row) for name, row in zip(("low95", "low50", "middle", "high50", "high95"), made.fan.quantiles,
                                                 strict=True)
        }, "was": list(made.fan.was),
    }  # fmt: skip
    first, *rest = answers(made, None, words)
    panels = (Panel(top, at.tolist(), values, int(at[0])),)
    return picture(words, "forecast", first, figure, columns, " ".join(rest), panels=panels)


def draw_back_test(tried: BackTest, words: Words) -> Picture:
    """Draw each past forecast with its outcome: the bounds of forecast availability, and the actual one."""
    at = np.array([one.until for one in tried.tried], dtype=np.int64)
    span = max(1, int(at[-1] - at[0]))
    axis = CivilAxis(Period(int(at[0]) - span // 12 - 1, int(at[-1]) + span // 12 + 1, int(at[0])), words)
    figure, (axes, beside) = style.unequal((style.WIDE_IN[0], 3.6), (2.3, 1))
    x, quantiles = axis.of(at), 100 * np.array([one.quantiles for one in tried.tried])
    for (low, high), width, colour, key in (((0, 4), 3, style.SKY, "most"), ((1, 3), 8, style.BLUE, "half")):
        axes.vlines(
            x, quantiles[:, low], quantiles[:, high], color=colour, linewidth=width, alpha=0.6,
            label=words(f"forecast.{key}"),
        )  # fmt: skip
    was = np.array([100 * one.was for one in tried.tried])
    axes.plot(x, was, color=style.INK, marker="D", markersize=5, linestyle="none", label=words("forecast.was"))
    lowest, floor = float(quantiles.min()), 2.5 * min(float(quantiles[:, 1].min()), float(was.min())) - 150
    room = (100 - max(lowest, floor)) * 0.08 + 0.1
    axes.set_ylim(max(lowest, floor) - room, 100 + room)
    cut = quantiles[:, 0] < floor
    if cut.any():
        axes.plot(x[cut], np.full(int(cut.sum()), floor - room * 0.6), color=style.BLUE, marker="v", linestyle="none")
    axes.set_ylabel(words("availability.curve"))
    axes.yaxis.set_major_formatter(lambda value, _: words.number(value, 2))
    style.legend_above(axes, 3)
    axis.mark(axes)
    _draw_reliability(beside, tried, words)
    columns: dict[str, list[Any]] = {
        "as_of": [words.iso(one.as_of) for one in tried.tried], "until": [words.iso(one.until) for one in tried.tried],
        "probability": [one.share for one in tried.tried], "broke": [one.broke for one in tried.tried],
        "low95": quantiles[:, 0].tolist(), "high95": quantiles[:, 4].tolist(), "was": was.tolist(),
        "below_already": [one.below_already for one in tried.tried],
    }  # fmt: skip
    return Picture(
        "back-test", words("forecast.tried_title"), tried_text(tried, words), figure, words("forecast.tried_formula"),
        columns, words("forecast.tried_note") + (" " + words("forecast.tried_cut") if cut.any() else ""),
    )  # fmt: skip


def _draw_reliability(axes: Axes, tried: BackTest, words: Words) -> None:
    """Draw the observed frequency of breaches by forecast probability; on the diagonal both agree."""
    bins = tried.bins()
    axes.plot(
        [0, 100], [0, 100], color=style.SOFT, linestyle=(0, (4, 2)), linewidth=1.2, label=words("forecast.perfect")
    )
    x = np.array([100 * one.foreseen for one in bins])
    shares = np.array([100 * one.happened / one.tries for one in bins])
    spread = np.array([[share - 100 * one.band[0], 100 * one.band[1] - share]
                       for share, one in zip(shares.tolist(), bins, strict=True)]).reshape(-1, 2)  # fmt: skip
    axes.errorbar(
        x, shares, yerr=np.maximum(0, spread.T), color=style.BLUE, marker="o", markersize=6, capsize=3,
        linestyle="none", label=words("forecast.by_probability"),
    )  # fmt: skip
    for at, share, one in zip(x.tolist(), shares.tolist(), bins, strict=True):
        up = share < 50
        axes.annotate(
            words.number(one.tries), (at, share), xytext=(6, 4 if up else -4), textcoords="offset points", ha="left",
            va="bottom" if up else "top", fontsize=8,
        )  # fmt: skip
    axes.set_xlim(-4, 104)
    axes.set_ylim(-4, 104)
    axes.set_xlabel(words("forecast.reliability_axis"))
    axes.set_ylabel(words("forecast.reliability_happened"))
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.01), ncols=1, fontsize=8)
