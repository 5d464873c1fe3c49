"""Results of the submits: accepted, refused by error code, unanswered."""

from __future__ import annotations

from collections import Counter

from simbench.bench.report.figures.context import Group, Scene
from simbench.reporting import style
from simbench.reporting.figure import Drawing
from simbench.reporting.format import number
from simbench.ucp.codes import ERROR_CODES

ACCEPTED, UNANSWERED = "accepted", "no answer"
MOST_BARS = 10
SPREAD = 40  # ratio of the largest to the smallest bar from which the axis is logarithmic


def draw(scene: Scene) -> Group | None:
    """Draw bars of results by error code; None without submits, or if all were accepted."""
    tally = _tally(scene)
    total = sum(tally.values())
    if not total or tally[ACCEPTED] == total:
        return None
    heading = _conclusion(tally, total)
    bars = [(ACCEPTED, tally[ACCEPTED]), *_refusals(tally), (UNANSWERED, tally[UNANSWERED])]
    bars = [(name, amount) for name, amount in bars if amount]
    figure, (axes,) = style.canvas((style.PANEL_IN[0], 1.0 + 0.52 * len(bars)))
    amounts = [amount for _, amount in bars]
    colours = [style.GREEN if name == ACCEPTED else style.SOFT if name == UNANSWERED else style.RED for name, _ in bars]
    places = range(len(bars))
    axes.barh(places, amounts, height=0.42, color=colours)
    axes.set_ylim(len(bars) - 0.6, -0.75)
    axes.set_yticks([])
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    logarithmic = max(amounts) > SPREAD * min(amounts)
    if logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(0.8, max(amounts) * 1.3)
        axes.xaxis.set_major_formatter(lambda value, _: number(value))
    for place, (name, amount) in enumerate(bars):
        axes.annotate(
            f"{_named(name)}: {number(amount)}", (axes.get_xlim()[0], place - 0.27),
            xytext=(2, 0), textcoords="offset points", va="bottom", fontsize=9.5,
        )  # fmt: skip
    axes.set_xlabel("submits (logarithmic)" if logarithmic else "submits")
    return Group(heading, (Drawing("", style.to_svg(figure, heading, "results")),))


def _tally(scene: Scene) -> Counter[str]:
    submits = scene.exercise.trace.submits
    return Counter(
        UNANSWERED if result_at < 0 else ACCEPTED if ack == "A" else ec
        for result_at, ack, ec in zip(
            submits.result_at.tolist(), submits.ack.tolist(), submits.ec.tolist(), strict=True
        )
    )


def _refusals(tally: Counter[str]) -> list[tuple[str, int]]:
    refusals = sorted(
        ((name, amount) for name, amount in tally.items() if name not in {ACCEPTED, UNANSWERED}),
        key=lambda bar: (-bar[1], bar[0]),
    )
    rest = sum(amount for _, amount in refusals[MOST_BARS:])
    return [*refusals[:MOST_BARS], *([("others", rest)] if rest else [])]


def _named(name: str) -> str:
    """Return the bar's name: an error code with its meaning, or a word unchanged."""
    if not name:
        return "refused without a code"
    if name in {ACCEPTED, UNANSWERED, "others"}:
        return name
    known = ERROR_CODES.get(name)
    return style.label(f"{name} {known.meaning if known else 'unknown code'}", 74)


def _conclusion(tally: Counter[str], total: int) -> str:
    refusals = _refusals(tally)
    refused = sum(amount for _, amount in refusals)
    summary = f"{refused / total:.2%} of {number(total)} submits were refused" if refused else ""
    if refusals:
        summary += f", {'all' if len(refusals) == 1 else 'most'} with {_code(refusals[0][0])}"
    if not tally[UNANSWERED]:
        return summary
    silent = f"{number(tally[UNANSWERED])} got no answer"
    return f"{summary}; {silent}" if summary else f"{silent.replace(' got', f' of {number(total)} submits got')}"


def _code(name: str) -> str:
    return f"error code {style.label(name)}" if name else "no code"
